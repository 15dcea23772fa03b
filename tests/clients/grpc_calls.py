"""Calls of every kind from a grpcio client through the gateway to a grpcio server.

    python3 tests/clients/grpc_calls.py [path of the portcullis binary]

Needs grpcio (`pip install grpcio`); without it nothing is run and the exit status is 0. Messages are plain bytes, so no
protobuf is needed. Each case waits for events, never for a time, but for those whose point is a deadline.
"""

import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import traceback

try:
    import grpc
except ImportError:
    print("skipped: grpcio is not installed")
    sys.exit(0)

from concurrent import futures

PATIENCE = 20
CASES = []


def case(function):
    CASES.append(function)
    return function


# The service: each method shows one thing.

class Service(grpc.GenericRpcHandler):
    def __init__(self):
        self.ended = queue.Queue()
        self.left = queue.Queue()
        self.seen = queue.Queue()

    def service(self, call):
        kinds = {
            "Unary": (grpc.unary_unary_rpc_method_handler, self.unary),
            "Collect": (grpc.stream_unary_rpc_method_handler, self.collect),
            "Repeat": (grpc.unary_stream_rpc_method_handler, self.repeat),
            "Chat": (grpc.stream_stream_rpc_method_handler, self.chat),
            "Fail": (grpc.unary_unary_rpc_method_handler, self.fail),
            "Metadata": (grpc.unary_unary_rpc_method_handler, self.metadata),
            "Silent": (grpc.unary_unary_rpc_method_handler, self.silent),
            "Quiet": (grpc.unary_stream_rpc_method_handler, self.quiet),
            "Listen": (grpc.stream_stream_rpc_method_handler, self.listen),
            "Early": (grpc.stream_unary_rpc_method_handler, self.early),
            "Break": (grpc.unary_stream_rpc_method_handler, self.breaks),
        }
        service, _, method = call.method.rpartition("/")
        if service not in ("/test.Echo", "/test.Bounded") or method not in kinds:
            return None
        make, play = kinds[method]
        return make(play)

    def watch(self, context):
        over = threading.Event()
        self.left.put(context.time_remaining())

        def ended():
            over.set()
            self.ended.put(time.monotonic())

        context.add_callback(ended)
        return over

    def unary(self, message, context):
        return message

    def collect(self, messages, context):
        return b"|".join(messages)

    def repeat(self, message, context):
        for number in range(int(message)):
            yield str(number).encode() * 100

    def chat(self, messages, context):
        for message in messages:
            yield message

    def fail(self, message, context):
        context.set_trailing_metadata((("why-bin", bytes(range(256))), ("what", "this")))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "nicht möglich: 100 %\n")

    def metadata(self, message, context):
        came = [(k, v) for k, v in context.invocation_metadata() if k.startswith("x-")]
        self.seen.put(dict(context.invocation_metadata()))
        context.send_initial_metadata(tuple(came))
        context.set_trailing_metadata(tuple(came))
        return b"ok"

    def silent(self, message, context):
        self.watch(context).wait(PATIENCE)
        return b"late"

    def quiet(self, message, context):
        over = self.watch(context)
        yield b"first"
        over.wait(PATIENCE)

    def listen(self, messages, context):
        over = self.watch(context)
        yield b"first"
        over.wait(PATIENCE)

    def early(self, messages, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "not this")

    def breaks(self, message, context):
        yield b"one"
        context.abort(grpc.StatusCode.DATA_LOSS, "lost")


CONFIG = """
[gateway]
workers = 1
pin = false
[listener.public]
address = "127.0.0.1:0"
stream_idle_timeout = "1500ms"
[access_log.main]
path = "{dir}/access.log"
[upstream.echo]
endpoints = ["127.0.0.1:{port}"]
protocol = "grpc"
read_timeout = "400ms"
[upstream.nobody]
endpoints = ["127.0.0.1:{closed}"]
protocol = "grpc"
[limit.few]
key = "ip"
rate = "1/h"
[auth.keys]
kind = "api_key"
[route.echo]
path = "/test.Echo/*"
upstream = "echo"
auth = "none"
[route.bounded]
path = "/test.Bounded/*"
upstream = "echo"
auth = "none"
timeout = "500ms"
[route.nobody]
path = "/test.Nobody/*"
upstream = "nobody"
auth = "none"
[route.limited]
path = "/test.Limited/Unary"
upstream = "echo"
auth = "none"
limits = ["few"]
rewrite = "/test.Echo/Unary"
[route.secret]
path = "/test.Secret/*"
upstream = "echo"
auth = "keys"
[route.small]
path = "/test.Small/*"
upstream = "echo"
auth = "none"
max_body_bytes = "1KiB"
"""


class World:
    def __init__(self, binary):
        self.service = Service()
        self.server = grpc.server(futures.ThreadPoolExecutor(64), options=[
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_metadata_size", 32768),
        ])
        self.server.add_generic_rpc_handlers((self.service,))
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.dir = tempfile.TemporaryDirectory()
        text = CONFIG.format(dir=self.dir.name, port=port, closed=1)
        path = pathlib.Path(self.dir.name) / "gateway.toml"
        path.write_text(text)
        self.process = subprocess.Popen([binary, "run", "--config", path], stderr=subprocess.PIPE, text=True)
        self.said, address = [], None
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(r"listener public: http://(\S+)", line)
            address = found.group(1) if found else address
            if "is live" in line:
                break
        if address is None:
            raise SystemExit("the gateway does not start:\n" + "".join(self.said))
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()
        self.address = address
        self.channel = grpc.insecure_channel(address, options=[
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_metadata_size", 32768),
            ("grpc.enable_retries", 0),
        ])

    def end(self):
        self.channel.close()
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.server.stop(0)


def unary(world, path, message=b"hi", **more):
    return world.channel.unary_unary(path)(message, timeout=more.pop("timeout", PATIENCE), **more)


def fails(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        return error
    raise AssertionError("it does not fail")


@case
def a_unary_call(world):
    assert unary(world, "/test.Echo/Unary", b"hello") == b"hello"
    assert unary(world, "/test.Echo/Unary", b"") == b""


@case
def a_client_stream(world):
    call = world.channel.stream_unary("/test.Echo/Collect")
    assert call(iter([b"a", b"b", b"c"]), timeout=PATIENCE) == b"a|b|c"
    assert call(iter([]), timeout=PATIENCE) == b""


@case
def a_server_stream(world):
    call = world.channel.unary_stream("/test.Echo/Repeat")
    assert list(call(b"200", timeout=PATIENCE)) == [str(n).encode() * 100 for n in range(200)]
    assert list(call(b"0", timeout=PATIENCE)) == []


@case
def a_conversation_word_by_word(world):
    asked = queue.Queue()
    call = world.channel.stream_stream("/test.Echo/Chat")(iter(asked.get, None), timeout=PATIENCE)
    for number in range(50):
        asked.put(f"word {number}".encode())
        assert next(call) == f"word {number}".encode()
    asked.put(None)
    assert list(call) == []
    assert call.code() == grpc.StatusCode.OK


@case
def both_directions_at_once(world):
    words = [os.urandom(3000) for _ in range(400)]
    call = world.channel.stream_stream("/test.Echo/Chat")(iter(words), timeout=PATIENCE)
    assert list(call) == words


@case
def many_calls_at_once(world):
    call = world.channel.unary_unary("/test.Echo/Unary")
    calls = [call.future(str(n).encode(), timeout=PATIENCE) for n in range(300)]
    assert [it.result() for it in calls] == [str(n).encode() for n in range(300)]


@case
def a_large_message(world):
    message = os.urandom(5_000_000)
    assert unary(world, "/test.Echo/Unary", message) == message


@case
def a_compressed_message(world):
    message = b"z" * 200_000
    assert unary(world, "/test.Echo/Unary", message, compression=grpc.Compression.Gzip) == message


@case
def big_and_binary_metadata(world):
    sent = [("x-text", "v" * 12_000), ("x-all-bin", bytes(range(256)) * 4), ("x-none-bin", b""), ("x-twice", "1"),
            ("x-twice", "2")]
    call = world.channel.unary_unary("/test.Echo/Metadata")
    answer, info = call.with_call(b"", timeout=PATIENCE, metadata=sent)
    for came in (info.initial_metadata(), info.trailing_metadata()):
        ours = sorted((k, v) for k, v in came if (k, v) in sent)
        assert ours == sorted(sent), [k for k, _ in came]
    seen = world.service.seen.get(timeout=PATIENCE)
    assert "content-length" not in seen, list(seen)


@case
def a_status_with_details(world):
    error = fails(grpc.StatusCode.FAILED_PRECONDITION, lambda: unary(world, "/test.Echo/Fail"))
    assert error.details() == "nicht möglich: 100 %\n", error.details()
    trailing = dict(error.trailing_metadata())
    assert trailing["why-bin"] == bytes(range(256)) and trailing["what"] == "this"


@case
def a_status_behind_messages(world):
    call = world.channel.unary_stream("/test.Echo/Break")(b"", timeout=PATIENCE)
    assert next(call) == b"one"
    fails(grpc.StatusCode.DATA_LOSS, lambda: next(call))


@case
def an_early_answer_to_a_stream(world):
    asked = queue.Queue()
    asked.put(b"one")
    call = world.channel.stream_unary("/test.Echo/Early").future(iter(asked.get, None), timeout=PATIENCE)
    error = fails(grpc.StatusCode.UNIMPLEMENTED, call.result)
    assert error.details() == "not this"
    asked.put(None)


@case
def a_method_that_the_service_lacks(world):
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: unary(world, "/test.Echo/Nothing"))


@case
def the_clients_deadline(world):
    began = time.monotonic()
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: unary(world, "/test.Echo/Silent", timeout=0.4))
    assert 0.35 < time.monotonic() - began < 5
    left = world.service.left.get(timeout=PATIENCE)
    assert left is not None and left <= 0.45, left
    world.service.ended.get(timeout=PATIENCE)


@case
def the_routes_deadline(world):
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: unary(world, "/test.Bounded/Silent"))
    left = world.service.left.get(timeout=PATIENCE)
    assert left is not None and left <= 0.5, left
    world.service.ended.get(timeout=PATIENCE)


@case
def the_routes_deadline_in_the_middle_of_an_answer(world):
    call = world.channel.unary_stream("/test.Bounded/Quiet")(b"", timeout=PATIENCE)
    assert next(call) == b"first"
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))
    world.service.left.get(timeout=PATIENCE)
    world.service.ended.get(timeout=PATIENCE)


@case
def a_quiet_stream_outlives_the_read_timeout_and_not_its_own(world):
    call = world.channel.unary_stream("/test.Echo/Quiet")(b"", timeout=PATIENCE)
    assert next(call) == b"first"
    began = time.monotonic()
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))
    assert 1.2 < time.monotonic() - began < 10
    world.service.left.get(timeout=PATIENCE)
    world.service.ended.get(timeout=PATIENCE)


@case
def cancelling_before_the_answer(world):
    call = world.channel.unary_unary("/test.Echo/Silent").future(b"", timeout=PATIENCE)
    world.service.left.get(timeout=PATIENCE)
    began = time.monotonic()
    call.cancel()
    assert world.service.ended.get(timeout=PATIENCE) - began < 1


@case
def cancelling_in_the_middle_of_an_answer(world):
    for method, make, asked in (("Quiet", world.channel.unary_stream, b""),
                                ("Listen", world.channel.stream_stream, iter(queue.Queue().get, None))):
        call = make("/test.Echo/" + method)(asked, timeout=PATIENCE)
        assert next(call) == b"first"
        world.service.left.get(timeout=PATIENCE)
        began = time.monotonic()
        call.cancel()
        assert world.service.ended.get(timeout=PATIENCE) - began < 1, method


@case
def refusals_are_statuses(world):
    error = fails(grpc.StatusCode.UNIMPLEMENTED, lambda: unary(world, "/test.Else/Unary"))
    assert error.details() and any(k == "x-request-id" for k, _ in error.trailing_metadata() or ())
    fails(grpc.StatusCode.UNAUTHENTICATED, lambda: unary(world, "/test.Secret/Unary"))
    fails(grpc.StatusCode.UNAVAILABLE, lambda: unary(world, "/test.Nobody/Unary"))
    assert unary(world, "/test.Limited/Unary") == b"hi"
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: unary(world, "/test.Limited/Unary"))
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: unary(world, "/test.Small/Unary", b"x" * 5000))
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: unary(world, "/test.Small/Unary", b"x" * 100_000))


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    binary = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PORTCULLIS_BIN", root / "target/debug/portcullis")
    only = sys.argv[2:]
    world = World(binary)
    passed, failed = 0, 0
    for play in CASES:
        if only and play.__name__ not in only:
            continue
        try:
            play(world)
            passed += 1
        except Exception:
            failed += 1
            print(f"FAILED {play.__name__}")
            traceback.print_exc(limit=3)
            for left in (world.service.left, world.service.ended, world.service.seen):
                while not left.empty():
                    left.get()
    world.end()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
