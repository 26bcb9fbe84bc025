"""Colour-coded masks: one class per exact colour, no nearest match."""

from __future__ import annotations

import re

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend
from numpy.typing import NDArray

from agri_data.sources.description.label import LabelSpec, counted

_COLOUR = re.compile(r"#[0-9a-f]{6}")


def parse_colour(text: str) -> str:
    """Return a colour as "#rrggbb" in lower case.

    Raises:
        InputError: it is not six hexadecimal digits after "#".

    Example:
        >>> parse_colour("#1A9641")
        '#1a9641'
    """
    colour = text.lower()
    if not _COLOUR.fullmatch(colour):
        raise InputError(f"a colour looks like '#1a9641', got {text!r}")
    return colour


def decode_colours(
    picture: NDArray[np.uint8], spec: LabelSpec, legend: Legend, where: str
) -> NDArray[np.uint8]:
    """Convert an RGB mask `(H, W, 3)` to class ids `(H, W)` by exact colour.

    Raises:
        InputError: a colour stands for no class and unknown colours are not ignored.
    """
    packed = _pack(picture)
    decoded = np.full(packed.shape, IGNORE, np.uint8)
    left = np.ones(packed.shape, np.bool_)
    for colour, number in spec.codes.items():
        here = packed == int(colour[1:], 16)
        decoded[here] = number
        left &= ~here
    for colour in spec.ignore:
        left &= packed != int(colour[1:], 16)
    if left.any() and not spec.lenient:
        found, counts = np.unique(packed[left], return_counts=True)
        listed = counted((f"#{c:06x}", n) for c, n in zip(found, counts, strict=True))
        known = ", ".join(f"{c} = {legend.names[i]}" for c, i in spec.codes.items())
        raise InputError(
            f"{where}: colours that stand for no class: {listed}; expected {known}. Add them to "
            "'colours' under 'label' (as a class or 'ignore'), or write 'unknown: ignore'"
        )
    return decoded


def _pack(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    red, green, blue = (picture[..., i].astype(np.int64) for i in range(3))
    packed: NDArray[np.int64] = (red << 16) | (green << 8) | blue
    return packed
