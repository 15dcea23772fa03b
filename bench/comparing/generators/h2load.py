"""h2load: holds a rate, for HTTP/1.1 and HTTP/2. Its latencies count from the sending, not from when it was due.

It sends the same headers with every request, so that of a job with tokens it uses the first.
"""

import re
import subprocess

from .. import answers, contenders
from ..certificate import SUITE
from . import Generator, Sample, failure, percentile, url


class H2load(Generator):
    name = "h2load"
    has_rate = True
    turns = False
    reconnects = False

    def version(self):
        return contenders.says(self.path, "--version").split("/")[-1]

    def cannot(self, job):
        return "it does not open a connection anew" if job.close else None

    def closed(self, port, job, connections, seconds):
        return self._run(port, job, connections, seconds, [])

    def steady(self, port, job, connections, seconds, rate):
        # A rate is one connection's, and a whole number.
        return self._run(port, job, connections, seconds, [f"--rps={max(1, round(rate / connections))}"])

    def _run(self, port, job, connections, seconds, more):
        urls, log = f"{self.folder}/{job.name}-{port}.urls", f"{self.folder}/h2load-{port}.log"
        with open(urls, "w") as out:
            out.writelines(f"{url(port, job, it.path)}\n" for it in job.requests)
        open(log, "w").close()
        first = job.requests[0]
        for name, value in first.headers.items():
            more += ["-H", f"{name}: {value}"]
        if first.body:
            # Of gRPC with the prefix; of an answer's own status, which stands in its trailers, h2load knows nothing.
            path = f"{self.folder}/{job.name}-{port}.body"
            with open(path, "wb") as out:
                out.write(answers.framed(first.body) if job.message else first.body)
            more += ["-d", path]
        spoken = [f"-m{job.streams}"] if job.http2 else ["--h1"]
        if job.tls:
            spoken += [f"--groups={job.group}", f"--tls13-ciphers={SUITE}"]
        command = self.pinned(*spoken, "-t1", f"-c{connections}", f"-D{seconds}", f"--log-file={log}", "-i", urls, *more)
        done = subprocess.run(command, capture_output=True, text=True)
        counts = re.search(r"requests: (\d+) total.* (\d+) succeeded, (\d+) failed", done.stdout)
        if done.returncode != 0 or not counts:
            raise failure(self.name, done.stdout + done.stderr)
        with open(log) as file:
            taken = sorted(int(line.split("\t")[2]) for line in file)
        return Sample(requests=int(counts[2]), seconds=float(seconds), failed=int(counts[3]),
                      p50=percentile(taken, 0.5), p99=percentile(taken, 0.99), p999=percentile(taken, 0.999))
