"""The keys of a `dataset.json`, and its reading as the record of a store."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from agri_core.bands import Band
from agri_core.files.errors import StoreError
from agri_core.files.records import Record, load_json, parse_json
from agri_core.legend import Legend
from pydantic import Field

from agri_data.store.info import SCHEMA, ArrayFile, BandStats, StoreInfo

Count = Annotated[int, Field(ge=0)]


class Arrays(Record):
    """The `.npy` files in order; the chips of one follow those of the one before."""

    images: tuple[ArrayFile, ...]
    masks: tuple[ArrayFile, ...]


class InfoFile(Record):
    """The description of a chip store."""

    version: Literal[1] = Field(alias="schema")
    name: str
    """Short name of the data set."""

    source: str
    """Where the imagery came from, in words."""

    licence: str
    """Of the imagery and its labels, in words."""

    chips: Count
    """The number of chips."""

    chip_size: Count
    """Side of a chip in pixels."""

    pixel_size: float | None
    """Ground size of a pixel in metres."""

    nodata: float | None
    """The value that means "no data" in every band."""

    bands: tuple[Band, ...]
    """In the order of the last array axis."""

    legend: Legend | None
    """The classes; null for unlabelled chips."""

    split: dict[str, Any] | None
    """How the chips were split; null before."""

    statistics: dict[str, BandStats] | None
    """Per band, over the train split; null before the split."""

    arrays: Arrays
    table_sha256: str
    """SHA-256 of `chips.csv`."""


def parse_info(text: str, where: str) -> StoreInfo:
    """Parse the text of a `dataset.json`.

    Raises:
        StoreError: it is not JSON, of another schema, or a key is missing or malformed.
    """
    content = load_json(text, where, _damaged)
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        got = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise StoreError(
            f"{where} must be a chip store description of schema {SCHEMA}, got {got!r}"
        )
    file = parse_json(InfoFile, text, where, _damaged)
    try:
        info = StoreInfo(
            name=file.name,
            source=file.source,
            licence=file.licence,
            bands=file.bands,
            chip_size=file.chip_size,
            pixel_size=file.pixel_size,
            legend=file.legend,
            nodata=file.nodata,
            split=file.split,
            stats=file.statistics,
            images=file.arrays.images,
            masks=file.arrays.masks,
            table_sha256=file.table_sha256,
        )
    except StoreError as error:
        raise _damaged(f"{where}: {error}") from error
    _check_arrays(info, file.chips, where)
    return info


def _check_arrays(info: StoreInfo, chips: int, where: str) -> None:
    """Refuse arrays that do not hold the recorded number of chips, each with its mask or none."""
    if not info.images or any(item.chips < 1 for item in (*info.images, *info.masks)):
        raise _damaged(f"{where}: every array file holds at least one chip")
    if info.chips != chips:
        raise _damaged(f"{where}: {chips} chips are recorded, {info.chips} in the arrays")
    masks = sum(item.chips for item in info.masks)
    if info.masks and masks != chips:
        raise _damaged(f"{where}: there are {chips} chips and {masks} masks")


def _damaged(message: str) -> StoreError:
    return StoreError(f"{message}; the store is damaged, build it again")
