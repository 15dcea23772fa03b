"""Results as runs give them, for tests."""

MACHINE = {"cpu": "a <cpu>", "cores": 2, "memory_gib": 4, "virtual": True, "kernel": "6.1.2-builders-own", "system": "a system"}


def row(name, kind, us, **more):
    cost = {"us": us, "rps": [1e6 / it if it else 9.0 for it in us], "busy": [0.5] * len(us), "rss": [1024] * len(us),
            "p50": [1.0] * len(us), "p99": [2.0] * len(us), "p999": [3.0] * len(us)}
    return {"name": name, "kind": kind, "note": "", "verifies": False, "cost": cost, **more}


def job(rows, version="1", part="cost", cores="0", **versions):
    said = {"date": "2026-01-02T03:04+00:00", "command": "bench/compare", "rounds": 2, "seconds": 1, "rate": 10, "generator": "wrk"}
    return {"key": "plain@64", "job": "plain", "title": "plain & simple", "connections": 64,
            "about": {"machine": MACHINE, "cores": {"proxy": cores}, "versions": {"portcullis": version, "wrk": "4", **versions}}, "measured": {part: said}, "rows": rows}
