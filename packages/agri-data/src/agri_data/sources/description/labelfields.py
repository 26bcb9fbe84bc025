"""The `label` part of a description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from agri_core.files.errors import InputError
from agri_core.files.yamlfile import Fields, checked, shown
from agri_core.legend import IGNORE, Legend

from agri_data.sources.description.inside import check_inside
from agri_data.sources.description.label import KINDS, Kind, LabelSpec
from agri_data.sources.description.palette import parse_colour

NO_LABEL = "ignore"


def parse_label(content: Any, legend: Legend | None, where: str) -> LabelSpec:
    """Return the label part of a description; without one, imagery is unlabelled.

    Raises:
        InputError: a key or value is wrong, or labels are there without a legend.
    """
    if content is None:
        if legend is not None:
            raise InputError(
                f"{where}: there is a legend, so say what the labels are ('kind: ...')"
            )
        return LabelSpec()
    fields = Fields(content, where)
    kind = cast(Kind, fields.choice("kind", KINDS))
    if kind == "none":
        fields.finish()
        return LabelSpec()
    if legend is None:
        raise InputError(f"{where}: labels need a 'legend' in the description")
    spec = _build(kind, fields, legend)
    fields.finish()
    return spec


def _build(kind: Kind, fields: Fields, legend: Legend) -> LabelSpec:
    lenient = fields.choice("unknown", ("error", "ignore"), "error") == "ignore"
    if kind == "palette":
        return _palette(fields, legend, lenient)
    codes, ignored = _codes(fields, legend, kind)
    ignored |= {_value(v, kind, fields.where) for v in fields.take("ignore", list, [])}
    explicit = fields.has("codes")
    if kind != "vector":
        band = fields.take("band", str) if kind == "band" else ""
        return LabelSpec(kind, codes, frozenset(ignored), lenient, band, explicit=explicit)
    outside = fields.take("outside", str, NO_LABEL)
    file = fields.maybe("file", str)
    return LabelSpec(
        kind,
        codes,
        frozenset(ignored),
        lenient,
        attribute=fields.take("attribute", str, "class"),
        layer=fields.maybe("layer", str),
        file=file and check_inside(file, f"{fields.where}: 'file'"),
        outside=IGNORE if outside == NO_LABEL else _index(legend, outside, fields.where),
        explicit=explicit,
    )


def _palette(fields: Fields, legend: Legend, lenient: bool) -> LabelSpec:
    if not fields.has("colours"):
        codes = {item.colour: item.id for item in legend.classes}
        if len(codes) < len(legend):
            raise InputError(f"{fields.where}: two classes of the legend share one colour")
        return LabelSpec("palette", codes, lenient=lenient)
    found: dict[str, int] = {}
    for text, name in fields.take("colours", dict).items():
        colour = parse_colour(checked(text, str, f"{fields.where}: a colour"), fields.where)
        if colour in found:
            raise InputError(f"{fields.where}: the colour {colour} occurs twice")
        found[colour] = _target(legend, name, fields.where)
    codes = {colour: number for colour, number in found.items() if number != IGNORE}
    return LabelSpec("palette", codes, frozenset(found) - frozenset(codes), lenient, explicit=True)


def _codes(fields: Fields, legend: Legend, kind: Kind) -> tuple[dict[Any, int], set[Any]]:
    given = fields.maybe("codes", dict)
    if given is None:
        if kind == "vector":
            return {name: i for i, name in enumerate(legend.names)}, set()
        return {i: i for i in range(len(legend))}, set()
    found = _read_codes(given, legend, kind, fields.where)
    codes = {value: number for value, number in found.items() if number != IGNORE}
    return codes, set(found) - set(codes)


def _read_codes(given: Mapping[Any, Any], legend: Legend, kind: Kind, where: str) -> dict[Any, int]:
    return {_value(v, kind, where): _target(legend, name, where) for v, name in given.items()}


def _value(value: Any, kind: Kind, where: str) -> Any:
    """A label value as the file holds it: text for an attribute, else a whole number."""
    if kind == "vector" and isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    number = checked(value, int, f"{where}: a label value")
    if abs(number) >= 2**53:
        raise InputError(f"{where}: the label value {shown(number)} is too large")
    return number


def _target(legend: Legend, name: Any, where: str) -> int:
    if name == NO_LABEL:
        return IGNORE
    return _index(legend, checked(name, str, f"{where}: a class name"), where)


def _index(legend: Legend, name: str, where: str) -> int:
    try:
        return legend.index(name)
    except InputError as error:
        raise InputError(f"{where}: {error} (or 'ignore')") from error
