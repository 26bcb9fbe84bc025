"""Band sets: which bands a scene has, and how those the endmembers lack follow from the ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from agri_core.bands import EUROSAT_TIFF_ORDER
from agri_core.files.errors import InputError

from agri_data.synth.spectra.endmembers import SCENE_BANDS, Spectrum

FLATTENING = 0.25
VAPOUR = 0.5
TRACE = 0.0012


@dataclass(frozen=True, slots=True)
class BandSet:
    """The bands of a scene, and how coarse ones come to 10 m: cubic, else bilinear."""

    names: tuple[str, ...] = SCENE_BANDS
    cubic: bool = False


TEN = BandSet()
"""The bands of 10 and 20 m, as a user of surface reflectance stacks them."""

THIRTEEN = BandSet(EUROSAT_TIFF_ORDER, cubic=True)
"""All bands of a level 1C product in EuroSAT's order, cubic as Helber et al. 2019 made theirs."""

BAND_SETS = {len(found.names): found for found in (TEN, THIRTEEN)}


def band_set(count: int) -> BandSet:
    """Return the set of `count` bands.

    Raises:
        InputError: there is no such set.
    """
    if count not in BAND_SETS:
        raise InputError(f"expected {' or '.join(map(str, BAND_SETS))} bands, got {count}")
    return BAND_SETS[count]


def spectra(ten: Spectrum, names: tuple[str, ...]) -> Spectrum:
    """Return the bands `names` `(S, C)` of spectra `(S, 10)` in the order of `SCENE_BANDS`.

    What the ten lack is made from them:

    - B01 (443 nm) extrapolates from B03 and B02 by a quarter of the step; in the blue, soils and
      leaves hardly change any more.
    - B09 (945 nm) is B8A through the water vapour of the air, which takes half, and here and there
      a little more, see `weather`.
    - B10 (1374 nm) is a trace: the vapour lets nothing of the ground through, see `weather`.
    """
    known = dict(zip(SCENE_BANDS, ten.T, strict=True))
    known["B01"] = known["B02"] - FLATTENING * (known["B03"] - known["B02"])
    known["B09"] = VAPOUR * known["B8A"]
    known["B10"] = np.full_like(known["B8A"], TRACE)
    return np.stack([known[name] for name in names], axis=-1).astype(np.float32)
