"""Maps of a model or of clusters as a VIA 2 project, to be corrected instead of drawn."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from agri_core.files.text import legible
from agri_core.legend import Legend, LegendClass, colour

from agri_annotate.formats.conversion import check_target
from agri_annotate.formats.write import render
from agri_annotate.formats.writers.text import compact, encode
from agri_annotate.model.classes import BACKGROUND, describe
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Region, Value
from agri_annotate.model.shape import Polygon
from agri_annotate.vectorise.draft import CONFIDENCE, Draft, Options, make_draft
from agri_annotate.vectorise.pairs import by_picture, pair
from agri_annotate.vectorise.polygonise import Outline

SHOWN_BY_BROWSERS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was drawn.

    Attributes:
        out: the project that was written.
        regions: by the name of their class, in legend order.
        corners: vertices of the regions as pixel edges.
        vertices: vertices drawn.
        problems: remarks; "lost" where a picture or class is missing.
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
        return any(problem.severity == "lost" for problem in self.problems)

    def summary(self) -> str:
        """Return the counts as readable lines."""
        total = sum(self.regions.values())
        each = "; ".join(
            f"{legible(name)} {count}" for name, count in self.regions.items() if count
        )
        share = f", {self.vertices / total:.1f} a region" if total else ""
        return "\n".join(
            [
                f"{self.out}: VIA 2 project",
                f"pictures  {self.pictures}",
                f"regions   {total}: {each or 'none'}",
                f"vertices  {self.vertices} of {self.corners} corners of pixels{share}",
            ]
        )


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
        classes: a `classes.json`; without it the one next to the maps, else the maps' own legend.
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
            drafts.append(make_draft(each, legend, sure.get(each.picture), options, problems))
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


def _legend(maps: Path, classes: Path | None) -> Legend | None:
    default = (maps if maps.is_dir() else maps.parent) / "classes.json"
    if classes is None and not default.is_file():
        return None
    return Legend.read(classes or default)


def _derived(drafts: Sequence[Draft]) -> Legend:
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


def _about(drafts: Sequence[Draft], legend: Legend, options: Options) -> list[Problem]:
    """Return notes on the project as a whole."""
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
    drafts: Sequence[Draft], legend: Legend, options: Options, *, with_confidence: bool
) -> Project:
    dropdown = Attribute(
        options.attribute,
        "dropdown",
        {name: name for name in legend.names},
        description=describe(legend),
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
    values: dict[str, Value] = {options.attribute: legend.names[outline.code]}
    if outline.confidence is not None:
        values[CONFIDENCE] = f"{outline.confidence:.2f}"
    return Region(Polygon(outline.points), values, number)


def _outcome(
    out: Path, drafts: Sequence[Draft], legend: Legend, problems: Sequence[Problem]
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
            {"where": p.where, "what": p.what, "weight": p.severity} for p in outcome.problems
        ],
    }
