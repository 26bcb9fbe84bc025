"""The model in the box: a bundle that comes with the package, so that nothing has to be fetched."""

from __future__ import annotations

from pathlib import Path

BOXED = Path(__file__).parent / "models" / "eurosat-rgb.onnx"
"""Ten classes of EuroSAT from 64-pixel pictures in red, green and blue."""


def notes_of(bundle: Path) -> str:
    """Return what its makers wrote beside a bundle, in a file of its name ending in .md, or ""."""
    beside = bundle.with_suffix(".md")
    return beside.read_text(encoding="utf-8") if beside.is_file() else ""
