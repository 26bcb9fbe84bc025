"""The legend: ordered classes with one name and one colour each, the same in every output."""

from __future__ import annotations

import colorsys
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agri_core.legend_entry import LegendEntry

IGNORE = 255
"""The value of "ignore / no data" in every mask and map."""

IGNORE_COLOUR = "#e6e6e6"
UNUSED_COLOUR = "#ff00ff"
"""Of values of a palette that are no class, so that they are seen."""

MAX_CLASSES = 254
MAX_BYTES = 1_000_000
"""Of a `classes.json`; 254 classes take some 20 kB."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_FIRST = (
    "#202020", "#e8c547", "#2a7fba", "#1b6e37", "#c0392b", "#8e44ad", "#d98c3f", "#9ccc65",
    "#5dade2", "#b08968", "#e377c2", "#7f7f7f", "#17becf", "#1f4e9c", "#f7b6d2", "#6b6f1d",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LegendClass:
    """One class: `id` is its value in masks and its channel in a model's output."""

    id: int
    name: str
    colour: str

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError(f"a class needs a name, class {self.id} has none")
        if not _COLOUR.fullmatch(self.colour):
            raise InputError(
                f"the colour of class {self.name!r} must look like '#1a9641' (lower case), "
                f"got {self.colour!r:.40}"
            )


@dataclass(frozen=True)
class Legend:
    """Classes in order; ids are 0, 1, ... without gaps and names are unique."""

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

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Class names in id order."""
        return tuple(item.name for item in self.classes)

    @cached_property
    def rgb(self) -> NDArray[np.uint8]:
        """Class colours in id order, shape `(K, 3)`."""
        import numpy as np

        return np.array([list(bytes.fromhex(item.colour[1:])) for item in self.classes], np.uint8)

    def palette(self) -> bytes:
        """Return 256 colours of three bytes; light grey is 255, magenta no class."""
        known = [item.colour for item in self.classes]
        spare = [UNUSED_COLOUR] * (IGNORE - len(known))
        return b"".join(bytes.fromhex(text[1:]) for text in [*known, *spare, IGNORE_COLOUR])

    def index(self, name: str) -> int:
        """Return the id of the class called `name`.

        Raises:
            InputError: no class has that name.

        Example:
            >>> Legend.of(["other", "arable", "water"]).index("water")
            2
        """
        if name not in self.names:
            raise InputError(
                f"no class is called {name!r}; the legend has {', '.join(self.names)}"
                f"{hint(name, self.names)}"
            )
        return self.names.index(name)

    def to_list(self) -> list[dict[str, Any]]:
        """Return the classes as plain dictionaries, for JSON."""
        return [{"id": c.id, "name": c.name, "colour": c.colour} for c in self.classes]

    def to_json(self) -> str:
        """Return the text of a `classes.json`."""
        return json.dumps(self.to_list(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def of(cls, classes: Mapping[str, str] | Iterable[str]) -> Legend:
        """Build a legend from `name -> colour`, or from names alone; ids in the order given.

        >>> Legend.of(["other", "arable"]).classes[1]
        LegendClass(id=1, name='arable', colour='#e8c547')
        """
        if isinstance(classes, Mapping):
            pairs = enumerate(classes.items())
            return cls(tuple(LegendClass(i, name, text) for i, (name, text) in pairs))
        return cls(tuple(LegendClass(i, name, colour(i)) for i, name in enumerate(classes)))

    @classmethod
    def from_list(cls, items: Any) -> Legend:
        """Build a legend from dictionaries with the keys `id`, `name` and, if wanted, `colour`.

        Raises:
            InputError: it is no list, a key is missing or unknown, or holds a wrong value.
        """
        from agri_core.files.records import parse_record
        from agri_core.legend_entry import LegendEntry

        return cls._of_entries(parse_record(list[LegendEntry], items, "a legend"))

    @classmethod
    def read(cls, path: Path) -> Legend:
        """Read a `classes.json`.

        Raises:
            MissingError: there is no such file.
            InputError: it is larger than 1 MB, not JSON, or no legend.
        """
        from agri_core.files.records import parse_json

        if not path.is_file():
            raise MissingError(f"there is no legend {path}")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than 1 MB, so it is no legend")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not JSON in UTF-8: {error}") from error
        return parse_json(cls, text, str(path))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Read a legend inside a record as a list of its classes, as `to_list` writes it."""
        from pydantic import AfterValidator

        from agri_core.legend_entry import LegendEntry

        entries = Annotated[list[LegendEntry], AfterValidator(cls._of_entries)]
        return handler.generate_schema(entries)

    @classmethod
    def _of_entries(cls, entries: Iterable[LegendEntry]) -> Legend:
        return cls(tuple(LegendClass(e.id, e.name, e.colour or colour(e.id)) for e in entries))


def colour(number: int) -> str:
    """Return the colour of class `number` where none is given: by hand, then hues far apart."""
    if number < len(_FIRST):
        return _FIRST[number]
    hue = number * 0.618033988749895 % 1  # the golden ratio keeps neighbours far apart
    # Saturation and value alternate, so that classes of similar hue differ too.
    parts = colorsys.hsv_to_rgb(hue, 0.45 + 0.4 * (number % 2), 0.65 + 0.3 * (number % 3) / 2)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


COVER = Legend.of(
    {
        "arable": "#e8c547",
        "grassland": "#9ccc65",
        "forest": "#1b6e37",
        "built-up": "#c0392b",
        "water": "#2a7fba",
        "bare": "#b08968",
    }
)
MOISTURE = Legend.of(
    {"moist arable": "#c79a1e", "dry arable": "#f2dd8f"}
    | {item.name: item.colour for item in COVER.classes if item.name != "arable"}
)
ARABLE = Legend.of({"other": "#c8c8c8", "arable": "#e8c547"})
EUROSAT = Legend.of(
    {
        "AnnualCrop": "#e8c547",
        "Forest": "#1b6e37",
        "HerbaceousVegetation": "#9ccc65",
        "Highway": "#7f7f7f",
        "Industrial": "#8e44ad",
        "Pasture": "#c5e17a",
        "PermanentCrop": "#d98c3f",
        "Residential": "#c0392b",
        "River": "#5dade2",
        "SeaLake": "#1f4e9c",
    }
)
