"""The cases of websocket_fuzz.py: what is said behind a WebSocket's handshake, after the categories of Autobahn.

A case either lives (it is ended by a Close 1000 of the client) or fails (the service ends it). Every client's frame is
masked with the same key, so that the bytes are the same each time.
"""

import dataclasses
import struct
import zlib

MASK = b"\x37\xfa\x21\x3d"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(code, payload=b"", fin=True, rsv=0, masked=True):
    size = len(payload)
    first = bytes([fin << 7 | rsv << 4 | code])
    head = struct.pack("!B", masked << 7 | size) if size < 126 else struct.pack("!BH", masked << 7 | 126, size) \
        if size < 65536 else struct.pack("!BQ", masked << 7 | 127, size)
    if not masked:
        return first + head + payload
    key = int.from_bytes(MASK * (size // 4 + 1), "big") >> 8 * (4 - size % 4) if size else 0
    return first + head + MASK + (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


class Heard:
    """Frames cut out of what comes: the service may say a PONG before or after an echo, so each kind is kept by itself."""

    def __init__(self):
        self.rest = bytearray()
        self.data, self.control, self.closed = bytearray(), bytearray(), None
        self.messages = self.pings = self.pongs = 0

    def feed(self, came):
        self.rest += came
        while (whole := self.whole()) and whole <= len(self.rest):
            code, fin, one = self.rest[0] & 15, self.rest[0] >> 7, self.rest[:whole]
            del self.rest[:whole]
            if code < CLOSE:
                self.data += one
                self.messages += fin
            else:
                self.control += one
                self.pings += code == PING
                self.pongs += code == PONG
                if code == CLOSE:
                    self.closed = bytes(one[2:])

    def whole(self):
        """How long the next frame is, if its head is there."""
        if len(self.rest) < 2:
            return 0
        size, at = self.rest[1] & 127, 2
        if size > 125:
            wide = 2 if size == 126 else 8
            if len(self.rest) < at + wide:
                return 0
            size, at = int.from_bytes(self.rest[at:at + wide], "big"), at + wide
        return at + size + (4 if self.rest[1] & 128 else 0)


@dataclasses.dataclass
class Case:
    """`first` is said whole and answered before the rest; `said` goes in writes of `chop` bytes (0: in one); `offer` is
    the extension that is asked for."""
    name: str
    said: bytes
    fails: bool = False
    chop: int = 0
    offer: str = ""
    first: bytes = b""

    def parts(self):
        """What is said, in parts; each with how many messages and PONGs must have come before the next."""
        sent = Heard()
        if self.first:
            yield self.first, self.answers(sent, self.first)
        if self.fails:
            yield self.said, (0, 0)
        else:
            yield self.said, self.answers(sent, self.said)
            yield frame(CLOSE, struct.pack("!H", 1000)), (0, 0)

    @staticmethod
    def answers(sent, said):
        sent.feed(said)
        return sent.messages, sent.pings

    def pieces(self, part):
        step = self.chop or max(len(part), 1)
        return (part[at:at + step] for at in range(0, len(part), step))

    def wrong(self, heard):
        """Whether the service itself behaves as the case expects: in the end a Close, 1000 where it lives."""
        if heard.rest:
            return f"half a frame: {heard.rest[:16].hex()}"
        last = heard.closed
        if last is None:
            return "no Close at the end"
        code = int.from_bytes(last[:2], "big")
        if not self.fails and code not in (0, 1000):
            return f"Close {code}"
        if self.fails and code == 1000:
            return "it does not fail"
        return None


def chopped(name, said, **more):
    """In one write, in writes of seven bytes, and byte by byte."""
    for chop, how in ((0, ""), (7, ", in sevens"), (1, ", byte by byte")):
        yield Case(name + how, said, chop=chop, **more)


def framing():
    for code, kind in ((TEXT, "text"), (BINARY, "binary")):
        for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 65537):
            fill = b"*" if code == TEXT else b"\xfe"
            yield Case(f"1 framing: {kind} of {size}", frame(code, fill * size))
        yield Case(f"1 framing: {kind} of 65536 in writes of 997", frame(code, b"*" * 65536), chop=997)
    yield Case("1 framing: not masked", frame(TEXT, b"hello", masked=False), fails=True)
    yield Case("1 framing: many small messages", frame(TEXT, b"hello") * 2000)
    longer = bytes([0x81, 0x80 | 126, 0, 5]) + frame(TEXT, b"hello")[2:]
    yield Case("1 framing: a length in more bytes than it needs", longer)
    yield Case("1 framing: a length with its highest bit", b"\x82\xff\x80" + bytes(7) + MASK, fails=True)


def pings():
    yield from chopped("2 pings: empty", frame(PING))
    yield from chopped("2 pings: text", frame(PING, b"Hello, world!"))
    yield from chopped("2 pings: binary", frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))
    yield from chopped("2 pings: 125 bytes", frame(PING, b"\xfe" * 125))
    yield from chopped("2 pings: 126 bytes", frame(PING, b"\xfe" * 126), fails=True)
    yield from chopped("2 pings: a pong that nobody asked for", frame(PONG))
    yield from chopped("2 pings: a pong with words, then a ping", frame(PONG, b"unasked") + frame(PING, b"asked"))
    yield from chopped("2 pings: ten", b"".join(frame(PING, b"payload-%d" % n) for n in range(10)))
    yield from chopped("2 pings: between messages", frame(TEXT, b"a") + frame(PING, b"b") + frame(TEXT, b"c"))


def reserved():
    for rsv in range(1, 8):
        for code, kind in ((TEXT, "text"), (BINARY, "binary"), (PING, "ping"), (CLOSE, "close"), (0, "continuation")):
            yield Case(f"3 reserved bits: {rsv} in {kind}", frame(code, b"", rsv=rsv), fails=True, first=frame(TEXT, b"good"))
    yield from chopped("3 reserved bits: in the second of two", frame(TEXT, b"bad", rsv=5), fails=True,
                       first=frame(TEXT, b"good"))


def opcodes():
    for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Case(f"4 opcodes: {code}", frame(code), fails=True)
        yield Case(f"4 opcodes: {code} with words", frame(code, b"words"), fails=True)
        yield Case(f"4 opcodes: {code} between", frame(code), fails=True, first=frame(TEXT, b"good"))


def fragmentation():
    first, last = frame(TEXT, b"fragment1", fin=False), frame(0, b"fragment2")
    for code, kind in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        yield from chopped(f"5 fragments: of a {kind}", frame(code, b"", fin=False) + last, fails=True)
    yield from chopped("5 fragments: two", first + last)
    yield from chopped("5 fragments: two with a ping between", first + frame(PING, b"ping") + last)
    yield from chopped("5 fragments: five with pings between",
                       first + b"".join(frame(PING, b"%d" % n) + frame(0, b"%d" % n, fin=False) for n in range(4)) + last)
    yield from chopped("5 fragments: empty ones", frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) + frame(0))
    yield Case("5 fragments: empty but the middle one", frame(TEXT, b"", fin=False) + frame(0, b"m", fin=False) + frame(0))
    for fin in (True, False):
        yield from chopped(f"5 fragments: a continuation of nothing, FIN {fin}", frame(0, b"what", fin=fin), fails=True)
    yield from chopped("5 fragments: a continuation behind the end", frame(0, b"more"), fails=True, first=first + last)
    yield from chopped("5 fragments: a message within another", first + frame(TEXT, b"other"), fails=True)
    yield from chopped("5 fragments: a binary within a text", first + frame(BINARY, b"other") + last, fails=True)


KUHN = ["κόσμε", "\u0000", "\u0080", "ࠀ", "\U00010000", "\u007f", "\u07ff", "\uffff", "\U0010ffff", "\ud7ff", "\ue000",
        "\ufffd", "Hello-µ@ßöäüàá-UTF-8!!", "\ufdd0", "\U0001fffe", "\ufeff"]
BROKEN = ["cebae1bdb9cf83cebcceb5eda080656469746564", "f4908080", "80", "bf", "80bf80bf80bf", "c0", "e0", "f0", "f8",
          "fc", "c080", "e08080", "f0808080", "f880808080", "fc8080808080", "c0af", "c1bf", "e09fbf", "f08fbfbf",
          "eda080", "edadbf", "edaebf", "edb080", "edbebf", "edbfbf", "eda080edb080", "edafbfedbfbf", "fe", "ff",
          "fefeffff", "f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf", "e080", "f08080", "dfc0", "efbf", "f7bfbf"]


def utf8():
    for number, text in enumerate(KUHN):
        data = text.encode("utf-8", "surrogatepass")
        yield from chopped(f"6 UTF-8: good {number}", frame(TEXT, data))
        # Each byte in a fragment of its own.
        parts = [frame(TEXT if at == 0 else 0, data[at:at + 1], fin=False) for at in range(len(data))]
        yield Case(f"6 UTF-8: good {number} in fragments", b"".join(parts) + frame(0))
    for broken in BROKEN:
        data = bytes.fromhex(broken)
        yield Case(f"6 UTF-8: broken {broken}", frame(TEXT, data), fails=True)
        yield Case(f"6 UTF-8: broken {broken} in fragments",
                   frame(TEXT, b"good " + data[:1], fin=False) + frame(0, data[1:]), fails=True)
        yield Case(f"6 UTF-8: broken {broken} is good as binary", frame(BINARY, data))


def closes():
    def close(code=None, reason=b""):
        return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)

    # The client's own Close is the case; what the service does then ends it.
    yield from chopped("7 closes: after a message", frame(TEXT, b"hi"))
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield Ending(f"7 closes: {code}", close(code))
        yield Ending(f"7 closes: {code} with a reason", close(code, "Grüße".encode()))
    for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Ending(f"7 closes: {code}, which is none", close(code))
    yield Ending("7 closes: empty", close())
    yield Ending("7 closes: of one byte", frame(CLOSE, b"x"))
    yield Ending("7 closes: with 123 bytes of reason", close(1000, b"*" * 123))
    yield Ending("7 closes: with 124 bytes of reason", close(1000, b"*" * 124))
    yield Ending("7 closes: with a broken reason", close(1000, bytes.fromhex(BROKEN[0])))
    yield Ending("7 closes: byte by byte", close(4321, b"reason"), chop=1)
    yield Ending("7 closes: in the middle of a message", frame(TEXT, b"first", fin=False) + close(1000))
    yield Ending("7 closes: behind a message", close(1000), first=frame(TEXT, b"hello"))
    yield Ending("7 closes: twice", close(1000) + close(1000))
    yield Ending("7 closes: and a ping behind", close(1000) + frame(PING, b"late"))
    yield Ending("7 closes: and a message behind", close(1000) + frame(TEXT, b"late"))


class Ending(Case):
    """Nothing is said behind it, and any Close will do."""

    def parts(self):
        if self.first:
            yield self.first, (1, 0)
        yield self.said, (0, 0)

    def wrong(self, heard):
        return "no Close at the end" if heard.closed is None else None


def limits():
    for size in (64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20):
        yield Case(f"9 limits: text of {size}", frame(TEXT, b"*" * size))
        yield Case(f"9 limits: binary of {size}", frame(BINARY, b"\xfe" * size))
    data = bytes(range(256)) * (1 << 12)
    for part in (2 << 10, 16 << 10, 128 << 10):
        parts = [frame(BINARY if at == 0 else 0, data[at:at + part], fin=False) for at in range(0, len(data), part)]
        yield Case(f"9 limits: {len(data)} bytes in fragments of {part}", b"".join(parts) + frame(0))
    for chop in (64, 512, 2048):
        yield Case(f"9 limits: 256 KiB in writes of {chop}", frame(BINARY, data[:256 << 10]), chop=chop)
    for size in (0, 16, 64, 256, 1024):
        yield Case(f"9 limits: 1000 messages of {size}", frame(BINARY, b"\xfe" * size) * 1000)
    yield Case("9 limits: larger than the service takes", b"\x82\xff" + struct.pack("!Q", 18 << 20) + MASK + bytes(16), fails=True)


def compression():
    offers = ("permessage-deflate", "permessage-deflate; client_no_context_takeover",
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
              "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=9",
              "permessage-deflate; client_max_window_bits=10; server_max_window_bits=10")

    def deflate(data, bits=9):
        engine = zlib.compressobj(wbits=-bits)
        return (engine.compress(data) + engine.flush(zlib.Z_SYNC_FLUSH))[:-4]

    noise = zlib.compress(bytes(range(256)) * 1000, 0)[:8192]
    for offer in offers:
        for size in (0, 16, 1024, 65536, 1 << 20):
            words = (b"the same words again and again, " * (size // 32 + 1))[:size]
            said = frame(TEXT, deflate(words), rsv=4) if size else frame(TEXT)
            yield Case(f"12 compression: {size} bytes, {offer}", said, offer=offer)
        yield Case(f"12 compression: noise, {offer}", frame(BINARY, deflate(noise), rsv=4), offer=offer)
        part = deflate(b"in three fragments " * 100)
        said = frame(TEXT, part[:5], fin=False, rsv=4) + frame(0, part[5:9], fin=False) + frame(PING, b"x") + frame(0, part[9:])
        yield Case(f"12 compression: fragments, {offer}", said, offer=offer)
        yield Case(f"12 compression: not compressed though it might be, {offer}", frame(TEXT, b"plain"), offer=offer)
        yield Case(f"12 compression: broken, {offer}", frame(TEXT, b"\xff\xff\xff\xff", rsv=4), offer=offer, fails=True)
        yield Case(f"12 compression: 200 messages, {offer}",
                   b"".join(frame(TEXT, deflate(b"message %d" % n), rsv=4) for n in range(200)), offer=offer)
    yield Case("12 compression: an extension that nobody knows", frame(TEXT, b"plain"), offer="x-nobody-knows")
    yield Case("12 compression: a broken offer", frame(TEXT, b"plain"), offer="permessage-deflate; server_max_window_bits=99")


def all_cases():
    for category in (framing, pings, reserved, opcodes, fragmentation, utf8, closes, limits, compression):
        yield from category()
