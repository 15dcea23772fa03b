"""nginx as a reverse proxy. Its limit_req is a leaky bucket; it has no JWT without its commercial edition."""

from .. import jobs
from ..certificate import GROUP
from . import DESCRIPTORS, RATE, Contender, found, says

MAIN = """
worker_processes {workers}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
worker_rlimit_nofile {descriptors};
events {{ worker_connections {connections}; }}
http {{
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  keepalive_requests 1000000000; keepalive_timeout 600s; sendfile on; tcp_nodelay on; server_tokens off;
  upstream up {{ server 127.0.0.1:{backend}; keepalive {keepalive}; keepalive_requests 1000000000; keepalive_timeout 600s; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
  {buffers}
  {policy}
  server {{
    listen 127.0.0.1:{port}{protocol} backlog=4096 reuseport;
    {tls}
    {locations}
  }}
}}
"""

LOG = """log_format json escape=json '{{"timestamp":"$time_iso8601","requestId":"$request_id","method":"$request_method","path":"$uri",'
    '"protocol":"$server_protocol","statusCode":$status,"latencyMs":$request_time,"bytesOut":$bytes_sent,"clientIp":"$remote_addr",'
    '"userAgent":"$http_user_agent","backendLatencyMs":"$upstream_response_time"}}';
  access_log {folder}/access.log json buffer=64k flush=1s;
  limit_req_zone $http_authorization zone=users:32m rate={rate}r/s; limit_req_status 429;"""

# Bodies beyond the default 64 KB of buffers go to a file in part, at over twice the cost; for 1 KB the defaults do.
LARGE = "proxy_buffer_size 16k; proxy_buffers 16 32k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;"


# Tickets are on, two for each full handshake; a cache beside them would be written and never read.
TLS = """ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve {group};
    ssl_session_cache off; ssl_session_tickets on;"""


class Nginx(Contender):
    name = "nginx"

    def __init__(self, keepalive=None):
        """`keepalive`: how many idle connections to the backend it may keep; default: enough for all."""
        self.keepalive = keepalive or 512
        if keepalive:
            self.name = f"nginx-keepalive-{keepalive}"

    def program(self):
        return found("nginx")

    def version(self):
        return says(self.program(), "-v").split("/")[-1]

    def does(self, job):
        return "it speaks HTTP/2 to no upstream but gRPC's" if job.upstream == "h2c" else None

    def note(self, job):
        return "limit and log only: it has no JWT" if job.policy == "gateway" else ""

    def command(self, place, job):
        # The address of a call of gRPC, and what holds it, have names of their own.
        locations = "location / { grpc_pass grpc://up; }" if job.upstream == "grpc" else "location / { proxy_pass http://up; }"
        policy = "access_log off;"
        if job.policy == "gateway":
            policy = LOG.format(folder=place.folder, rate=place.rate)
            burst = 1000 if place.rate == RATE else place.rate
            locations = f"location /gw/ {{ limit_req zone=users burst={burst} nodelay; proxy_pass http://up; }}"
        elif job.policy == "routes":
            locations = "\n    ".join(f"location /route-{n}/ {{ proxy_pass http://up; }}" for n in range(jobs.ROUTES))
            locations += "\n    location / { return 404; }"
        shown = place.certificate
        text = MAIN.format(protocol=" ssl" * job.tls + " http2" * job.http2,
                           tls=TLS.format(chain=shown.chain, key=shown.key, group=GROUP) if job.tls else "", folder=place.folder, port=place.port, backend=place.backend, workers=place.workers,
                           keepalive=self.keepalive, policy=policy, locations=locations, descriptors=DESCRIPTORS,
                           connections=DESCRIPTORS - 64, buffers=LARGE if job.body > 8 * 1024 else "")
        return [self.program(), "-c", place.write("nginx.conf", text), "-p", place.folder]
