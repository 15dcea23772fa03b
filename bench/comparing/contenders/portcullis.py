"""The gateway under test, by its release binary."""

import os

from .. import jobs, processes, tokens
from . import Contender, says

HEAD = """
[gateway]
workers = {workers}
[listener.public]
address = "127.0.0.1:{port}"
idle_timeout = "10m"
[upstream.backend]
endpoints = ["127.0.0.1:{backend}"]
pool_max_idle = 512
keepalive = "10m"
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

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)

    def program(self):
        return self.binary if os.access(self.binary, os.X_OK) else None

    def version(self):
        return says(self.binary, "--version").removeprefix("portcullis ")

    def note(self, job):
        return "verifies, limits, logs, counts, forwards the user" if job.policy == "gateway" else ""

    def command(self, place, job):
        text = HEAD.format(workers=place.workers, port=place.port, backend=place.backend)
        if job.policy == "gateway":
            text += GATEWAY.format(admin=processes.free_port(), issuer=tokens.ISSUER, audience=tokens.AUDIENCE,
                                   jwks=place.tokens.jwks, rate=place.rate)
        elif job.policy == "routes":
            text += "".join(ROUTE.format(n=n) for n in range(jobs.ROUTES))
        else:
            text += FORWARD
        return [self.binary, "run", "--config", place.write("portcullis.toml", text)]
