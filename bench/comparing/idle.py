"""What an idle keep-alive connection holds in the proxy's memory, and what the proxy holds without any.

Every connection has asked once and been answered, as those of real clients have; the requests go one after the
other, so that connections to the backend stay few. What the kernel holds for a socket is not in it, being alike.
"""

import socket
import time

from .processes import Failed

SPARE = 256  # descriptors that we and the proxy need for other things


def connections_possible(descriptors, wanted):
    return max(1, min(wanted, descriptors - SPARE))


def measure(it, job, count, settle):
    """Resident KiB after the start and one request, then with `count` connections, then bytes for each."""
    request = job.requests[0]
    head = f"{request.method} {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    for _ in range(100):
        _ask_once(it.port, head, job.body).close()
    time.sleep(settle)
    empty = it.resident_kib()
    held = []
    try:
        for _ in range(count):
            held.append(_ask_once(it.port, head, job.body))
        time.sleep(settle)
        full = it.resident_kib()
        _still_there(it.name, held)
    finally:
        for connection in held:
            connection.close()
    return {"rss_empty": empty, "rss_full": full, "bytes": (full - empty) * 1024 / count}


def _ask_once(port, head, body):
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.sendall(head)
    got = b""
    while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < body:
        more = connection.recv(65536)
        if not more:
            raise Failed(f"a connection was closed after {len(got)} bytes of its first answer")
        got += more
    if not got.startswith(b"HTTP/1.1 200"):
        raise Failed(f"not answered by 200: {got[:100]!r}")
    return connection


def _still_there(name, held):
    """A proxy that closes what is idle would need no memory for it."""
    closed = 0
    for connection in held:
        connection.setblocking(False)
        try:
            closed += connection.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
    if closed:
        raise Failed(f"{name} closed {closed} of {len(held)} idle connections")
