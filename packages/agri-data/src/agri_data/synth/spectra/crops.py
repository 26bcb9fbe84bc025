"""Crops: green and dry cover of a field by day of the year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Crop:
    """A crop's calendar as cover shares on days of the year; soil is the rest.

    `leaf` is the endmember of its green matter, `dry` of its ripe matter or residue.
    """

    leaf: str
    days: tuple[int, ...]
    green: tuple[float, ...]
    brown: tuple[float, ...]
    dry: str = "ripe"

    def on(self, day: float) -> tuple[float, float]:
        """Return the green and dry share on `day`, linear between the calendar's days."""
        return float(np.interp(day, self.days, self.green)), float(
            np.interp(day, self.days, self.brown)
        )


CROPS: dict[str, Crop] = {
    "wheat": Crop(
        "cereal",
        (60, 110, 140, 165, 185, 205, 214, 235),
        (0.30, 0.70, 0.92, 0.80, 0.40, 0.08, 0.04, 0.06),
        (0.02, 0.02, 0.03, 0.15, 0.55, 0.86, 0.70, 0.45),
    ),
    "barley": Crop(
        "cereal",
        (60, 105, 135, 155, 172, 186, 196, 225),
        (0.35, 0.80, 0.92, 0.65, 0.25, 0.05, 0.06, 0.15),
        (0.02, 0.02, 0.04, 0.30, 0.70, 0.85, 0.62, 0.35),
        "stubble",
    ),
    "rape": Crop(
        "rape",
        (60, 100, 120, 140, 160, 185, 200, 212),
        (0.45, 0.80, 0.93, 0.92, 0.88, 0.45, 0.15, 0.10),
        (0.02, 0.02, 0.02, 0.03, 0.08, 0.45, 0.70, 0.55),
        "stubble",
    ),
    "maize": Crop(
        "maize",
        (100, 128, 150, 170, 190, 240, 270, 290),
        (0.00, 0.02, 0.18, 0.50, 0.86, 0.92, 0.45, 0.05),
        (0.05, 0.04, 0.02, 0.02, 0.02, 0.05, 0.45, 0.45),
    ),
    "beet": Crop(
        "beet",
        (95, 118, 140, 160, 180, 260, 300),
        (0.00, 0.03, 0.22, 0.60, 0.90, 0.90, 0.20),
        (0.03, 0.02, 0.01, 0.01, 0.02, 0.05, 0.10),
    ),
    "clover": Crop(
        "clover",
        (60, 110, 138, 142, 165, 188, 192, 215),
        (0.40, 0.80, 0.95, 0.50, 0.90, 0.93, 0.45, 0.90),
        (0.05, 0.04, 0.03, 0.25, 0.05, 0.05, 0.30, 0.06),
        "hay",
    ),
    "fallow": Crop(
        "grass",
        (60, 120, 180, 240),
        (0.10, 0.14, 0.10, 0.08),
        (0.12, 0.10, 0.14, 0.12),
        "hay",
    ),
}

SHARES = {
    "wheat": 0.30, "barley": 0.13, "rape": 0.14, "maize": 0.19,
    "beet": 0.08, "clover": 0.10, "fallow": 0.06,
}  # fmt: skip
