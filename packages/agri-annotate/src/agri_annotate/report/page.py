"""The report as one HTML page that opens without a network and prints well."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agri_core.files.atomic import write_json, write_text
from agri_core.pages.fact import Fact
from agri_core.pages.render import render

from agri_annotate.model.project import Problem, Severity
from agri_annotate.report.drawing import MOST, Drawing, drawing
from agri_annotate.report.report import (
    THUMBNAILS,
    PictureReport,
    Report,
    classes,
    hide,
    to_json,
)
from agri_annotate.report.thumbnail import thumbnail

ROWS = 500
"""Problems in the table; the rest are counted there and listed in the JSON."""

SEVERITIES: dict[Severity, str] = {"lost": "missing", "changed": "changed", "note": "note"}


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A row of the class table: value in masks, "" for none, and the counts of the columns."""

    name: str
    colour: str
    value: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClassTable:
    """All classes, with the headings of their columns of numbers."""

    heads: tuple[str, ...]
    rows: tuple[ClassRow, ...]


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem in the table."""

    severity: Severity
    title: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class ProblemTable:
    """The worst problems, how many there are of each kind, and how many more than shown."""

    summary: str
    rows: tuple[ProblemRow, ...]
    rest: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture on the page.

    Attributes:
        name: as the annotation file gives it.
        size: `(width, height)`.
        found: whether the picture is on the disk.
        uri: its thumbnail; None where it cannot be shown.
        drawing: its outlines; None where its size is unknown.
        regions: how many it has.
        clipped: how many of them were cut at its border.
        missing: its problems that lost something.
    """

    name: str
    size: tuple[int, int]
    found: bool
    uri: str | None
    drawing: Drawing | None
    regions: int
    clipped: int
    missing: int


def page(report: Report, most: int) -> str:
    """Return the page, with at most `most` pictures on it: those with problems first."""
    colours = {code: colour for code, _, colour in classes(report)}
    shown = enumerate(_pick(report, most))
    return render(
        "agri_annotate.report",
        "page.html",
        report=report,
        sections={
            "classes": "Classes",
            "problems": f"Problems ({len(report.problems):,})",
            "pictures": f"Pictures ({len(report.pictures):,})",
        },
        facts=tuple(_facts(report)),
        most=MOST,
        classes=_classes(report),
        problems=_problems(report),
        figures=tuple(_figure(report, picture, f"p{n}", colours) for n, picture in shown),
    )


def _pick(report: Report, most: int) -> Sequence[PictureReport]:
    """Take pictures with something missing, then with other problems, then in order."""
    order = {"lost": 0, "changed": 1, "note": 2}

    def rank(picture: PictureReport) -> int:
        return min((order[problem.severity] for problem in report.of(picture)), default=3)

    return sorted(report.pictures, key=rank)[:most]


def _facts(report: Report) -> Iterator[Fact]:
    pictures = report.pictures
    missing = sum(picture.path is None for picture in pictures)
    counts = (
        (report.files, "pictures on disk", False),
        (len(pictures), "pictures in the file", False),
        (missing, "pictures not found", missing > 0),
        (sum(picture.mask is not None for picture in pictures), "masks written", False),
        (report.count() + report.unread, "regions in the file", False),
        (report.count("drawn", "clipped"), "regions in masks", False),
        (report.count("clipped"), "clipped at a border", False),
        (report.lost, "regions missing", report.lost > 0),
    )
    yield from (Fact(f"{count:,}", label, alert) for count, label, alert in counts)


def _classes(report: Report) -> ClassTable:
    pixels = report.pixels
    heads = ("mask value", "in the file", "in masks", "clipped", "missing")
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
        rows.append(ClassRow(name, colour, "" if code is None else str(code), tuple(counts)))
    return ClassTable((*heads, *(() if pixels is None else ("pixels",))), tuple(rows))


def _problems(report: Report) -> ProblemTable:
    order = list(SEVERITIES)
    ranked = sorted(report.problems, key=lambda problem: order.index(problem.severity))
    counts = Counter(problem.severity for problem in ranked)
    return ProblemTable(
        summary=", ".join(f"{counts[w]:,} {text}" for w, text in SEVERITIES.items() if counts[w]),
        rows=tuple(_problem(report, problem) for problem in ranked[:ROWS]),
        rest=max(0, len(ranked) - ROWS),
    )


def _problem(report: Report, problem: Problem) -> ProblemRow:
    title = SEVERITIES[problem.severity]
    return ProblemRow(problem.severity, title, problem.where, hide(report, problem.what))


def _figure(
    report: Report, picture: PictureReport, key: str, colours: dict[int | None, str]
) -> Figure:
    # A frame of ordinary proportions where the size is unknown.
    height, width = picture.shape or (3, 4)
    return Figure(
        name=picture.name,
        size=(width, height),
        found=picture.path is not None,
        uri=None if picture.path is None else thumbnail(picture.path),
        drawing=None if picture.shape is None else drawing(picture, key, colours),
        regions=len(picture.regions),
        clipped=sum(region.fate == "clipped" for region in picture.regions),
        missing=sum(problem.severity == "lost" for problem in report.of(picture)),
    )


def write_report(report: Report, out: Path, thumbnails: int = THUMBNAILS) -> None:
    """Write `report.json` and `report.html` into the folder `out`, equal each time.

    Args:
        report: the content of the page.
        out: folder; made where it is not there.
        thumbnails: pictures on the page, those with problems first.
    """
    write_json(out / "report.json", to_json(report))
    write_text(out / "report.html", page(report, thumbnails))
