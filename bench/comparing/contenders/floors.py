"""The two floors: the backend itself, and a forwarder of bytes on io_uring that parses nothing.

No proxy answers faster than the one. With answers of 1 KB none costs less than the other, and how far above it
one stands is what it adds. With long answers the other is no floor: it receives into buffers of 16 KB, while a
proxy may read more at once, or splice.
"""

import os

from ..jobs import KB
from . import Contender


class Direct(Contender):
    """No proxy: the client asks the backend. It has rates and latencies, but no cost of its own."""

    name = "direct"
    kind = "floor"

    def program(self):
        return "-"

    def does(self, job):
        if job.tls or job.http2 and not job.asks_http2:
            return "the backend does not speak what the client does"
        return None if job.kind == "load" else "it is no proxy"

    def command(self, place, job):
        return None


class Forwarder(Contender):
    """The example `floor` of engine-net: a connection to the backend for each of the clients'."""

    name = "l4-floor"
    kind = "floor"

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)

    def program(self):
        return self.binary if os.access(self.binary, os.X_OK) else None

    def does(self, job):
        if job.tls or job.http2 and not job.asks_http2:
            return "the backend does not speak what the client does"
        if job.close:
            return "it may drop what is under way when a side closes, and connects for each connection"
        return None if job.kind == "load" else "it has no such thing"

    def note(self, job):
        if job.body > KB:
            return "no floor for answers of this size: it receives into buffers of 16 KB"
        return "bytes only, no policy" if job.policy != "forward" else ""

    def command(self, place, job):
        return [self.binary, "--listen", f"127.0.0.1:{place.port}", "--to", f"127.0.0.1:{place.backend}"]
