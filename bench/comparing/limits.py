"""The gateway's figures held against what the project has set itself, which is in limits.json.

Each entry there names a job, as results do, and one figure of the gateway's: its cost as a multiple of others' in the same
rounds (`cost_to`; of several the cheapest one counts, `full` is its own full handshake), what it adds to the direct way
as a multiple of what the floor adds (`added`), memory (`idle`), the memory of a connection as a multiple of another's
(`idle_to`), or the rate per CPU-second of two workers to one (`workers`). The median over the rounds decides. One that is
`asked` is told only where there is something to hold against it: its contender is there by name alone.
"""

import json
import os

from . import figures

with open(os.path.join(os.path.dirname(__file__), "limits.json")) as _file:
    ALL = json.load(_file)


def held(job):
    """`(what, limit, figure with its spread, whether it is met)` for each limit that a job has; None: not measured."""
    for limit in ALL:
        if limit["job"] == job["job"] and limit.get("connections", job["connections"]) == job["connections"]:
            what, found = _figure(limit, job)
            if found is None and limit.get("asked"):
                continue
            yield what, limit, found, _met(limit, found)


def _met(limit, found):
    if found is None:
        return None
    if "at_least" in limit:
        return found["median"] >= limit["at_least"]
    return found["median"] <= limit["at_most"]


def _figure(limit, job):
    """The figure in words, and what was found of it."""
    rows = {it["name"]: it for it in job["rows"]}
    ours = next((it for it in job["rows"] if it["kind"] == "ours"), None)
    note = f" ({limit['note']})" if "note" in limit else ""
    if "cost_to" in limit:
        if limit["cost_to"] == ["full"]:
            return f"cost, resumed to full{note}", ours and ours.get("times", {}).get("full")
        found = [it for name in limit["cost_to"] if (it := rows.get(name, {}).get("times", {}).get("ours_to_it"))]
        # To the cheapest of them the multiple is the greatest; one that is missing might be it.
        whole = len(found) == len(limit["cost_to"])
        name = " and ".join(limit["cost_to"])
        what = f"the cheaper of {name}" if len(limit["cost_to"]) > 1 else name
        return f"cost to {what}{note}", max(found, key=lambda it: it["median"]) if whole else None
    if "added" in limit:
        added = (ours or {}).get("added") or {}
        return f"added {limit['added']} to the L4 floor's{note}", added.get(f"{limit['added']}_times_floor")
    if "idle" in limit:
        words = {"rss_empty": "resident KiB after the start", "bytes": "bytes for each connection"}
        found = ours and ours.get("idle")
        return f"{words[limit['idle']]}{note}", figures.spread([found[limit["idle"]]]) if found else None
    if "idle_to" in limit:
        mine, other = (it and it.get("idle", {}).get("bytes") for it in (ours, rows.get(limit["idle_to"])))
        return f"bytes for each connection, to {limit['idle_to']}{note}", figures.ratio([mine], [other]) if mine and other else None
    found = ours and ours.get("workers")
    return f"requests per CPU-second, two workers to one{note}", found and figures.ratio(found["one"]["us"], found["two"]["us"])
