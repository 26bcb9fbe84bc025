"""Colour-coded masks: a class per exact colour, never the nearest."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from agri_data.errors import InputError
from agri_data.legend import IGNORE, Legend
from agri_data.sources.label import LabelSpec, counted

_COLOUR = re.compile(r"#[0-9a-f]{6}")


def parse_colour(text: str, where: str) -> str:
    """Return a colour as "#rrggbb" in lower case.

    Raises:
        InputError: it is not six hexadecimal digits after "#".
    """
    colour = text.lower()
    if not _COLOUR.fullmatch(colour):
        raise InputError(f"{where}: a colour looks like '#1a9641', got {text!r}")
    return colour


def decode_colours(
    picture: NDArray[np.uint8], spec: LabelSpec, legend: Legend, where: str
) -> NDArray[np.uint8]:
    """Turn an RGB mask `(H, W, 3)` into class ids `(H, W)` by exact colour.

    Raises:
        InputError: a colour stands for no class and unknown colours are not ignored.
    """
    packed = _pack(picture)
    found, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    ids = np.array([_class_of(int(value), spec) for value in found], np.int64)
    unknown = np.flatnonzero(ids < 0)
    if len(unknown) and not spec.lenient:
        listed = counted((f"#{int(found[i]):06x}", int(counts[i])) for i in unknown)
        known = ", ".join(f"{c} = {legend.names[i]}" for c, i in spec.codes.items())
        raise InputError(
            f"{where}: colours that stand for no class: {listed}; expected {known}. Add them to "
            "'colours' under 'label' (as a class or 'ignore'), or write 'unknown: ignore'"
        )
    ids[unknown] = IGNORE
    decoded: NDArray[np.uint8] = ids.astype(np.uint8)[inverse].reshape(packed.shape)
    return decoded


def _pack(picture: NDArray[np.uint8]) -> NDArray[np.uint32]:
    red, green, blue = (picture[..., i].astype(np.uint32) for i in range(3))
    packed: NDArray[np.uint32] = (red << 16) | (green << 8) | blue
    return packed


def _class_of(value: int, spec: LabelSpec) -> int:
    colour = f"#{value:06x}"
    return IGNORE if colour in spec.ignore else spec.codes.get(colour, -1)
