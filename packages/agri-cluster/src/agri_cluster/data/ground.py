"""Positions of clustered tiles in a chip store, and their outlines on the ground."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from agri_core.files.errors import InputError
from agri_core.vector.crs import parse_crs
from agri_core.vector.writer import to_lonlat
from agri_data.store.store import ChipStore

from agri_cluster.data.tiles import Ints


def find_rows(store: ChipStore, ids: Sequence[str]) -> Ints:
    """Return the position in `store` of each tile, `(N,)`.

    Raises:
        InputError: a tile is not in the store.
    """
    positions = {chip: row for row, chip in enumerate(store.table["chip_id"])}
    missing = [name for name in ids if name not in positions]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(ids)} tiles are not in {store.path}, the first is "
            f"{missing[0]}; give the chips that were clustered"
        )
    return np.array([positions[name] for name in ids], np.int64)


def outlines(store: ChipStore, rows: Ints) -> Iterator[Any]:
    """Yield the outline of each chip in longitude and latitude, None without a georeference.

    Raises:
        InputError: an outline has no place there, or crosses the 180th meridian.
    """
    systems, transforms = (store.table[name].to_numpy()[rows] for name in ("crs", "transform"))
    for system, transform in zip(systems, transforms, strict=True):
        if system and transform:
            corners = outline(transform, store.info.chip_size)
            yield to_lonlat([corners], parse_crs(system))[0]
        else:
            yield None


def outline(transform: str, size: int) -> Any:
    """Return the square of a chip of `size` pixels, on the map; `transform` is "a b c d e f"."""
    a, b, c, d, e, f = (float(number) for number in transform.split())
    corners = ((0, 0), (0, size), (size, size), (size, 0))
    return shapely.Polygon([(a * x + b * y + c, d * x + e * y + f) for x, y in corners])
