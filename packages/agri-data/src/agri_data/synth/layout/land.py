"""The land: features that tile the scene without gap or overlap, and details drawn on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from agri_data.synth.layout.frame import Frame
from agri_data.synth.layout.kinds import COVER_OF
from agri_data.synth.layout.villages import Detail


@dataclass(frozen=True, slots=True)
class Feature:
    """One labelled piece of land.

    Attributes:
        shape: in local metres.
        kind: what it is at the first date.
        angle: degrees, how it is worked.
        later: its kind at the second date where that changed.
        lack: share of its water that a dry field lacks, 0 for a moist one; see `moisture`.
    """

    shape: Polygon
    kind: str
    angle: float = 0.0
    later: str = ""
    lack: float = 0.0

    def kind_at(self, date: int) -> str:
        """Return the kind at the first (0) or second (1) date."""
        return self.later if date and self.later else self.kind

    def cover_at(self, date: int) -> str:
        """Return the cover name at the first (0) or second (1) date."""
        return COVER_OF[self.kind_at(date)]

    @property
    def changed(self) -> bool:
        """Whether the cover differs between the dates."""
        return self.cover_at(0) != self.cover_at(1)


@dataclass(frozen=True, slots=True)
class Land:
    """A place: where it lies, what it is made of and how high it rises."""

    frame: Frame
    features: tuple[Feature, ...]
    details: tuple[Detail, ...]
    height: NDArray[np.float32]

    def placed(self, shapes: list[Any]) -> list[Any]:
        """Move local shapes to UTM, rounded to micrometres."""
        origin = np.asarray(self.frame.origin)
        return list(shapely.transform(shapes, lambda xy: np.round(xy + origin, 6)))

    def hectares(self, cover: str, date: int = 0) -> float:
        """Return the area of one cover at a date."""
        areas = (f.shape.area for f in self.features if f.cover_at(date) == cover)
        return float(sum(areas)) / 1e4
