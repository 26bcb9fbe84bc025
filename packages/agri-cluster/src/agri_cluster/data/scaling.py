"""Scaling of pixels to an encoder's input: one offset and one factor per band.

The scaling is part of a fitted clustering. Other stores are scaled by it, never by their own
statistics, or the same field would fall into another cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from agri_core.files.errors import InputError
from agri_data.store.info import BandStats
from numpy.typing import NDArray

from agri_cluster.data.tiles import Floats

Scale = Literal["standard", "photo"]
SCALES: tuple[str, ...] = get_args(Scale)

# White of an 8-bit photograph, the range that the published ImageNet weights were trained on.
PHOTO_TOP = 255.0


@dataclass(frozen=True, slots=True)
class Scaling:
    """Scaling of pixels: `(value - offset) * factor` per band.

    Attributes:
        scale: "standard", of mean 0 and deviation 1, or "photo", of 0..255 and clipped to it.
        unit: of the pixels, "uint8", "dn" or "reflectance".
        bands: names in channel order.
        offset: a number per band, in the unit of the pixels.
        factor: a number per band; 0 for a constant band, which carries no information.
        fill: the input of a pixel without data, a number per band.
    """

    scale: Scale
    unit: str
    bands: tuple[str, ...]
    offset: tuple[float, ...]
    factor: tuple[float, ...]
    fill: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise InputError(f"a scale is one of {', '.join(SCALES)}, got {self.scale!r}")
        numbers = (self.offset, self.factor, self.fill)
        if any(len(part) != len(self.bands) for part in numbers) or not np.isfinite(numbers).all():
            raise InputError(f"a scaling has finite numbers for each of {self.bands}, got {self}")

    def apply(self, pixels: NDArray[np.generic], valid: NDArray[np.bool_]) -> Floats:
        """Return pixels `(N, H, W, C)` as input, float32; `valid` is `(N, H, W)`.

        Where a pixel has no data, or a value is not finite, the band's `fill` stands.
        """
        values = np.asarray(pixels, np.float32)
        out = (values - np.asarray(self.offset, np.float32)) * np.asarray(self.factor, np.float32)
        if self.scale == "photo":
            np.clip(out, 0.0, PHOTO_TOP, out=out)
        gaps = ~(valid[..., None] & np.isfinite(values))
        return np.where(gaps, np.asarray(self.fill, np.float32), out) if gaps.any() else out

    def to_json(self) -> dict[str, Any]:
        """Return the record that `from_json` reads."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Scaling:
        """Build a scaling from its record.

        Raises:
            InputError: a key is missing or holds something else.
        """
        try:
            numbers = {
                key: tuple(float(number) for number in record[key])
                for key in ("offset", "factor", "fill")
            }
            return cls(record["scale"], record["unit"], tuple(record["bands"]), **numbers)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"the record of the scaling lacks or garbles {error}; fit the clustering again"
            ) from error


def make_scaling(
    scale: Scale, stats: Mapping[str, BandStats], bands: Sequence[str], unit: str
) -> Scaling:
    """Return the scaling of `bands` by their statistics.

    "photo" leaves uint8 as it is and stretches other units from p02..p98 to 0..255.
    """
    if scale not in SCALES:
        raise InputError(f"a scale is one of {', '.join(SCALES)}, got {scale!r}")
    chosen = [stats[name] for name in bands]
    if scale == "standard":
        spans = [(item.mean, item.std, 1.0) for item in chosen]
        # 0 is the mean after standardising: a gap pulls the features towards no land cover.
        fill = [0.0 for _ in chosen]
    elif unit == "uint8":
        spans = [(0.0, 1.0, 1.0) for _ in chosen]
        fill = [item.mean for item in chosen]
    else:
        spans = [(item.p02, item.p98 - item.p02, PHOTO_TOP) for item in chosen]
        fill = [_within(item) for item in chosen]
    return Scaling(
        scale,
        unit,
        tuple(bands),
        tuple(low for low, _, _ in spans),
        # A constant band has no span; factor 0 makes it constant input, and not infinite.
        tuple(top / span if span > 0 else 0.0 for _, span, top in spans),
        tuple(fill),
    )


def _within(item: BandStats) -> float:
    span = item.p98 - item.p02
    share = (item.mean - item.p02) / span if span > 0 else 0.0
    return PHOTO_TOP * min(max(share, 0.0), 1.0)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
