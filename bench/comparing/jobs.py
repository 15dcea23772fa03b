"""The jobs: what is asked of every contender alike, and what its answer must be.

A job says nothing about how a contender is told to do it; that is in contenders/.
"""

from dataclasses import dataclass, field, replace

from .certificate import GROUP, KEYS

KB = 1024
ROUTES = 1000
PREFIX = 5  # bytes that gRPC puts in front of a message
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
    tls: bool = False  # TLS 1.3 from the client
    resume: bool = False  # a new connection resumes the session of one before
    http2: bool = False  # HTTP/2 from the client: over TLS by ALPN, else with prior knowledge
    upstream: str = "http1"  # what the backend is asked in: http1, h2c, or grpc (which is HTTP/2 too)
    streams: int = 1  # requests under way on each connection
    connections: int = 64  # unless the user says otherwise
    requests: list = field(default_factory=list)  # in turn; filled in by `prepare`
    path: str = "/1k"
    post: int = 0
    message: int = 0  # bytes of a message of gRPC, which comes back
    seconds: int = 2  # of one slice, unless the user says otherwise
    key: str = "p256"  # of the certificate: p256 or rsa2048
    group: str = GROUP  # for the key exchange

    @property
    def label(self):
        """Its name in results: with another key it is another job."""
        return self.name if self.key == "p256" else f"{self.name}-{self.key}"

    @property
    def asks_http2(self):
        """Whether the backend is asked in HTTP/2."""
        return self.upstream != "http1"

    def with_key(self, key):
        """The same with a certificate of this key; what needs no certificate stays as it is."""
        if not self.tls or key == self.key:
            return self
        return replace(self, key=key, title=f"{self.title}, {KEYS[key]}")

    def prepare(self, tokens):
        """Its requests, now that there are tokens."""
        if self.policy == "gateway":
            self.requests = [Request("/gw/item", headers={"Authorization": f"Bearer {it}"}) for it in tokens.all]
        elif self.policy == "routes":
            # Neighbours in the list are far apart in the table, so that no request finds the last one's route warm.
            self.requests = [Request(f"/route-{n * 373 % ROUTES}/item") for n in range(ROUTES)]
        elif self.message:
            # What comes back is the message that was sent, with its prefix.
            self.requests = [Request("/compare.Echo/Get", method="POST", body=b"x" * self.message,
                                     headers={"content-type": "application/grpc", "te": "trailers"})]
        elif self.post:
            self.requests = [Request("/post", method="POST", body=b"p" * self.post,
                                     headers={"Content-Type": "application/octet-stream"})]
        else:
            self.requests = [Request(self.path)]
        # HTTP/2 has no such header; a TLS handshake's jobs end connections from the client's side.
        if self.close and not self.tls:
            for it in self.requests:
                it.headers["Connection"] = "close"


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
    Job("tls", "1 KB answers over TLS 1.3, keep-alive", tls=True),
    Job("handshake", "a new TLS 1.3 connection for each request, in full", tls=True, close=True),
    Job("resume", "a new TLS 1.3 connection for each request, resumed", tls=True, close=True, resume=True),
    Job("h2", "HTTP/2 over TLS to HTTP/1.1, 8 streams each", tls=True, http2=True, streams=8,
        connections=8),
    Job("h2c", "HTTP/2 on both sides, no TLS, 8 streams each", http2=True, upstream="h2c", streams=8,
        connections=8),
    Job("grpc", "gRPC, messages of 100 bytes, 8 calls each", http2=True, upstream="grpc",
        streams=8, connections=8, message=100, body=PREFIX + 100),
    Job("idle", "memory of idle keep-alive connections", kind="idle"),
    Job("workers", "two workers against one at the same rate", kind="workers"),
]
