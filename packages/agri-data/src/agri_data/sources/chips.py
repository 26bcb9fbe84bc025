"""Chip ids and the rejection of chips, shared by the cutting of images and of scenes."""

from __future__ import annotations

import re

from agri_core.legend import IGNORE
from agri_core.raster.facts import Facts
from agri_core.raster.grid import Grid
from agri_core.raster.pixel_area import pixel_metres

from agri_data.sources.description.description import ImageryDescription, PairsDescription
from agri_data.sources.readers.imagery import Layout
from agri_data.store.info import StoreInfo
from agri_data.store.table import ChipRecord
from agri_data.store.writer import Image, Mask

Chip = tuple[ChipRecord, Image, Mask | None]

EMPTY = "no pixel with data"
UNLABELLED = "fewer labelled pixels than 'labelled' asks for"


def store_info(
    description: ImageryDescription, layout: Layout, first: Facts, size: int
) -> StoreInfo:
    """Describe the chip store that a description of pairs or scenes makes.

    Args:
        description: of the source.
        layout: of its bands.
        first: facts of the first image, which tells the pixel size where the description does not.
        size: side of a chip in pixels.
    """
    form = "pairs" if isinstance(description, PairsDescription) else "scenes"
    kind, pixel = description.label.kind, description.imagery.pixel
    if pixel is None and first.transform is not None:
        pixel = pixel_metres(Grid(first.crs, first.transform, *first.shape))
    return StoreInfo(
        name=description.name,
        source=f"{form}, labels: {kind}",
        licence=description.licence,
        bands=layout.bands,
        chip_size=size,
        pixel_size=pixel,
        legend=description.legend if kind != "none" else None,
        nodata=layout.nodata,
    )


class ChipIds:
    """Chip ids that are unique and safe as file names: "north-2020_r64_c0"."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._used: set[str] = set()

    def make(self, key: str, row: int, col: int) -> str:
        """Return the id of the chip at `(row, col)` of the image or scene `key`."""
        self.begin(key)
        return f"{self._names[key]}_r{row}_c{col}"

    def begin(self, key: str) -> None:
        """Return the name of the image or scene `key`; equal names are distinguished by order.

        Called for each before its chips, so that an id does not depend on what is left out.
        """
        if key not in self._names:
            plain = re.sub(r"[^\w.-]+", "-", key).strip("-.") or "image"
            name, number = plain, 2
            while name in self._used:
                name, number = f"{plain}~{number}", number + 1
            self._used.add(name)
            self._names[key] = name


def rejection(fraction: float, mask: Mask | None, labelled: float) -> str:
    """Return the reason why a chip is left out, "" where it is kept.

    Args:
        fraction: share of its pixels with data.
        mask: its class ids, None for unlabelled imagery.
        labelled: least share of pixels with a class.
    """
    if fraction == 0:
        return EMPTY
    if mask is not None and labelled > 0 and float((mask != IGNORE).mean()) < labelled:
        return UNLABELLED
    return ""
