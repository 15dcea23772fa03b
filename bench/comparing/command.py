"""bench/compare's command line, and the way through a run: which jobs, which contenders, in which parts."""

import argparse
import datetime
import os
import shlex
import signal
import sys
from dataclasses import dataclass

from . import answers, contenders, figures, idle, jobs, machine, results, rounds, text, workers
from .certificate import GROUP, KEYS, POST_QUANTUM, Certificate
from .contenders.envoy import Envoy
from .contenders.floors import Direct, Forwarder
from .contenders.haproxy import Haproxy
from .contenders.nginx import Nginx
from .contenders.portcullis import Bare, Monoio, Portcullis, PostQuantum
from .contenders.traefik import Traefik
from .generators.h2load import H2load
from .generators.portcullis_load import PortcullisLoad
from .generators.wrk import Wrk
from .processes import Failed
from .stage import Stage, say

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
    add("--rounds", type=int, default=5, metavar="N")
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
    add("--idle-connections", type=int, default=10_000, metavar="N")
    add("--proxy-core", default="0", metavar="CORE", help="default: 0")
    add("--client-core", default="1", metavar="CORE", help="default: 1")
    add("--backend-core", default="2" if many else "1", metavar="CORE", help="default: 2, or 1 where there is no third")
    add("--worker-cores", default="0,1", metavar="LIST", help="of the proxies in the job `workers`; default: 0,1")
    add("--out", default=f"{contenders.ROOT}/target/compare", metavar="FOLDER", help="default: target/compare")
    add("--fresh", action="store_true", help="forget what FOLDER/results.json has from before")
    add("--check", action="store_true", help="start and check everything, that limits limit too, but measure nothing")
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
    args.cores = Cores(args.proxy_core, args.client_core, args.backend_core, args.worker_cores)
    args.command_line = shlex.join(["bench/compare", *argv])
    return args


def _listed(parser, option, value, known):
    wanted = value.split(",")
    for it in wanted:
        if it not in known:
            parser.error(f"{option}: no such thing as {it!r}; there are {', '.join(known)}")
    return wanted


def main(argv):
    args = parse(argv)
    kept = results.Results(args.out, args.fresh)
    # However it is ended, nothing that it started stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if not args.report:
            with Stage(args.cores, args.load_binary) as stage:
                Comparison(args, stage, kept).run()
        if not args.check:
            report(kept)
    except Failed as error:
        sys.exit(f"bench/compare: {error}")
    except KeyboardInterrupt:
        sys.exit("bench/compare: ended by hand; jobs that were finished are in results.json")


def report(kept):
    from . import chart, page

    for name, made in (("report.html", page.html(kept.ordered())), ("chart.svg", chart.svg(kept.ordered()))):
        with open(os.path.join(kept.folder, name), "w") as out:
            out.write(made)
    say(f"written: {kept.folder}/results.json, report.html, chart.svg")


class Comparison:
    """One run over the jobs that were asked for."""

    def __init__(self, args, stage, kept):
        self.args, self.stage, self.kept = args, stage, kept
        self.contenders = self._contenders()
        self.made = {}
        self.about = {
            "machine": machine.about(),
            "versions": {it.name: version for it in self.contenders if (version := it.version())},
            "cores": vars(args.cores),
        }
        self.jobs = [it.with_key(args.key) for it in jobs.ALL if it.name in args.jobs]
        chosen = [self._chosen(it) for it in self.jobs]
        for it in (it for pair in chosen for it in pair if it):
            self.about["versions"][it.name] = it.version()
        say(machine.in_words(self.about["machine"]))
        say(", ".join(f"{name} {version}" for name, version in self.about["versions"].items()))

    def _contenders(self):
        args = self.args
        ours = Portcullis(args.binary)
        if not ours.program():
            raise Failed(f"{args.binary} is not there: cargo build --release -p engine-cli")
        peers = [PEERS[name]() for name in args.peers if name in PEERS]
        if args.nginx_keepalive and "nginx" in args.peers:
            peers.insert(1, Nginx(args.nginx_keepalive))
        found = []
        more = [PostQuantum(args.binary)] if args.group == POST_QUANTUM else []
        more += [Monoio(args.binary)] if Monoio.name in args.peers else []
        for it in [ours, *more, *peers, Bare(args.binary), Forwarder(args.floor), Direct()]:
            if it.program():
                found.append(it)
            else:
                say(f"{it.name} is not here, so it is left out: " + (
                    "cargo build --release -p engine-net --example floor" if it.kind == "floor" else f"tools/peers {it.name}"))
        return found

    def _generator(self, name):
        if name not in self.made:
            path = self.args.load_binary if name == "portcullis-load" else None
            trusted = Certificate(self.stage.trusted, None, None)
            self.made[name] = GENERATORS[name](self.args.cores.client, self.stage.folder, path, trusted)
        return self.made[name]

    def _first(self, job, names):
        """The first of these generators that is here and can do a job; None when there is none."""
        able = (it for it in map(self._generator, names) if it.path and not it.cannot(job))
        return next(able, None)

    def _chosen(self, job):
        """The generators for a job's cost and for its latencies, as far as there are any."""
        args = self.args
        usual = ["wrk", "portcullis-load", "h2load"]
        if job.tls or job.http2:
            usual = ["h2load", "portcullis-load", "wrk"]
        if job.tls and job.close:
            usual = ["portcullis-load"]
        if job.message:
            # A call may fail in its trailers, which h2load doesn't look at.
            usual = ["portcullis-load", "h2load"]
        rates = [name for name, it in GENERATORS.items() if it.has_rate]
        return (self._first(job, [args.generator] if args.generator else usual),
                self._first(job, [args.rate_generator] if args.rate_generator else rates))

    def run(self):
        for job in self.jobs:
            job.prepare(self.stage.tokens)
        for together in self._together():
            job = together[0]
            if self.args.check:
                self._check(job)
            elif job.kind == "load":
                for connections in self.args.connections or [job.connections]:
                    self._load(together, connections)
            elif job.kind == "idle":
                self._idle(job)
            else:
                self._workers(job)

    def _together(self):
        """The jobs, those in one list that are measured in the same rounds: full handshakes and resumed ones."""
        pair = [it for it in self.jobs if it.name in ("handshake", "resume")]
        if len(pair) < 2 or self.args.check:
            return [[it] for it in self.jobs]
        return [pair if it is pair[0] else [it] for it in self.jobs if it is not pair[1]]

    def _able(self, job):
        return [it for it in self.contenders if not it.does(job)]

    def _started(self, job):
        """All that can do a job, running; a floor that fails is missed, but a proxy that fails ends the run."""
        able, standing = [], []
        for it in self._able(job):
            try:
                standing.append(self.stage.start(it, job))
                able.append(it)
            except Failed as error:
                if it.kind != "floor":
                    raise
                say(f"{it.name} is left out: {error}")
        return able, standing

    def _check(self, job):
        for contender, _ in zip(*self._started(job)):
            if job.policy == "gateway" and contender.kind != "floor" and contender.limits:
                answers.limited(contender, job, self.stage.start(contender, job, rate=5).place)
            say(f"{job.name}: {contender.name} does it rightly")
        self.stage.clear()

    def _record(self, job, connections, part, rows, settings=None):
        """Keeps what was measured of a part of a job (`cost`, `latency`, …), and when and how it was."""
        date = datetime.datetime.now().astimezone().isoformat(timespec="minutes")
        how = {"date": date, "command": self.args.command_line, "rounds": self.args.rounds,
               "seconds": self._seconds(job), **(settings or {})}
        result = {"key": f"{job.label}@{connections}", "job": job.label, "title": job.title,
                  "connections": connections, "about": self.about, "measured": {part: how}, "rows": rows}
        self.kept.put(part, result)
        self.kept.save()

    def _seconds(self, job):
        """Of one slice."""
        return self.args.seconds or job.seconds

    def _row(self, contender, job, **figures_of):
        return {"name": contender.name, "kind": contender.kind, "note": contender.note(job),
                "verifies": contender.verifies, **figures_of}

    def _load(self, together, connections):
        """Measures a job, or several that take turns with the same programs."""
        args, job = self.args, together[0]
        say(f"{', '.join(it.label for it in together)}, {connections} connections: starting and checking "
            + ", ".join(it.name for it in self._able(job)))
        generator, paced = self._chosen(job)
        if not generator:
            tried = self._generator(args.generator or "portcullis-load")
            raise Failed(f"{job.name}: {tried.name} can't: {tried.cannot(job)}" if tried.path else
                         f"{job.name}: {tried.name} is not here: tools/peers {tried.name}, or --load-binary")
        able, standing = self._started(job)
        # Each job's faces of the programs; a job that has them to itself needs no others.
        faces = {it.name: standing if len(together) == 1 else [one.doing(it) for one in standing] for it in together}
        if "cost" in args.measure:
            self._cost(together, connections, generator, able, faces)
        for job in together:
            self._latency(job, connections, paced, able, faces[job.name])
        self.stage.clear()
        for job in together:
            print(text.job(self.kept.get(f"{job.label}@{connections}")), flush=True)

    def _cost(self, together, connections, generator, able, faces):
        job = together[0]
        seconds = self._seconds(job)
        found = rounds.run(f"{job.label}@{connections} cost", [face for it in together for face in faces[it.name]],
                           lambda it: generator.closed(it.port, it.job, connections, seconds), self.args.rounds)
        full = {}
        for job in together:
            rows = []
            for it, face in zip(able, faces[job.name]):
                cost = found[face.name]
                if job.resume and it.name in full:
                    cost["full_us"] = full[it.name]
                elif job.close and not job.resume:
                    full[it.name] = cost["us"]
                rows.append(self._row(it, job, cost=cost))
            self._record(job, connections, "cost", rows, {"generator": generator.name})

    def _latency(self, job, connections, paced, able, faces):
        args, seconds, key = self.args, self._seconds(job), f"{job.label}@{connections}"
        if "latency" not in args.measure:
            return
        if not paced:
            say(f"{job.name}: no generator here holds a rate for it: no latencies")
        elif not job.close or paced.reconnects:
            rate = args.rate or self._half(key)
            found = rounds.run(f"{key} latency at {rate}/s", faces,
                               lambda it: paced.steady(it.port, it.job, connections, seconds, rate), args.rounds)
            self._record(job, connections, "latency", [self._row(it, job, latency=found[face.name]) for it, face in zip(able, faces)],
                         {"generator": paced.name, "rate": rate, "from": paced.counts_from})

    def _half(self, key):
        known = self.kept.get(key)
        rate = known and figures.slowest_peer_rate(known["rows"])
        if not rate:
            raise Failed(f"{key}: no peak rates yet to take the half of: measure cost too, or give --rate")
        return int(rate / 2)

    def _idle(self, job):
        count = idle.connections_possible(self.stage.descriptors, self.args.idle_connections)
        rows = []
        for contender in self._able(job):
            it = self.stage.start(contender, job)
            rows.append(self._row(contender, job, idle=idle.measure(it, job, count, settle=3)))
            say(f"  idle: {contender.name}, {rows[-1]['idle']['bytes']:.0f} bytes for each of {count}")
            self.stage.clear()
        self._record(job, count, "idle", rows)
        print(text.job(self.kept.get(f"{job.name}@{count}")), flush=True)

    def _workers(self, job):
        connections, rate = (self.args.connections or [job.connections])[0], self.args.rate or 5_000
        generator, paced = self._chosen(job)
        if not generator:
            raise Failed(f"{job.name}: no generator is here: tools/peers wrk")

        def load(port, share, count):
            if paced:
                return paced.steady(port, job, connections * count, self._seconds(job), rate * share)
            return generator.closed(port, job, connections * count, self._seconds(job))

        rows = []
        for contender in self._able(job):
            say(f"workers: {contender.name}")
            rows.append(self._row(contender, job, workers=workers.measure(self.stage, contender, job, self.args, load)))
        self._record(job, connections, "workers", rows, {"generator": (paced or generator).name, "rate": rate if paced else None})
        print(text.job(self.kept.get(f"{job.name}@{connections}")), flush=True)
