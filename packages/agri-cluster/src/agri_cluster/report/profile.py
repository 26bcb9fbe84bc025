"""The spectral profile of each cluster: means and deviations of its bands, and its NDVI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.bands import DN_PER_REFLECTANCE, Band, Unit
from agri_core.files.console import progress
from agri_core.indices import compute
from numpy.typing import NDArray

from agri_cluster.data.pictures import PictureSource, Valid
from agri_cluster.data.tiles import Ints

Doubles = NDArray[np.float64]

MOST = 300
"""Tiles of a cluster that are measured; of a larger one, as many drawn at random."""

STEP = 64
UNITS: dict[Unit, str] = {"dn": "as stored", "reflectance": "reflectance", "uint8": "0 to 255"}
_NIR = (("B08", "B04"), ("B8A", "B04"), ("nir", "red"))


@dataclass(frozen=True, slots=True)
class Profiles:
    """Profiles of K clusters, over the pixels with data of the tiles measured.

    Attributes:
        bands: in rising order of wavelength where all are known, else in the source's order.
        unit: of `mean` and `deviation`; DN of bands of known wavelength become reflectance.
        mean: `(K, C)`, NaN for a cluster without a pixel.
        deviation: `(K, C)`, the standard deviation of the pixels.
        ndvi: `(K, 2)` mean and standard deviation; None where red or near infrared is missing.
        tiles: `(K,)`, how many tiles were measured.
    """

    bands: tuple[Band, ...]
    unit: str
    mean: Doubles
    deviation: Doubles
    ndvi: Doubles | None
    tiles: Ints


def profiles(
    source: PictureSource, ids: Sequence[str], labels: Ints, clusters: int, rng: np.random.Generator
) -> Profiles:
    """Measure every cluster's tiles in one pass, at most `MOST` tiles a cluster."""
    rows = _drawn(labels, clusters, rng)
    roles = _vegetation([band.name for band in source.bands])
    sums = _Sums(clusters, len(source.bands) + (roles is not None))
    for start in progress(range(0, len(rows), STEP), "profiles"):
        part = rows[start : start + STEP]
        values, valid = source.read([ids[row] for row in part])
        sums.add(labels[part], _layers(values, valid, source.bands, roles))
    order = _by_wavelength(source.bands)
    unit, scale = _unit(source.bands)
    mean, deviation = sums.moments()
    return Profiles(
        bands=tuple(source.bands[c] for c in order),
        unit=unit,
        mean=mean[:, order] / scale,
        deviation=deviation[:, order] / scale,
        ndvi=None if roles is None else np.stack([mean[:, -1], deviation[:, -1]], axis=1),
        tiles=np.bincount(labels[rows], minlength=clusters).astype(np.int64),
    )


class _Sums:
    """Running count, sum and sum of squares of each layer in each cluster."""

    def __init__(self, clusters: int, layers: int) -> None:
        self._sums = np.zeros((3, clusters, layers))

    def add(self, labels: Ints, layers: Doubles) -> None:
        """Add the pixels `(n, H, W, L)` of n tiles; NaN is left out."""
        known = np.isfinite(layers)
        filled = np.where(known, layers, 0.0)
        for position, part in enumerate((known, filled, filled**2)):
            np.add.at(self._sums[position], labels, part.sum(axis=(1, 2), dtype=np.float64))

    def moments(self) -> tuple[Doubles, Doubles]:
        count, total, squares = self._sums
        count = np.where(count > 0, count, np.nan)
        mean = total / count
        return mean, np.sqrt(np.maximum(squares / count - mean**2, 0.0))


def _drawn(labels: Ints, clusters: int, rng: np.random.Generator) -> Ints:
    drawn = []
    for cluster in range(clusters):
        rows = np.flatnonzero(labels == cluster)
        drawn.append(rows if len(rows) <= MOST else rng.choice(rows, MOST, replace=False))
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def _layers(
    values: NDArray[Any], valid: Valid, bands: Sequence[Band], roles: dict[str, str] | None
) -> Doubles:
    """Return the bands, and NDVI behind them; NaN where there is no data."""
    layers = values.astype(np.float64)
    if roles is not None:
        ndvi = compute("ndvi", values, bands, roles)
        layers = np.concatenate([layers, ndvi[..., None]], axis=-1)
    layers[~valid] = np.nan
    return layers


def _unit(bands: Sequence[Band]) -> tuple[str, float]:
    """Name the unit of the profile, and what divides the stored values."""
    stored = bands[0].unit
    if stored == "dn" and all(band.wavelength is not None for band in bands):
        return "reflectance", DN_PER_REFLECTANCE
    return UNITS[stored], 1.0


def _vegetation(names: Sequence[str]) -> dict[str, str] | None:
    for nir, red in _NIR:
        if nir in names and red in names:
            return {"nir": nir, "red": red}
    return None


def _by_wavelength(bands: Sequence[Band]) -> list[int]:
    waves = [band.wavelength for band in bands]
    known = [wave for wave in waves if wave is not None]
    if len(known) < len(waves):
        return list(range(len(bands)))
    return sorted(range(len(bands)), key=lambda position: known[position])
