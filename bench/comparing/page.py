"""report.html: every job with its bars, its table, and where and when it was measured. One file, nothing fetched."""

from html import escape

from . import bars, figures, machine, text

STYLE = """
body { margin: 0 auto; max-width: 1180px; padding: 24px 16px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 2px; padding-top: 16px; border-top: 1px solid var(--line); }
p { margin: 4px 0 12px; } .dim { color: var(--dim); font-size: 13px; } code { font-size: 12.5px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 20px; margin: 16px 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; margin: 8px 0 14px; }
th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--dim); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
tr.ours td { background: var(--soft); font-weight: 600; } nav a { color: var(--ours); margin-right: 12px; }
"""

READING = """Median of the rounds, least and greatest in brackets. CPU us/request is the run time of all threads of the
proxy's process tree. Ratios are taken round by round, since the machine drifts between rounds: trust those before the
figures that they are made of. <em>Ours to it</em>: the gateway's cost as a multiple of that row's; below 1 the gateway
is cheaper. Where a core is busy by less than all, client and backend were the limit of requests/s."""


def html(jobs):
    sections = "\n".join(_section(it) for it in jobs)
    links = " ".join(f'<a href="#{_anchor(it)}">{escape(it["key"])}</a>' for it in jobs)
    about = machine.in_words(jobs[-1]["about"]["machine"]) if jobs else ""
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<meta name="color-scheme" content="light dark"><title>Portcullis beside other proxies</title>'
            f"<style>{bars.STYLE}{STYLE}</style></head><body><h1>Portcullis beside other proxies</h1>"
            f'<p class="dim">{escape(about)}</p><nav>{links}</nav><p>{READING}</p>{sections}</body></html>\n')


def _anchor(job):
    return job["key"].replace("@", "-")


def _section(job):
    out = [f'<h2 id="{_anchor(job)}">{escape(job["job"])}: {escape(job["title"])}</h2>',
           f'<p class="dim">{job["connections"]} connections']
    for part, it in job["measured"].items():
        rate = f" at {it['rate']:,} requests/s" if it.get("rate") else ""
        by = f" by {it['generator']}" if it.get("generator") else ""
        out.append(f"<br>{part}{rate}: {it['date']}, {it['rounds']} rounds of {it['seconds']} s{by}: <code>{escape(it['command'])}</code>")
    versions = ", ".join(f"{name} {version}" for name, version in job["about"]["versions"].items())
    out.append(f"<br>{escape(machine.in_words(job['about']['machine']))}<br>{escape(versions)}</p>")
    out.append(f'<div class="charts">{"".join(_charts(job))}</div>')
    for _, rows in text.tables(job):
        out.append(_table(rows, job))
    notes = "; ".join(text.notes(job))
    return "\n".join([*out, f'<p class="dim">{escape(notes)}</p>' if notes else ""])


def _charts(job):
    """The charts of what there is of a job."""
    def rows(part, key):
        return [(it["name"], it["kind"], figures.spread(it[part][key])) for it in job["rows"] if part in it]

    yield bars.bars("CPU per request, us (shorter is better)", rows("cost", "us"))
    yield bars.bars("Requests/s with all connections busy (longer is better)", rows("cost", "rps"), text=lambda it: f"{it:,.0f}")
    yield bars.bars("p50 at half load, us", rows("latency", "p50"), text=lambda it: f"{it:,.0f}")
    yield bars.bars("p99 at half load, us", rows("latency", "p99"), text=lambda it: f"{it:,.0f}")
    idle = [(it["name"], it["kind"], figures.spread([it["idle"]["bytes"]])) for it in job["rows"] if "idle" in it]
    yield bars.bars("Bytes for each idle connection (shorter is better)", idle, text=lambda it: f"{it:,.0f}")
    two = [(it["name"], it["kind"], figures.ratio(it["workers"]["one"]["us"], it["workers"]["two"]["us"]))
           for it in job["rows"] if "workers" in it]
    yield bars.bars("Requests per CPU-second of two workers to one (longer is better)", two, text=lambda it: f"{it:.2f}")


def _table(rows, job):
    ours = {it["name"] for it in job["rows"] if it["kind"] == "ours"}
    head, *body = rows
    out = ["<tr>" + "".join(f"<th>{escape(it)}</th>" for it in head) + "</tr>"]
    for row in body:
        mark = ' class="ours"' if row[0] in ours else ""
        out.append(f"<tr{mark}>" + "".join(f"<td>{escape(it)}</td>" for it in row) + "</tr>")
    return f'<div class="wide"><table>{"".join(out)}</table></div>'
