"""Sources: iterables of chips, so that a store is written as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from agri_core.files.errors import InputError, MissingError
from agri_core.files.ownership import add_input

from agri_data.sources.description.description import (
    Description,
    EurosatDescription,
    PairsDescription,
)
from agri_data.sources.description.parse import check_root, read_description
from agri_data.sources.eurosat import SIZE, EurosatSource, is_eurosat
from agri_data.sources.pairs import PairsSource
from agri_data.sources.scenes import ScenesSource
from agri_data.sources.skips import Losses
from agri_data.sources.windows import Cut
from agri_data.store.info import StoreInfo
from agri_data.store.table import ChipRecord
from agri_data.store.writer import Image, Mask

DEFAULT_CUT = Cut(SIZE)


class Source(Protocol):
    """Chips in a fixed order, and the description of the store they make."""

    @property
    def info(self) -> StoreInfo:
        """The description of the store."""

    @property
    def losses(self) -> Losses:
        """Files and chips left out; complete once the iteration has ended."""

    def __iter__(self) -> Iterator[tuple[ChipRecord, Image, Mask | None]]:
        """Yield each chip's record, image `(H, W, C)` and mask `(H, W)` or None."""

    @property
    def expected(self) -> int | None:
        """The number of chips where it is known beforehand, for a progress bar."""

    def notes(self) -> list[str]:
        """Remarks for the summary, such as classes that are not complete."""


def read_source(
    path: Path, *, cut: Cut = DEFAULT_CUT, root: Path | None = None, skip: bool = False
) -> Source:
    """Open a description (YAML), or a EuroSAT archive or folder directly.

    Args:
        path: the description, archive or folder.
        cut: chip size and overlap; EuroSAT patches are chips as they are.
        root: the folder of the data, in place of the description's own `root`.
        skip: skip and list unreadable files instead of refusing at the first.

    Raises:
        AgriError: the description or the first files are not as they must be.
    """
    return open_source(describe(path, root), cut, Losses(skip))


def describe(path: Path, root: Path | None = None) -> Description:
    """Return the description in the file `path`, or the one of a EuroSAT archive or folder.

    Raises:
        AgriError: `path` is neither, or the description is wrong.
    """
    add_input(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        description = read_description(path, root)
        add_input(description.root)
        check_root(description.root, path, root is not None)
        return description
    if not path.exists():
        raise MissingError(f"there is no file or folder {path}")
    if root is None and is_eurosat(path):
        return EurosatDescription("eurosat", path)
    raise InputError(
        f"{path} is neither a description (.yaml) nor a EuroSAT archive or folder; describe your "
        "imagery in a YAML file, see docs/own-data"
    )


def open_source(description: Description, cut: Cut, losses: Losses) -> Source:
    """Open the source that a description describes.

    Raises:
        AgriError: the first files are not as they must be.
    """
    if isinstance(description, EurosatDescription):
        return EurosatSource(description, losses)
    if isinstance(description, PairsDescription):
        return PairsSource(description, cut, losses)
    return ScenesSource(description, cut, losses)
