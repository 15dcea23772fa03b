"""Bar charts as inline SVG: one bar for each contender, its spread as a whisker. Pure; text in, text out.

Colours are CSS variables (`STYLE`), so that one chart fits a light page and a dark one.
"""

from html import escape

STYLE = """
:root { --paper: #ffffff; --ink: #1c2128; --dim: #5c6670; --line: #d5dae0; --soft: #f4f6f8;
  --ours: #0b7a75; --peer: #8a97a6; --floor: #c9b458; --whisker: #1c2128; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e4e8ec; --dim: #9aa5b1; --line: #333b44; --soft: #1c2229;
    --ours: #37c2b8; --peer: #66727f; --floor: #a8923c; --whisker: #e4e8ec; } }
"""

BAR, GAP, NAME = 14, 6, 120
FONT = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif"


def bars(title, rows, width=520, text=lambda value: f"{value:.1f}", ceiling=None):
    """`rows`: name, kind, and a spread (median, min, max). Bars beyond `ceiling` are cut, and look so."""
    rows = [it for it in rows if it[2]]
    if not rows:
        return ""
    greatest = max(it[2]["max"] for it in rows)
    top = min(greatest, ceiling) if ceiling else greatest
    scale = (width - NAME - 70) / (top or 1)
    height = 28 + len(rows) * (BAR + GAP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="100%" '
           f'style="max-width:{width}px;{FONT}" role="img" aria-label="{escape(title)}">',
           label(0, 14, title, "--ink", weight=600)]
    for n, (name, kind, found) in enumerate(rows):
        out += bar(0, 28 + n * (BAR + GAP), name, kind, found, scale, top, text)
    return "\n".join([*out, "</svg>"])


def bar(x, y, name, kind, found, scale, top, text, name_width=NAME, thick=BAR):
    """One bar: name, length, whisker, figure."""
    shown = min(found["median"], top)
    left, end = x + name_width, x + name_width + shown * scale
    middle = y + thick / 2
    colour = f"--{kind}"
    yield label(left - 8, middle + 4, name, "--ours" if kind == "ours" else "--ink", anchor="end", weight=600 if kind == "ours" else 400)
    yield f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(1, shown * scale):.1f}" height="{thick}" rx="2" style="fill:var({colour})"/>'
    cut = found["median"] > top
    if cut:
        yield (f'<path d="M{end - 14:.1f} {y - 1:.1f}l5 {thick + 2}h4l-5 -{thick + 2}z" style="fill:var(--paper)"/>')
    elif found["max"] > found["min"]:
        low, high = left + found["min"] * scale, left + min(found["max"], top) * scale
        yield (f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 4:.1f}v8M{high:.1f} {middle - 4:.1f}v8" '
               'style="stroke:var(--whisker);stroke-opacity:.55;fill:none"/>')
        end = max(end, high)
    yield label(end + 7, middle + 4, text(found["median"]), "--dim")


def label(x, y, said, colour, anchor="start", weight=400, size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'style="fill:var({colour})">{escape(str(said))}</text>')
