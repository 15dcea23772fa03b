"""bench/compare's command line: what may be said, what `--help` says of it, and what is refused at once."""

import argparse
import os
import shlex
from dataclasses import dataclass

from . import contenders, jobs
from .certificate import GROUP, KEYS, POST_QUANTUM
from .contenders.envoy import Envoy
from .contenders.haproxy import Haproxy
from .contenders.nginx import Nginx
from .contenders.portcullis import Monoio
from .contenders.traefik import Traefik
from .generators.h2load import H2load
from .generators.portcullis_load import PortcullisLoad
from .generators.wrk import Wrk

GENERATORS = {it.name: it for it in (Wrk, PortcullisLoad, H2load)}
PEERS = {it.name: it for it in (Nginx, Haproxy, Envoy, Traefik)}
ASKED = (Monoio.name,)  # there by name alone

ABOUT = """\
Measures the gateway beside other proxies on the same work, in one run, on this machine.

A backend is started, then the gateway and every peer that tools/peers has installed, all confined to the same
core, with client and backend on another. In interleaved rounds each gets its slice of the same load. Of each you
get, with its spread and as a ratio to the others in the same rounds:

  CPU us/request    run time of all threads of its process tree, divided by the requests answered
  requests/s        with every connection busy, and how busy that kept the proxy's core
  p50 p99 p99.9     at half the slowest peer's peak rate, and how much of it is beyond the direct way
  memory            resident

Two floors stand beside them: the backend asked directly, and a forwarder that parses nothing (l4-floor).
Answers are checked before anything is measured: status, every byte of the body, refusals, log lines.

Jobs:
{jobs}
Results go to FOLDER/results.json (all of it), report.html (one page, no network needed) and chart.svg. A run
replaces only the jobs that it measured, so that a comparison can be made in parts, by job or by measure.
docs/benchmarking.md says what each figure means and how not to fool oneself.
"""

EXAMPLES = """\
Examples:
  tools/peers && cargo build --release -p engine-cli -p engine-net --bins --example floor && bench/compare
  bench/compare --jobs plain,gateway --rounds 7             # two jobs, more rounds
  bench/compare --jobs plain --connections 8,64,256         # one job at three widths
  bench/compare --jobs plain --peers nginx --nginx-keepalive 32 --out target/keepalive
  bench/compare --jobs handshake,resume --key rsa2048       # full and resumed, in the same rounds
  bench/compare --jobs 1m --measure cost                    # no latencies: half the time
  bench/compare --jobs plain,idle --peers portcullis-monoio # our own ring beside monoio's driver
  bench/compare --jobs idle                                 # 10,000 connections, or as many as may be open
  bench/compare --generators                                # what wrk, h2load and portcullis-load cost themselves
  bench/compare --check                                     # only whether all do their jobs rightly
  bench/compare --report                                    # only the reports, from results.json
"""


@dataclass
class Cores:
    proxy: str
    client: str
    backend: str
    workers: str


def parse(argv):
    listed = "".join(f"  {it.name:9} {it.title}\n" for it in jobs.ALL)
    many = (os.cpu_count() or 1) > 2
    parser = argparse.ArgumentParser(prog="bench/compare", description=ABOUT.format(jobs=listed), epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--jobs", default="all", metavar="LIST", help="which jobs, by commas; default: all")
    add("--connections", metavar="LIST", help="connections that the client keeps busy; of 8,64,256 each job runs three times; default: 64, but 8 for h2, h2c and grpc")
    add("--rounds", type=int, default=5, metavar="N", help="in which each has its turn, after one that is thrown away; default: %(default)s")
    add("--seconds", type=int, metavar="S", help="of one slice; default: 2, but 5 for 100k and 1m")
    add("--peers", default="all", metavar="LIST", help=f"which peers: {','.join(PEERS)}, all or none; default: those installed. {Monoio.name}, the gateway by monoio's driver, is there by name alone: all,{Monoio.name}")
    add("--key", choices=KEYS, default="p256", help="of the certificate; with rsa2048 the jobs over TLS are jobs of their own in the results (resume-rsa2048); default: p256")
    add("--group", choices=(GROUP, POST_QUANTUM), default=GROUP, help=f"with {POST_QUANTUM} the gateway stands a second time in handshake and resume, with this group alone offered; default: {GROUP}, which all have")
    add("--nginx-keepalive", type=int, metavar="N", help="a second nginx that may keep only N idle connections to the "
        "backend (its manual's example has 32); the first may keep all")
    add("--measure", default="cost,latency", metavar="LIST", help="cost (all connections busy), latency (at a rate); default: both")
    add("--rate", type=int, metavar="R", help="requests/s for latency and workers; default: half the slowest peer's peak; 5000 for workers")
    add("--generator", choices=GENERATORS, help="for cost; default: wrk, over TLS and HTTP/2 h2load, for handshakes and gRPC portcullis-load")
    add("--rate-generator", choices=[name for name, it in GENERATORS.items() if it.has_rate], help="for latency; default: the first of these that is there and can do the job")
    add("--load-binary", metavar="PATH", help="portcullis-load, if not in target/release")
    add("--binary", default=f"{contenders.ROOT}/target/release/portcullis", metavar="PATH", help="the gateway; default: target/release/portcullis")
    add("--floor", default=f"{contenders.ROOT}/target/release/examples/floor", metavar="PATH", help="the L4 forwarder; default: target/release/examples/floor")
    add("--idle-connections", type=int, default=10_000, metavar="N", help="held in the job `idle`, or as many as may be open; default: %(default)s")
    add("--proxy-core", default="0", metavar="CORE", help="default: 0")
    add("--client-core", default="1", metavar="CORE", help="default: 1")
    add("--backend-core", default="2" if many else "1", metavar="CORE", help="default: 2, or 1 where there is no third")
    add("--worker-cores", default="0,1", metavar="LIST", help="two, of the proxies in the job `workers`; default: 0,1")
    add("--out", default=f"{contenders.ROOT}/target/compare", metavar="FOLDER", help="default: target/compare")
    add("--fresh", action="store_true", help="forget what FOLDER/results.json has from before")
    add("--check", action="store_true", help="start and check everything, that limits limit too, but measure nothing")
    add("--generators", action="store_true", help="measure the generators themselves, in turn against the same nginx: portcullis-load beside wrk (HTTP/1.1, --connections or 8,64,256) and h2load (HTTP/2); to FOLDER/generators.json")
    add("--report", action="store_true", help="write the reports anew from results.json, measure nothing")
    args = parser.parse_args(argv)
    names = [it.name for it in jobs.ALL]
    args.jobs = names if args.jobs == "all" else _listed(parser, "--jobs", args.jobs, names)
    args.peers = [] if args.peers == "none" else _listed(parser, "--peers", args.peers, [*PEERS, *ASKED, "all"])
    if "all" in args.peers:
        args.peers = [*PEERS, *(it for it in args.peers if it in ASKED)]
    args.measure = _listed(parser, "--measure", args.measure, ("cost", "latency"))
    if args.connections is not None:
        if not all(it.isdigit() and int(it) for it in args.connections.split(",")):
            parser.error("--connections takes numbers, by commas")
        args.connections = [int(it) for it in args.connections.split(",")]
    if args.rounds < 1 or (args.seconds is not None and args.seconds < 1):
        parser.error("--rounds and --seconds begin at 1")
    if args.report and args.fresh:
        parser.error("--report has nothing to say once --fresh has forgotten it")
    for option, value, count in (("--proxy-core", args.proxy_core, 1), ("--client-core", args.client_core, 1),
                                 ("--backend-core", args.backend_core, 1), ("--worker-cores", args.worker_cores, 2)):
        if not all(it.isdecimal() for it in value.split(",")) or len(set(value.split(","))) != count:
            parser.error(f"{option} takes {'a number' if count == 1 else 'two numbers, by a comma'}, not {value!r}")
    if args.idle_connections < 1:
        parser.error("--idle-connections begins at 1")
    if args.generators and (args.check or args.report):
        parser.error("--generators goes with neither --check nor --report")
    args.cores = Cores(args.proxy_core, args.client_core, args.backend_core, args.worker_cores)
    args.command_line = shlex.join(["bench/compare", *argv])
    return args


def _listed(parser, option, value, known):
    wanted = value.split(",")
    for it in wanted:
        if it not in known:
            parser.error(f"{option}: no such thing as {it!r}; there are {', '.join(known)}")
    return wanted
