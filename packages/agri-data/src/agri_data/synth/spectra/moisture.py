"""Moisture: neighbourhoods of fields that lack water, which only wavelengths above 900 nm show.

Water absorbs beyond 900 nm: in leaves (Jacquemoud & Baret 1990, PROSPECT) and in soil, whose
reflectance falls exponentially with its water (Lobell & Asner 2002). Real soil also pales in the
visible as it dries; here it does not, so that no visible band can tell a dry field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from agri_data.synth.layout.land import Feature, Land
from agri_data.synth.layout.noise import fractal
from agri_data.synth.layout.shapes import sample
from agri_data.synth.spectra.endmembers import Spectrum

# Pixels of 10 m.
NEIGHBOURHOOD = 80.0
# Shares of their water that dry fields lack.
LEAST, MOST = 0.20, 0.36
DEPTH = {"B09": 0.08, "B11": 1.0, "B12": 1.0}
"""How much of a lack of water a band feels; bands not listed feel nothing."""


def dry_out(land: Land, seed: tuple[int, ...]) -> Land:
    """Let half of the fields lack water: those where a field of 800 m is above its median.

    A field keeps its lack at both dates. Nothing but `lack` changes.
    """
    rng = np.random.default_rng(seed)
    pattern = fractal(rng, (land.frame.size, land.frame.size), NEIGHBOURHOOD, 1)
    strengths = rng.uniform(LEAST, MOST, len(land.features))
    fields = np.array([is_field(f, 0) or is_field(f, 1) for f in land.features])
    inside = shapely.point_on_surface(np.array([f.shape for f in land.features], dtype=object))
    level = sample(pattern, shapely.get_coordinates(inside), land.frame.metres)
    dry = fields & (level > np.median(level[fields]))
    features = [
        replace(feature, lack=float(strength)) if is_dry else feature
        for feature, strength, is_dry in zip(land.features, strengths, dry, strict=True)
    ]
    return replace(land, features=tuple(features))


def is_field(feature: Feature, date: int) -> bool:
    """Whether a feature is a field at the first (0) or second (1) date."""
    return feature.kind_at(date) == "field"


def lacks(features: Sequence[Feature], date: int) -> NDArray[np.float64]:
    """Return the share of its water that each feature lacks at a date, 0 for all but fields."""
    return np.array([f.lack if is_field(f, date) else 0.0 for f in features])


def parch(found: Spectrum, lack: NDArray[np.float64], names: Sequence[str]) -> Spectrum:
    """Return spectra `(S, C)` of the bands `names` without the share `lack` `(S,)` of the water.

    Absorption by the rest is exponential in the water, so reflectance becomes its own power of
    one minus the lack: 0.28 rises to 0.40 in B11 where 0.28 of the water is missing.
    """
    dry = found.copy()
    for column, name in enumerate(names):
        if name in DEPTH:
            dry[:, column] = found[:, column] ** (1.0 - DEPTH[name] * lack)
    return dry
