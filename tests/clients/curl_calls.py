"""curl as client: HTTP/1.1, HTTP/2 by ALPN and by prior knowledge, with TLS and without.

    python3 tests/clients/curl_calls.py [path of the portcullis binary] [cases]

Needs curl with HTTP/2, and openssl; without them nothing is run and the exit status is 0.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess

from origin import pattern
from world import PATIENCE, World, case, gateway, play, skip

if not shutil.which("curl") or not shutil.which("openssl"):
    skip("curl or openssl is missing")
FEATURES = subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout
if "HTTP2" not in FEATURES:
    skip("this curl has no HTTP/2")

# How to speak, on which listener, and the version that must come of it.
WAYS = [("--http1.1", "plain", "1.1"), ("--http2-prior-knowledge", "plain", "2"), ("--http2-prior-knowledge", "h2c", "2"),
        ("--http1.1", "secure", "1.1"), ("--http2", "secure", "2"), ("--http2", "strict", "2")]


def curl(world, *arguments, data=None, host="localhost"):
    command = ["curl", "--silent", "--show-error", "--max-time", str(PATIENCE), "--noproxy", "*", "--cacert",
               str(world.dir / "ca.pem"), *arguments]
    return subprocess.run(command, input=data, capture_output=True)


def ask(world, way, path, *arguments, data=None):
    """Status, fields (with repeats), body; the version must be the one that was asked for."""
    how, listener, version = way
    head = world.dir / "head"
    done = curl(world, how, "--dump-header", str(head), "--write-out", "%{stderr}%{http_version} %{http_code}",
                *arguments, world.url(listener, path), data=data)
    assert done.returncode == 0, f"{way} {path}: curl {done.returncode}: {done.stderr}"
    came, status = done.stderr.decode().split()[-2:]
    assert came == version, f"{way} {path}: HTTP/{came}"
    fields = re.findall(r"^([^:\s]+): *(.*?)\r?$", head.read_text(), re.M)
    return int(status), [(name.lower(), value) for name, value in fields], done.stdout


@case
def a_plain_answer(world):
    for way in WAYS:
        status, fields, body = ask(world, way, "/hello")
        assert (status, body) == (200, b"hello"), (way, status, body)
        assert ("content-length", "5") in fields and ("content-type", "text/plain") in fields, (way, fields)


@case
def methods_and_statuses(world):
    for way in WAYS:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            status, fields, _ = ask(world, way, "/echo", "--request", method)
            assert status == 200 and ("x-method", method) in fields, (way, method, status, fields)
        for wanted in (204, 304, 404, 418, 503):
            assert ask(world, way, f"/status/{wanted}")[0] == wanted, (way, wanted)
        status, fields, body = ask(world, way, "/bytes/70000", "--head")
        assert (status, dict(fields)["content-length"]) == (200, "70000"), (way, fields)


@case
def a_large_download(world):
    wanted = pattern(20_000_000)
    for way in WAYS:
        status, _, body = ask(world, way, "/bytes/20000000")
        assert status == 200 and body == wanted, (way, status, len(body))


@case
def a_large_upload(world):
    sent = os.urandom(1 << 20) * 12
    for way in WAYS:
        status, _, body = ask(world, way, "/echo", "--data-binary", "@-", data=sent)
        assert status == 200 and body == sent, (way, status, len(body))


@case
def an_upload_without_length_and_an_answer_with_trailers(world):
    sent = os.urandom(300_000)
    wanted = hashlib.sha256(sent).hexdigest()
    for way in WAYS:
        arguments = ["--upload-file", "-", "--header", "TE: trailers"]
        if way[2] == "1.1":
            arguments += ["--header", "Transfer-Encoding: chunked", "--header", "Connection: TE"]
        status, fields, body = ask(world, way, "/stream", *arguments, data=sent)
        assert status == 200 and body == sent, (way, status, len(body))
        assert ("x-sum", wanted) in fields, (way, fields)


@case
def cookies_there_and_back(world):
    for way in WAYS:
        jar = world.dir / "jar"
        jar.unlink(missing_ok=True)
        _, fields, _ = ask(world, way, "/cookies", "--cookie-jar", str(jar))
        assert [it for name, it in fields if name == "set-cookie"] == ["a=1; Path=/", "b=2; Path=/; HttpOnly"], fields
        _, _, body = ask(world, way, "/request", "--cookie", str(jar))
        cookies = [value for name, value in json.loads(body)["fields"] if name == "cookie"]
        assert len(cookies) == 1 and sorted(cookies[0].split("; ")) == ["a=1", "b=2"], (way, cookies)


@case
def the_origin_sees_the_host(world):
    for way in WAYS:
        asked = json.loads(ask(world, way, "/request?q=%20a")[2])
        assert asked["target"] == "/request?q=%20a", asked
        hosts = [value for name, value in asked["fields"] if name == "host"]
        assert hosts == [f"localhost:{world.port(way[1])}"], (way, hosts)


@case
def early_hints(world):
    for way in WAYS:
        status, fields, body = ask(world, way, "/hints")
        assert (status, body) == (200, b"hello") and any(name == "link" for name, _ in fields), (way, fields)


@case
def many_requests_on_one_connection(world):
    for how, listener, _ in WAYS:
        # curl 7.88 can't use such a connection twice, whoever the server is: other clients try that.
        if how == "--http2-prior-knowledge":
            continue
        parallel = ["--parallel", "--parallel-max", "50", "--no-progress-meter"] if how == "--http2" else []
        urls = [part for n in range(100) for part in ("--output", os.devnull, world.url(listener, f"/bytes/{n}"))]
        done = curl(world, how, *parallel, "--write-out", "%{http_code} %{num_connects}\n", *urls)
        came = done.stdout.decode().splitlines()
        assert sorted(came) == ["200 0"] * 99 + ["200 1"], (how, listener, sorted(set(came)), done.stderr)


@case
def a_redirect_to_https(world):
    done = curl(world, "--dump-header", "-", world.url("redirect", "/a?b"))
    head = done.stdout.decode()
    assert " 308 " in head and re.search(r"(?i)location: https://localhost/a\?b\r", head), head


@case
def another_host_than_the_certificates(world):
    for how in ("--http1.1", "--http2"):
        done = curl(world, how, "--header", "Host: other.example", "--write-out", "%{http_code}", world.url("strict", "/hello"))
        assert done.stdout.endswith(b"421"), (how, done.stdout)
        # On a connection whose certificate is the other's it is served.
        port = world.port("secure")
        done = curl(world, how, "--resolve", f"other.example:{port}:127.0.0.1", f"https://other.example:{port}/hello")
        assert done.stdout == b"hello", (how, done)


@case
def client_certificates(world):
    shown = ["--cert", str(world.dir / "client.pem"), "--key", str(world.dir / "client.key")]
    for how in ("--http1.1", "--http2"):
        done = curl(world, how, *shown, world.url("mutual", "/people/request"))
        assert ["x-client-name", "alice"] in json.loads(done.stdout)["fields"], (how, done.stdout)
        done = curl(world, how, world.url("mutual", "/people/request"))
        assert done.returncode != 0 and not done.stdout, (how, done)


@case
def versions_and_groups_of_tls(world):
    for version, listener, works in (("1.2", "secure", True), ("1.3", "secure", True), ("1.2", "strict", False),
                                     ("1.3", "strict", True)):
        done = curl(world, f"--tlsv{version}", "--tls-max", version, world.url(listener, "/hello"))
        assert (done.stdout == b"hello") == works, (version, listener, done)
    for curve in ("X25519", "P-256", "P-384"):
        assert curl(world, "--curves", curve, world.url("secure", "/hello")).stdout == b"hello", curve
    assert curl(world, "--curves", "P-521", world.url("secure", "/hello")).returncode != 0


@case
def an_old_way_to_http2_is_not_taken(world):
    # Upgrade: h2c is gone since RFC 9113; the request is answered as HTTP/1.1.
    done = curl(world, "--http2", "--write-out", " %{http_version}", world.url("plain", "/hello"))
    assert done.stdout == b"hello 1.1", done.stdout


if __name__ == "__main__":
    play(World(gateway()))
