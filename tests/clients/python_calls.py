"""Python's clients: httpx over HTTP/1.1 and HTTP/2, requests, and websockets.

    python3 tests/clients/python_calls.py [path of the portcullis binary] [cases]

Needs `pip install "httpx[http2]" requests websockets`, and openssl; without them nothing is run and the exit status is 0.
"""

import asyncio
import concurrent.futures
import hashlib
import os
import shutil
import ssl

try:
    import h2  # noqa: F401, httpx needs it for HTTP/2
    import httpx
    import requests
    import websockets
except ImportError as missing:
    print(f"skipped: {missing}")
    raise SystemExit(0)

from origin import pattern
from world import PATIENCE, World, case, gateway, play, skip

if not shutil.which("openssl"):
    skip("openssl is missing")


def context(world, shown=False):
    trusted = ssl.create_default_context(cafile=str(world.dir / "ca.pem"))
    if shown:
        trusted.load_cert_chain(world.dir / "client.pem", world.dir / "client.key")
    return trusted


def clients(world):
    """(listener, client, the version that its answers must have)."""
    ways = (("plain", False, "HTTP/1.1"), ("secure", False, "HTTP/1.1"), ("secure", True, "HTTP/2"),
            ("strict", True, "HTTP/2"), ("h2c", True, "HTTP/2"))
    for listener, http2, version in ways:
        # With HTTP/1.1 switched off httpx begins with HTTP/2 at once.
        with httpx.Client(http1=listener != "h2c", http2=http2, verify=context(world), timeout=PATIENCE,
                          trust_env=False) as client:
            yield listener, client, version


@case
def httpx_answers(world):
    for listener, client, version in clients(world):
        answer = client.get(world.url(listener, "/hello"))
        assert (answer.status_code, answer.text, answer.http_version) == (200, "hello", version), (listener, answer)
        assert client.get(world.url(listener, "/bytes/5000000")).content == pattern(5_000_000), listener
        sent = os.urandom(2_000_000)
        assert client.post(world.url(listener, "/echo"), content=sent).content == sent, listener
        assert client.head(world.url(listener, "/bytes/100")).headers["content-length"] == "100"


@case
def httpx_streams_both_ways(world):
    for listener, client, _ in clients(world):
        pieces = [os.urandom(9_000) for _ in range(50)]
        with client.stream("POST", world.url(listener, "/stream"), content=iter(pieces)) as answer:
            came = b"".join(answer.iter_bytes())
        assert came == b"".join(pieces), listener


@case
def httpx_cookies(world):
    for listener, client, _ in clients(world):
        client.get(world.url(listener, "/cookies"))
        asked = client.get(world.url(listener, "/request")).json()
        cookies = [value for name, value in asked["fields"] if name == "cookie"]
        assert len(cookies) == 1 and sorted(cookies[0].split("; ")) == ["a=1", "b=2"], (listener, cookies)


@case
def httpx_many_at_once(world):
    async def ask(listener):
        async with httpx.AsyncClient(http1=listener != "h2c", http2=True, verify=context(world), timeout=PATIENCE,
                                     trust_env=False) as client:
            answers = await asyncio.gather(*(client.get(world.url(listener, f"/bytes/{n}")) for n in range(150)))
        for n, answer in enumerate(answers):
            assert answer.http_version == "HTTP/2" and answer.content == pattern(n), (listener, n)

    for listener in ("secure", "h2c"):
        asyncio.run(ask(listener))


@case
def httpx_server_sent_events(world):
    for listener, client, _ in clients(world):
        with client.stream("GET", world.url(listener, "/events")) as answer:
            heard = [line for line, _ in zip(answer.iter_lines(), range(8))]
        assert [it for it in heard if it.startswith("data")] == [f"data: event {n}" for n in range(3)], (listener, heard)


@case
def httpx_redirects_and_misdirection(world):
    with httpx.Client(verify=context(world), trust_env=False) as client:
        answer = client.get(world.url("redirect", "/a?b"))
        assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/a?b")
        answer = client.get(world.url("strict", "/hello"), headers={"Host": "other.example"})
        assert answer.status_code == 421, answer


@case
def httpx_client_certificate(world):
    for http2 in (False, True):
        with httpx.Client(http2=http2, verify=context(world, shown=True), trust_env=False) as client:
            asked = client.get(world.url("mutual", "/people/request")).json()
            assert ["x-client-name", "alice"] in asked["fields"], asked
        with httpx.Client(http2=http2, verify=context(world), trust_env=False) as client:
            try:
                client.get(world.url("mutual", "/people/request"))
            except httpx.TransportError:
                continue
            raise AssertionError("served without a certificate")


@case
def requests_sessions(world):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(world.dir / "ca.pem")
        for listener in ("plain", "secure"):
            assert session.get(world.url(listener, "/hello"), timeout=PATIENCE).text == "hello"
            pieces = [os.urandom(5_000) for _ in range(20)]
            answer = session.post(world.url(listener, "/stream"), data=iter(pieces), timeout=PATIENCE)
            assert answer.content == b"".join(pieces)
            session.cookies.clear()
            session.get(world.url(listener, "/cookies"), timeout=PATIENCE)
            assert sorted(session.cookies.get_dict().items()) == [("a", "1"), ("b", "2")]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            urls = [world.url("plain", f"/bytes/{n}") for n in range(80)]
            sizes = list(pool.map(lambda url: len(requests.get(url, timeout=PATIENCE).content), urls))
        assert sizes == list(range(80)), sizes


@case
def websockets_over_tls_and_not(world):
    async def talk(url, trusted):
        async with websockets.connect(url, ssl=trusted, max_size=None, proxy=None) as socket:
            for message in ("hello", "", "ä" * 100_000, b"\x00\xff" * 1_000_000):
                await socket.send(message)
                assert await socket.recv() == message
            # In fragments, and with a PING between.
            await socket.send(iter(["one ", "two ", "three"]))
            assert await socket.recv() == "one two three"
            await asyncio.wait_for(await socket.ping(), PATIENCE)
            await socket.close(4001, "enough")
            assert (socket.close_code, socket.close_reason) == (4001, "enough")

    for listener, trusted in (("plain", None), ("secure", context(world))):
        asyncio.run(talk(world.url(listener, "/socket", scheme="wss" if trusted else "ws"), trusted))


@case
def a_digest_of_what_came(world):
    # The same bytes over each way, by their digest.
    wanted = hashlib.sha256(pattern(1_000_000)).hexdigest()
    for listener, client, _ in clients(world):
        digest = hashlib.sha256()
        with client.stream("GET", world.url(listener, "/bytes/1000000")) as answer:
            for piece in answer.iter_bytes():
                digest.update(piece)
        assert digest.hexdigest() == wanted, listener


if __name__ == "__main__":
    play(World(gateway()))
