"""Load generators behind one face: as fast as the answers come (`closed`), or at a rate (`steady`).

Each has one file. What they measure is a Sample; what they can't do, they say by an attribute.
"""

import math
from dataclasses import dataclass

from .. import contenders, processes


@dataclass
class Sample:
    """What one slice of load gave. Latencies in microseconds, None where the generator does not know them."""

    requests: int
    seconds: float
    failed: int
    p50: float = None
    p99: float = None
    p999: float = None
    late: bool = False  # the rate was not held, by the generator's fault or for want of free connections


class Generator:
    name = ""
    has_rate = False  # whether `steady` is there
    turns = True  # whether it can send a job's requests in turn, headers and all
    reconnects = True  # whether it goes on when each answer ends its connection
    counts_from = "the moment that a request was sent"  # where a latency begins

    def __init__(self, core, folder, path=None, certificate=None):
        self.core, self.folder, self.path = core, folder, path or self.found()
        self.certificate = certificate  # that servers show over TLS

    @classmethod
    def found(cls):
        return contenders.found(cls.name)

    def version(self):
        return ""

    def cannot(self, job):
        """Why it can't send a job's requests, or None when it can."""
        return None

    def closed(self, port, job, connections, seconds):
        """Each connection asks again as soon as it is answered."""
        raise NotImplementedError

    def steady(self, port, job, connections, seconds, rate):
        """`rate` requests a second over all connections."""
        raise NotImplementedError

    def pinned(self, *command):
        return ["taskset", "-c", self.core, self.path, *command]


def url(port, job, path=""):
    return f"{'https' if job.tls else 'http'}://127.0.0.1:{port}{path}"


def percentile(ordered, share):
    """Of sorted values, the least that at least `share` of them don't exceed (the nearest rank)."""
    if not ordered:
        return None
    # Rounded first, since a product such as 0.07 * 100 comes out a little above 7.
    return ordered[max(0, math.ceil(round(share * len(ordered), 6)) - 1)]


def failure(name, output):
    return processes.Failed(f"{name} failed:\n{output.strip()[-2000:]}")
