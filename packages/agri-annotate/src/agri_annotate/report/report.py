"""The report of every region's outcome, as a JSON file and a page."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from agri_core.files.text import legible
from agri_core.legend import Legend

from agri_annotate.formats.readers.values import printable
from agri_annotate.model.project import Problem
from agri_annotate.model.shape import Shape

Fate = Literal["drawn", "clipped", "lost"]
FATES: tuple[Fate, ...] = ("drawn", "clipped", "lost")
THUMBNAILS = 60
"""Pictures on the page; the rest are counted there and listed in the JSON."""


@dataclass(frozen=True, slots=True)
class RegionReport:
    """A region and what became of it.

    Attributes:
        number: counted from 1.
        shape: in pixels.
        code: id of its class, 255 for "not known", None where it has none.
        fate: "drawn" whole, "clipped" at the border but drawn, or "lost".
    """

    number: int
    shape: Shape
    code: int | None
    fate: Fate = "drawn"


@dataclass(frozen=True, slots=True)
class PictureReport:
    """A picture of the annotation file.

    Attributes:
        name: as the file gives it.
        path: where it was found, None where it was not.
        shape: `(height, width)`, None where unknown.
        regions: that could be read, in the order of the file.
        mask: name of the mask written for it, None where none was.
    """

    name: str
    path: Path | None = None
    shape: tuple[int, int] | None = None
    regions: tuple[RegionReport, ...] = ()
    mask: str | None = None


@dataclass(frozen=True)
class Report:
    """What a run found and did.

    Attributes:
        source: name of the annotation file, without folders.
        legend: the classes.
        pictures: in the order of the annotation file.
        files: pictures on the disk, in the folder that was searched.
        unread: regions in the file that could not be read, so have no shape.
        pixels: of the masks by class id, 255 for "not known"; empty where none were counted.
        problems: all problems of reading and drawing.
    """

    source: str
    legend: Legend
    pictures: tuple[PictureReport, ...]
    files: int = 0
    unread: int = 0
    pixels: Mapping[int, int] | None = None
    problems: tuple[Problem, ...] = ()

    @cached_property
    def fates(self) -> Counter[tuple[int | None, Fate]]:
        """Regions by class id and by what became of them."""
        return Counter((r.code, r.fate) for picture in self.pictures for r in picture.regions)

    def count(self, *fates: Fate, code: int | Literal["any"] | None = "any") -> int:
        """Count regions of one class, or of any, with one of `fates`; of any fate for none."""
        return sum(
            number
            for (other, fate), number in self.fates.items()
            if (code == "any" or other == code) and fate in (fates or FATES)
        )

    @property
    def lost(self) -> int:
        """Regions that are in no mask."""
        return self.count("lost") + self.unread

    @property
    def clean(self) -> bool:
        """Whether nothing drawn is missing."""
        return not self.lost and all(problem.severity != "lost" for problem in self.problems)

    def of(self, picture: PictureReport) -> tuple[Problem, ...]:
        """The problems of one picture."""
        return self._by_picture.get(picture.name, ())

    @cached_property
    def _by_picture(self) -> dict[str, tuple[Problem, ...]]:
        names = {shown: p.name for p in self.pictures for shown in (p.name, printable(p.name))}
        found: dict[str, tuple[Problem, ...]] = {}
        for problem in self.problems:
            where = (
                problem.where if problem.where in names else problem.where.rpartition(" region ")[0]
            )
            name = names.get(where, where)
            found[name] = (*found.get(name, ()), problem)
        return found


def to_json(report: Report) -> dict[str, Any]:
    """Return the content of `report.json`: counts, classes, problems, pictures."""
    found = [picture for picture in report.pictures if picture.path is not None]
    read = report.count()
    return {
        "source": legible(report.source),
        "complete": report.clean,
        "files_on_disk": report.files,
        "pictures": {
            "in_file": len(report.pictures),
            "found": len(found),
            "missing": len(report.pictures) - len(found),
            "without_regions": sum(not picture.regions for picture in report.pictures),
            "masks": sum(picture.mask is not None for picture in report.pictures),
        },
        "regions": {
            "in_file": read + report.unread,
            "read": read,
            "drawn": report.count("drawn", "clipped"),
            "clipped": report.count("clipped"),
            "lost": report.lost,
        },
        "classes": list(_classes(report)),
        "problems": [
            {"where": legible(p.where), "what": hide(report, p.what), "weight": p.severity}
            for p in report.problems
        ],
        "listing": [_picture(report, picture) for picture in report.pictures],
    }


def classes(report: Report) -> Iterator[tuple[int | None, str, str]]:
    """Return id, name and colour of the classes, then of what has no class if there is any."""
    from agri_core.legend import IGNORE, IGNORE_COLOUR

    for item in report.legend.classes:
        yield item.id, item.name, item.colour
    if report.count(code=IGNORE) or (report.pixels or {}).get(IGNORE):
        yield IGNORE, "not known", IGNORE_COLOUR
    if report.count(code=None):
        yield None, "no class", "#d4351c"


def hide(report: Report, text: str) -> str:
    """Leave the folders of pictures out of a message, so that it is equal on any computer."""
    folders = {str(p.path.parent) for p in report.pictures if p.path is not None}
    # Longest first, so that a folder within another is taken off whole.
    for folder in sorted(folders - {".", "/"}, key=len, reverse=True):
        text = text.replace(f"{folder}/", "").replace(f"{folder}\\", "")
    return legible(text)


def _classes(report: Report) -> Iterator[dict[str, Any]]:
    pixels = report.pixels or {}
    for code, name, colour in classes(report):
        counted = 0 if code is None else pixels.get(code, 0)
        yield {
            "id": code,
            "name": legible(name),
            "colour": colour,
            "read": report.count(code=code),
            "drawn": report.count("drawn", "clipped", code=code),
            "clipped": report.count("clipped", code=code),
            "lost": report.count("lost", code=code),
            **({} if report.pixels is None else {"pixels": counted}),
        }


def _picture(report: Report, picture: PictureReport) -> dict[str, Any]:
    fates = Counter(region.fate for region in picture.regions)
    height, width = picture.shape or (None, None)
    return {
        "name": legible(picture.name),
        "found": picture.path is not None,
        "height": height,
        "width": width,
        "mask": None if picture.mask is None else legible(picture.mask),
        "regions": len(picture.regions),
        "clipped": fates["clipped"],
        "lost": fates["lost"],
        "problems": len(report.of(picture)),
    }
