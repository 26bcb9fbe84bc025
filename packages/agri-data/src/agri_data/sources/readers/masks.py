"""Reading of label files of every kind as class ids on the grid of their image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError, MissingError
from agri_core.files.ownership import add_input
from agri_core.legend import IGNORE, Legend
from agri_core.raster.facts import read_raster
from agri_core.raster.opening import open_raster
from numpy.typing import NDArray

from agri_data.sources.description.label import LabelSpec, check_nodata, encode
from agri_data.sources.description.palette import decode_colours
from agri_data.sources.readers.photo import JPEG, PNG, decode_photo, palette_indices
from agri_data.sources.readers.watch import LabelWatch

LOSSY = "masks must be lossless; save them as PNG or TIFF"


def read_mask(path: Path, spec: LabelSpec, legend: Legend, watch: LabelWatch) -> NDArray[np.uint8]:
    """Read a whole label file of kind "raster" or "palette" as class ids `(H, W)`.

    Raises:
        MissingError: there is no such file.
        InputError: it is lossy, damaged, of the other kind, or holds a value without a class.
    """
    head = read_head(path)
    if head.startswith(JPEG):
        raise InputError(f"{path} is a JPEG, whose compression invents labels: {LOSSY}")
    if spec.kind == "palette":
        return decode_colours(_colours(path, head), spec, legend, str(path))
    values, valid, nodata = _values(path, head)
    check_nodata(nodata, spec, legend, str(path))
    return encode_file(values, valid, nodata, spec, legend, watch, str(path))


def encode_file(
    values: NDArray[Any],
    valid: NDArray[np.bool_],
    nodata: float | None,
    spec: LabelSpec,
    legend: Legend,
    watch: LabelWatch,
    where: str,
) -> NDArray[np.uint8]:
    """Convert the values of a label file, or of a window of one, to class ids.

    What the file masks, where `valid` is False, becomes 255, and so does its "no data" value
    unless the description maps that to a class.
    """
    if not (nodata is None or np.isnan(nodata) or nodata in spec.codes):
        valid = valid & (values != nodata)
    if valid.all():
        watch.look(values)
        return encode(values, spec, legend, where)
    watch.look(values[valid])
    out: NDArray[np.uint8] = np.full(values.shape, IGNORE, np.uint8)
    out[valid] = encode(values[valid], spec, legend, where)
    return out


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises:
        MissingError: there is no such file.
    """
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    add_input(path)
    with path.open("rb") as stream:
        return stream.read(16)


def _values(path: Path, head: bytes) -> tuple[NDArray[Any], NDArray[np.bool_], float | None]:
    if head.startswith(PNG):
        data = path.read_bytes()
        indices = palette_indices(data, str(path))
        if indices is not None:
            return indices, np.ones(indices.shape, np.bool_), None
        picture, valid = decode_photo(data, str(path))
        if not valid.all():
            raise InputError(f"{path} has transparent pixels; save the mask without transparency")
        return _unscaled(_single(picture, path), data), valid, None
    image, valid, facts = read_raster(path)
    return _single(image, path), valid, facts.nodata


def _unscaled(values: NDArray[Any], data: bytes) -> NDArray[Any]:
    """Undo Pillow's stretching of 1, 2 and 4 bit grey to 0..255: labels are the stored numbers."""
    # Bytes of the header chunk of a PNG: bits a sample, and the colour type (0 is grey).
    depth, grey = data[24], data[25] == 0
    return values // (255 // (2**depth - 1)) if grey and depth < 8 else values


def _single(image: NDArray[Any], path: Path) -> NDArray[Any]:
    if image.shape[2] != 1:
        raise InputError(
            f"{path} has {image.shape[2]} bands; a mask of kind 'raster' has one. If its colours "
            "are the classes, write 'kind: palette' under 'label'"
        )
    return image[..., 0]


def _colours(path: Path, head: bytes) -> NDArray[np.uint8]:
    if head.startswith(PNG):
        picture, valid = decode_photo(path.read_bytes(), str(path))
        if not valid.all():
            raise InputError(f"{path} has transparent pixels; save the mask without transparency")
    else:
        picture = _tiff_colours(path)
    if picture.dtype != np.uint8:
        raise InputError(f"{path} holds {picture.dtype}; a colour mask has 8 bits a channel")
    if picture.shape[2] == 1:
        picture = np.repeat(picture, 3, axis=2)
    return picture[..., :3].astype(np.uint8, copy=False)


def _tiff_colours(path: Path) -> NDArray[Any]:
    image, valid, _ = read_raster(path)
    if not valid.all():
        raise InputError(f"{path} has transparent or masked pixels; save it without a mask")
    if image.shape[2] in (3, 4):
        if image.shape[2] == 4 and (image[..., 3] != np.iinfo(np.uint8).max).any():
            raise InputError(f"{path} has transparent pixels; save it without transparency")
        return image[..., :3]
    with open_raster(path) as dataset:
        table = dataset.colormap(1) if "palette" in str(dataset.colorinterp[0]) else None
    if table is None or image.dtype != np.uint8:
        raise InputError(
            f"{path} is no colour mask: it has {image.shape[2]} bands of {image.dtype}"
        )
    lookup = np.array([table.get(i, (0, 0, 0, 0))[:3] for i in range(256)], np.uint8)
    colours: NDArray[np.uint8] = lookup[image[..., 0]]
    return colours
