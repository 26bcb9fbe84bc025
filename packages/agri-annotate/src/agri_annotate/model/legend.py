"""The legend: ordered classes with one name and one colour each, the same in every mask."""

import colorsys
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError, MissingError

from agri_annotate.model.project import Attribute, Picture, Project

IGNORE = 255
"""The value of "not known" in every mask."""

IGNORE_COLOUR = "#e6e6e6"
BACKGROUND = "background"
MAX_CLASSES = 254
MAX_BYTES = 1_000_000

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_FIRST = (
    "#202020", "#e8c547", "#2a7fba", "#1b6e37", "#c0392b", "#8e44ad", "#d98c3f", "#9ccc65",
    "#5dade2", "#b08968", "#e377c2", "#7f7f7f", "#17becf", "#1f4e9c", "#f7b6d2", "#6b6f1d",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LegendClass:
    """One class: `id` is its value in masks."""

    id: int
    name: str
    colour: str

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError(f"a class needs a name, class {self.id} has none")
        if not _COLOUR.fullmatch(self.colour):
            raise InputError(
                f"the colour of class {self.name!r} must look like '#1a9641', got {self.colour!r}"
            )


@dataclass(frozen=True, slots=True)
class Legend:
    """Classes in order; ids are 0, 1, ... without gaps, names are unique, 0 is the background."""

    classes: tuple[LegendClass, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.classes) <= MAX_CLASSES:
            raise InputError(f"a legend holds 1 to {MAX_CLASSES} classes, got {len(self.classes)}")
        ids = [item.id for item in self.classes]
        if ids != list(range(len(ids))):
            raise InputError(f"class ids must be 0, 1, 2, ... in order, got {ids!s:.80}")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise InputError(f"class names must be unique, {twice[0]!r} is there twice")

    @property
    def names(self) -> tuple[str, ...]:
        """Class names in id order."""
        return tuple(item.name for item in self.classes)

    def index(self, name: str) -> int:
        """Return the id of the class called `name`.

        Raises:
            InputError: no class has that name.
        """
        if name not in self.names:
            raise InputError(f"no class is called {name!r}; the legend has {', '.join(self.names)}")
        return self.names.index(name)

    def palette(self) -> bytes:
        """Return 256 colours of three bytes; light grey stands for 255, magenta for no class."""
        known = [item.colour for item in self.classes]
        spare = ["#ff00ff"] * (IGNORE - len(known))
        return b"".join(bytes.fromhex(colour[1:]) for colour in [*known, *spare, IGNORE_COLOUR])

    def to_list(self) -> list[dict[str, Any]]:
        """Return the classes as plain dictionaries, for JSON."""
        return [{"id": c.id, "name": c.name, "colour": c.colour} for c in self.classes]

    def to_json(self) -> str:
        """Return the text of a `classes.json`."""
        return json.dumps(self.to_list(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def of(cls, names: Iterable[str]) -> "Legend":
        """Build a legend from names, the first of which is the background; colours are fixed."""
        return cls(tuple(LegendClass(i, name, colour(i)) for i, name in enumerate(names)))

    @classmethod
    def from_list(cls, items: Any) -> "Legend":
        """Build a legend from dictionaries with the keys `id`, `name` and, if wanted, `colour`.

        Raises:
            InputError: it is no list, a key is missing or unknown, or holds a wrong value.
        """
        if not isinstance(items, Sequence) or isinstance(items, str):
            raise InputError(f"a legend is a list of classes, got {items!r:.80}")
        return cls(tuple(_parse(item) for item in items))

    @classmethod
    def read(cls, path: Path) -> "Legend":
        """Read a `classes.json`.

        Raises:
            MissingError: there is no such file.
            InputError: it is larger than 1 MB, not JSON, or no legend.
        """
        if not path.is_file():
            raise MissingError(f"there is no legend {path}")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than 1 MB, so it is no legend")
        try:
            items = json.loads(path.read_text(encoding="utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is not JSON: {error}") from error
        try:
            return cls.from_list(items)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error


def colour(number: int) -> str:
    """Return the fixed colour of the class `number`: chosen by hand, then hues far apart."""
    if number < len(_FIRST):
        return _FIRST[number]
    hue = number * 0.618033988749895 % 1  # the golden ratio keeps neighbours far apart
    parts = colorsys.hsv_to_rgb(hue, 0.45 + 0.4 * (number % 2), 0.65 + 0.3 * (number % 3) / 2)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def derive(project: Project, attribute: str | None, single: str | None) -> Legend:
    """Return background and the options of `attribute` as defined, else its values, sorted.

    Names are the ids of options, which is what a region holds. An option that is called
    "background" is class 0.

    Raises:
        InputError: more than 253 different values.
    """
    if single is not None:
        names = [single]
    else:
        names = _options(project.regions, attribute) or _values(project.pictures, attribute)
    rest = [name for name in names if name.strip() and name.casefold() != BACKGROUND]
    first = next((name for name in names if name.casefold() == BACKGROUND), BACKGROUND)
    return Legend.of([first, *rest])


def _options(attributes: Iterable[Attribute], name: str | None) -> list[str]:
    return [option for item in attributes if item.name == name for option in item.options]


def _values(pictures: Iterable[Picture], name: str | None) -> list[str]:
    said = [r.attributes.get(name or "", ()) for picture in pictures for r in picture.regions]
    texts = {
        text.strip() for value in said for text in ([value] if isinstance(value, str) else value)
    }
    return sorted(texts)


def _parse(item: Any) -> LegendClass:
    if not isinstance(item, Mapping) or not {"id", "name"} <= set(item) <= {"id", "name", "colour"}:
        raise InputError(f"a legend entry has the keys id, name, colour; got {item!r:.80}")
    number = item["id"]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < MAX_CLASSES:
        raise InputError(
            f"a class id is a whole number from 0 to {MAX_CLASSES - 1}, got {number!r}"
        )
    return LegendClass(number, str(item["name"]), str(item.get("colour", colour(number))).lower())
