"""Layers of a GeoPackage or a Shapefile."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import shapely

from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint
from agri_core.vector.crs import move_all, parse_crs
from agri_core.vector.layer import Layer, sound

MOST_BYTES = 2 * 1024**3


def read_tables(path: Path, layer: str | None = None) -> Layer:
    """Read one layer, or all with geometries where their columns are the same.

    Raises:
        MissingError: there is no layer of that name.
        InputError: the file is damaged or too large, a layer has no CRS, or there are several with
            different columns and none was named.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{path} is {size:,} bytes; at most {MOST_BYTES:,} are read (2 GB)")
    columns = _columns(path)
    parts = [_read(path, name) for name in _chosen(path, columns, layer)]
    crs = parts[0].crs
    moved = (move_all(part.geometries, part.crs, crs) for part in parts)
    return Layer(
        crs,
        tuple(geometry for geometries in moved for geometry in geometries),
        tuple(record for part in parts for record in part.records),
    )


def _columns(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the columns of each layer with geometries."""
    from pyogrio import list_layers, read_info

    with _reading(path):
        names = [str(name) for name, kind in list_layers(path.absolute()) if kind is not None]
        infos = {name: read_info(path.absolute(), layer=name) for name in names}
    return {name: tuple(map(str, info["fields"])) for name, info in infos.items()}


def _chosen(
    path: Path, columns: Mapping[str, tuple[str, ...]], layer: str | None
) -> tuple[str, ...]:
    names = tuple(columns)
    if not names:
        raise InputError(f"{path} holds no layer with geometries")
    if layer is not None:
        if layer not in names:
            told = f"{path} has no layer {layer!r}; it has {', '.join(names)}"
            raise MissingError(told + hint(layer, names))
        return (layer,)
    if len(set(columns.values())) > 1:
        listed = "; ".join(f"{name} ({', '.join(columns[name])})" for name in names)
        raise InputError(
            f"{path} has {len(names)} layers with different columns: {listed}; name the one to "
            "read ('layer' in a description, --layer on the command line)"
        )
    return names


def _read(path: Path, name: str) -> Layer:
    from pyogrio.raw import read

    with _reading(path):
        meta, _, shapes, fields = read(path.absolute(), layer=name)
    if meta["crs"] is None:
        raise InputError(
            f"{path}: its layer {name} has no coordinate reference system; save it again with one"
        )
    geometries = sound(shapely.from_wkb(shapes, on_invalid="ignore"))
    keys = [str(key) for key in meta["fields"]]
    rows = zip(*(column.tolist() for column in fields), strict=True) if fields else ()
    records = [dict(zip(keys, row, strict=True)) for row in rows]
    # A layer without columns has no rows, but still geometries.
    records += [{} for _ in range(len(geometries) - len(records))]
    return Layer(parse_crs(meta["crs"]), geometries, tuple(records))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file in what GDAL raises; its warnings would reach the screen as they are."""
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (DataSourceError, DataLayerError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as polygons ({error})") from error
