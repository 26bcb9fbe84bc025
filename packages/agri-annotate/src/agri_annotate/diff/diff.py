"""Corrections of a proposed annotation, measured from the two annotation files alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend
from numpy.typing import NDArray

from agri_annotate.diff.difference import NO_CLASS, Difference, PictureChange
from agri_annotate.diff.matching import Drawn, Match, drawn, match
from agri_annotate.formats.read import read_project
from agri_annotate.masks.naming import TO_IGNORE, Naming, check_attribute, choose, option_texts
from agri_annotate.masks.outline import outline
from agri_annotate.model.classes import derive
from agri_annotate.model.pictures import find_pictures, header
from agri_annotate.model.project import Attribute, Picture, Problem, Project


@dataclass(frozen=True, slots=True)
class Options:
    """How files are compared.

    Attributes:
        attribute: that names the class, None for the only one there is.
        legend: None for the options and values of both files.
        line: width of polylines in pixels.
        radius: of points in pixels.
        seconds: to draw one region, as given by the user; not from the files.
    """

    attribute: str | None = None
    legend: Legend | None = None
    line: float | None = None
    radius: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name, value in (
            ("line", self.line),
            ("radius", self.radius),
            ("seconds", self.seconds),
        ):
            if value is not None and not 0 < value < float("inf"):
                raise InputError(f"--{name} must be positive, got {value:g}")


def compare_files(
    proposed: Path, corrected: Path, options: Options, pictures: Path | None = None
) -> Difference:
    """Compare two annotation files over the same pictures.

    Args:
        proposed: the annotation before the correction.
        corrected: what the person saved.
        options: how.
        pictures: folder of the pictures, for their sizes; without it the sizes in the files, else
            the picture ends where the last region does.

    Raises:
        MissingError: a file or the folder is not there.
        InputError: a file is no annotation file, or no picture is in both.
    """
    before, problems = read_project(proposed)
    after, more = read_project(corrected)
    problems = [*problems, *more]
    sizes = {} if pictures is None else _sizes(before, after, pictures, problems)
    return compare(before, after, options, sizes, (proposed.name, corrected.name), problems)


def compare(
    before: Project,
    after: Project,
    options: Options,
    sizes: Mapping[str, tuple[int, int]],
    files: tuple[str, str] = ("proposed", "corrected"),
    problems: Sequence[Problem] = (),
) -> Difference:
    """Compare two projects; `sizes` is `(height, width)` by the name of a picture.

    Raises:
        InputError: no picture is in both, or the class attribute is unclear.
    """
    found = list(problems)
    pairs = _pairs(before, after, files, found)
    naming = _naming(before, after, options)
    for project, file in ((before, files[0]), (after, files[1])):
        check_attribute(project, naming.attribute, file)
    changed = [_compare(*pair, naming, options, sizes, found) for pair in pairs]
    return Difference(
        *files, naming.legend.names, tuple(changed), tuple(found), seconds=options.seconds
    )


def _sizes(
    before: Project, after: Project, folder: Path, problems: list[Problem]
) -> dict[str, tuple[int, int]]:
    names = [picture.name for project in (before, after) for picture in project.pictures]
    found, missing = find_pictures(folder, names)
    problems += missing
    sizes = {}
    for name, path in found.items():
        try:
            head = header(path)
        except InputError as error:
            problems.append(Problem(name, str(error)))
        else:
            sizes[name] = (head.height, head.width)
    return sizes


def _pairs(
    before: Project, after: Project, files: tuple[str, str], problems: list[Problem]
) -> list[tuple[Picture, Picture]]:
    first, second = _by_name(before, files[0], problems), _by_name(after, files[1], problems)
    for names, others, file in ((first, second, files[1]), (second, first, files[0])):
        problems += [
            Problem(name, f"it is not in {file}, so it is not compared", "note")
            for name in names
            if name not in others
        ]
    pairs = [(picture, second[name]) for name, picture in first.items() if name in second]
    if not pairs:
        raise InputError(f"no picture is in both {files[0]} and {files[1]}")
    return pairs


def _by_name(project: Project, file: str, problems: list[Problem]) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    for picture in project.pictures:
        if picture.name in found:
            problems.append(Problem(picture.name, f"it is in {file} twice; the first counts"))
        found.setdefault(picture.name, picture)
    return found


def _naming(before: Project, after: Project, options: Options) -> Naming:
    """Name classes by the options and values of both files, or by the legend that was given."""
    pictures = before.pictures + after.pictures
    both = Project("via2-project", pictures, before.regions + after.regions)
    attribute = choose(both, options.attribute)
    texts = option_texts(before, attribute) | option_texts(after, attribute)
    values = [r.attributes.get(attribute, "") for picture in pictures for r in picture.regions]
    ticks = [text for v in values for text in ([v] if isinstance(v, str) else v)]
    used = sorted({text.strip() for text in ticks} - {""})
    both_known = texts | {value: value for value in used if value not in texts}
    # A form that keeps texts only, as COCO does, has "Bare soil" for the option "soil".
    longer = {text for option, text in texts.items() if text != option}
    known = Attribute(
        attribute, "dropdown", {n: text for n, text in both_known.items() if n not in longer}
    )
    legend = options.legend or derive(Project("via2-project", (), (known,)), attribute, None)
    return Naming(legend, attribute, texts=texts, unlabelled=TO_IGNORE)


def _compare(
    before: Picture,
    after: Picture,
    naming: Naming,
    options: Options,
    sizes: Mapping[str, tuple[int, int]],
    problems: list[Problem],
) -> PictureChange:
    size = sizes.get(before.name) or before.shape or after.shape
    if size is None:
        size = _extent(before, after)
        what = f"its size is unknown; {size[1]} x {size[0]} hold all regions (--pictures)"
        problems.append(Problem(before.name, what, "note"))
    first = _regions(before, naming, options, size, problems)
    second = _regions(after, naming, options, size, problems)
    matches = match(first, second)
    changes: Counter[str] = Counter(each.change for each in matches)
    labels: Counter[tuple[str, str]] = Counter(
        (each.change, _label(each, first, second)) for each in matches
    )
    counts = _counts(first, second, naming.legend.names, size)
    return PictureChange(before.name, changes, labels, counts)


def _regions(
    picture: Picture,
    naming: Naming,
    options: Options,
    size: tuple[int, int],
    problems: list[Problem],
) -> list[Drawn]:
    regions = []
    for region in picture.regions:
        where = f"{picture.name} region {region.number + 1}"
        code = naming.class_of(region, where)
        if isinstance(code, Problem):
            problems.append(code)
        label = naming.legend.names[code] if isinstance(code, int) and code != IGNORE else None
        one = drawn(region.shape, label, *size, line=options.line, radius=options.radius)
        if one.cover is None:
            what = f"a {region.shape.kind} without a width or radius covers nothing"
            problems.append(Problem(where, f"{what}; only its equal is found", "note"))
        regions.append(one)
    return regions


def _label(each: Match, before: Sequence[Drawn], after: Sequence[Drawn]) -> str:
    if each.before is not None:
        return before[each.before].label or NO_CLASS
    return after[each.after].label or NO_CLASS if each.after is not None else NO_CLASS


def _counts(
    before: Sequence[Drawn], after: Sequence[Drawn], names: Sequence[str], size: tuple[int, int]
) -> NDArray[np.int64]:
    """Count pixels per class: proposed, corrected, both; regions of no class leave theirs out."""
    first, second = _paint(before, names, size), _paint(after, names, size)
    known = (first != IGNORE) & (second != IGNORE)
    first, second = first[known], second[known]
    columns = [first, second, first[first == second]]
    return np.stack([np.bincount(column, minlength=len(names)) for column in columns], axis=1)


def _paint(
    regions: Sequence[Drawn], names: Sequence[str], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Draw the mask of regions, later ones above earlier ones; 255 is a region of no class."""
    mask = np.zeros(size, np.uint8)
    for region in regions:
        if region.cover is not None:
            code = IGNORE if region.label is None else names.index(region.label)
            np.copyto(mask[region.cover.window], code, where=region.cover.inside)
    return mask


def _extent(before: Picture, after: Picture) -> tuple[int, int]:
    """Height and width that hold every region."""
    bounds = [outline(r.shape).bounds for picture in (before, after) for r in picture.regions]
    right = max((bound[2] for bound in bounds), default=0.0)
    bottom = max((bound[3] for bound in bounds), default=0.0)
    return max(1, int(np.ceil(bottom))), max(1, int(np.ceil(right)))
