"""Polygons with a class attribute, rasterised onto a grid by the pixel-centre rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint
from agri_core.legend import IGNORE, Legend
from agri_core.raster.grid import Grid
from agri_core.vector.crs import move_all, parse_crs
from agri_core.vector.layer import Fault, Geometries, Layer, areas, plain
from agri_core.vector.reader import read_layer
from numpy.typing import NDArray
from rasterio.transform import Affine

from agri_data.sources.description.label import LabelSpec

LISTED = 8


@dataclass(frozen=True, slots=True)
class Polygons:
    """Polygons in one CRS with their class ids; where two overlap, the later one takes precedence.

    Attributes:
        shapes: `(N,)`.
        ids: class of each, `(N,)`.
        outside: class of the ground that no polygon covers.
        notes: remarks on the file.
        tree: index of the shapes.
    """

    shapes: Geometries
    ids: NDArray[np.uint8]
    outside: int
    notes: tuple[str, ...]
    tree: shapely.STRtree

    def burn(self, shape: tuple[int, int], transform: Affine) -> NDArray[np.uint8]:
        """Return class ids `(H, W)`; a pixel belongs to a polygon that contains its centre."""
        from rasterio.features import rasterize

        rows = np.sort(self.tree.query(shapely.box(*Grid(None, transform, *shape).bounds)))
        if not len(rows):
            return np.full(shape, self.outside, np.uint8)
        burnt: NDArray[np.uint8] = rasterize(
            zip(self.shapes[rows], self.ids[rows].tolist(), strict=True),
            out_shape=shape,
            fill=self.outside,
            transform=transform,
            all_touched=False,
            dtype="uint8",
        )
        return burnt


def read_polygons(path: Path, crs: Any, spec: LabelSpec, legend: Legend) -> Polygons:
    """Read GeoJSON, GeoPackage or Shapefile polygons and bring them to `crs`.

    A feature without a polygon, as digitising may leave behind, is left out and noted.

    Raises:
        MissingError: the file, its layer or its class column is not there.
        InputError: it is no such file, holds other shapes, or a class is unknown.
    """
    layer = read_layer(path, spec.layer)
    _check(layer, spec, path)
    shapes, faults = areas(layer)
    kept = [row for row, shape in enumerate(shapes) if shape is not None]
    notes = tuple(_notes(path, faults))
    if not kept:
        raise InputError(f"{path} holds no polygons{f'; {notes[0]}' if notes else ''}")
    ids = [_class_of(layer.records[row].get(spec.attribute), spec, path, row + 1) for row in kept]
    moved = move_all([shapes[row] for row in kept], layer.crs, parse_crs(crs.to_wkt()))
    # What cannot be projected to the CRS of the imagery cannot lie on it.
    there = ~shapely.is_missing(moved)
    found = moved[there]
    codes = np.array(ids, np.uint8)[there]
    return Polygons(found, codes, spec.outside, notes, shapely.STRtree(found))


def _check(layer: Layer, spec: LabelSpec, path: Path) -> None:
    if not layer.geometries:
        raise InputError(f"{path} holds no polygons")
    columns = layer.columns
    if spec.attribute not in columns:
        raise MissingError(
            f"{path} has no column {spec.attribute!r}; it has {', '.join(columns) or 'none'}"
            f"{hint(spec.attribute, columns)}"
        )
    kinds = {shape.geom_type for shape in layer.geometries if shape is not None}
    others = sorted(kinds - {"Polygon", "MultiPolygon"})
    if others:
        raise InputError(
            f"{path} must hold polygons only, got {', '.join(others)} too; if they are in a layer "
            "of their own, name that of the polygons: 'layer' under 'label'"
        )


def _notes(path: Path, faults: Sequence[Fault]) -> list[str]:
    """Return a line for features that are left out, and one for those that were repaired."""
    notes = []
    for lost, what in ((True, "left out"), (False, "kept")):
        some = [fault for fault in faults if fault.lost is lost]
        told = "; ".join(f"feature {fault.feature}: {fault.what}" for fault in some[:LISTED])
        more = f"; and {len(some) - LISTED} more" if len(some) > LISTED else ""
        if some:
            notes.append(f"{path.name}: features {what}: {len(some)} ({told}{more})")
    return notes


def _class_of(value: Any, spec: LabelSpec, path: Path, row: int) -> int:
    text = plain(value)
    if text in spec.codes:
        return spec.codes[text]
    if text in spec.ignore or (spec.lenient and text):
        return IGNORE
    raise InputError(
        f"{path}: polygon {row} has {spec.attribute} = {text!r}, expected one of "
        f"{', '.join(spec.codes)}; add it to 'codes' or 'ignore' under 'label'"
    )
