"""What an `imagery.json` holds: the imagery of selected pieces, in the words of a description."""

from __future__ import annotations

from agri_core.bands import Unit
from agri_core.files.records import Record


class ImageryFile(Record):
    """The imagery that pieces were cut from."""

    name: str
    licence: str
    bands: tuple[str, ...]
    unit: Unit
    pixel: float | None = None
    nodata: float | None = None
