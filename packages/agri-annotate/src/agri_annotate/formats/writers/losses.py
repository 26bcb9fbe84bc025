"""Conversions that lose information in several formats: rotated ellipses and ticked options."""

from collections.abc import Iterator, Mapping

from agri_core.files.errors import InputError

from agri_annotate.formats.readers.values import printable
from agri_annotate.formats.writers.outline import CORNERS, untilted
from agri_annotate.model.project import Picture, Problem, Region, Value
from agri_annotate.model.shape import Polygon, Shape


def place(picture: Picture, region: Region) -> str:
    """Return the location of a region, counted from 1."""
    return f"{printable(picture.name)} region {region.number + 1}"


def uprights(picture: Picture, problems: list[Problem]) -> Iterator[tuple[Region, Shape]]:
    """Yield the regions with shapes for a format without theta, and append to `problems`.

    A rotated ellipse becomes a polygon of 72 points; the ring differs from the ellipse by 0.13 % of
    its area, 1 - 72 / (2 pi) sin(2 pi / 72).
    """
    for region in picture.regions:
        try:
            shape = untilted(region.shape)
        except InputError as error:
            problems.append(Problem(place(picture, region), f"ellipse not written: {error}"))
            continue
        if isinstance(shape, Polygon) and not isinstance(region.shape, Polygon):
            what = f"a rotated ellipse became a polygon of {CORNERS} points: this form has no theta"
            problems.append(Problem(place(picture, region), what, "changed"))
        yield region, shape


def ticks_as_text(
    values: Mapping[str, Value], where: str, problems: list[Problem], *, exact: bool
) -> dict[str, str]:
    """Return the values as texts; ticked options are joined by commas, as VIA 3 does.

    Where the target splits the text again (`exact`), only an option with a comma is a problem.
    """
    result = {}
    # A comma within an option makes the joined text ambiguous.
    for name, value in values.items():
        if isinstance(value, str):
            result[name] = value
            continue
        result[name] = ",".join(value)
        if (value and not exact) or any("," in option for option in value) or "" in value:
            what = f"the ticked options {list(value)!r:.80} of {name!r} became the text "
            problems.append(Problem(where, f"{what}{result[name]!r:.80}", "changed"))
    return result
