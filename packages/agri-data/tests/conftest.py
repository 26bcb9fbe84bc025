"""Small chip stores, made in memory and written to the test's own folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agri_core.bands import make_bands
from agri_core.legend import ARABLE, Legend
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter
from agri_data.store.table import make_table
from numpy.typing import NDArray

MakeStore = Callable[..., ChipStore]


@pytest.fixture
def make_store(tmp_path: Path) -> MakeStore:
    """Write images `(N, S, S, C)`, masks or labels, and any table columns; return the store."""

    def make(
        images: NDArray[Any],
        masks: NDArray[np.uint8] | None = None,
        *,
        name: str = "chips",
        bands: tuple[str, ...] | None = None,
        unit: str = "dn",
        nodata: float | None = None,
        legend: Legend | None = ARABLE,
        **columns: list[Any],
    ) -> ChipStore:
        count, size, _, depth = images.shape
        names = bands or ("B02", "B03", "B04", "B08", "B11", "B12")[:depth]
        info = StoreInfo(
            name=name,
            source="made",
            licence="CC0",
            bands=make_bands(names, unit),
            chip_size=size,
            legend=legend,
            nodata=nodata,
        )
        with StoreWriter(tmp_path / name, info) as writer:
            for i in range(count):
                row = {key: values[i] for key, values in columns.items()}
                record = ChipRecord(**({"chip_id": f"c{i:04}", "source": f"f{i}.tif"} | row))
                writer.add(record, images[i], None if masks is None else masks[i])
        return ChipStore.open(tmp_path / name)

    return make


@pytest.fixture
def grid() -> Callable[..., Any]:
    """Return a function giving the table of a scene cut into `side x side` chips of 10 m pixels."""

    def make(side: int, size: int = 32, stride: int | None = None, crs: str = "EPSG:32633") -> Any:
        step = stride or size
        records = []
        for row in range(0, side * step, step):
            for col in range(0, side * step, step):
                transform = f"10 0 {500000 + 10 * col} 0 -10 {5000000 - 10 * row}" if crs else ""
                records.append(ChipRecord(f"r{row}c{col}", "a.tif", row, col, crs, transform))
        return make_table(records)

    return make
