"""Traefik: one processor for Go, its fast proxy, no checks for news. Its open edition has no JWT.

Its configuration is YAML, of which JSON is a part.
"""

import json

from .. import jobs, processes
from ..certificate import GROUP
from . import Contender, says


class Traefik(Contender):
    name = "traefik"

    def __init__(self):
        self.environment = {"GOMAXPROCS": "1"}

    def version(self):
        return next((it.split()[1] for it in says(self.program(), "version").splitlines() if it.startswith("Version")), "?")

    def note(self, job):
        if job.tls and job.close:
            return "one session ticket for each handshake, where the others send two: Go's TLS has no key for that"
        return "limit and log only: no JWT in its open edition" if job.policy == "gateway" else ""

    def command(self, place, job):
        self.environment = {"GOMAXPROCS": str(place.workers)}
        static = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "log": {"level": "ERROR"},
            "experimental": {"fastProxy": {}},
            "entryPoints": {"public": {
                "address": f"127.0.0.1:{place.port}",
                "transport": {"respondingTimeouts": {"idleTimeout": "600s"}}}},
            "serversTransport": {"maxIdleConnsPerHost": 512},
            "providers": {"file": {"filename": place.write("dynamic.yaml", json.dumps(self._dynamic(place, job))), "watch": False}},
        }
        if job.tls:
            static["entryPoints"]["public"]["http"] = {"tls": {}}
        if job.policy == "gateway":
            static["accessLog"] = {"filePath": place.path(self.log), "format": "json", "bufferingSize": 1000}
            static["entryPoints"]["operators"] = {"address": f"127.0.0.1:{processes.free_port()}"}
            static["metrics"] = {"prometheus": {"entryPoint": "operators"}}
        return [self.program(), f"--configFile={place.write('traefik.yaml', json.dumps(static))}"]

    def _dynamic(self, place, job):
        http = {"services": {"up": {"loadBalancer": {"servers": [{"url": f"{'h2c' if job.asks_http2 else 'http'}://127.0.0.1:{place.backend}"}]}}}}
        if job.policy == "routes":
            http["routers"] = {f"r{n}": {"rule": f"PathPrefix(`/route-{n}/`)", "service": "up"} for n in range(jobs.ROUTES)}
        else:
            http["routers"] = {"all": {"rule": "PathPrefix(`/`)", "service": "up"}}
        if job.policy == "gateway":
            http["middlewares"] = {"users": {"rateLimit": {
                "average": place.rate, "burst": place.rate,
                "sourceCriterion": {"requestHeaderName": "Authorization"}}}}
            http["routers"]["all"]["middlewares"] = ["users"]
        dynamic = {"http": http}
        if job.tls:
            shown = {"certFile": place.certificate.chain, "keyFile": place.certificate.key}
            dynamic["tls"] = {"stores": {"default": {"defaultCertificate": shown}},
                              "options": {"default": {"curvePreferences": [GROUP]}}}
        return dynamic
