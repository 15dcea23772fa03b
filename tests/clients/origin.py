"""An HTTP/1.1 origin for the scripts beside this file, on the standard library: each path shows one thing.

| path | what it answers |
| --- | --- |
| `/hello` | `hello` |
| `/echo` | the request's body, sized |
| `/stream` | the request's body, in chunks, with a trailer field `X-Sum` |
| `/bytes/N` | N bytes, of which byte i is i modulo 251 |
| `/request` | the request's line and fields, as JSON |
| `/cookies` | two cookies are set |
| `/status/N` | this status |
| `/hints` | 103, then `hello` |
| `/events` | three server-sent events, and the answer stays open |
| `/socket` | a WebSocket that says again what it hears |
| `/page` | the page that browser_calls.py opens |
| `/finished` | nothing; what the page says of itself goes to `Origin.finished` |
"""

import base64
import hashlib
import http.server
import json
import pathlib
import queue
import struct
import threading

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def pattern(count):
    return bytes(range(251)) * (count // 251) + bytes(range(count % 251))


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def answer(self, body, status=200, fields=(), kind="text/plain"):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0].removeprefix("/people")
        first, _, rest = path.strip("/").partition("/")
        if first == "socket" and "websocket" in self.headers.get("Upgrade", "").lower():
            return self.socket()
        body = self.body()
        if first == "hello":
            self.answer(b"hello")
        elif first == "echo":
            self.answer(body, fields=[("X-Method", self.command)])
        elif first == "stream":
            self.stream(body)
        elif first == "bytes":
            self.answer(pattern(int(rest)), kind="application/octet-stream")
        elif first == "request":
            fields = [(name.lower(), value) for name, value in self.headers.items()]
            asked = {"method": self.command, "target": self.path, "fields": fields}
            self.answer(json.dumps(asked).encode(), kind="application/json")
        elif first == "cookies":
            self.answer(b"", fields=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/; HttpOnly")])
        elif first == "status":
            self.answer(b"", status=int(rest))
        elif first == "hints":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
            self.answer(b"hello")
        elif first == "events":
            self.events()
        elif first == "page":
            page = pathlib.Path(__file__).with_name("browser.html")
            self.answer(page.read_bytes(), kind="text/html; charset=utf-8")
        elif first == "finished":
            self.answer(b"")
            self.server.finished.put(body.decode())
        else:
            self.answer(b"nothing here", status=404)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_GET

    def chunk(self, piece):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    def stream(self, body):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Trailer", "X-Sum")
        self.end_headers()
        for at in range(0, len(body), 10_000):
            self.chunk(body[at:at + 10_000])
        self.wfile.write(b"0\r\nX-Sum: %s\r\n\r\n" % hashlib.sha256(body).hexdigest().encode())

    def events(self):
        """The answer stays open behind the last event: whoever buffered it would never show one."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(3):
            self.chunk(b"id: %d\ndata: event %d\n\n" % (number, number))
        # Until the client leaves, or the script ends.
        self.rfile.read(1)
        self.close_connection = True

    def socket(self):
        token = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + GUID).encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(token).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            length = head[1] & 127
            if length > 125:
                length = int.from_bytes(self.rfile.read(2 if length == 126 else 8), "big")
            mask = self.rfile.read(4) if head[1] & 128 else bytes(4)
            data = self.rfile.read(length)
            long = mask * (length // 4 + 1)
            data = (int.from_bytes(data, "big") ^ int.from_bytes(long[:length], "big")).to_bytes(length, "big")
            code = head[0] & 15
            size = struct.pack("!B", length) if length < 126 else \
                struct.pack("!BH", 126, length) if length < 65536 else struct.pack("!BQ", 127, length)
            if code == 9:
                head = bytes([head[0] & 0xf0 | 10])
            if code != 10:
                self.wfile.write(head[:1] + size + data)
                self.wfile.flush()
            if code == 8:
                return


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_):
        # Clients that leave early are part of the cases.
        pass


class Origin:
    """It serves until the script ends."""

    def __init__(self):
        self.server = Server(("127.0.0.1", 0), Service)
        self.finished = self.server.finished = queue.Queue()
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
