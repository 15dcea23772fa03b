"""gRPC-Web in binary and in text, over HTTP/1.1 and HTTP/2, from a small client through the gateway to a grpcio server.

    python3 tests/clients/grpc_web.py [path of the portcullis binary] [cases]

Needs grpcio, and for HTTP/2 httpx[http2] (`pip install grpcio "httpx[http2]"`), and openssl; without them nothing is run
and the exit status is 0.
"""

import base64
import os
import shutil
import struct
from concurrent import futures

try:
    import grpc
    import h2  # noqa: F401, httpx needs it for HTTP/2
    import httpx
except ImportError as missing:
    print(f"skipped: {missing}")
    raise SystemExit(0)

from world import PATIENCE, World, case, gateway, play, skip

if not shutil.which("openssl"):
    skip("openssl is missing")

MORE = """
[upstream.calls]
endpoints = ["127.0.0.1:@CALLS@"]
protocol = "grpc"
[route.calls]
path = "/test.Echo/*"
upstream = "calls"
auth = "none"
"""


class Service(grpc.GenericRpcHandler):
    def service(self, call):
        return {
            "/test.Echo/Unary": grpc.unary_unary_rpc_method_handler(lambda message, _: message),
            "/test.Echo/Repeat": grpc.unary_stream_rpc_method_handler(
                lambda message, _: (b"%d" % number for number in range(int(message)))),
            "/test.Echo/Fail": grpc.unary_unary_rpc_method_handler(self.fail),
        }.get(call.method)

    def fail(self, _, context):
        context.set_trailing_metadata((("why", "this"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")


def ways(world):
    """(listener, a client, whether it speaks text)."""
    for listener, http2 in (("plain", False), ("secure", True), ("h2c", True)):
        with httpx.Client(http1=listener != "h2c", http2=http2, verify=str(world.dir / "ca.pem"), timeout=PATIENCE,
                          trust_env=False) as client:
            for text in (False, True):
                yield listener, client, text


def call(world, way, method, message):
    """The messages of the answer, and the fields of its head and trailers."""
    listener, client, text = way
    kind = "application/grpc-web-text" if text else "application/grpc-web"
    body = b"\x00" + struct.pack("!I", len(message)) + message
    answer = client.post(world.url(listener, f"/test.Echo/{method}"), content=base64.b64encode(body) if text else body,
                         headers={"Content-Type": kind, "Accept": kind, "X-Grpc-Web": "1"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind), (way, answer, answer.headers)
    came, messages, trailers = answer.content, [], {}
    if text:
        # Pieces, each padded by itself.
        came = b"".join(base64.b64decode(came[at:at + 4]) for at in range(0, len(came), 4))
    while came:
        flags, size = came[0], struct.unpack("!I", came[1:5])[0]
        part, came = came[5:5 + size], came[5 + size:]
        assert len(part) == size and not trailers, (way, flags, size)
        if flags & 0x80:
            trailers = dict(line.split(":", 1) for line in part.decode().split("\r\n") if line)
            trailers = {name.lower(): value.strip() for name, value in trailers.items()}
        else:
            messages.append(part)
    # Metadata of an answer that has nothing but trailers may come in its head.
    return messages, {**answer.headers, **trailers}


@case
def a_unary_call(world):
    for way in ways(world):
        for message in (b"", b"hello", os.urandom(1_000_000)):
            messages, trailers = call(world, way, "Unary", message)
            assert messages == [message] and trailers["grpc-status"] == "0", (way, trailers)


@case
def a_server_stream(world):
    for way in ways(world):
        messages, trailers = call(world, way, "Repeat", b"300")
        assert messages == [b"%d" % n for n in range(300)] and trailers["grpc-status"] == "0", (way, trailers)


@case
def a_status_with_metadata(world):
    for way in ways(world):
        messages, trailers = call(world, way, "Fail", b"")
        assert not messages and trailers["grpc-status"] == "9" and trailers.get("why") == "this", (way, trailers)
        assert trailers["grpc-message"] == "not now", (way, trailers)


@case
def a_method_that_the_service_lacks(world):
    for way in ways(world):
        assert call(world, way, "Nothing", b"")[1]["grpc-status"] == "12", way


def main():
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((Service(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    play(World(gateway(), more=MORE.replace("@CALLS@", str(port))))


if __name__ == "__main__":
    main()
