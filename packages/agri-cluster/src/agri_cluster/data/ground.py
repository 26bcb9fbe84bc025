"""Positions of clustered tiles in a chip store, and their outlines on the ground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from agri_data.annotation.footprint import footprint
from agri_data.store.store import ChipStore

from agri_cluster.data.tiles import Ints


def find_rows(store: ChipStore, ids: Sequence[str]) -> Ints:
    """Return the position in `store` of each tile, `(N,)`.

    Raises:
        InputError: a tile is not in the store.
    """
    places = {chip: row for row, chip in enumerate(store.table["chip_id"])}
    missing = [name for name in ids if name not in places]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(ids)} tiles are not in {store.path}, the first is "
            f"{missing[0]}; give the chips that were clustered"
        )
    return np.array([places[name] for name in ids], np.int64)


def outlines(
    store: ChipStore, rows: Ints, properties: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[list[list[float]], Mapping[str, Any]]]:
    """Yield the ring in degrees and the properties of each georeferenced chip."""
    crs, transforms = (store.table[name].to_numpy() for name in ("crs", "transform"))
    for row, about in zip(rows, properties, strict=True):
        if crs[row] and transforms[row]:
            yield footprint(crs[row], transforms[row], store.info.chip_size), about
