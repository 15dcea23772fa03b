"""The gateway under test, by its release binary."""

import hashlib
import os
from dataclasses import replace

from .. import jobs, processes, tokens
from ..certificate import GROUP, POST_QUANTUM
from . import Contender, says

HEAD = """
[gateway]
workers = {workers}
{gateway}
[listener.public]
address = "127.0.0.1:{port}"
idle_timeout = "10m"
{tls}
[upstream.backend]
endpoints = ["127.0.0.1:{backend}"]
pool_max_idle = 512
keepalive = "10m"
{asks}
"""

TLS = """
certificates = ["site"]
tls_groups = [{groups}]
"""

CERTIFICATE = """
[certificate.site]
chain = "{chain}"
key = "{key}"
"""

FORWARD = """
[route.all]
path = "/*"
upstream = "backend"
auth = "none"
"""

GATEWAY = """
[admin]
address = "127.0.0.1:{admin}"
[auth.users]
kind = "jwt"
issuer = "{issuer}"
audiences = ["{audience}"]
algorithms = ["RS256"]
jwks = "{jwks}"
forward_claims = ["sub -> X-User-ID"]
[limit.per_user]
algorithm = "token_bucket"
rate = "{rate}/s"
burst = {rate}
key = "claim:sub"
[access_log.main]
path = "access.log"
[route.gw]
path = "/gw/*"
upstream = "backend"
auth = "users"
limits = ["per_user"]
access_log = "main"
"""

ROUTE = """
[route.r{n}]
path = "/route-{n}/*"
upstream = "backend"
auth = "none"
"""


class Portcullis(Contender):
    name = "portcullis"
    kind = "ours"
    verifies = True
    groups = (GROUP,)
    gateway = ""  # what it is told beyond the number of workers

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)

    def program(self):
        return self.binary if os.access(self.binary, os.X_OK) else None

    def version(self):
        """With the binary's own fingerprint, since between two builds the number seldom changes."""
        with open(self.binary, "rb") as file:
            built = hashlib.sha256(file.read()).hexdigest()[:8]
        return f"{says(self.binary, '--version').removeprefix('portcullis ')} (build {built})"

    def note(self, job):
        return "verifies, limits, logs, counts, forwards the user" if job.policy == "gateway" else ""

    def policy(self, job):
        """What it is configured to do."""
        return job.policy

    def command(self, place, job):
        shown = place.certificate
        text = HEAD.format(workers=place.workers, gateway=self.gateway, port=place.port, backend=place.backend,
                           tls=TLS.format(groups=", ".join(f'"{it}"' for it in self.groups)) if job.tls else "",
                           asks='protocol = "h2"' if job.asks_http2 else "")
        if job.tls:
            text += CERTIFICATE.format(chain=shown.chain, key=shown.key)
        if self.policy(job) == "gateway":
            text += GATEWAY.format(admin=processes.free_port(), issuer=tokens.ISSUER, audience=tokens.AUDIENCE,
                                   jwks=place.tokens.jwks, rate=place.rate)
        elif self.policy(job) == "routes":
            text += "".join(ROUTE.format(n=n) for n in range(jobs.ROUTES))
        else:
            text += FORWARD
        return [self.binary, "run", "--config", place.write("portcullis.toml", text)]


class Bare(Portcullis):
    """The gateway without the policies of the gateway job, on the same requests: what policies cost is above this."""

    name = "portcullis-bare"
    kind = "floor"
    verifies = False

    def version(self):
        return ""

    def does(self, job):
        return None if job.policy == "gateway" else "it is the gateway itself"

    def note(self, job):
        return "the gateway, forwarding alone"

    def policy(self, job):
        return "forward"


class PostQuantum(Portcullis):
    """The gateway with the hybrid group, which not all peers have: beside them, and compared with none."""

    name = f"portcullis-{POST_QUANTUM}"
    kind = "floor"
    # Answers are checked by who may not have it; under load it alone is offered.
    groups = (POST_QUANTUM, GROUP)

    def version(self):
        return ""

    def does(self, job):
        return None if job.tls and job.close else "a group matters to handshakes alone"

    def fitted(self, job):
        return replace(job, group=POST_QUANTUM)

    def note(self, job):
        return f"the gateway, by {POST_QUANTUM}"


class Monoio(Portcullis):
    """The gateway on io_uring by monoio's driver, so that our own ring can be held against it: same binary, same rounds.

    It is there when it is asked for by name, and stands beside the others without being their peer.
    """

    name = "portcullis-monoio"
    kind = "floor"
    gateway = 'io = "monoio"'

    def version(self):
        return ""

    def note(self, job):
        return "the gateway, by monoio's driver"
