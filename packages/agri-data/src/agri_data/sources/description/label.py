"""The label settings of a description, and the conversion of a file's values to class ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend
from numpy.typing import NDArray

Kind = Literal["raster", "palette", "band", "vector", "none"]
KINDS: tuple[str, ...] = ("raster", "palette", "band", "vector", "none")
MAX_LISTED = 8


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """How labels are stored and what their values mean.

    Attributes:
        kind: "raster" (whole numbers), "palette" (colours), "band" (a band of the image itself),
            "vector" (polygons), or "none".
        codes: value in the file -> class id; for "vector" the attribute's text, for "palette"
            "#rrggbb". A value that is not here is an error.
        ignore: values in the file that mean "no label".
        lenient: values that are neither in `codes` nor in `ignore` count as "no label" too.
        band: the label band, for "band".
        attribute: the column with the class, for "vector".
        layer: of the files of polygons, for "vector"; None for the only one.
        file: one file of polygons for all images, for "vector"; None where each has its own.
        outside: class id outside every polygon, for "vector".
        explicit: the description gave the codes, they are not just the legend's own.
    """

    kind: Kind = "none"
    codes: Mapping[Any, int] = field(default_factory=dict)
    ignore: frozenset[Any] = frozenset()
    lenient: bool = False
    band: str = ""
    attribute: str = ""
    layer: str | None = None
    file: str | None = None
    outside: int = IGNORE
    explicit: bool = False

    def __post_init__(self) -> None:
        both = sorted(str(v) for v in self.ignore & set(self.codes))
        if both:
            raise InputError(
                "'label.ignore': label values are either a class or ignored, not both: "
                f"{', '.join(both)}"
            )


def encode(values: NDArray[Any], spec: LabelSpec, legend: Legend, where: str) -> NDArray[np.uint8]:
    """Convert label values `(H, W)` to class ids; `spec.ignore`, 255 and NaN become 255.

    Raises:
        InputError: a value is no whole number, or stands for no class; the message counts it.
    """
    whole = _whole(values, where)
    encoded = np.full(whole.shape, IGNORE, np.uint8)
    left = (whole != IGNORE) | (IGNORE in spec.codes)
    for value, number in spec.codes.items():
        here = whole == value
        encoded[here] = number
        left &= ~here
    for value in spec.ignore:
        left &= whole != value
    if left.any() and not spec.lenient:
        found, counts = np.unique(whole[left], return_counts=True)
        listed = counted(zip(found.tolist(), counts.tolist(), strict=True))
        raise InputError(
            f"{where}: label values that stand for no class: {listed}; expected "
            f"{_expected(spec, legend)}. Add them to 'codes' or 'ignore' under 'label'"
        )
    return encoded


def check_nodata(nodata: float | None, spec: LabelSpec, legend: Legend, where: str) -> None:
    """Refuse a label file whose "no data" value is also a class, unless the description decides.

    Raises:
        InputError: `nodata` is a class id and neither `codes` nor `ignore` was written.
    """
    if nodata is None or np.isnan(nodata) or spec.explicit or nodata in spec.ignore:
        return
    if nodata in spec.codes:
        name = legend.names[spec.codes[int(nodata)]]
        raise InputError(
            f"{where} declares {nodata:g} as 'no data', but {nodata:g} is also the class {name!r}; "
            f"write 'ignore: [{nodata:g}]' under 'label', or 'codes' that map it to a class"
        )


def counted(items: Any) -> str:
    """Return "3 (120 pixels), 7 (1 pixel)" for pairs of value and count, the first few."""
    pairs = list(items)
    text = ", ".join(
        f"{value} ({count} pixel{'' if count == 1 else 's'})" for value, count in pairs[:MAX_LISTED]
    )
    return text + (f" and {len(pairs) - MAX_LISTED} more" if len(pairs) > MAX_LISTED else "")


def _expected(spec: LabelSpec, legend: Legend) -> str:
    names = legend.names
    return ", ".join(f"{value} = {names[number]}" for value, number in spec.codes.items())


def _whole(values: NDArray[Any], where: str) -> NDArray[np.int64]:
    if not np.issubdtype(values.dtype, np.floating):
        return values.astype(np.int64)
    finite = np.isfinite(values)
    numbers = np.where(finite, values, IGNORE)
    if (numbers != np.rint(numbers)).any() or np.abs(numbers).max(initial=0) > 2**53:
        example = numbers[numbers != np.rint(numbers)]
        raise InputError(
            f"{where} holds {example[0] if example.size else numbers.max():g}; labels are whole "
            "numbers. Were they resampled by interpolation?"
        )
    return numbers.astype(np.int64)
