"""Check a `.keras` file before Keras reads it: its parts, their sizes, and the layers it names.

Keras refuses Lambda layers by itself (`safe_mode`), but follows other names of its own modules and
reads a file's weights into memory. A model of ours is made of a few kinds of layers; any other
kind, or a file too large to be one, is refused without a framework.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError
from agri_core.files.records import load_json

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
PARTS = {"metadata.json": 1 << 20, CONFIG: 16 << 20, WEIGHTS: 1 << 30}
"""The parts of a file and their largest sizes in bytes. VGG16, the largest encoder, has 60 MB."""

RATIO = 100
"""Largest ratio of compression: Keras stores weights as they are; trained ones do not compress."""

OURS = "agri_cluster."
KINDS = {
    "keras": {"DTypePolicy"},
    "keras.initializers": {
        "GlorotUniform", "HeNormal", "HeUniform", "Ones", "RandomNormal", "VarianceScaling",
        "Zeros",
    },
    "keras.layers": {
        "Activation", "Add", "Average", "AveragePooling2D", "BatchNormalization", "Concatenate",
        "Conv2D", "Dense", "Dropout", "Flatten", "GlobalAveragePooling2D", "InputLayer",
        "LeakyReLU", "MaxPooling2D", "ReLU", "Rescaling", "Reshape", "ZeroPadding2D",
    },
    "keras.src.models.functional": {"Functional"},
    "keras.models": {"Functional"},
    None: {"__keras_tensor__"},
}  # fmt: skip
"""Classes that our models are made of, by the module that a file names."""

LAYERS = ("BandStatistics", "Photograph", "Rotation", "UnitGroups")
"""Layers of this package."""


def check_model_file(path: Path) -> None:
    """Refuse a file that no fit of this package can have written.

    Raises:
        InputError: it is no archive, or a part of it is missing, too large, or of another kind.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(path, archive)
            config = archive.read(CONFIG)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path} is not a Keras model ({error}); fit again") from error
    for module, name in _classes(load_json(config, f"{path}: {CONFIG}")):
        ours = str(module).startswith(OURS) and name in LAYERS
        if not ours and name not in KINDS.get(module, ()):
            raise InputError(
                f"{path} names {str(module)[:80]!r}.{str(name)[:80]!r}, which no model of "
                "'agri-cluster fit' holds; it is not loaded. Use a clustering that you fitted"
            )


def _check_parts(path: Path, archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if sorted(part.filename for part in parts) != sorted(PARTS):
        names = ", ".join(repr(part.filename)[:60] for part in parts[:6])
        raise InputError(f"{path} holds {names}; {', '.join(PARTS)} are expected; fit again")
    for part in parts:
        most = min(PARTS[part.filename], RATIO * max(part.compress_size, 1 << 16))
        if part.file_size > most:
            raise InputError(
                f"{path}: {part.filename} unpacks to {part.file_size} bytes, at most {most} are "
                "expected; fit again"
            )


def _classes(content: Any) -> Iterator[tuple[Any, Any]]:
    """Yield module and name of each class that a configuration names, at any depth."""
    if isinstance(content, dict):
        if "class_name" in content:
            # Both may be anything in a stranger's file; only texts are looked up.
            module, name = content.get("module"), content["class_name"]
            yield (module if module is None else str(module)), str(name)
        content = list(content.values())
    if isinstance(content, list):
        for item in content:
            yield from _classes(item)
