"""The unit is guessed from type and size."""

import numpy as np
import pytest
from agri_core.raster.unit import guess_unit


@pytest.mark.parametrize(
    ("values", "dtype", "unit"),
    [
        ([0, 255], np.uint8, "uint8"),
        ([200, 9000], np.uint16, "dn"),
        ([0, 1], np.int16, "dn"),
        ([0.02, 0.6], np.float32, "reflectance"),
        ([200.0, 9000.0], np.float32, "dn"),
        ([0.02, np.nan, np.inf], np.float32, "reflectance"),
        ([], np.float32, "reflectance"),
        ([], np.uint16, "dn"),
    ],
)
def test_literal(values: list[float], dtype: type, unit: str) -> None:
    assert guess_unit(np.array(values, dtype).reshape(-1, 1), np.dtype(dtype)) == unit


def test_one_wild_pixel_decides_nothing() -> None:
    values = np.full(1000, 0.3, np.float32)
    values[0] = 9000
    assert guess_unit(values, values.dtype) == "reflectance"
    values[:20] = 9000  # 2 %: above the 99th percentile
    assert guess_unit(values, values.dtype) == "dn"
