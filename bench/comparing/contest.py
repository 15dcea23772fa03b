"""`--generators`: what the load generators cost themselves, in turn against the same nginx on another core.

portcullis-load beside wrk in HTTP/1.1, and beside h2load in HTTP/2. Each is told the least that makes it load one URL: no
scripts, no logs of single requests, no expectations but its own. Its CPU time is that of the whole process from start to
end, as the kernel accounts it, so that what one does once (a trust store, a table) counts alike for all.
"""

import datetime
import json
import os
import re
import subprocess
import time
from dataclasses import dataclass

from . import contenders, figures, machine, processes, rounds
from .certificate import GROUP, SUITE
from .generators import Sample
from .stage import say

SERVER = """
worker_processes 1; daemon off; pid {folder}/loaded.pid; error_log {folder}/loaded.err crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 10000; multi_accept on; }}
http {{
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  access_log off; default_type application/octet-stream; tcp_nodelay on;
  keepalive_requests 1000000000; keepalive_timeout 1h; http2_max_concurrent_streams 1024;
  ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.3; ssl_ecdh_curve {group};
  server {{
    listen 127.0.0.1:{http1} backlog=4096;
    listen 127.0.0.1:{h2c} http2 backlog=4096;
    listen 127.0.0.1:{h2} ssl http2 backlog=4096;
    location / {{ return 200 "{kilobyte}"; }}
  }}
}}
"""


@dataclass
class Case:
    """What is spoken (`http1`, `h2c` or `h2`), by how many connections, with how many requests under way on each."""

    spoken: str
    connections: int
    streams: int = 1

    @property
    def http2(self):
        return self.spoken != "http1"

    @property
    def title(self):
        words = {"http1": "HTTP/1.1", "h2c": "HTTP/2 without TLS", "h2": "HTTP/2 over TLS"}[self.spoken]
        streams = f" of {self.streams} streams" if self.http2 else ""
        return f"{words}, {self.connections} connections{streams}"

    def url(self, port):
        return f"{'https' if self.spoken == 'h2' else 'http'}://127.0.0.1:{port}/"


def cases(connections):
    """All of them; `connections` are those of HTTP/1.1."""
    return [*(Case("http1", it) for it in connections), Case("h2c", 8, 8), Case("h2", 8, 8)]


class Wrk:
    name = "wrk"

    def command(self, case, port, seconds, folder, trusted):
        return ["-t1", f"-c{case.connections}", f"-d{seconds}s", case.url(port)]

    def sample(self, output, folder):
        answered = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", output)
        if not answered:
            return None
        others = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
        failed = sum(int(it) for found in (others, broken) if found for it in found.groups())
        return Sample(int(answered[1]), float(answered[2]) * {"ms": 0.001, "s": 1, "m": 60}[answered[3]], failed)


class H2load:
    name = "h2load"

    def command(self, case, port, seconds, folder, trusted):
        tls = [f"--groups={GROUP}", f"--tls13-ciphers={SUITE}"] if case.spoken == "h2" else []
        return ["-t1", f"-c{case.connections}", f"-m{case.streams}", f"-D{seconds}", *tls, case.url(port)]

    def sample(self, output, folder):
        counts = re.search(r"requests: .* (\d+) succeeded, (\d+) failed", output)
        took = re.search(r"finished in ([\d.]+)(ms|s)", output)
        if not counts or not took:
            return None
        return Sample(int(counts[1]), float(took[1]) * (0.001 if took[2] == "ms" else 1), int(counts[2]))


class PortcullisLoad:
    name = "portcullis-load"

    def command(self, case, port, seconds, folder, trusted):
        spoken = ["--http2", "--streams", str(case.streams)] if case.http2 else []
        if case.spoken == "h2":
            spoken += ["--cacert", trusted, "--tls-groups", GROUP]
        return ["--quiet", "--threads", "1", "--connections", str(case.connections), "--duration", f"{seconds}s",
                "--json", f"{folder}/contest.json", *spoken, case.url(port)]

    def sample(self, output, folder):
        try:
            with open(f"{folder}/contest.json") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return None
        return Sample(found["counts"]["answered"], found["duration_ns"] / 1e9, found["counts"]["failed"])


def spent(command):
    """What a command printed, its exit status, and the nanoseconds that it ran on a core."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            output = running.stdout.read()
            _, status, usage = os.wait4(running.pid, 0)
            # Nobody else may wait for it.
            running.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            running.kill()
            raise
    return output, running.returncode, round((usage.ru_utime + usage.ru_stime) * 1e9)


class Contest:
    def __init__(self, args, stage):
        self.args, self.stage = args, stage
        self.paths = {
            "portcullis-load": args.load_binary or contenders.found("portcullis-load", f"{contenders.ROOT}/target/release"),
            "wrk": contenders.found("wrk"), "h2load": contenders.found("h2load"), "nginx": contenders.found("nginx"),
        }
        if not self.paths["portcullis-load"]:
            raise processes.Failed("portcullis-load is missing here: cargo build --release -p loadtest, or --load-binary")
        if not self.paths["wrk"] and not self.paths["h2load"]:
            raise processes.Failed("neither wrk nor h2load is here: tools/peers wrk h2load")

    def run(self):
        """Measures all; gives what goes to generators.json."""
        server, ports = self._server()
        try:
            found = []
            for case in cases(self.args.connections or [8, 64, 256]):
                other = H2load() if case.http2 else Wrk()
                if self.paths[other.name]:
                    found.append(self._case(case, [PortcullisLoad(), other], server, ports[case.spoken]))
                else:
                    say(f"{case.title}: {other.name} is not here, so it is left out: tools/peers {other.name}")
        finally:
            server.end()
        versions = {name: self._version(name) for name, path in self.paths.items() if path}
        date = datetime.datetime.now().astimezone().isoformat(timespec="minutes")
        return {"tool": "bench/compare --generators", "date": date, "command": self.args.command_line, "rounds": self.args.rounds,
                "seconds": self.args.seconds or 2, "machine": machine.about(), "versions": versions,
                "cores": {"server": self.args.cores.proxy, "generators": self.args.cores.client}, "cases": found}

    def _version(self, name):
        path = self.paths[name]
        if name == "wrk":
            return contenders.says(path, "-v").splitlines()[0].split()[1]
        return contenders.says(path, "-v" if name == "nginx" else "--version").split("/")[-1].split()[-1]

    def _server(self):
        folder = f"{self.stage.folder}/loaded"
        self.stage.count += 1
        os.makedirs(f"{folder}/tmp")
        shown = self.stage.certificates["p256"]
        ports = dict(zip(("http1", "h2c", "h2"), processes.free_ports(3)))
        path = f"{folder}/nginx.conf"
        with open(path, "w") as out:
            out.write(SERVER.format(folder=folder, chain=shown.chain, key=shown.key, group=GROUP, kilobyte="x" * 1024, **ports))
        server = processes.Program([self.paths["nginx"], "-c", path, "-p", folder], self.args.cores.proxy, folder, f"{folder}/output.log")
        try:
            for port in ports.values():
                server.wait_for(port)
        except BaseException:
            server.end()
            raise
        return server, ports

    def _case(self, case, both, server, port):
        found = {it.name: [] for it in both}
        for round in range(-1, self.args.rounds):
            for it in rounds.order(both, max(round, 0)):
                slice = self._slice(case, it, server, port)
                # The first is for pools, caches and the clock.
                if round >= 0:
                    found[it.name].append(slice)
            if round >= 0:
                say(f"  {case.title}, round {round + 1} of {self.args.rounds}: " + ", ".join(
                    f"{name} {slices[-1]['us']:.2f} us" for name, slices in found.items()))
        series = {name: {key: [it[key] for it in slices] for key in slices[0]} for name, slices in found.items()}
        return compared({"title": case.title, "spoken": case.spoken, "connections": case.connections, "streams": case.streams,
                         "other": both[1].name, "generators": series})

    def _slice(self, case, it, server, port):
        folder = self.stage.folder
        command = it.command(case, port, self.args.seconds or 2, folder, self.stage.trusted)
        before, begun = server.run_time(), time.monotonic()
        output, status, used = spent(["taskset", "-c", self.args.cores.client, self.paths[it.name], *command])
        served, elapsed = server.run_time() - before, time.monotonic() - begun
        sample = it.sample(output, folder) if status == 0 else None
        if sample is None or sample.failed or not sample.requests:
            raise processes.Failed(f"{case.title}: {it.name} failed:\n{output.strip()[-2000:]}")
        return {"rps": sample.requests / sample.seconds, "us": used / sample.requests / 1000,
                "busy": used / 1e9 / elapsed, "server_busy": served / 1e9 / elapsed}


def compared(case):
    """With the ratios of ours to the other, taken round by round."""
    ours, other = case["generators"]["portcullis-load"], case["generators"][case["other"]]
    case["ratios"] = {
        "requests_per_second": figures.ratio(ours["rps"], other["rps"]),
        "requests_per_cpu_second": figures.ratio(other["us"], ours["us"]),
    }
    return case


def text(found):
    """Tables for a terminal: one for each case."""
    from .text import aligned, number, percent, ratio, spread

    lines = [machine.in_words(found["machine"]), ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
             f"{found['date']}, {found['rounds']} rounds of {found['seconds']} s: {found['command']}",
             f"nginx on core {found['cores']['server']}, generators in turn on core {found['cores']['generators']}; 1 KB answers"]
    for case in found["cases"]:
        rows = [["", "requests/s", "CPU us/request", "requests per CPU-second", "core busy", "nginx' core busy"]]
        for name, it in case["generators"].items():
            rows.append([name, spread(figures.spread(it["rps"]), 0), spread(figures.spread(it["us"])),
                         number(figures.median([1e6 / us for us in it["us"]]), 0), percent(figures.median(it["busy"])),
                         percent(figures.median(it["server_busy"]))])
        ratios = case["ratios"]
        each = ratios["requests_per_cpu_second"]
        met = "met" if each["median"] >= 1 else "not met"
        lines += ["", case["title"], *aligned(rows),
                  f"  portcullis-load to {case['other']}: requests/s {ratio(ratios['requests_per_second'])}, requests per CPU-second "
                  f"{ratio(each)}; at least 1: {met}"]
    return "\n".join(lines)
