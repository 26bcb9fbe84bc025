"""Polygons with a class attribute, burnt onto a grid by the pixel-centre rule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import IGNORE, Legend
from agri_core.raster.grid import Grid
from numpy.typing import NDArray
from rasterio.transform import Affine

from agri_data.sources.description.label import LabelSpec

MAGIC = (b"SQLite format 3\0", b"\0\0\x27\x0a")
MAX_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Polygons:
    """Polygons in one CRS with their class ids; where two overlap, the later one wins."""

    name: str
    shapes: Any
    ids: NDArray[np.uint8]
    outside: int

    def burn(self, shape: tuple[int, int], transform: Affine) -> NDArray[np.uint8]:
        """Return class ids `(H, W)`; a pixel belongs to a polygon that holds its centre."""
        from rasterio.features import rasterize
        from shapely import box

        bounds = Grid(None, transform, *shape).bounds
        rows = np.sort(self.shapes.sindex.query(box(*bounds)))
        if not len(rows):
            return np.full(shape, self.outside, np.uint8)
        burnt: NDArray[np.uint8] = rasterize(
            zip(self.shapes.iloc[rows], self.ids[rows].tolist(), strict=True),
            out_shape=shape,
            fill=self.outside,
            transform=transform,
            all_touched=False,
            dtype="uint8",
        )
        return burnt

    def touches(self, shape: tuple[int, int], transform: Affine) -> bool:
        """Whether a polygon's bounds meet the grid."""
        from shapely import box

        return len(self.shapes.sindex.query(box(*Grid(None, transform, *shape).bounds))) > 0


def read_polygons(path: Path, crs: Any, spec: LabelSpec, legend: Legend) -> Polygons:
    """Read GeoJSON, GeoPackage or Shapefile polygons and bring them to `crs`.

    Raises:
        MissingError: the file or its class column is not there.
        InputError: it is no such file, holds other shapes, or a class is unknown.
    """
    table = _read(path)
    if not len(table):
        raise InputError(f"{path} holds no polygons")
    if spec.attribute not in table.columns:
        columns = ", ".join(c for c in table.columns if c != table.geometry.name)
        raise MissingError(f"{path} has no column {spec.attribute!r}; it has {columns or 'none'}")
    if table.crs is None:
        raise InputError(f"{path} says nothing of its coordinate reference system; save it again")
    kinds = sorted({str(kind) for kind in table.geom_type} - {"Polygon", "MultiPolygon"})
    if kinds:
        raise InputError(f"{path} must hold polygons only, got {', '.join(kinds)} too")
    ids = np.array([_class_of(v, spec, path, i) for i, v in enumerate(table[spec.attribute], 1)])
    table = table.to_crs(crs)
    return Polygons(str(path), table.geometry, ids.astype(np.uint8), spec.outside)


def _read(path: Path) -> Any:
    import geopandas
    from pyogrio.errors import DataLayerError, DataSourceError

    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} is {path.stat().st_size} bytes, more than {MAX_BYTES}")
    with path.open("rb") as stream:
        head = stream.read(4096)
    # OGR would follow the paths inside an XML file of its own whatever its name.
    if not head.startswith(MAGIC) and not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise InputError(f"{path} is not a GeoJSON, GeoPackage or Shapefile of polygons")
    try:
        table = geopandas.read_file(path.absolute(), engine="pyogrio")
    except (DataSourceError, DataLayerError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as polygons ({error})") from error
    if not isinstance(table, geopandas.GeoDataFrame):
        raise InputError(f"{path} holds a table without shapes")
    return table


def _class_of(value: Any, spec: LabelSpec, path: Path, row: int) -> int:
    text = "" if value is None or value != value else _plain(value)
    if text in spec.codes:
        return spec.codes[text]
    if text in spec.ignore or (spec.lenient and text):
        return IGNORE
    raise InputError(
        f"{path}: polygon {row} has {spec.attribute} = {text!r}, expected one of "
        f"{', '.join(spec.codes)}; add it to 'codes' or 'ignore' under 'label'"
    )


def _plain(value: Any) -> str:
    """Text of an attribute; a whole number read as a float (a column with gaps) loses its ".0"."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
