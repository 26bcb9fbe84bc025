"""The bundled models: bundles shipped with the package, so that nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "models"

BUNDLED = FOLDER / "eurosat-rgb.onnx"
"""Ten EuroSAT classes from 64-pixel pictures in red, green and blue."""

ROBUST = FOLDER / "eurosat-rgb-robust.onnx"
"""The same classes for pictures without fine texture: recompressed JPEGs, resampled imagery."""

MAX_NOTES = 65_536
"""Largest model card in bytes; a longer file is cut off."""


def find_model(name: str) -> Path:
    """Return the path of a bundle; `name` is a path or the name of a bundled model.

    Example:
        >>> find_model("eurosat-rgb").name, str(find_model("runs/model.onnx"))
        ('eurosat-rgb.onnx', 'runs/model.onnx')
    """
    known = {path.stem: path for path in (BUNDLED, ROBUST)}
    return known.get(name, Path(name))


def notes_of(bundle: Path) -> str:
    """Return the model card of a bundle, the file of the same name ending in .md; "" if none."""
    card = bundle.with_suffix(".md")
    if not card.is_file():
        return ""
    with card.open("rb") as stream:
        return stream.read(MAX_NOTES).decode("utf-8", errors="replace")
