"""Surfaces: the two spectra between which a feature's pixels lie on one date, and its texture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agri_data.synth.spectra.crops import CROPS, SHARES
from agri_data.synth.spectra.endmembers import ENDMEMBERS, Spectrum, mix


@dataclass(frozen=True, slots=True)
class Surface:
    """A pixel is `low + t * (high - low)`, t = `level` plus the weighted texture fields, 0 to 1.

    Attributes:
        low: reflectance `(10,)` of the sparse, dark or dry end.
        high: reflectance `(10,)` of the other end.
        level: mean of t.
        patch: weight of the 150 m pattern (soil, moisture).
        mottle: weight of the 40 m pattern (sward, weeds, spoil heaps).
        grain: weight of the single-pixel pattern (crowns, gardens, rubble).
        rows: weight of the lines a field is worked in.
        rough: relative brightness variation from pixel to pixel (shaded crowns, walls).
    """

    low: Spectrum
    high: Spectrum
    level: float = 0.5
    patch: float = 0.0
    mottle: float = 0.0
    grain: float = 0.0
    rows: float = 0.0
    rough: float = 0.0


@dataclass(frozen=True, slots=True)
class Season:
    """What all surfaces of one date share: the day of the year and how dry the year is (0..1)."""

    day: int
    dryness: float


Maker = Callable[[np.random.Generator, Season], Surface]


def surface(kind: str, rng: np.random.Generator, season: Season) -> Surface:
    """Return the surface of one feature or detail; every draw of `rng` is a new field."""
    return MAKERS[kind](rng, season)


def _soil(rng: np.random.Generator) -> Spectrum:
    humus, loam, loess = rng.dirichlet((1.0, 1.6, 1.0))
    moist = rng.uniform(0.82, 1.12)
    return moist * mix(humus=humus + 0.01, loam=loam, loess=loess)


def _field(rng: np.random.Generator, season: Season) -> Surface:
    crop = CROPS[str(rng.choice(list(SHARES), p=list(SHARES.values())))]
    # Fields of one crop are some eight days apart in their calendar.
    green, brown = crop.on(season.day + rng.normal(0, 8))
    green = float(np.clip(green * rng.normal(1.0, 0.07) - 0.05 * season.dryness, 0, 0.97))
    soil = _soil(rng)
    leaf = ENDMEMBERS[crop.leaf] * rng.normal(1.0, 0.06) * _tilt(rng)
    dry = ENDMEMBERS[crop.dry] * rng.normal(1.0, 0.08)
    bare = max(1.0 - green - brown, 0.03)
    full = green * leaf + brown * dry + bare * soil
    spread = 0.15 + 0.22 * bare
    thin = (1 - spread) * full + spread * soil * 1.06
    rich = (1 + 0.6 * spread) * full - 0.6 * spread * soil
    return Surface(
        thin, np.maximum(rich, 0.008), 0.5, patch=0.24, mottle=0.08, grain=0.04, rows=0.16,
        rough=0.015,
    )  # fmt: skip


def _meadow(rng: np.random.Generator, season: Season) -> Surface:
    """Meadows differ by mowing: fresh cut ones are pale, uncut ones hardly differ from crops."""
    cut = rng.random() < 0.4
    lush = float(np.clip(rng.normal(0.80 - 0.25 * season.dryness - 0.38 * cut, 0.12), 0.1, 0.98))
    soil = _soil(rng)
    tone = rng.normal(1.0, 0.07) * _tilt(rng)
    green = 0.95 * mix(grass=0.75, clover=0.25) + 0.05 * soil
    pale = mix(hay=0.75, grass=0.25) * 0.88 + 0.12 * soil
    return Surface(pale * tone, green * tone, lush, patch=0.10, mottle=0.17, grain=0.12, rough=0.05)


def _tilt(rng: np.random.Generator) -> Spectrum:
    """Vary the visible, near and short-wave infrared of a canopy against each other."""
    visible, near, short = rng.normal(1.0, (0.12, 0.08, 0.10))
    return np.array([visible] * 4 + [near] * 4 + [short] * 2, np.float32)


def _forest(tree: dict[str, float], rough: float) -> Maker:
    def make(rng: np.random.Generator, season: Season) -> Surface:
        age = rng.normal(1.0, 0.10)
        # Fresh beech leaves are brighter until about the start of June.
        spring = 1.0 + 0.10 * (season.day < 160) * tree.get("beech", 0.0)
        high = mix(**tree) * age * spring * _tilt(rng)
        low = 0.55 * high + 0.45 * ENDMEMBERS["understorey"]
        return Surface(low, high, 0.72, patch=0.05, mottle=0.10, grain=0.24, rough=rough)

    return make


def _felled(rng: np.random.Generator, season: Season) -> Surface:
    regrowth = rng.uniform(0.02, 0.28)
    low = mix(brush=0.65, loam=0.35) * rng.normal(1.0, 0.08)
    high = (1 - regrowth) * mix(brush=0.5, loess=0.3, hay=0.2) + regrowth * ENDMEMBERS["grass"]
    return Surface(low, high, 0.5, patch=0.1, mottle=0.22, grain=0.20, rough=0.09)


def _quarry(rng: np.random.Generator, season: Season) -> Surface:
    rock = rng.uniform(0.0, 0.6)
    high = mix(limestone=rock, gravel=0.5, loess=0.6) * rng.normal(1.0, 0.07)
    low = mix(loam=0.6, humus=0.1, gravel=0.2, hay=0.3) * rng.normal(0.9, 0.07)
    return Surface(low, high, 0.45, patch=0.26, mottle=0.30, grain=0.14, rough=0.08)


def _sand(rng: np.random.Generator, season: Season) -> Surface:
    high = mix(sandy=0.55, loess=0.45) * rng.normal(1.0, 0.07)
    low = mix(loess=0.45, loam=0.3, hay=0.4, grass=0.1) * rng.normal(0.95, 0.06)
    return Surface(low, high, 0.42, patch=0.26, mottle=0.28, grain=0.12, rough=0.07)


def _settled(paved: float) -> Maker:
    def make(rng: np.random.Generator, season: Season) -> Surface:
        low = mix(beech=0.35, grass=0.55, loam=0.25) * rng.normal(0.95, 0.05)
        high = mix(hay=0.4, paving=paved, grass=0.35, asphalt=0.15)
        return Surface(low, high, 0.42, mottle=0.16, grain=0.26, rough=0.16)

    return make


def _road(rng: np.random.Generator, season: Season) -> Surface:
    low, high = mix(asphalt=0.85, grass=0.15), mix(asphalt=0.6, paving=0.35, hay=0.05)
    return Surface(low, high, rng.uniform(0.35, 0.75), grain=0.12, rough=0.05)


def _water(clear: float, murk: str) -> Maker:
    def make(rng: np.random.Generator, season: Season) -> Surface:
        share = float(np.clip(rng.normal(clear, 0.18), 0.02, 0.98))
        low = mix(**{"clear": share, murk: 1 - share})
        return Surface(low, low * 1.18 + 0.001, 0.5, patch=0.22, mottle=0.05, grain=0.04)

    return make


def _plain(low: str, high: str, level: float = 0.5, rough: float = 0.06) -> Maker:
    def make(rng: np.random.Generator, season: Season) -> Surface:
        tone = rng.normal(1.0, 0.12)
        return Surface(
            ENDMEMBERS[low] * tone, ENDMEMBERS[high] * tone, level, grain=0.15, rough=rough
        )

    return make


MAKERS: dict[str, Maker] = {
    "field": _field,
    "meadow": _meadow,
    "conifer": _forest({"spruce": 1.0}, 0.20),
    "broadleaf": _forest({"beech": 1.0}, 0.14),
    "mixed": _forest({"spruce": 0.5, "beech": 0.5}, 0.19),
    "road": _road,
    "village": _settled(0.30),
    "estate": _settled(0.55),
    "river": _water(0.45, "turbid"),
    "lake": _water(0.72, "algae"),
    "quarry": _quarry,
    "sand": _sand,
    "felled": _felled,
    "street": _plain("asphalt", "paving", 0.35),
    "yard": _plain("asphalt", "paving", 0.6),
    "track": _plain("hay", "loess", 0.45),
    "hedge": _plain("understorey", "beech", 0.7, 0.15),
    "margin": _plain("grass", "hay", 0.4),
    "crown": _plain("understorey", "beech", 0.75, 0.12),
    "tile": _plain("tile", "tile"),
    "slate": _plain("slate", "slate"),
    "metal": _plain("metal", "metal"),
    "white": _plain("white", "white"),
}
