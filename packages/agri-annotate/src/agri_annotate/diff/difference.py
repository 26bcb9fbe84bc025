"""Changes of a proposed annotation: records, and their JSON and text."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from agri_core.files.text import legible
from numpy.typing import NDArray

from agri_annotate.diff.matching import OVERLAP, SAME, Change
from agri_annotate.model.project import Problem

CHANGES: tuple[Change, ...] = get_args(Change)
UNTOUCHED: tuple[Change, ...] = ("kept",)

NO_CLASS = ""
"""Key of regions without a class."""

RULE = (
    f"regions match one to one within a picture, the highest IoU first, above {OVERLAP:g}; kept: "
    f"IoU above {SAME:g} and same class; moved: IoU {OVERLAP:g} to {SAME:g} and same class; "
    "relabelled: another class"
)


@dataclass(frozen=True, slots=True)
class PictureChange:
    """What changed in one picture.

    Attributes:
        changes: how many regions by change.
        labels: per change, how many by class, as proposed or, for added ones, as corrected.
        counts: `(classes, 3)` pixels: proposed, corrected, and both.
    """

    name: str
    changes: Mapping[str, int]
    labels: Mapping[tuple[str, str], int]
    counts: NDArray[np.int64]

    @property
    def untouched(self) -> bool:
        """Whether every region was kept and none was added."""
        return set(self.changes) <= set(UNTOUCHED)


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference between a proposed and a corrected annotation.

    Attributes:
        names: of the classes.
        problems: remarks on the comparison.
    """

    proposed: str
    corrected: str
    names: tuple[str, ...]
    pictures: tuple[PictureChange, ...]
    problems: tuple[Problem, ...]
    seconds: float | None = None

    @property
    def changes(self) -> dict[str, int]:
        """Regions by change, in all pictures."""
        total: Counter[str] = Counter()
        for picture in self.pictures:
            total.update(picture.changes)
        return {change: total[change] for change in CHANGES}

    @property
    def untouched(self) -> int:
        """Pictures in which nothing was changed."""
        return sum(picture.untouched for picture in self.pictures)

    @property
    def iou(self) -> dict[str, float | None]:
        """IoU of the drawn masks per class over all pictures; None where neither has the class."""
        empty = np.zeros((len(self.names), 3), np.int64)
        counts = sum((picture.counts for picture in self.pictures), empty)
        either = counts[:, 0] + counts[:, 1] - counts[:, 2]
        return {
            name: float(counts[row, 2] / either[row]) if either[row] else None
            for row, name in enumerate(self.names)
        }

    def by_class(self, name: str) -> dict[str, int]:
        """Regions of one class by change; what was relabelled counts where it was proposed."""
        return {
            change: sum(picture.labels.get((change, name), 0) for picture in self.pictures)
            for change in CHANGES
        }


def to_json(difference: Difference) -> dict[str, Any]:
    """Return the difference as plain JSON; times only as the user stated them."""
    content: dict[str, Any] = {
        "proposed": difference.proposed,
        "corrected": difference.corrected,
        "rule": RULE,
        "pictures": {"compared": len(difference.pictures), "untouched": difference.untouched},
        "regions": difference.changes,
        "classes": {
            name: {"iou": _rounded(iou), **difference.by_class(name)}
            for name, iou in difference.iou.items()
        },
        "no_class": difference.by_class(NO_CLASS),
        "each": [{"name": p.name, **_all(p.changes)} for p in difference.pictures],
        "times": "the files hold none",
    }
    if difference.seconds is not None:
        content["stated"] = stated(difference.changes, difference.seconds)
    content["problems"] = [
        {"where": p.where, "what": p.what, "weight": p.severity} for p in difference.problems
    ]
    return content


def stated(changes: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Return minutes at the user's own seconds per region: all drawn again, and changed ones."""
    touched = sum(changes[change] for change in CHANGES if change != "kept")
    corrected = sum(changes[change] for change in CHANGES if change != "removed")
    return {
        "seconds_per_region": seconds,
        "minutes_to_draw_all": round(corrected * seconds / 60, 2),
        "minutes_to_draw_changed": round(touched * seconds / 60, 2),
    }


def table(difference: Difference) -> str:
    """Return the difference as text."""
    width = max(len(legible(name)) for name in (*difference.names, "(none)"))
    head = "".join(f"{change:>11}" for change in CHANGES)
    lines = [
        f"{difference.proposed} -> {difference.corrected}",
        f"pictures  {len(difference.pictures)}, untouched {difference.untouched}",
        f"{'class':<{width}}{'IoU':>8}{head}",
    ]
    for name, iou in difference.iou.items():
        lines.append(_row(name, width, iou, difference.by_class(name)))
    unnamed = difference.by_class(NO_CLASS)
    if any(unnamed.values()):
        lines.append(_row("(none)", width, None, unnamed))
    lines.append(_row("all", width, None, difference.changes))
    return "\n".join([*lines, _times(difference), RULE])


def _times(difference: Difference) -> str:
    if difference.seconds is None:
        return "times     none are known: the files hold none"
    minutes = stated(difference.changes, difference.seconds)
    return (
        f"times     none are known; at the {difference.seconds:g} s per region that you state, all "
        f"regions are {minutes['minutes_to_draw_all']:g} min, the changed ones "
        f"{minutes['minutes_to_draw_changed']:g} min"
    )


def _row(name: str, width: int, iou: float | None, changes: Mapping[str, int]) -> str:
    share = f"{iou:.4f}" if iou is not None else "-"
    return f"{legible(name):<{width}}{share:>8}" + "".join(f"{changes[c]:>11}" for c in CHANGES)


def _all(changes: Mapping[str, int]) -> dict[str, int]:
    return {change: changes.get(change, 0) for change in CHANGES}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
