"""Arithmetic on what the rounds gave: medians, spreads, ratios taken round by round. Pure.

A series is a list with one value for each round; a figure is None where there was nothing to measure.
"""

import statistics


def spread(series):
    """Median, least and greatest; None when there is a gap in it."""
    if not series or any(it is None for it in series):
        return None
    return {"median": statistics.median(series), "min": min(series), "max": max(series)}


def ratio(series, to):
    """Of two series of the same rounds: each round's quotient, then their median and extremes."""
    if not series or not to or len(series) != len(to) or any(it is None for it in [*series, *to]) or not all(to):
        return None
    return spread([a / b for a, b in zip(series, to)])


def minus(series, less):
    if not series or not less or any(it is None for it in [*series, *less]):
        return None
    return [a - b for a, b in zip(series, less)]


def median(series):
    found = spread(series)
    return found and found["median"]


def best_peer(rows, key="us"):
    """The name of the peer with the least median."""
    known = {it["name"]: median(it["cost"].get(key)) for it in rows if it["kind"] == "peer" and "cost" in it}
    known = {name: value for name, value in known.items() if value is not None}
    return min(known, key=known.get) if known else None


def slowest_peer_rate(rows):
    """The least of the peers' peak rates; ours when there is no peer."""
    rates = [median(it["cost"]["rps"]) for it in rows if it["kind"] == "peer" and "cost" in it]
    rates = rates or [median(it["cost"]["rps"]) for it in rows if it["kind"] == "ours" and "cost" in it]
    return min(rates) if rates else None


def derive(job):
    """Adds to each row of a job the figures that compare it: `times` and `added`."""
    rows = job["rows"]
    named = {it["name"]: it for it in rows}
    best, ours = best_peer(rows), next((it["name"] for it in rows if it["kind"] == "ours"), None)
    job["best_peer"] = best
    for row in rows:
        times = row["times"] = {}
        for label, other in (("best_peer", best), ("floor", "l4-floor"), ("ours", ours)):
            if other in named and "cost" in row and "cost" in named[other]:
                times[label] = ratio(row["cost"]["us"], named[other]["cost"]["us"])
        if row["kind"] != "ours" and "cost" in row and ours and "cost" in named[ours]:
            times["ours_to_it"] = ratio(named[ours]["cost"]["us"], row["cost"]["us"])
        # A job that was measured in the same rounds as this one's full handshakes.
        if "full_us" in row.get("cost", {}):
            times["full"] = ratio(row["cost"]["us"], row["cost"]["full_us"])
        row["added"] = _added(row, named)
    return job


def _added(row, named):
    """Latency beyond the direct way at the same rate, and that as a multiple of what the floor adds."""
    if "latency" not in row or "direct" not in named or "latency" not in named["direct"] or row["name"] == "direct":
        return None
    added = {}
    floor = named.get("l4-floor", {}).get("latency")
    for key in ("p50", "p99", "p999"):
        direct = named["direct"]["latency"][key]
        mine = minus(row["latency"][key], direct)
        of_floor = floor and minus(floor[key], direct)
        added[key] = spread(mine)
        # Where the floor adds nothing that the noise leaves visible, a multiple of it says nothing.
        added[f"{key}_times_floor"] = ratio(mine, of_floor) if of_floor and min(of_floor) > 0 else None
    return added
