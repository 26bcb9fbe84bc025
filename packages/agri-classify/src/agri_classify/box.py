"""The model in the box: a bundle that comes with the package, so that nothing has to be fetched."""

from __future__ import annotations

from pathlib import Path

BOXED = Path(__file__).parent / "models" / "eurosat-rgb.onnx"
"""Ten classes of EuroSAT from 64-pixel pictures in red, green and blue."""

MAX_NOTES = 65_536


def notes_of(bundle: Path) -> str:
    """Return what its makers wrote beside a bundle, in a file of its name ending in .md, or ""."""
    beside = bundle.with_suffix(".md")
    if not beside.is_file():
        return ""
    with beside.open("rb") as stream:
        return stream.read(MAX_NOTES).decode("utf-8", errors="replace")
