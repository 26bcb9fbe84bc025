"""Naming: what a class map states about its classes, in tags and in its colour table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agri_core.files.records import parse_json
from agri_core.legend import IGNORE, Legend, LegendClass, colour

LEGEND = "AGRI_LEGEND"
"""Tag of a dataset with the whole legend as JSON."""

CLASS = "CLASS_"
"""Beginning of the tags, of a band or a dataset, with the name of one class each."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A name and a colour by value; not every class needs to have both."""

    names: Mapping[int, str] = field(default_factory=dict)
    colours: Mapping[int, str] = field(default_factory=dict)


def read_naming(dataset: Any) -> Naming:
    """Return the names and colours of a class map: its legend, else class tags and colour table.

    Raises:
        InputError: the tag that holds its legend is damaged.
    """
    whole = _whole(dataset)
    if whole is not None:
        colours = {item.id: item.colour for item in whole.classes}
        return Naming({item.id: item.name for item in whole.classes}, colours)
    tags = dataset.tags() | dataset.tags(1)
    found = {code: tags.get(f"{CLASS}{code}", "").strip() for code in range(IGNORE)}
    return Naming({code: name for code, name in found.items() if name}, _colour_table(dataset))


def read_legend(dataset: Any, codes: Iterable[int]) -> Legend:
    """Return the legend of a class map; classes without a name are `class 0`, `class 1`, ...

    Args:
        dataset: the open map.
        codes: the values it holds, which need a class each; only read where the map has no legend
            of its own.

    Raises:
        InputError: the tag that holds its legend is damaged.
    """
    whole = _whole(dataset)
    if whole is not None:
        return whole
    naming = read_naming(dataset)
    top = max([1, *naming.names, *(code for code in codes if code < IGNORE)])
    return Legend(
        tuple(
            LegendClass(
                code,
                naming.names.get(code, f"class {code}"),
                naming.colours.get(code, colour(code)),
            )
            for code in range(top + 1)
        )
    )


def _whole(dataset: Any) -> Legend | None:
    text = dataset.tags().get(LEGEND)
    if not text:
        return None
    return parse_json(Legend, text, f"the {LEGEND} tag of {dataset.name}, which is damaged")


def _colour_table(dataset: Any) -> dict[int, str]:
    try:
        table = dataset.colormap(1)
    except ValueError:
        return {}
    return {code: "#{:02x}{:02x}{:02x}".format(*rgba[:3]) for code, rgba in table.items()}
