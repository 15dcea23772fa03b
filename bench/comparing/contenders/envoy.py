"""Envoy: one worker thread, no statistics but where the job wants metrics, no request ids, no tracing.

Routes are a prefix map and not a list, verified tokens are remembered, circuit breakers are out of the way.
"""

import json

from .. import jobs, tokens
from ..certificate import GROUP
from . import DESCRIPTORS, RATE, Contender, says

TYPE = "type.googleapis.com/envoy."
HTTP = TYPE + "extensions.filters.http."


def _typed(name, kind, **fields):
    return {"name": name, "typed_config": {"@type": kind, **fields}}


class Envoy(Contender):
    name = "envoy"
    verifies = True

    def version(self):
        return next((it for it in says(self.program(), "--version").split("/") if it[:1].isdigit() and "." in it), "?")

    def note(self, job):
        return "verifies (100 tokens remembered), limits, logs, forwards the user" if job.policy == "gateway" else ""

    def command(self, place, job):
        path = place.write("envoy.json", json.dumps(self._bootstrap(place, job), indent=1))
        return [self.program(), "-c", path, "--concurrency", str(place.workers), "--disable-hot-restart",
                "--log-level", "error", "--drain-time-s", "1"]

    def _bootstrap(self, place, job):
        many = DESCRIPTORS
        limits = {"max_connections": many, "max_pending_requests": many, "max_requests": many, "max_retries": many}
        cluster = {
            "name": "up", "type": "STATIC", "connect_timeout": "5s",
            "circuit_breakers": {"thresholds": [{"priority": "DEFAULT", **limits}]},
            "load_assignment": {"cluster_name": "up", "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": _address(place.backend)}}]}]},
        }
        if job.asks_http2:
            options = TYPE + "extensions.upstreams.http.v3.HttpProtocolOptions"
            cluster["typed_extension_protocol_options"] = {options.removeprefix("type.googleapis.com/"): {
                "@type": options, "explicit_http_config": {"http2_protocol_options": {}}}}
        chain = {"filters": [self._http(place, job)]}
        if job.tls:
            chain["transport_socket"] = self._tls(place, job)
        listener = {"name": "public", "address": _address(place.port), "enable_reuse_port": True,
                    "tcp_backlog_size": 4096, "filter_chains": [chain]}
        bootstrap = {"static_resources": {"listeners": [listener], "clusters": [cluster]}}
        if job.policy != "gateway":
            bootstrap["stats_config"] = {"stats_matcher": {"reject_all": True}}
        return bootstrap

    def _tls(self, place, job):
        shown = place.certificate
        return _typed("envoy.transport_sockets.tls", TYPE + "extensions.transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context={
            "tls_certificates": [{"certificate_chain": {"filename": shown.chain}, "private_key": {"filename": shown.key}}],
            "tls_params": {"tls_maximum_protocol_version": "TLSv1_3", "ecdh_curves": [GROUP]},
            "alpn_protocols": ["h2", "http/1.1"] if job.http2 else ["http/1.1"],
        })

    def _http(self, place, job):
        """The connection manager of the one listener."""
        filters, hosts, log = [], self._host(job), {}
        if job.policy == "gateway":
            filters = [self._authentication(place), self._limit(place, hosts)]
            log = {"access_log": [_typed("log", TYPE + "extensions.access_loggers.file.v3.FileAccessLog",
                                         path=place.path(self.log), log_format={"json_format": LOG})]}
        filters.append(_typed("envoy.filters.http.router", HTTP + "router.v3.Router",
                              suppress_envoy_headers=True, dynamic_stats=False))
        return _typed("envoy.filters.network.http_connection_manager",
                      TYPE + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                      stat_prefix="in", codec_type="HTTP2" if job.http2 else "HTTP1", use_remote_address=True, generate_request_id=False,
                      server_header_transformation="PASS_THROUGH",
                      route_config={"name": "all", "virtual_hosts": [hosts]}, http_filters=filters, **log)

    def _host(self, job):
        if job.policy != "routes":
            prefix = "/gw/" if job.policy == "gateway" else "/"
            return {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": prefix}, "route": {"cluster": "up"}}]}
        route = _typed("route", TYPE + "config.route.v3.Route", match={"prefix": "/"}, route={"cluster": "up"})
        path = _typed("path", TYPE + "type.matcher.v3.HttpRequestHeaderMatchInput", header_name=":path")
        prefixes = {f"/route-{n}/": {"action": route} for n in range(jobs.ROUTES)}
        return {"name": "all", "domains": ["*"],
                "matcher": {"matcher_tree": {"input": path, "prefix_match_map": {"map": prefixes}}}}

    def _authentication(self, place):
        with open(place.tokens.jwks) as file:
            provider = {
                "issuer": tokens.ISSUER, "audiences": [tokens.AUDIENCE], "forward": True,
                "local_jwks": {"inline_string": file.read()},
                "claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}],
                "jwt_cache_config": {"jwt_cache_size": 4096},
            }
        return _typed("envoy.filters.http.jwt_authn", HTTP + "jwt_authn.v3.JwtAuthentication",
                      providers={"users": provider},
                      rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "users"}}])

    def _limit(self, place, host):
        """A bucket per user: a descriptor without a value makes one for each value that it meets."""
        host["routes"][0]["route"]["rate_limits"] = [{"actions": [
            {"request_headers": {"header_name": "x-user-id", "descriptor_key": "user"}}]}]
        bucket = {"max_tokens": place.rate, "tokens_per_fill": place.rate, "fill_interval": "1s"}
        always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
        return _typed("envoy.filters.http.local_ratelimit", HTTP + "local_ratelimit.v3.LocalRateLimit",
                      stat_prefix="users", token_bucket={**bucket, "max_tokens": RATE * 10, "tokens_per_fill": RATE * 10},
                      filter_enabled=always, filter_enforced=always, max_dynamic_descriptors=10_000,
                      descriptors=[{"entries": [{"key": "user"}], "token_bucket": bucket}])


LOG = {
    "timestamp": "%START_TIME%", "method": "%REQ(:METHOD)%", "path": "%REQ(:PATH)%", "protocol": "%PROTOCOL%",
    "statusCode": "%RESPONSE_CODE%", "latencyMs": "%DURATION%", "bytesOut": "%BYTES_SENT%",
    "clientIp": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "userAgent": "%REQ(USER-AGENT)%",
    "backendLatencyMs": "%RESPONSE_DURATION%",
}


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
