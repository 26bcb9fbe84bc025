"""Spectral indices: pure formulas, and `compute` which finds their bands by name.

Every function takes arrays of one shape and returns float64 of that shape. A pixel whose
denominator is 0 (0/0, as over no data) has no index: it is NaN.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agri_core.bands import DN_PER_REFLECTANCE, Band, band_indices
from agri_core.files.errors import InputError

Index = NDArray[np.float64]

ROLES: dict[str, str] = {
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "edge": "B05",
    "nir": "B08",
    "swir1": "B11",
    "swir2": "B12",
}
"""The Sentinel-2 band that plays each role unless the caller names another."""


def ndvi(nir: ArrayLike, red: ArrayLike) -> Index:
    """Vegetation, (nir - red) / (nir + red) (Rouse et al. 1974).

    Example:
        >>> ndvi(nir=[3000, 0], red=[1000, 0]).tolist()
        [0.5, nan]
    """
    return _difference(nir, red)


def ndwi(green: ArrayLike, nir: ArrayLike) -> Index:
    """Open water, (green - nir) / (green + nir) (McFeeters 1996; not Gao's leaf water index).

    Example:
        >>> ndwi(green=0.3, nir=0.1).round(3).tolist()
        0.5
    """
    return _difference(green, nir)


def ndbi(swir1: ArrayLike, nir: ArrayLike) -> Index:
    """Built-up land, (swir1 - nir) / (swir1 + nir) (Zha, Gao and Ni 2003)."""
    return _difference(swir1, nir)


def nbr(nir: ArrayLike, swir2: ArrayLike) -> Index:
    """Burns, (nir - swir2) / (nir + swir2) (Key and Benson 2006)."""
    return _difference(nir, swir2)


def ndre(nir: ArrayLike, edge: ArrayLike) -> Index:
    """Chlorophyll of dense crops, (nir - red edge) / (nir + red edge) (Barnes et al. 2000)."""
    return _difference(nir, edge)


def evi(nir: ArrayLike, red: ArrayLike, blue: ArrayLike) -> Index:
    """Enhanced vegetation, 2.5 (nir - red) / (nir + 6 red - 7.5 blue + 1) (Huete et al. 2002).

    Takes reflectance in 0..1: its constants are not free of scale.
    """
    n, r, b = _floats(nir, red, blue)
    return _ratio(2.5 * (n - r), n + 6.0 * r - 7.5 * b + 1.0)


def savi(nir: ArrayLike, red: ArrayLike, soil: float = 0.5) -> Index:
    """Soil-adjusted vegetation, (1 + L)(nir - red) / (nir + red + L), L = `soil` (Huete 1988).

    Takes reflectance in 0..1: L is not free of scale.
    """
    n, r = _floats(nir, red)
    return _ratio((1.0 + soil) * (n - r), n + r + soil)


INDICES: dict[str, Callable[..., Index]] = {
    "ndvi": ndvi,
    "ndwi": ndwi,
    "ndbi": ndbi,
    "evi": evi,
    "savi": savi,
    "nbr": nbr,
    "ndre": ndre,
}

# Their formulas have constants; the others are ratios, the same in any unit.
NEEDS_REFLECTANCE = frozenset({"evi", "savi"})


def compute(
    name: str,
    image: NDArray[Any],
    bands: Sequence[Band],
    roles: Mapping[str, str] | None = None,
) -> Index:
    """Return the index `name` of an image `(..., C)` whose bands are `bands`, shape `(...)`.

    Units: EVI and SAVI need reflectance, so `dn` is divided by 10000 and `uint8` is refused; the
    other indices are ratios, the same in any unit.

    Args:
        name: one of `INDICES`, upper or lower case.
        image: values in the bands' own unit.
        bands: the bands of the last axis, in its order.
        roles: other bands for some roles, such as `{"nir": "B8A"}`.

    Raises:
        InputError: the index or a role is unknown, the unit does not fit, or the image has another
            number of bands.
        MissingError: a band the index needs is not there.

    Example:
        >>> from agri_core.bands import make_bands
        >>> image = np.array([[[1000, 3000]]])
        >>> compute("NDVI", image, make_bands(["B04", "B08"], "dn")).tolist()
        [[0.5]]
    """
    formula = _find(name)
    if image.shape[-1] != len(bands):
        raise InputError(f"{len(bands)} bands are named but the image has {image.shape[-1]}")
    wanted = [_role_band(role, roles or {}) for role in required_roles(name)]
    chosen = band_indices([band.name for band in bands], wanted)
    scales = [_scale(bands[i], name.lower()) for i in chosen]
    planes = [image[..., i].astype(np.float64) / s for i, s in zip(chosen, scales, strict=True)]
    return formula(*planes)


def required_roles(name: str) -> tuple[str, ...]:
    """Return the roles that the index `name` takes, in the order of its arguments.

    Example:
        >>> required_roles("evi")
        ('nir', 'red', 'blue')
    """
    parameters = inspect.signature(_find(name)).parameters
    return tuple(role for role in parameters if role in ROLES)


def _find(name: str) -> Callable[..., Index]:
    if name.lower() not in INDICES:
        raise InputError(f"no index is called {name!r}; there are {', '.join(INDICES)}")
    return INDICES[name.lower()]


def _role_band(role: str, roles: Mapping[str, str]) -> str:
    unknown = set(roles) - set(ROLES)
    if unknown:
        raise InputError(f"no role is called {sorted(unknown)}; there are {', '.join(ROLES)}")
    return roles.get(role, ROLES[role])


def _scale(band: Band, name: str) -> float:
    if name not in NEEDS_REFLECTANCE:
        return 1.0
    if band.unit == "uint8":
        raise InputError(
            f"{name.upper()} needs reflectance, but band {band.name} is a uint8 picture whose "
            "scale to reflectance is unknown; use NDVI, or imagery in dn or reflectance"
        )
    return DN_PER_REFLECTANCE if band.unit == "dn" else 1.0


def _difference(first: ArrayLike, second: ArrayLike) -> Index:
    a, b = _floats(first, second)
    return _ratio(a - b, a + b)


def _floats(*planes: ArrayLike) -> list[Index]:
    # Unsigned bands would wrap below zero in a difference.
    return [np.asarray(plane, np.float64) for plane in planes]


def _ratio(top: Index, bottom: Index) -> Index:
    result = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    np.divide(top, bottom, out=result, where=bottom != 0)
    return result
