"""The legend: ordered classes with one name and one colour each, the same in every output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from agri_core.files.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agri_core.legend_entry import LegendEntry

IGNORE = 255
"""The value of "ignore / no data" in every mask and map."""

IGNORE_COLOUR = "#e6e6e6"
MAX_CLASSES = 254

_COLOUR = re.compile(r"#[0-9a-f]{6}")


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
                f"got {self.colour!r}"
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
            raise InputError(f"class ids must be 0, 1, 2, ... in order, got {ids}")
        if len(set(self.names)) != len(ids):
            raise InputError(f"class names must be unique, got {list(self.names)}")

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

    def index(self, name: str) -> int:
        """Return the id of the class called `name`.

        Raises:
            InputError: no class has that name.
        """
        if name not in self.names:
            raise InputError(f"no class is called {name!r}; the legend has {', '.join(self.names)}")
        return self.names.index(name)

    def to_list(self) -> list[dict[str, Any]]:
        """Return the classes as plain dictionaries, for JSON."""
        return [{"id": c.id, "name": c.name, "colour": c.colour} for c in self.classes]

    @classmethod
    def from_list(cls, items: Sequence[Mapping[str, Any]]) -> Legend:
        """Build a legend from dictionaries with the keys `id`, `name`, `colour`.

        Raises:
            InputError: a key is missing, unknown, or holds a wrong value.
        """
        from agri_core.files.records import parse_record
        from agri_core.legend_entry import LegendEntry

        return cls._of_entries(parse_record(list[LegendEntry], items, "the legend"))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Read a legend inside a record as a list of its classes, as `to_list` writes it."""
        from pydantic import AfterValidator

        from agri_core.legend_entry import LegendEntry

        entries = Annotated[list[LegendEntry], AfterValidator(cls._of_entries)]
        return handler.generate_schema(entries)

    @classmethod
    def _of_entries(cls, entries: Iterable[LegendEntry]) -> Legend:
        return cls(tuple(LegendClass(e.id, e.name, e.colour.lower()) for e in entries))

    @classmethod
    def of(cls, pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Legend:
        """Build a legend from `name -> colour`, ids in the order given."""
        items = pairs.items() if isinstance(pairs, Mapping) else pairs
        return cls(tuple(LegendClass(i, name, colour) for i, (name, colour) in enumerate(items)))


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
