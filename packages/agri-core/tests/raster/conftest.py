"""Fixtures: tiny rasters on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

TEN = from_origin(500_000, 5_500_000, 10, 10)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write `(C, H, W)` as a GeoTIFF, with descriptions and a mask `(H, W)` where given."""

    def to(
        values: NDArray[Any],
        name: str = "a.tif",
        names: tuple[str, ...] = (),
        mask: NDArray[np.bool_] | None = None,
        beside: bool = False,
        **options: Any,
    ) -> Path:
        path = tmp_path / name
        count, height, width = values.shape
        facts = {"count": count, "height": height, "width": width, "dtype": str(values.dtype)}
        place = {"crs": "EPSG:32633", "transform": TEN}
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=not beside),
            rasterio.open(path, "w", driver="GTiff", **facts | place | options) as sink,
        ):
            sink.write(values)
            for number, text in enumerate(names, start=1):
                sink.set_band_description(number, text)
            if mask is not None:
                sink.write_mask(mask)
        return path

    return to
