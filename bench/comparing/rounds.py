"""Interleaved rounds: every contender gets its slice of load in each, in an order that changes.

A machine drifts by more than what is looked for; within a round all meet it alike, so that the ratio of two
contenders in the same round is what can be trusted, and the median over rounds of that.
"""

import time

from .processes import Failed
from .stage import say


def order(standing, round):
    """Another one begins each time, and every second round runs backwards."""
    start = round // 2 % len(standing)
    turned = standing[start:] + standing[:start]
    return turned if round % 2 == 0 else turned[::-1]


def slice_of(load, it):
    """One slice: what the generator saw and what it cost, as a flat record."""
    before, begun = it.run_time(), time.monotonic()
    sample = load(it)
    used, elapsed = it.run_time() - before, time.monotonic() - begun
    if sample.failed or not sample.requests:
        raise Failed(f"{it.name}: {sample.failed} of {sample.requests} requests failed under load")
    return {
        "us": used / sample.requests / 1000 if it.program else None,
        "rps": sample.requests / sample.seconds,
        "busy": used / 1e9 / elapsed if it.program else None,
        "rss": it.resident_kib() if it.program else None,
        "p50": sample.p50, "p99": sample.p99, "p999": sample.p999, "late": sample.late,
    }


def run(what, standing, load, count):
    """`{name: {figure: [one per round]}}` of what stands there; `load` gives one a slice. A round before the first is thrown away (pools, caches, the clock)."""
    found = {it.name: [] for it in standing}
    for it in standing:
        slice_of(load, it)
    for round in range(count):
        for it in order(standing, round):
            found[it.name].append(slice_of(load, it))
        say(f"  {what}, round {round + 1} of {count}: " + ", ".join(
            f"{it.name} {_shown(found[it.name][-1])}" for it in standing))
    return {name: {key: [it[key] for it in slices] for key in slices[0]} for name, slices in found.items()}


def _shown(slice):
    return f"{slice['us']:.1f} us" if slice["us"] is not None else f"{slice['rps'] / 1000:.1f}k/s"
