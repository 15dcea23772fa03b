"""HAProxy: one thread, upstream connections shared by all clients.

By measurement: answers of 16 KB fit into one buffer of 32 KB; larger ones are cheapest spliced
(`splice-response`; `splice-auto` never does with clients that take so fast, and costs over twice as much at 1 MiB).
"""

from .. import jobs, tokens
from ..certificate import GROUP, SUITE
from . import DESCRIPTORS, Contender, says

MAIN = """
global
  {threads}
  no strict-limits
  maxconn {connections}
  {buffer}
{log}
defaults
  mode http
  option http-keep-alive
  http-reuse always
  {large}
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-request 10s
  timeout http-keep-alive 600s
frontend public
  bind 127.0.0.1:{port} backlog 4096{listens}
  option forwardfor
{rules}
backend up
  server one 127.0.0.1:{backend}{asks}
"""

FORWARD = "  default_backend up"

GATEWAY = """  log global
  log-format '{{"timestamp":"%tr","requestId":"%rt","method":"%HM","path":"%HP","protocol":"%HV","statusCode":%ST,"latencyMs":%Ta,"bytesOut":%B,"clientIp":"%ci","userAgent":"%[capture.req.hdr(0),json(utf8s)]","backendLatencyMs":"%Tr"}}'
  http-request capture req.hdr(User-Agent) len 64
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_verify(txn.alg,"{public}") -m int 1 }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_payload_query('$.iss') -m str {issuer} }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_payload_query('$.aud') -m str {audience} }}
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
  http-request set-var(txn.user) http_auth_bearer,jwt_payload_query('$.sub')
  http-request track-sc0 var(txn.user) table users
  http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {rate} }}
  http-request set-header X-User-ID %[var(txn.user)]
  default_backend up
backend users
  stick-table type string len 64 size 100k expire 10m store http_req_rate(1s)"""


class Haproxy(Contender):
    name = "haproxy"
    verifies = True
    log = "output.log"  # it writes lines to no file but its own standard output

    def version(self):
        return says(self.program(), "-v").split()[2]

    def note(self, job):
        return "verifies each time (it remembers none), limits, logs" if job.policy == "gateway" else ""

    def command(self, place, job):
        rules, log = FORWARD, ""
        if job.policy == "gateway":
            log = "  log stdout format raw local0"
            rules = GATEWAY.format(public=place.tokens.public, issuer=tokens.ISSUER, audience=tokens.AUDIENCE,
                                   rate=place.rate)
        elif job.policy == "routes":
            listed = place.write("routes.map", "".join(f"/route-{n}/ up\n" for n in range(jobs.ROUTES)))
            rules = f"  use_backend %[path,map_beg({listed},none)]\nbackend none\n  http-request return status 404"
        listens = f" ssl crt {place.certificate.both} curves {GROUP} ciphersuites {SUITE} alpn {'h2,http/1.1' if job.http2 else 'http/1.1'}" if job.tls \
            else " proto h2" if job.http2 else ""
        text = MAIN.format(listens=listens, asks=" proto h2" if job.asks_http2 else "", threads=f"nbthread {place.workers}", connections=DESCRIPTORS if job.kind == "idle" else 4000, log=log,
                           large="option splice-response" if job.body > 64 * 1024 else "",
                           buffer="tune.bufsize 32768" if 8 * 1024 < job.body <= 64 * 1024 else "", port=place.port, backend=place.backend, rules=rules)
        return [self.program(), "-db", "-f", place.write("haproxy.cfg", text)]
