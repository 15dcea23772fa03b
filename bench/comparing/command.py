"""The way through a run of bench/compare: which jobs, which contenders, in which parts."""

import datetime
import json
import os
import signal
import sys

from . import answers, contest, figures, idle, jobs, machine, processes, results, rounds, text, workers
from .certificate import POST_QUANTUM, Certificate
from .contenders.floors import Direct, Forwarder
from .contenders.nginx import Nginx
from .contenders.portcullis import Bare, Monoio, Portcullis, PostQuantum
from .options import GENERATORS, PEERS, parse
from .processes import Failed
from .stage import Stage, say


def main(argv):
    args = parse(argv)
    # However it is ended, nothing that it started stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kept = None
    try:
        kept = results.Results(args.out, args.fresh)
        if args.report and not kept.jobs:
            raise Failed(f"there is nothing to report: {kept.path} is not there, or has no jobs of this format")
        if not args.report:
            processes.check_cores(_cores(args))
            with Stage(args.cores, args.load_binary, os.path.join(args.out, "failed")) as stage:
                if args.generators:
                    return generators(args, stage)
                Comparison(args, stage, kept).run()
        if not args.check:
            report(kept)
    except Failed as error:
        sys.exit(f"bench/compare: {error}")
    except KeyboardInterrupt:
        sys.exit(f"bench/compare: ended by hand; {_so_far(kept)}")


def _cores(args):
    """`{option: core}` of what will be pinned."""
    cores = {"--client-core": args.client_core, "--backend-core": args.backend_core, "--proxy-core": args.proxy_core}
    if "workers" in args.jobs and not (args.check or args.generators):
        cores.update((f"--worker-cores ({it})", it) for it in args.worker_cores.split(","))
    return cores


def _so_far(kept):
    if kept and kept.written:
        return f"{', '.join(kept.written)} {'is' if len(kept.written) == 1 else 'are'} in {kept.path} (reports: bench/compare --report)"
    return "nothing had been finished, so nothing was written"


def generators(args, stage):
    found = contest.Contest(args, stage).run()
    os.makedirs(args.out, exist_ok=True)
    path = os.path.join(args.out, "generators.json")
    with open(path, "w") as out:
        json.dump(found, out, indent=1)
    print(contest.text(found), flush=True)
    say(f"written: {path}")


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
