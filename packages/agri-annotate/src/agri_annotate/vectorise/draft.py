"""The outlines of one picture, made from its map, and notes on what they leave out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend
from agri_core.raster.naming import Naming
from numpy.typing import NDArray

from agri_annotate.choices import Background
from agri_annotate.model.pictures import Header, header
from agri_annotate.model.project import Problem
from agri_annotate.vectorise import classmap
from agri_annotate.vectorise.pairs import Pair
from agri_annotate.vectorise.polygonise import FIDELITY, Drawing, Mask, polygonise

CONFIDENCE = "confidence"
MANY = 1000
"""Regions of one picture above which VIA answers slowly."""


@dataclass(frozen=True, slots=True)
class Options:
    """How maps become drawings.

    Attributes:
        attribute: name of the dropdown that holds the class.
        tolerance: pixels a border may be moved, see `polygonise`.
        minimum: pixels of the smallest region.
        fidelity: IoU that each class keeps.
        background: which regions of class 0 are drawn.
        binary: whether every value but 0 is class 1.
        path: where the pictures lie as the page of VIA sees them, "" if it is to ask.
    """

    attribute: str = "class"
    tolerance: float = 1.0
    minimum: int = 64
    fidelity: float = FIDELITY
    background: Background = "holes"
    binary: bool = False
    path: str = ""

    def __post_init__(self) -> None:
        if not self.attribute.strip() or self.attribute == CONFIDENCE:
            raise InputError(f"the attribute needs another name than {self.attribute!r}")
        if self.background not in get_args(Background):
            allowed = ", ".join(get_args(Background))
            raise InputError(f"the background is one of {allowed}, got {self.background!r}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A picture and its outlines, whose classes have no names yet."""

    path: Path
    size: int
    drawing: Drawing
    codes: tuple[int, ...]
    naming: Naming = field(default_factory=Naming)


def make_draft(
    each: Pair,
    legend: Legend | None,
    confidence: Path | None,
    options: Options,
    problems: list[Problem],
) -> Draft:
    """Outline the map of a picture; what is wrong with some of it goes to `problems`.

    Raises:
        InputError: the picture or its map cannot be read, or they do not fit.
    """
    picture = header(each.picture)
    codes = classmap.read_map(each.map, picture, binary=options.binary)
    mask = _known(codes, legend, each, problems)
    drawing = polygonise(
        mask,
        tolerance=options.tolerance,
        minimum=options.minimum,
        background=options.background,
        fidelity=options.fidelity,
        confidence=_confidence(confidence, picture, each, problems),
    )
    placed = classmap.is_placed(picture)
    problems += _drawn(each.picture.name, drawing, mask, placed=placed)
    there = tuple(int(code) for code in np.unique(mask) if code != IGNORE)
    naming = classmap.read_naming(each.map)
    return Draft(each.picture, picture.size_bytes, drawing, there, naming)


def _confidence(
    path: Path | None, picture: Header, each: Pair, problems: list[Problem]
) -> NDArray[np.float64] | None:
    """Read the confidence; a map is drawn without it where it cannot be read."""
    if path is None:
        return None
    try:
        return classmap.read_confidence(path, picture)
    except InputError as error:
        problems.append(Problem(each.picture.name, f"confidence: {error}"))
        return None


def _known(
    codes: NDArray[np.int64], legend: Legend | None, each: Pair, problems: list[Problem]
) -> Mask:
    """Return the values that are classes; others become 255 and a problem each."""
    count = IGNORE if legend is None else len(legend.classes)
    wrong = (codes != IGNORE) & ((codes < 0) | (codes >= count))
    if wrong.any():
        values, pixels = np.unique(codes[wrong], return_counts=True)
        listed = ", ".join(map(str, values[:5].tolist()))
        what = f"{each.map.name} holds {listed} in {pixels.sum()} pixels, but classes are 0 to "
        problems.append(Problem(each.picture.name, f"{what}{count - 1}; they are not drawn"))
    return np.where(wrong, IGNORE, codes).astype(np.uint8)


def _drawn(name: str, drawing: Drawing, mask: Mask, *, placed: bool) -> list[Problem]:
    """Return notes on what a drawing leaves out of its map."""
    found = []
    if drawing.small:
        what = f"{drawing.small} pixels of regions under the minimum went to their neighbours"
        found.append(Problem(name, what, "note"))
    ignored = int(np.count_nonzero(mask == IGNORE))
    if ignored:
        what = (
            f"{ignored} pixels to ignore are not drawn, {drawing.covered} of them inside regions; "
            "VIA has no way to hold them, so masks of this drawing have a class there"
        )
        found.append(Problem(name, what, "changed"))
    if len(drawing.outlines) > MANY:
        what = f"{len(drawing.outlines)} regions are slow to work with; raise --minimum"
        found.append(Problem(name, what, "note"))
    values = set(np.unique(mask).tolist())
    if values == {0, IGNORE} and not placed:
        what = "its map holds 0 and 255 alone, and 255 is not drawn; --binary draws it as class 1"
        found.append(Problem(name, what, "note"))
    return found
