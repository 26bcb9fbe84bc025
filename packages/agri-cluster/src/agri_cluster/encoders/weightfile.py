"""A Keras weights file as arrays under layer names, whatever its layout."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from agri_core.files.errors import InputError, MissingError
from numpy.typing import NDArray

Stored = Mapping[str, Sequence[NDArray[np.float32]]]

MAX_BYTES = 1024**3
"""Largest table or archive read: VGG16 with its classifier, the largest encoder, has 553 MB."""
_INNER = "model.weights.h5"


def read_weights(path: Path) -> Stored:
    """Read the arrays of each layer, in their order; "/" in a name becomes "_".

    Raises:
        MissingError: there is no such file.
        InputError: it is not a Keras weights file, or is damaged.
    """
    if not path.is_file():
        raise MissingError(
            f"there is no weights file {path}; give 'none', 'imagenet', or the path of a .keras, "
            ".weights.h5 or .h5 file"
        )
    try:
        with h5py.File(_content(path), "r") as file:
            stored = _read(file)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is not a Keras weights file ({error}); a .keras, .weights.h5 or .h5 file is "
            "expected"
        ) from error
    if not stored:
        raise InputError(f"{path} holds no layer with weights")
    return stored


def _content(path: Path) -> Path | io.BytesIO:
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(_INNER).file_size > MAX_BYTES:
            raise ValueError(f"{_INNER} declares more than {MAX_BYTES} bytes")
        return io.BytesIO(archive.read(_INNER))


def _read(file: Any) -> Stored:
    root = file.get("model_weights", file)
    found = _old(root) if "layer_names" in root.attrs else _new(file)
    return {name.replace("/", "_"): arrays for name, arrays in found if arrays}


def _old(root: Any) -> Iterator[tuple[str, list[NDArray[np.float32]]]]:
    for name in map(_text, root.attrs["layer_names"]):
        group = root[name]
        yield name, [_array(group[_text(item)]) for item in group.attrs["weight_names"]]


def _new(file: Any) -> Iterator[tuple[str, list[NDArray[np.float32]]]]:
    groups: list[Any] = []
    file.visititems(lambda name, item: groups.append(item) if _is_vars(name, item) else None)
    for group in groups:
        numbers = sorted(group, key=int)
        yield _text(group.attrs.get("name", group.parent.name)), [_array(group[n]) for n in numbers]


def _is_vars(name: str, item: Any) -> bool:
    return name.rpartition("/")[2] == "vars" and isinstance(item, h5py.Group)


def _array(item: Any) -> NDArray[np.float32]:
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu":
        raise ValueError(f"{getattr(item, 'name', item)} is not a table of numbers")
    if item.external:
        raise ValueError(f"{item.name} lies in another file")
    if item.nbytes > MAX_BYTES:
        raise ValueError(f"{item.name} declares more than {MAX_BYTES} bytes")
    return np.asarray(item[()], np.float32)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
