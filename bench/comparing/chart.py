"""chart.svg: what a request costs each peer, as a multiple of what it costs the gateway, over all measured jobs.

Made for a README: ratios alone, since the figures themselves belong to one machine; light or dark as its reader's.
"""

from . import bars, machine

WIDTH, COLUMN, NAME, THICK, STEP = 880, 430, 86, 11, 15
CEILING = 5.0  # beyond this many times ours a bar is cut: the figure beside it says how much


def svg(jobs):
    groups = [(it, rows) for it in jobs if (rows := _rows(it))]
    if not groups:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
    scale = (COLUMN - NAME - 62) / CEILING
    out, columns = [], [58, 58]
    for job, rows in groups:
        at = 0 if columns[0] <= columns[1] else 1
        x, y = at * (WIDTH - COLUMN), columns[at]
        wide = "" if job["connections"] == 64 else f", {job['connections']} connections"
        out.append(bars.label(x + 4, y, f"{job['title']}{wide}", "--ink", weight=600))
        y += 8
        for name, kind, found in rows:
            out += bars.bar(x, y, name, kind, found, scale, CEILING, lambda value: f"{value:.2f} ×", NAME, THICK)
            y += STEP
        columns[at] = y + 24
    height = max(columns) + 12
    newest = max((it for it, _ in groups), key=lambda it: it["measured"]["cost"]["date"])
    when, where = newest["measured"]["cost"]["date"][:10], machine.in_words(newest["about"]["machine"])
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'style="{bars.FONT}" role="img" aria-label="CPU time per request beside other proxies">',
        f"<style>{bars.STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" style="fill:var(--paper)"/>',
        bars.label(4, 18, "CPU time per request, Portcullis = 1 (shorter is better)", "--ink", weight=600, size=14),
        bars.label(4, 35, "one worker each on one core; medians of rounds' ratios; bench/compare", "--dim", size=11),
    ]
    marked = "* it checks no token: limit and log only.   " if any("*" in name for _, rows in groups for name, _, _ in rows) else ""
    foot = bars.label(4, height - 8, f"{marked}{when}; {where}", "--dim", size=10)
    return "\n".join([*head, *out, foot, "</svg>\n"])


def _rows(job):
    rows = []
    for it in job["rows"]:
        if it["kind"] != "floor" and (found := it["times"].get("ours")):
            unlike = job["job"] == "gateway" and it["kind"] == "peer" and not it.get("verifies")
            rows.append((it["name"] + (" *" if unlike else ""), it["kind"], found))
    return rows if len(rows) > 1 else []
