"""The jobs: what is asked of every contender alike, and what its answer must be.

A job says nothing about how a contender is told to do it; that is in contenders/.
"""

from dataclasses import dataclass, field

KB = 1024
ROUTES = 1000
USERS = 100


@dataclass
class Request:
    path: str
    method: str = "GET"
    headers: dict = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Job:
    """`kind` is how it is measured: by rounds under load (`load`), or as `idle` or `workers` say."""

    name: str
    title: str
    body: int = KB
    policy: str = "forward"  # forward, gateway, routes: what the contender is configured to do
    kind: str = "load"
    close: bool = False  # a new connection for each request
    requests: list = field(default_factory=list)  # in turn; filled in by `prepare`
    path: str = "/1k"
    post: int = 0
    seconds: int = 2  # of one slice, unless the user says otherwise

    def prepare(self, tokens):
        """Its requests, now that there are tokens."""
        if self.policy == "gateway":
            self.requests = [Request("/gw/item", headers={"Authorization": f"Bearer {it}"}) for it in tokens.all]
        elif self.policy == "routes":
            # Neighbours in the list are far apart in the table, so that no request finds the last one's route warm.
            self.requests = [Request(f"/route-{n * 373 % ROUTES}/item") for n in range(ROUTES)]
        elif self.post:
            self.requests = [Request("/post", method="POST", body=b"p" * self.post,
                                     headers={"Content-Type": "application/octet-stream"})]
        else:
            self.requests = [Request(self.path)]
        if self.close:
            for it in self.requests:
                it.headers["Connection"] = "close"


# To come with the listeners that they need: tls (1 KB over TLS 1.3), handshakes (a new TLS connection for each
# request), h2 (HTTP/2 from the client), h2-upstream (HTTP/2 on both sides), grpc. They take a `protocol` on Job,
# a generator that `speaks` it, and the contenders' own listeners.
ALL = [
    Job("plain", "1 KB answers, forwarding alone"),
    Job("16k", "16 KB answers", body=16 * KB, path="/16k"),
    # Longer slices: the proxy has worked on answers that the end of a slice cuts off, and they are counted nowhere.
    Job("100k", "100 KB answers", body=100 * KB, path="/100k", seconds=5),
    Job("1m", "1 MiB answers", body=1024 * KB, path="/1m", seconds=5),
    Job("post", "2 KB POST, 1 KB answers", post=2 * KB),
    Job("gateway", f"RS256 JWT of {USERS} users, limit per user, JSON log, metrics", policy="gateway"),
    Job("routes", f"{ROUTES:,} routes, each in turn", policy="routes"),
    Job("connect", "a new TCP connection for each request", close=True),
    Job("idle", "memory of idle keep-alive connections", kind="idle"),
    Job("workers", "two workers against one at the same rate", kind="workers"),
]
