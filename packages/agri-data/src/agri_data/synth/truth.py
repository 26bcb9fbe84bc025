"""Truth: a land's labels as raster and as polygons, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import shapely
from agri_core.files.errors import InputError
from agri_core.legend import ARABLE, COVER, IGNORE, MOISTURE, Legend
from agri_core.vector.writer import Part
from numpy.typing import NDArray
from rasterio.features import rasterize

from agri_data.synth.layout.land import Feature, Land

TARGETS: dict[str, Legend] = {"cover": COVER, "arable": ARABLE, "moisture": MOISTURE}


def legend_of(target: str) -> Legend:
    """Return the legend of a target.

    "cover" has six classes, "arable" two (other, arable), "moisture" the six of cover with arable
    land split in moist and dry.
    """
    if target not in TARGETS:
        raise InputError(f"expected a target of {', '.join(TARGETS)}, got {target!r}")
    return TARGETS[target]


def class_of(feature: Feature, date: int, target: str) -> str:
    """Return the name of a feature's class at a date under a target."""
    cover = feature.cover_at(date)
    if target == "moisture" and cover == "arable":
        return "dry arable" if feature.lack else "moist arable"
    return "other" if target == "arable" and cover != "arable" else cover


def labels(land: Land, date: int, target: str) -> NDArray[np.uint8]:
    """Rasterise the features: a pixel belongs to the polygon that contains its centre."""
    legend = legend_of(target)
    shapes = land.placed([feature.shape for feature in land.features])
    ids = [legend.index(class_of(f, date, target)) for f in land.features]
    size = (land.frame.size, land.frame.size)
    burnt = rasterize(
        zip(shapes, ids, strict=True),
        size,
        transform=land.frame.transform(),
        fill=IGNORE,
        dtype="uint8",
    )
    return np.asarray(burnt, np.uint8)


def polygons(land: Land, date: int, target: str) -> Part:
    """Return the features in the scene's CRS with their class, kind and area in hectares."""
    columns = {
        "class": [class_of(f, date, target) for f in land.features],
        "kind": [f.kind_at(date) for f in land.features],
    }
    return _part(land, land.features, columns)


def changes(land: Land) -> Part:
    """Return the features whose cover differs between the dates, with both covers."""
    changed = [f for f in land.features if f.changed]
    columns = {
        "from": [f.cover_at(0) for f in changed],
        "to": [f.cover_at(1) for f in changed],
    }
    return _part(land, changed, columns)


def _part(land: Land, features: Sequence[Feature], columns: dict[str, list[str]]) -> Part:
    # With a None at the end numpy keeps geometries as objects, whatever they are.
    shapes = np.array([*land.placed([feature.shape for feature in features]), None], object)[:-1]
    texts = {name: np.array(values, object) for name, values in columns.items()}
    return Part(shapes, texts | {"area_ha": np.round(shapely.area(shapes) / 1e4, 4)}, "truth")


def hectares(features: tuple[Feature, ...], date: int, target: str) -> dict[str, float]:
    """Return the polygon area of every class of the target's legend."""
    sums: Counter[str] = Counter()
    for feature in features:
        sums[class_of(feature, date, target)] += feature.shape.area / 1e4
    return {name: round(sums[name], 4) for name in legend_of(target).names}


def visible(truth: NDArray[np.uint8], target: str) -> dict[str, float]:
    """Return the area of every class that is in the truth raster, 100 pixels to the hectare."""
    legend = legend_of(target)
    counts = np.bincount(truth.ravel(), minlength=256)
    return {name: round(int(counts[i]) / 100, 2) for i, name in enumerate(legend.names)}


def change_hectares(features: tuple[Feature, ...]) -> dict[str, float]:
    """Return the polygon area per "from > to"."""
    sums: Counter[str] = Counter()
    for feature in features:
        if feature.changed:
            sums[f"{feature.cover_at(0)} > {feature.cover_at(1)}"] += feature.shape.area / 1e4
    return {pair: round(area, 4) for pair, area in sorted(sums.items())}
