"""Whether a contender does its job rightly; asked before it is measured, since a wrong answer may be a cheap one."""

import email.message
import http.client
import os
import ssl
import subprocess
import time

from .processes import Failed


def ask(place, request, job, **changes):
    """The answer to one request on a connection of its own: status, headers, body."""
    if job.http2:
        return _by_curl(place, request, job)
    if job.tls:
        context = ssl.create_default_context(cafile=place.certificate.chain)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        connection = http.client.HTTPSConnection("127.0.0.1", place.port, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=10)
    try:
        connection.request(request.method, changes.get("path", request.path), body=request.body or None,
                           headers={**request.headers, **changes.get("headers", {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except OSError as error:
        raise Failed(f"no answer to {request.method} {request.path}: {error}") from error
    finally:
        connection.close()


def _by_curl(place, request, job):
    """HTTP/2 and nothing else, by curl."""
    how = ["--http2", "--tlsv1.3", "--cacert", place.certificate.chain] if job.tls else ["--http2-prior-knowledge"]
    url = f"{'https' if job.tls else 'http'}://127.0.0.1:{place.port}{request.path}"
    for name, value in request.headers.items():
        how += ["--header", f"{name}: {value}"]
    if request.body:
        how += ["--request", request.method, "--data-binary", "@-"]
    heads = place.path("curl.heads")
    command = ["curl", "--silent", "--show-error", "--max-time", "10", "--noproxy", "*", *how, "--dump-header", heads, url]
    try:
        done = subprocess.run(command, capture_output=True, input=framed(request.body) if job.message else request.body)
    except FileNotFoundError as error:
        raise Failed("curl is missing here: answers of HTTP/2 are checked with it") from error
    # The head, and behind an empty line the trailers.
    with open(heads, encoding="latin-1", newline="") as file:
        line, *fields = file.read().split("\r\n")
    if done.returncode != 0 or not line.startswith("HTTP/2 "):
        raise Failed(f"no answer in HTTP/2 to {request.method} {request.path}: {line} {done.stderr.decode().strip()}")
    headers = email.message.Message()
    for it in filter(None, fields):
        name, _, value = it.partition(":")
        headers[name] = value.strip()
    return int(line.split()[1]), headers, done.stdout


def framed(message):
    """A message as gRPC sends it: not compressed, and its length in front."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def check(contender, job, place):
    """Raises Failed, naming what was wrong."""
    # Some listen before they have read all of their configuration.
    end = time.monotonic() + 5
    while not _ready(place, job) and time.monotonic() < end:
        time.sleep(0.05)
    for request in job.requests[:: max(1, len(job.requests) // 10)]:
        status, headers, body = ask(place, request, job)
        wrong = None
        if status != 200:
            wrong = f"status {status}: {body[:200]!r}"
        elif job.message and (body != framed(request.body) or headers["grpc-status"] != "0"):
            wrong = f"{len(body)} bytes, {body[:40]!r}…, and the status {headers['grpc-status']}"
        elif not job.message and (len(body) != job.body or body.strip(b"x")):
            wrong = f"a body of {len(body)} bytes, {body[:40]!r}…, instead of {job.body} times 'x'"
        elif job.post and headers["X-Received"] != str(job.post):
            wrong = f"the backend got {headers['X-Received']} bytes of {job.post}"
        elif job.upstream == "h2c" and headers["X-Upstream"] != "HTTP/2.0":
            wrong = f"the backend was asked in {headers['X-Upstream']}, not in HTTP/2"
        elif job.policy == "gateway" and contender.verifies and not (headers["X-User"] or "").startswith("user-"):
            wrong = "the backend was not told the user"
        if wrong:
            raise Failed(f"{contender.name}, job {job.name}, {request.method} {request.path}: {wrong}")
    if contender.kind == "floor":
        return
    if job.policy == "routes":
        expect(contender, job, place, "a path that no route has", {404}, path="/elsewhere/item")
    if job.policy == "gateway":
        if contender.verifies:
            expect(contender, job, place, "a token with another's signature", {401, 403},
                   headers={"Authorization": f"Bearer {place.tokens.forged}"})
            expect(contender, job, place, "no token", {401, 403}, headers={"Authorization": ""})
        logged(contender, job, place)


def _ready(place, job):
    """Whether it answers rightly; over HTTP/2 or TLS also whether it does at all."""
    try:
        return ask(place, job.requests[0], job)[0] == 200
    except Failed:
        if job.tls or job.http2:
            return False
        raise


def expect(contender, job, place, what, statuses, **changes):
    status, _, _ = ask(place, job.requests[0], job, **changes)
    if status not in statuses:
        raise Failed(f"{contender.name}, job {job.name}: {what} was answered by {status}")


def logged(contender, job, place):
    """Until a line about our request is in the log, which all write with some delay."""
    end = time.monotonic() + 15
    path = place.path(contender.log)
    while time.monotonic() < end:
        if os.path.exists(path):
            with open(path, errors="replace") as file:
                if any('"/gw/item' in line and line.lstrip().startswith("{") for line in file):
                    return
        time.sleep(0.1)
    raise Failed(f"{contender.name}, job {job.name}: no JSON line in its log")


def limited(contender, job, place):
    """That a user beyond the rate is refused and another is not; `place.rate` must be a handful."""
    first, last = job.requests[0], job.requests[-1]
    statuses = [ask(place, first, job)[0] for _ in range(place.rate * 4)]
    if 429 not in statuses:
        raise Failed(f"{contender.name}: {len(statuses)} requests of one user, {place.rate} allowed, none refused")
    if ask(place, last, job)[0] != 200:
        raise Failed(f"{contender.name}: a user was refused for what another had done")
