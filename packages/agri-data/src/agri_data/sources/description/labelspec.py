"""Conversion of the `label` section of a description to a `LabelSpec` with ids of the legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend

from agri_data.sources.description.label import LabelSpec
from agri_data.sources.description.labelmodels import (
    AnyLabel,
    BandLabel,
    NoLabel,
    PaletteLabel,
    RasterLabel,
    VectorLabel,
)

NO_LABEL = "ignore"


def make_label(label: AnyLabel | None, legend: Legend | None, where: str) -> LabelSpec:
    """Return the labels of a description; without a `label`, imagery is unlabelled.

    Raises:
        InputError: a class is not in the legend, or labels and a legend do not come together.
    """
    if label is None and legend is not None:
        raise InputError(
            f"{where}: 'label': there is a legend, so the labels need a kind ('kind: ...')"
        )
    if label is None or isinstance(label, NoLabel):
        return LabelSpec()
    if legend is None:
        raise InputError(f"{where}: 'label': labels need a 'legend' in the description")
    try:
        return _make(label, legend)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


# Errors from here on name the key, such as 'label.codes.5'; `make_label` adds the file.
def _make(label: RasterLabel | BandLabel | VectorLabel | PaletteLabel, legend: Legend) -> LabelSpec:
    if isinstance(label, PaletteLabel):
        return _palette(label, legend)
    if isinstance(label, VectorLabel):
        return _vector(label, legend)
    codes = {number: number for number in range(len(legend))}
    if label.codes is not None:
        codes = _targets("codes", label.codes, legend)
    return LabelSpec(
        label.kind,
        _classes(codes),
        _ignored(codes, label.ignore),
        label.unknown == "ignore",
        label.band if isinstance(label, BandLabel) else "",
        explicit=label.codes is not None,
    )


def _vector(label: VectorLabel, legend: Legend) -> LabelSpec:
    codes = {name: number for number, name in enumerate(legend.names)}
    if label.codes is not None:
        named = {str(value): name for value, name in label.codes.items()}
        codes = _targets("codes", named, legend)
    return LabelSpec(
        label.kind,
        _classes(codes),
        _ignored(codes, map(str, label.ignore)),
        label.unknown == "ignore",
        attribute=label.attribute,
        layer=label.layer,
        file=label.file,
        outside=_target("outside", label.outside, legend),
        explicit=label.codes is not None,
    )


def _palette(label: PaletteLabel, legend: Legend) -> LabelSpec:
    lenient = label.unknown == "ignore"
    if label.colours is None:
        own = {item.colour: item.id for item in legend.classes}
        if len(own) < len(legend):
            raise InputError("'label': two classes of the legend share one colour; give 'colours'")
        return LabelSpec("palette", own, lenient=lenient)
    codes = _targets("colours", label.colours, legend)
    return LabelSpec("palette", _classes(codes), _ignored(codes), lenient, explicit=True)


def _targets(key: str, names: Mapping[Any, str], legend: Legend) -> dict[Any, int]:
    return {value: _target(f"{key}.{value}", name, legend) for value, name in names.items()}


def _classes(targets: Mapping[Any, int]) -> dict[Any, int]:
    return {value: number for value, number in targets.items() if number != IGNORE}


def _ignored(targets: Mapping[Any, int], more: Iterable[Any] = ()) -> frozenset[Any]:
    return frozenset(value for value, number in targets.items() if number == IGNORE) | set(more)


def _target(key: str, name: str, legend: Legend) -> int:
    if name == NO_LABEL:
        return IGNORE
    try:
        return legend.index(name)
    except InputError as error:
        raise InputError(f"'label.{key}': {error} (or 'ignore')") from error
