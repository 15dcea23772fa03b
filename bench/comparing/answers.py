"""Whether a contender does its job rightly; asked before it is measured, since a wrong answer may be a cheap one."""

import http.client
import os
import time

from .processes import Failed


def ask(port, request, **changes):
    """The answer to one request on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(request.method, changes.get("path", request.path), body=request.body or None,
                           headers={**request.headers, **changes.get("headers", {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except OSError as error:
        raise Failed(f"no answer to {request.method} {request.path}: {error}") from error
    finally:
        connection.close()


def check(contender, job, place):
    """Raises Failed, naming what was wrong."""
    # Some listen before they have read all of their configuration.
    end = time.monotonic() + 5
    while ask(place.port, job.requests[0])[0] != 200 and time.monotonic() < end:
        time.sleep(0.05)
    for request in job.requests[:: max(1, len(job.requests) // 10)]:
        status, headers, body = ask(place.port, request)
        wrong = None
        if status != 200:
            wrong = f"status {status}: {body[:200]!r}"
        elif len(body) != job.body or body.strip(b"x"):
            wrong = f"a body of {len(body)} bytes, {body[:40]!r}…, instead of {job.body} times 'x'"
        elif job.post and headers["X-Received"] != str(job.post):
            wrong = f"the backend got {headers['X-Received']} bytes of {job.post}"
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


def expect(contender, job, place, what, statuses, **changes):
    status, _, _ = ask(place.port, job.requests[0], **changes)
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
    statuses = [ask(place.port, first)[0] for _ in range(place.rate * 4)]
    if 429 not in statuses:
        raise Failed(f"{contender.name}: {len(statuses)} requests of one user, {place.rate} allowed, none refused")
    if ask(place.port, last)[0] != 200:
        raise Failed(f"{contender.name}: a user was refused for what another had done")
