"""The bundled models: bundles that come with the package, so that nothing has to be fetched."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "models"

BOXED = FOLDER / "eurosat-rgb.onnx"
"""Ten classes of EuroSAT from 64-pixel pictures in red, green and blue."""

ROBUST = FOLDER / "eurosat-rgb-robust.onnx"
"""The same for pictures without fine texture: saved again as JPEG, or resampled."""

MAX_NOTES = 65_536


def find_model(name: str) -> Path:
    """Return the path of a bundle: that of the box where `name` is one of its models.

    Example:
        >>> find_model("eurosat-rgb").name, str(find_model("runs/model.onnx"))
        ('eurosat-rgb.onnx', 'runs/model.onnx')
    """
    boxed = {path.stem: path for path in (BOXED, ROBUST)}
    return boxed.get(name, Path(name))


def notes_of(bundle: Path) -> str:
    """Return what its makers wrote beside a bundle, in a file of its name ending in .md, or ""."""
    beside = bundle.with_suffix(".md")
    if not beside.is_file():
        return ""
    with beside.open("rb") as stream:
        return stream.read(MAX_NOTES).decode("utf-8", errors="replace")
