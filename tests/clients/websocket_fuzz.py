"""A fuzzing client for WebSocket, after the categories of the Autobahn testsuite.

    python3 tests/clients/websocket_fuzz.py [path of the portcullis binary] [cases whose names begin so]

Each case is a handful of bytes behind the handshake, good or bad. It is played against an echo service built on the
package websockets, first directly, then through the gateway: over HTTP/1.1, over HTTP/1.1 with TLS, and over HTTP/2 by
RFC 8441. All that comes back, to the end of the connection, must be the same to the byte: that of data frames and that
of control frames, whose order among each other is the service's to choose. The cases are in websocket_cases.py.

Needs `pip install websockets h2`, and openssl; without them nothing is run and the exit status is 0.
"""

import asyncio
import shutil
import ssl
import sys
import threading

try:
    import h2.config
    import h2.connection
    import h2.events
    import h2.settings
    import websockets
    import websockets.asyncio.server
except ImportError as missing:
    print(f"skipped: {missing}")
    raise SystemExit(0)

import websocket_cases
from world import PATIENCE, World, gateway, skip

if not shutil.which("openssl"):
    skip("openssl is missing")

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MOST = 17 << 20


class Echo:
    """The service, in a thread of its own; it says each message again, and no PING of its own."""

    def __init__(self):
        self.port, self.ready = None, threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()
        self.ready.wait(PATIENCE)

    async def serve(self):
        async def echo(socket):
            try:
                async for message in socket:
                    await socket.send(message)
            except websockets.ConnectionClosed:
                pass

        import logging
        logging.getLogger("websockets").setLevel(logging.CRITICAL)
        server = await websockets.asyncio.server.serve(echo, "127.0.0.1", 0, ping_interval=None, max_size=MOST,
                                                       close_timeout=PATIENCE)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await asyncio.Future()


async def over_http1(host, port, case, trusted=None):
    """What comes back behind the handshake, and the extensions that were agreed on."""
    extensions = f"Sec-WebSocket-Extensions: {case.offer}\r\n" if case.offer else ""
    reader, writer = await asyncio.open_connection(host, port, ssl=trusted, server_hostname="localhost" if trusted else None)
    writer.write(f"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{extensions}"
                 f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    if not head.startswith("HTTP/1.1 101 "):
        return head, websocket_cases.Heard()
    agreed = [line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-extensions")]

    heard, moved = websocket_cases.Heard(), asyncio.Event()

    async def say():
        try:
            for part, (messages, pongs) in case.parts():
                for piece in case.pieces(part):
                    writer.write(piece)
                    await writer.drain()
                while heard.messages < messages or heard.pongs < pongs:
                    moved.clear()
                    await moved.wait()
        except ConnectionError:
            pass

    saying = asyncio.ensure_future(say())
    try:
        while piece := await reader.read(1 << 16):
            heard.feed(piece)
            moved.set()
    except (ConnectionError, ssl.SSLError):
        pass
    saying.cancel()
    writer.close()
    return ",".join(agreed), heard


async def over_http2(host, port, case):
    """The same on a stream of an HTTP/2 connection by extended CONNECT (RFC 8441)."""
    reader, writer = await asyncio.open_connection(host, port)
    http2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False))
    http2.initiate_connection()
    http2.increment_flow_control_window(64 << 20)
    writer.write(http2.data_to_send())
    heard, moved = websocket_cases.Heard(), asyncio.Event()
    agreed, open_, status, enabled = "", True, None, False

    async def hear():
        nonlocal agreed, open_, status, enabled
        while open_ and (data := await reader.read(1 << 16)):
            for event in http2.receive_data(data):
                if isinstance(event, h2.events.RemoteSettingsChanged):
                    enabled |= any(it.setting == h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL and it.new_value == 1
                                   for it in event.changed_settings.values())
                elif isinstance(event, h2.events.ResponseReceived):
                    fields = dict(event.headers)
                    status, agreed = fields[":status"], fields.get("sec-websocket-extensions", "")
                elif isinstance(event, h2.events.DataReceived):
                    heard.feed(event.data)
                    http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)):
                    open_ = False
            writer.write(http2.data_to_send())
            moved.set()
        open_ = False
        moved.set()

    async def until(holds):
        while open_ and not holds():
            moved.clear()
            await moved.wait()

    hearing = asyncio.ensure_future(hear())
    await until(lambda: enabled)
    assert enabled, "no SETTINGS_ENABLE_CONNECT_PROTOCOL"
    fields = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/echo"),
              (":authority", "localhost"), ("sec-websocket-version", "13")]
    fields += [("sec-websocket-extensions", case.offer)] if case.offer else []
    http2.send_headers(1, fields)
    writer.write(http2.data_to_send())
    await until(lambda: status)
    if status != "200":
        return f"status {status}", heard

    async def say(piece):
        at = 0
        while open_ and at < len(piece):
            room = min(http2.local_flow_control_window(1), http2.max_outbound_frame_size, len(piece) - at)
            if room > 0:
                http2.send_data(1, piece[at:at + room])
                at += room
                writer.write(http2.data_to_send())
                await writer.drain()
            else:
                await until(lambda: http2.local_flow_control_window(1) > 0)

    for part, (messages, pongs) in case.parts():
        for piece in case.pieces(part):
            await say(piece)
        await until(lambda: heard.messages >= messages and heard.pongs >= pongs)
    await hearing
    writer.close()
    return agreed, heard


def same(direct, passed):
    """Whether both came to the same; else in which way not."""
    if direct[0] != passed[0]:
        return f"extensions {direct[0]!r} directly, {passed[0]!r} through the gateway"
    for kind, a, b in (("data", direct[1].data, passed[1].data), ("control", direct[1].control, passed[1].control),
                       ("half a frame", direct[1].rest, passed[1].rest)):
        if a != b:
            at = next((n for n, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            return (f"{kind}: {len(a)} bytes directly, {len(b)} through the gateway, different from byte {at}: "
                    f"{a[at:at + 16].hex()} / {b[at:at + 16].hex()}")
    return None


async def run(world, echo, wanted):
    trusted = ssl.create_default_context(cafile=str(world.dir / "ca.pem"))
    ways = {
        "HTTP/1.1": lambda case: over_http1(*world.address["plain"], case),
        "HTTP/1.1 with TLS": lambda case: over_http1(*world.address["secure"], case, trusted),
        "HTTP/2": lambda case: over_http2(*world.address["plain"], case),
    }
    passed, failed = 0, 0
    for number, case in enumerate(wanted, 1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(wanted)} {case.name[:60]:60}", end="", file=sys.stderr)
        wrong = []
        try:
            direct = await asyncio.wait_for(over_http1("127.0.0.1", echo.port, case), PATIENCE)
            if wrong_echo := case.wrong(direct[1]):
                wrong.append(f"directly: {wrong_echo}")
        except Exception as error:
            wrong.append(f"directly: {error!r}")
        for way, play in ways.items() if not wrong else ():
            try:
                difference = same(direct, await asyncio.wait_for(play(case), PATIENCE))
            except Exception as error:
                difference = repr(error)
            if difference:
                wrong.append(f"{way}: {difference}")
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong:
            print(f"FAILED {case.name}: " + "; ".join(wrong))
    return passed, failed


def main():
    echo = Echo()
    world = World(gateway(), port=echo.port)
    wanted = [case for case in websocket_cases.all_cases()
              if not sys.argv[2:] or any(case.name.startswith(name) for name in sys.argv[2:])]
    passed, failed = asyncio.run(run(world, echo, wanted))
    world.end()
    if any("panic" in line for line in world.said):
        failed += 1
        print("FAILED the gateway panicked:\n" + "".join(world.said))
    print(f"{passed} passed, {failed} failed ({len(wanted)} cases, each directly and in three ways)")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
