"""Contradictions: what a store's arrays, its table and its description say of one another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from agri_core.files.errors import InputError
from agri_core.files.values import shown
from agri_core.raster.grid import Grid
from agri_core.raster.pixel_area import pixel_metres
from agri_core.raster.validity import chip_validity
from numpy.typing import NDArray

from agri_data.store.stats import compute

if TYPE_CHECKING:
    from agri_data.store.info import BandStats
    from agri_data.store.store import ChipStore

PIXEL_RATIO = 1.25
"""Of recorded and true pixel size; along a scene in degrees the true one changes by some 10 %."""
SAME = 1e-3
"""Largest relative difference of statistics of equal pixels, which are summed in another order."""


class Contradiction(NamedTuple):
    """What was checked, and how the parts of the store disagree."""

    check: str
    detail: str


def contradictions(store: ChipStore) -> list[Contradiction]:
    """Return every contradiction; reads all images once, and those of train once more."""
    return [*_values(store), *_places(store), *_statistics(store)]


def _values(store: ChipStore) -> Iterator[Contradiction]:
    infinite, shares = 0, np.zeros(len(store))
    for rows, images in store.batches(size=store.info.batch):
        if images.dtype.kind == "f":
            infinite += int(np.isinf(images).any(axis=(1, 2, 3)).sum())
        shares[rows] = chip_validity(images, store.info.nodata).mean(axis=(1, 2))
    if infinite:
        yield Contradiction("values", f"{infinite} chips hold infinite values")
    # Augmented copies keep the share of their source.
    if not (store.info.split or {}).get("augmented"):
        yield from _shares(store, shares)


def _shares(store: ChipStore, shares: NDArray[np.float64]) -> Iterator[Contradiction]:
    recorded = store.table["valid_fraction"].to_numpy()
    wrong = np.flatnonzero(np.abs(shares - recorded) > 0.5 / store.info.chip_size**2)
    if len(wrong):
        row = int(wrong[0])
        yield Contradiction(
            "valid",
            f"{len(wrong)} chips have another share of pixels with data than the table, the first "
            f"is {store.table['chip_id'].iloc[row]} ({shares[row]:.4g}, not {recorded[row]:.4g}); "
            f"the no-data value is {store.info.nodata}",
        )


def _places(store: ChipStore) -> Iterator[Contradiction]:
    """Compare the recorded pixel size with that of one chip of each CRS and scale."""
    table = store.table
    placed = table[(table["crs"] != "") & (table["transform"] != "")]
    scales = placed["transform"].map(lambda text: " ".join(np.array(text.split())[[0, 1, 3, 4]]))
    for crs, here in placed.groupby("crs", sort=False):
        for _, some in here.groupby(scales[here.index], sort=False):
            first = some.iloc[0]
            fault = _place(
                str(crs), first["transform"], store.info.chip_size, store.info.pixel_size
            )
            if fault:
                yield Contradiction("place", f"{first['chip_id']}: {fault}")
                break


def _place(crs: str, transform: str, side: int, pixel: float | None) -> str:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError
    from rasterio.transform import Affine

    try:
        read = CRS.from_user_input(crs)
        size = pixel_metres(Grid(read, Affine(*map(float, transform.split())), side, side))
    except (CRSError, InputError, ValueError) as error:
        return f"its place cannot be read: {shown(crs)}, {transform} ({shown(str(error))})"
    if pixel is None or not size:
        return ""
    ratio = max(size / pixel, pixel / size)
    if math.isfinite(ratio) and ratio <= PIXEL_RATIO:
        return ""
    return f"its pixels are {size:.4g} m wide by its transform, {pixel:.4g} m are recorded"


def _statistics(store: ChipStore) -> Iterator[Contradiction]:
    recorded = store.info.stats
    if recorded is None:
        return
    try:
        found = compute(store)
    except InputError as error:
        yield Contradiction("statistics", f"they are recorded, but {error}")
        return
    wrong = [name for name in store.bands if not _agree(recorded[name], found[name])]
    if wrong:
        yield Contradiction(
            "statistics",
            f"those of {', '.join(wrong)} are not those of train; run `agri-data stats`",
        )


def _agree(one: BandStats, other: BandStats) -> bool:
    near = 1e-9 + SAME * max(abs(other.minimum), abs(other.maximum))
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("mean", "std", "p02", "p98")]
    return one.count == other.count and all(abs(a - b) <= near for a, b in pairs)
