"""The report as one page of HTML that opens without a network and prints well."""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from agri_core.files.atomic import write_json, write_text

from agri_annotate.model.project import Problem, Weight
from agri_annotate.report.drawing import MOST, drawing
from agri_annotate.report.report import (
    THUMBNAILS,
    PictureReport,
    Report,
    classes,
    hide,
    legible,
    to_json,
)
from agri_annotate.report.thumbnail import thumbnail

ROWS = 500
"""Problems in the table; the rest are counted there and listed in the JSON."""

WEIGHTS: dict[Weight, str] = {"lost": "missing", "changed": "changed", "note": "note"}

STYLE = """
:root{--ink:#1d2327;--soft:#5f6b73;--line:#dfe3e6;--good:#1b6e37;--bad:#b3261e;--wash:#f6f7f8}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:32px 24px;color:var(--ink);background:#fff;
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:26px;line-height:1.2;margin:0}h2{font-size:18px;margin:36px 0 12px}
p{margin:4px 0}.soft{color:var(--soft)}.source{overflow-wrap:anywhere}
.verdict{margin:16px 0;padding:10px 14px;border-left:4px solid;font-weight:600}
.good{border-color:var(--good);background:#eef6f0}.bad{border-color:var(--bad);background:#fcefee}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:12px;margin:16px 0}
.tile{border:1px solid var(--line);border-radius:6px;padding:10px 14px}
.tile b{display:block;font-size:24px;line-height:1.2;font-variant-numeric:tabular-nums}
.tile.alert b{color:var(--bad)}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top;
overflow-wrap:anywhere}
th{font-weight:600;color:var(--soft);white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.problems td:first-child{white-space:nowrap;width:90px}.problems td:nth-child(2){width:28%}
.lost-row td:first-child{color:var(--bad);font-weight:600}
.swatch{display:inline-block;width:14px;height:14px;border-radius:3px;margin-right:8px;
vertical-align:-2px;border:1px solid #0003}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:22px 18px}
figure{margin:0;break-inside:avoid}
.view{position:relative;display:block;background:#e9ecee;overflow:hidden;border-radius:4px}
.view img,.view svg{position:absolute;inset:0;width:100%;height:100%;display:block}
.view span{position:absolute;inset:auto 0 50%;text-align:center;color:var(--soft);font-size:13px}
svg use{stroke-width:calc(2.2px*var(--u));fill-opacity:.16;stroke-linejoin:round}
svg .halo{stroke:#fff;stroke-width:calc(4.2px*var(--u));stroke-opacity:.8;fill:none}
svg .lost{stroke-dasharray:calc(6px*var(--u)) calc(5px*var(--u));fill-opacity:0}
svg text{fill:#fff;stroke:#000b;paint-order:stroke;font-weight:700;text-anchor:middle;
dominant-baseline:central;font-family:system-ui,sans-serif}
figcaption{font-size:13px;margin-top:6px;overflow-wrap:anywhere}
figcaption b{display:block}.alert{color:var(--bad)}
footer{margin-top:40px;padding-top:12px;border-top:1px solid var(--line);font-size:13px}
@media print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}
tr{break-inside:avoid}thead{display:table-header-group}
.tiles{grid-template-columns:repeat(4,1fr)}.grid{grid-template-columns:repeat(3,1fr)}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drawings: $source</title>
<style>$style</style>
</head>
<body>
<header>
<h1>Drawings and their masks</h1>
<p class="soft source">$source</p>
$verdict
<div class="tiles">
$tiles
</div>
</header>
<h2>Classes</h2>
$classes
<h2>Problems</h2>
$problems
<h2>Pictures</h2>
$remainder
<div class="grid">
$pictures
</div>
<footer class="soft">Outlines are as drawn, in the colour of their class; numbers count the regions
of a picture from 1; small ones in a crowd carry none. A dashed outline is in no mask. All counts
are in report.json.</footer>
</body>
</html>
""")


def page(report: Report, most: int) -> str:
    """Return the page, with at most `most` pictures on it: those with problems first."""
    shown = _pick(report, most)
    colours = {code: colour for code, _, colour in classes(report)}
    figures = [_figure(report, p, f"p{n}", colours) for n, p in enumerate(shown)]
    return PAGE.substitute(
        source=_safe(report.source),
        style=STYLE,
        verdict=_verdict(report),
        tiles="\n".join(_tiles(report)),
        classes=_classes(report),
        problems=_problems(report),
        remainder=_remainder(report, len(shown)),
        pictures="\n".join(figures),
    )


def _safe(text: str) -> str:
    return escape(legible(text))


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _pick(report: Report, most: int) -> Sequence[PictureReport]:
    """Take pictures with something missing, then with other problems, then in order."""
    order = {"lost": 0, "changed": 1, "note": 2}

    def rank(picture: PictureReport) -> int:
        return min((order[problem.weight] for problem in report.of(picture)), default=3)

    return sorted(report.pictures, key=rank)[:most]


def _verdict(report: Report) -> str:
    if report.clean:
        return '<p class="verdict good">Complete: nothing that was drawn is missing.</p>'
    missing = _plural(report.lost, "region") if report.lost else "something that was drawn"
    verb = "is" if report.lost in (0, 1) else "are"
    return f'<p class="verdict bad">Not complete: {missing} {verb} missing from the masks.</p>'


def _tiles(report: Report) -> Iterator[str]:
    pictures = report.pictures
    missing = sum(picture.path is None for picture in pictures)
    counts = (
        (report.files, "pictures on disk", False),
        (len(pictures), "pictures in the file", False),
        (missing, "pictures not found", missing > 0),
        (sum(picture.mask is not None for picture in pictures), "masks written", False),
        (report.count() + report.unread, "regions in the file", False),
        (report.count("drawn", "clipped"), "regions drawn", False),
        (report.count("clipped"), "cut at a border", False),
        (report.lost, "regions missing", report.lost > 0),
    )
    for count, label, alert in counts:
        tone = " alert" if alert else ""
        yield f'<div class="tile{tone}"><b>{count:,}</b><span class="soft">{label}</span></div>'


def _classes(report: Report) -> str:
    pixels = report.pixels
    heads = ("in the file", "drawn", "cut", "missing", *(() if pixels is None else ("pixels",)))
    rows = []
    for code, name, colour in classes(report):
        counts = [
            report.count(code=code),
            report.count("drawn", "clipped", code=code),
            report.count("clipped", code=code),
            report.count("lost", code=code),
        ]
        if pixels is not None:
            counts.append(0 if code is None else pixels.get(code, 0))
        cells = "".join(f'<td class="n">{count:,}</td>' for count in counts)
        swatch = f'<span class="swatch" style="background:{escape(colour)}"></span>'
        value = "" if code is None else str(code)
        rows.append(f'<tr><td>{swatch}{_safe(name)}</td><td class="n">{value}</td>{cells}</tr>')
    titles = "".join(f'<th class="n">{head}</th>' for head in ("value", *heads))
    return f"<table><thead><tr><th>class</th>{titles}</tr></thead>\n{_lines(rows)}</table>"


def _problems(report: Report) -> str:
    if not report.problems:
        return '<p class="soft">None.</p>'
    order = list(WEIGHTS)
    ranked = sorted(report.problems, key=lambda problem: order.index(problem.weight))
    counts = Counter(problem.weight for problem in ranked)
    summary = ", ".join(f"{counts[w]:,} {text}" for w, text in WEIGHTS.items() if counts[w])
    rest = len(ranked) - ROWS
    more = f"; the first {ROWS:,} are here, {rest:,} more in report.json" if rest > 0 else ""
    rows = [_problem(report, problem) for problem in ranked[:ROWS]]
    return (
        f'<p class="soft">{summary}{more}</p>\n<table class="problems"><thead><tr><th>weight</th>'
        f"<th>where</th><th>what</th></tr></thead>\n{_lines(rows)}</table>"
    )


def _problem(report: Report, problem: Problem) -> str:
    cells = (WEIGHTS[problem.weight], _safe(problem.where), escape(hide(report, problem.what)))
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr class="{problem.weight}-row">{row}</tr>'


def _lines(rows: Sequence[str]) -> str:
    return "<tbody>\n" + "\n".join(rows) + "\n</tbody>\n"


def _remainder(report: Report, shown: int) -> str:
    total = len(report.pictures)
    if shown >= total:
        return f'<p class="soft">{_plural(total, "picture")}, those with problems first.</p>'
    rest = total - shown
    return (
        f'<p class="soft">{shown:,} of {_plural(total, "picture")} are shown, those with problems '
        f"first; the other {rest:,} are listed in report.json.</p>"
    )


def _figure(
    report: Report, picture: PictureReport, key: str, colours: dict[int | None, str]
) -> str:
    height, width = picture.shape or (3, 4)
    small = thumbnail(picture.path) if picture.path is not None else None
    name = _safe(picture.name)
    if small is not None:
        view = f'<img alt="{name}" src="{small}">'
    else:
        view = f"<span>{'not found' if picture.path is None else 'cannot be shown'}</span>"
    outlines = drawing(picture, key, colours) if picture.shape is not None else ""
    return (
        f'<figure><div class="view" style="aspect-ratio:{width}/{height}">{view}{outlines}</div>'
        f"<figcaption><b>{name}</b>{_caption(report, picture)}</figcaption></figure>"
    )


def _caption(report: Report, picture: PictureReport) -> str:
    fates = Counter(region.fate for region in picture.regions)
    parts = [_plural(len(picture.regions), "region")]
    parts += [f"{fates['clipped']:,} cut at the border"] if fates["clipped"] else []
    parts += [f"the first {MOST} outlined"] if len(picture.regions) > MOST else []
    text = f'<span class="soft">{", ".join(parts)}</span>'
    missing = sum(problem.weight == "lost" for problem in report.of(picture))
    alert = f'<br><span class="alert">{missing:,} missing</span>' if missing else ""
    return text + alert


def write_report(report: Report, out: Path, thumbnails: int = THUMBNAILS) -> None:
    """Write `report.json` and `report.html` into the folder `out`, equal each time.

    Args:
        report: what to say.
        out: folder; made where it is not there.
        thumbnails: pictures on the page, those with problems first.
    """
    write_json(out / "report.json", to_json(report))
    write_text(out / "report.html", page(report, thumbnails))
