"""The results of one job as a table for a terminal."""

from . import figures, limits, machine

# How the job `workers` runs a contender, in the reader's words.
ARRANGEMENTS = {"one": "one worker", "two": "two workers", "apart": "two processes"}


def job(job):
    """The header that every figure needs, then one line for each contender."""
    about = job["about"]
    lines = ["", f"{job['job']}: {job['title']}; {job['connections']} connections",
             machine.in_words(about["machine"]),
             ", ".join(f"{name} {version}" for name, version in about["versions"].items())]
    for part, it in job["measured"].items():
        rate = f" at {it['rate']}/s" if it.get("rate") else ""
        by = f", by {it['generator']}" if it.get("generator") else ""
        lines.append(f"{part}{rate}: {it['date']}, {it['rounds']} rounds of {it['seconds']} s{by}: {it['command']}")
    for _, rows in tables(job):
        lines += ["", *aligned(rows)]
    return "\n".join(lines + [f"  {it}" for it in notes(job)])


def notes(job):
    """What a reader must know about single rows."""
    for row in job["rows"]:
        if row["note"]:
            yield f"{row['name']}: {row['note']}"
        paced = [("", row.get("latency", {}))]
        paced += [(f" ({ARRANGEMENTS[key]})", it) for key, it in row.get("workers", {}).items()]
        for where, figures_of in paced:
            late = figures_of.get("late", [])
            if any(late):
                yield f"{row['name']}: the rate was not held in {sum(late)} of {len(late)} rounds{where}"


def tables(job):
    """What there is of a job: a name, and rows of cells of which the first has the headings."""
    for key, table in (("cost", _cost), ("latency", _latency), ("idle", _idle), ("workers", _workers)):
        rows = [it for it in job["rows"] if key in it]
        if rows:
            yield key, list(table(rows, job))
    held = list(limits.held(job))
    if held:
        yield "limits", list(_limits(held))


def _limits(held):
    yield ["the gateway's own limits", "limit", "found", "met"]
    for what, limit, found, met in held:
        bound = f"at most {limit['at_most']}" if "at_most" in limit else f"at least {limit['at_least']}"
        yield [what, bound, spread(found), {True: "met", False: "not met", None: "not measured"}[met]]


def _cost(rows, job):
    resumed = any("full" in it["times"] for it in rows)
    yield ["", "CPU us/request", *["resumed to full"] * resumed, "x best peer", "ours to it", "x L4 floor", "requests/s", "core busy",
           "p50 us", "p99 us", "RSS MiB"]
    for it in rows:
        cost, times = it["cost"], it["times"]
        full = [ratio(times.get("full"))] * resumed
        yield [it["name"], spread(figures.spread(cost["us"])), *full, ratio(times.get("best_peer")), ratio(times.get("ours_to_it")),
               ratio(times.get("floor")), number(figures.median(cost["rps"]), 0), percent(figures.median(cost["busy"])),
               number(figures.median(cost["p50"]), 0), number(figures.median(cost["p99"]), 0), mebibytes(figures.median(cost["rss"]))]


def _latency(rows, job):
    yield [f"at {job['measured']['latency']['rate']}/s", "p50 us", "p99 us", "p99.9 us", "added p50", "x floor's", "added p99", "x floor's", "CPU us/request"]
    for it in rows:
        latency, added = it["latency"], it["added"] or {}
        yield [it["name"], spread(figures.spread(latency["p50"]), 0), spread(figures.spread(latency["p99"]), 0),
               spread(figures.spread(latency["p999"]), 0), *[cell for key in ("p50", "p99") for cell in (
                   number((added.get(key) or {}).get("median"), 0), ratio(added.get(f"{key}_times_floor")))],
               spread(figures.spread(latency["us"]))]


def _idle(rows, job):
    yield ["", "MiB without", f"MiB with {job['connections']}", "bytes/connection"]
    for it in rows:
        idle = it["idle"]
        yield [it["name"], mebibytes(idle["rss_empty"]), mebibytes(idle["rss_full"]), number(idle["bytes"], 0)]


def _workers(rows, job):
    yield ["", "CPU us/request, one", "two", "two processes", "requests per CPU-second, two to one", "two to two processes"]
    for it in rows:
        one, two, apart = (it["workers"][key]["us"] for key in ("one", "two", "apart"))
        yield [it["name"], *[spread(figures.spread(series)) for series in (one, two, apart)],
               ratio(figures.ratio(one, two)), ratio(figures.ratio(apart, two))]


def spread(it, digits=2):
    return "-" if it is None else f"{it['median']:.{digits}f} ({it['min']:.{digits}f}-{it['max']:.{digits}f})"


def ratio(it):
    return spread(it)


def number(it, digits=2):
    return "-" if it is None else f"{it:.{digits}f}"


def percent(it):
    return "-" if it is None else f"{it * 100:.0f} %"


def mebibytes(kib):
    return "-" if kib is None else f"{kib / 1024:.1f}"


def aligned(rows):
    """Lines of cells: the first column to the left, the others to the right."""
    widths = [max(len(it[n]) for it in rows) for n in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) if n == 0 else cell.rjust(width) for n, (cell, width) in enumerate(zip(it, widths))).rstrip()
            for it in rows]
