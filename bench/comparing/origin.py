"""The backends that all contenders forward to, kept out of the measured cores.

nginx with answers of fixed sizes; for gRPC, which nginx serves nobody, the origin of portcullis-load, which sends messages
back.
"""

import os

from . import contenders, processes

CONFIGURATION = """
worker_processes 1; daemon off; pid {folder}/origin.pid; error_log {folder}/origin.err;
worker_rlimit_nofile {descriptors};
events {{ worker_connections {connections}; multi_accept on; }}
http {{
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  access_log off; default_type application/octet-stream; client_body_buffer_size 64k;
  sendfile on; tcp_nopush on; etag off; if_modified_since off; open_file_cache max=64; open_file_cache_valid 1h;
  keepalive_requests 1000000000; keepalive_timeout 1h;
  # What a connection of HTTP/2 may do is to be no limit.
  http2_max_concurrent_streams 1024;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 200 "{kilobyte}"; }}
    location /post {{ add_header X-Received $content_length; return 200 "{kilobyte}"; }}
    location /gw/ {{ add_header X-User $http_x_user_id; return 200 "{kilobyte}"; }}
    location /files/ {{ root {folder}; }}
    {files}
  }}
  server {{
    # HTTP/2 alone, and it says what it was asked in.
    listen 127.0.0.1:{h2c} http2 backlog=4096;
    location / {{ add_header X-Upstream $server_protocol; return 200 "{kilobyte}"; }}
  }}
}}
"""

SIZES = {"16k": 16 * 1024, "100k": 100 * 1024, "1m": 1024 * 1024}


def start(folder, core, descriptors):
    """The running backend and its ports by protocol; one that does not come to listen is ended."""
    program = contenders.found("nginx")
    if not program:
        raise processes.Failed("the backend is nginx, which is missing here: tools/peers nginx")
    os.makedirs(f"{folder}/files", exist_ok=True)
    os.makedirs(f"{folder}/tmp", exist_ok=True)
    for name, size in SIZES.items():
        with open(f"{folder}/files/{name}", "w") as out:
            out.write("x" * size)
    port, h2c = processes.free_ports(2)
    path = f"{folder}/origin.conf"
    with open(path, "w") as out:
        out.write(CONFIGURATION.format(
            folder=folder, port=port, h2c=h2c, kilobyte="x" * 1024, descriptors=descriptors, connections=descriptors - 64,
            files="\n    ".join(f"location = /{name} {{ alias {folder}/files/{name}; }}" for name in SIZES)))
    running = processes.Program([program, "-c", path, "-p", folder], core, folder, f"{folder}/origin.log")
    try:
        running.wait_for(port)
        running.wait_for(h2c)
    except BaseException:
        running.end()
        raise
    return running, {"http1": port, "h2c": h2c}


def start_grpc(folder, core, program=None):
    """The running backend of gRPC, and its port."""
    program = program or contenders.found("portcullis-load", f"{contenders.ROOT}/target/release")
    if not program:
        raise processes.Failed("the backend of gRPC is portcullis-load, which is missing here: cargo build --release -p loadtest")
    port = processes.free_port()
    command = [program, "origin", "--listen", f"127.0.0.1:{port}", "--threads", "1", "--cores", core]
    running = processes.Program(command, core, folder, f"{folder}/grpc.log")
    try:
        running.wait_for(port)
    except BaseException:
        running.end()
        raise
    return running, port
