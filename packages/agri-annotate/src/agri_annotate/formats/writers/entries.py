"""Picture entries as VIA keys them: by name and size in bytes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agri_annotate.formats.readers.values import printable
from agri_annotate.model.project import Picture, Problem, Project

UNKNOWN = -1
"""What VIA writes as the size of a picture whose bytes it has not seen."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture under the key of its entry, with the size in bytes to write, -1 if unknown."""

    key: str
    size: int
    picture: Picture


def entries(
    project: Project, sizes: Mapping[str, int], where: str
) -> tuple[list[Entry], list[Problem]]:
    """Return the entries in the order of the project; keys are unique.

    A size in `sizes`, by the picture's name, takes precedence over the recorded one. Two records
    of one name and size are one picture to VIA, so their regions are merged.
    """
    found: dict[tuple[str, int], Picture] = {}
    problems: list[Problem] = []
    for picture in project.pictures:
        size = sizes.get(picture.name, UNKNOWN if picture.size is None else picture.size)
        if picture.size not in (None, size):
            what = f"{picture.size} bytes were recorded, the picture has {size}; {size} is written"
            problems.append(Problem(printable(picture.name), what, "note"))
        first = found.get((picture.name, size))
        found[picture.name, size] = picture if first is None else _together(first, picture)
        if first is not None:
            what = "the picture is there twice under one name and size; its regions were joined"
            problems.append(Problem(printable(picture.name), what, "changed"))
    unknown = [name for name, size in found if size == UNKNOWN]
    if unknown:
        what = f"the size in bytes of {listed(unknown)} is unknown, so VIA is told {UNKNOWN}"
        problems.append(Problem(where, what, "note"))
    return _keyed(found), problems


def same_names(project: Project) -> list[Problem]:
    """Return the problems of pictures with the same name in a form without sizes."""
    counts = Counter(picture.name for picture in project.pictures)
    what = "{} pictures have this name; without sizes in bytes nothing tells them apart"
    return [
        Problem(printable(name), what.format(count), "changed")
        for name, count in counts.items()
        if count > 1
    ]


def listed(names: list[str]) -> str:
    """Return the first names and how many there are."""
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    rest = len(names) - _SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def _together(first: Picture, second: Picture) -> Picture:
    return replace(
        first,
        regions=first.regions + second.regions,
        attributes={**first.attributes, **second.attributes},
    )


def _keyed(found: Mapping[tuple[str, int], Picture]) -> list[Entry]:
    result: dict[str, Entry] = {}
    for (name, size), picture in found.items():
        key = plain = f"{name}{size}"
        tries = 1
        while key in result:  # "a1" of 2 bytes and "a" of 12 bytes
            tries += 1
            key = f"{plain}#{tries}"
        result[key] = Entry(key, size, picture)
    return list(result.values())
