"""Maps of a model or of clusters as a VIA 2 project, so that a person corrects, not draws."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_annotate import classmap
from agri_annotate.atomic import replacing_file
from agri_annotate.conversion import check_target
from agri_annotate.errors import InputError
from agri_annotate.legend import BACKGROUND, IGNORE, Legend, LegendClass, colour
from agri_annotate.pairs import Pair, by_picture, pair
from agri_annotate.pictures import Header, header
from agri_annotate.polygonise import FIDELITY, Background, Drawing, Mask, Outline, polygonise
from agri_annotate.project import Attribute, Picture, Problem, Project, Region, Value
from agri_annotate.shape import Polygon
from agri_annotate.write import render
from agri_annotate.writers.text import compact, encode

CONFIDENCE = "confidence"
MANY = 1000
"""Regions of one picture above which VIA answers slowly."""

SHOWN_BY_BROWSERS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")


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
        if self.background not in ("holes", "all", "none"):
            raise InputError(f"--background is holes, all or none, got {self.background!r}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was drawn.

    Attributes:
        out: the project that was written.
        regions: by the name of their class, in legend order.
        corners: vertices of the regions as pixel edges.
        vertices: vertices drawn.
        problems: what a person should know; "lost" where a picture or class is missing.
    """

    out: Path
    pictures: int
    regions: Mapping[str, int]
    corners: int
    vertices: int
    problems: tuple[Problem, ...]

    @property
    def lost(self) -> bool:
        """Whether a picture or a class of the maps is missing from the project."""
        return any(problem.weight == "lost" for problem in self.problems)

    def summary(self) -> str:
        """Return the counts in lines for a person."""
        total = sum(self.regions.values())
        each = "; ".join(f"{name} {count}" for name, count in self.regions.items() if count)
        share = f", {self.vertices / total:.1f} a region" if total else ""
        return "\n".join(
            [
                f"{self.out}: VIA 2 project",
                f"pictures  {self.pictures}",
                f"regions   {total}: {each or 'none'}",
                f"vertices  {self.vertices} of {self.corners} corners of pixels{share}",
            ]
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A picture and its outlines, whose classes have no names yet."""

    path: Path
    size: int
    drawing: Drawing
    codes: tuple[int, ...]
    naming: classmap.Naming = field(default_factory=classmap.Naming)


def prelabel(
    maps: Path,
    pictures: Path,
    out: Path,
    options: Options,
    *,
    classes: Path | None = None,
    confidence: Path | None = None,
) -> Outcome:
    """Write the maps of pictures as drawings.

    Args:
        maps: a map, a folder of maps, or a CSV `image,mask`, see `pairs.pair`.
        pictures: their folder, or the one picture.
        out: the VIA 2 project to write.
        options: how.
        classes: a `classes.json`; without it the one beside the maps, else what the maps say.
        confidence: a raster, or a folder of rasters named as the pictures or the maps.

    Raises:
        MissingError: a file or folder is not there.
        InputError: no picture could be drawn, or `out` must not be replaced.
    """
    check_target(maps, out)
    pairs, problems = pair(maps, pictures)
    legend = _legend(maps, classes)
    sure = {} if confidence is None else by_picture(confidence, pairs)
    drafts = []
    for each in pairs:
        if confidence is not None and each.picture not in sure:
            problems.append(Problem(each.picture.name, "it has no confidence", "note"))
        try:
            drafts.append(_draft(each, legend, sure.get(each.picture), options, problems))
        except InputError as error:
            problems.append(Problem(each.picture.name, str(error)))
    if not drafts:
        raise InputError(f"no picture could be drawn; the first reason: {problems[0]}")
    legend = legend or _derived(drafts)
    problems += _about(drafts, legend, options)
    project = _project(drafts, legend, options, with_confidence=confidence is not None)
    problems += write_for_correction(project, out, options)
    return _outcome(out, drafts, legend, problems)


def write_for_correction(project: Project, out: Path, options: Options) -> list[Problem]:
    """Write a VIA 2 project in which regions are labelled and coloured by the class."""
    text, problems = render(project, "via2-project", out.name)
    content = json.loads(text)
    image = content["_via_settings"]["ui"]["image"]
    image["region_label"] = image["region_color"] = options.attribute
    if options.path:
        core = content["_via_settings"]["core"]
        place = options.path if options.path.endswith(("/", "\\")) else f"{options.path}/"
        core["default_filepath"] = place
        core["filepath"] = {place: 1}
    with replacing_file(out) as temporary:
        temporary.write_bytes(encode(compact(content)))
    return problems


def _draft(
    each: Pair,
    legend: Legend | None,
    confidence: Path | None,
    options: Options,
    problems: list[Problem],
) -> _Draft:
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
    return _Draft(each.picture, picture.size_bytes, drawing, there, naming)


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
    """Give the values that are classes; others become 255 and a problem each."""
    count = IGNORE if legend is None else len(legend.classes)
    wrong = (codes != IGNORE) & ((codes < 0) | (codes >= count))
    if wrong.any():
        values, pixels = np.unique(codes[wrong], return_counts=True)
        listed = ", ".join(map(str, values[:5].tolist()))
        what = f"{each.map.name} holds {listed} in {pixels.sum()} pixels, but classes are 0 to "
        problems.append(Problem(each.picture.name, f"{what}{count - 1}; they are not drawn"))
    return np.where(wrong, IGNORE, codes).astype(np.uint8)


def _drawn(name: str, drawing: Drawing, mask: Mask, *, placed: bool) -> list[Problem]:
    """What a drawing does not say of its map."""
    found = []
    if drawing.small:
        what = f"{drawing.small} pixels of regions under the minimum went to their neighbours"
        found.append(Problem(name, what, "note"))
    ignored = int(np.count_nonzero(mask == IGNORE))
    if ignored:
        what = (
            f"{ignored} pixels to ignore are not drawn, {drawing.covered} of them inside regions; "
            "VIA has no way to hold them, so masks of this drawing say a class there"
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


def _legend(maps: Path, classes: Path | None) -> Legend | None:
    beside = (maps if maps.is_dir() else maps.parent) / "classes.json"
    if classes is None and not beside.is_file():
        return None
    return Legend.read(classes or beside)


def _derived(drafts: Sequence[_Draft]) -> Legend:
    """Build a legend from names and colours in the maps, the first map's first."""
    names: dict[int, str] = {0: BACKGROUND}
    colours: dict[int, str] = {}
    for draft in reversed(drafts):
        names |= draft.naming.names
        colours |= draft.naming.colours
    top = max((code for draft in drafts for code in draft.codes), default=0)
    return Legend(
        tuple(
            LegendClass(code, names.get(code, f"class {code}"), colours.get(code, colour(code)))
            for code in range(top + 1)
        )
    )


def _about(drafts: Sequence[_Draft], legend: Legend, options: Options) -> list[Problem]:
    """What a person should know of the whole project."""
    found = []
    first = legend.names[0]
    if first.casefold() != BACKGROUND and options.background != "all":
        what = f"class 0, {first!r}, is taken for the background; --background all draws it"
        found.append(Problem("classes", what, "note"))
    unseen = [d.path.name for d in drafts if d.path.suffix.lower() not in SHOWN_BY_BROWSERS]
    if unseen:
        what = f"browsers, and so VIA, do not show {unseen[0]!r}; draw on a PNG of it"
        found.append(Problem(f"{len(unseen)} pictures", what, "note"))
    return found


def _project(
    drafts: Sequence[_Draft], legend: Legend, options: Options, *, with_confidence: bool
) -> Project:
    colours = ", ".join(f"{item.name} {item.colour}" for item in legend.classes)
    dropdown = Attribute(
        options.attribute,
        "dropdown",
        {name: name for name in legend.names},
        description=f"colours of the masks: {colours}",
    )
    text = Attribute(CONFIDENCE, description="mean confidence of the model, 0 to 1")
    pictures = tuple(
        Picture(
            draft.path.name,
            draft.size,
            tuple(
                _region(outline, number, legend, options)
                for number, outline in enumerate(draft.drawing.outlines)
            ),
        )
        for draft in drafts
    )
    return Project(
        "via2-project",
        pictures,
        (dropdown, text) if with_confidence else (dropdown,),
        (),
        "prelabel",
    )


def _region(outline: Outline, number: int, legend: Legend, options: Options) -> Region:
    said: dict[str, Value] = {options.attribute: legend.names[outline.code]}
    if outline.confidence is not None:
        said[CONFIDENCE] = f"{outline.confidence:.2f}"
    return Region(Polygon(outline.points), said, number)


def _outcome(
    out: Path, drafts: Sequence[_Draft], legend: Legend, problems: Sequence[Problem]
) -> Outcome:
    counts: Counter[int] = Counter(o.code for draft in drafts for o in draft.drawing.outlines)
    return Outcome(
        out,
        len(drafts),
        {item.name: counts[item.id] for item in legend.classes},
        sum(draft.drawing.corners for draft in drafts),
        sum(draft.drawing.vertices for draft in drafts),
        tuple(problems),
    )


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as plain JSON."""
    return {
        "pictures": outcome.pictures,
        "regions": dict(outcome.regions),
        "vertices": {"drawn": outcome.vertices, "corners": outcome.corners},
        "problems": [
            {"where": p.where, "what": p.what, "weight": p.weight} for p in outcome.problems
        ],
    }
