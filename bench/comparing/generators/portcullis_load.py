"""portcullis-load: our own generator. It holds a rate with evenly spaced requests, and latency begins when one was due.

Where a job has many requests it draws them at random instead of in turn, which asks the same of the proxy.
"""

import json
import subprocess

from .. import contenders, jobs, processes
from ..certificate import SUITE
from . import Generator, Sample, failure, url

# Requests at the start of a slice at a rate that are sent but not timed: connections open in them.
WARM = 0.2


class PortcullisLoad(Generator):
    name = "portcullis-load"
    has_rate = True
    counts_from = "the moment that a request was due"

    @classmethod
    def found(cls):
        return contenders.found(cls.name, f"{contenders.ROOT}/target/release")

    def version(self):
        return contenders.says(self.path, "--version").split()[-1]

    def closed(self, port, job, connections, seconds):
        return self._run(port, job, connections, f"{seconds}s", [])

    def steady(self, port, job, connections, seconds, rate):
        timed = self._run(port, job, connections, f"{seconds}s", ["--rate", f"{rate:.0f}/s", "--warmup", f"{WARM * 1000:.0f}ms"])
        # Its cost is of all that was sent, its percentiles only of what was timed.
        timed.requests += round(rate * WARM)
        timed.seconds += WARM
        return timed

    def _run(self, port, job, connections, duration, more):
        path, saved = f"{self.folder}/{job.name}-{port}.toml", f"{self.folder}/{job.name}-{port}.json"
        with open(path, "w") as out:
            out.write(self._scenario(port, job))
        command = self.pinned("run", path, "--connections", str(connections), "--duration", duration, "--threads", "1",
                              "--cores", self.core, "--quiet", "--json", saved, *more)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise failure(self.name, done.stdout + done.stderr)
        with open(saved) as file:
            it = json.load(file)
        counts, latency = it["counts"], it["latency"]
        self._check_handshakes(job, it)
        # A few are due so late that no connection is free for them before the end; many mean that the rate was not held.
        late = it["generator"]["limited"] or counts["unsent"] > counts["answered"] / 100
        return Sample(requests=counts["answered"], seconds=it["duration_ns"] / 1e9, failed=counts["failed"], late=late,
                      p50=latency["p50_ns"] / 1000, p99=latency["p99_ns"] / 1000, p999=latency["p999_ns"] / 1000)

    def _check_handshakes(self, job, it):
        """That sessions were resumed when that is measured, and never otherwise."""
        if not job.tls:
            return
        agreed, counts = it["about"]["tls"], it["counts"]
        if not agreed.startswith(f"TLSv1.3, {SUITE}, {job.group}"):
            raise processes.Failed(f"job {job.name}: the handshake came to {agreed}")
        full = counts["connections"] - counts["resumed"]
        # The first of each connection's succession has nothing to resume.
        if job.close and (full > it["about"]["connections"] * 1.5 if job.resume else counts["resumed"]):
            raise processes.Failed(f"job {job.name}: {counts['resumed']} of {counts['connections']} connections resumed a session")

    def _scenario(self, port, job):
        first = job.requests[0]
        headers, path, tokens = dict(first.headers), first.path, ""
        if job.policy == "gateway":
            listed = f"{self.folder}/tokens.txt"
            with open(listed, "w") as out:
                out.writelines(it.headers["Authorization"].removeprefix("Bearer ") + "\n" for it in job.requests)
            tokens = f'[token.users]\nfile = {json.dumps(listed)}\n'
            headers["Authorization"] = "Bearer {token.users}"
        elif job.policy == "routes":
            path = f"/route-{{n:0..{jobs.ROUTES - 1}}}/item"
        target, load = f'url = "{url(port, job)}"\n', ""
        if job.tls:
            resume = "true" if job.resume else "false"
            target += f'cacert = {json.dumps(self.certificate.chain)}\ntls_groups = "{job.group}"\ntls_resume = {resume}\n'
        if job.http2:
            target += "http2 = true\n"
            load += f"streams = {job.streams}\n"
        if job.tls and job.close:
            load += "requests_per_connection = 1\n"
        text = f'[target]\n{target}[load]\n{load}{tokens}[request.one]\nmethod = "{first.method}"\npath = "{path}"\n'
        if headers:
            text += "headers = { " + ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in headers.items()) + " }\n"
        if job.message:
            text += "grpc = true\n"
        if first.body:
            text += f'body_size = "{len(first.body)}B"\n'
        return text + "expect_status = [200]\n"
