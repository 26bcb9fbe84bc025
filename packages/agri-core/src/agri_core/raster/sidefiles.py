"""Side files of a raster that GDAL opens by itself: overviews and masks, with any driver it has.

An overview file that is a virtual raster, or that the raster's own metadata name, would put pixels
of any file or address into a thinned read. So such files must be TIFF, and none is taken by name.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agri_core.files.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENED_BY_GDAL = (".ovr", ".OVR", ".msk", ".MSK")
"""Added to the name of the raster: its overviews and its mask, which may have both again."""

DEPTH = 3
"""Of side files of side files; the overviews of a mask are the second."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_IMAGINE = b"EHFA_HEADER_TAG"


def check_side_files(path: Path, depth: int = 0) -> None:
    """Refuse the raster at `path` for a side file that GDAL would open but must not.

    Raises:
        InputError: overviews or a mask are no TIFF, name a further overview file, or have side
            files themselves to no end; or overviews are those of ERDAS Imagine (`.aux`).
    """
    for suffix in OPENED_BY_GDAL:
        side = path.with_name(path.name + suffix)
        if not side.exists():
            continue
        if depth == DEPTH or not _head(side).startswith(_TIFF):
            raise InputError(
                f"{side} holds overviews or a mask of {path.name} but is no plain TIFF; delete it, "
                f"or make it again with 'gdaladdo -ro {path.name}'"
            )
        check_side_files(side, depth + 1)
        with _quietly_opened(side) as dataset:
            check_overview_tag(dataset, str(side))
    for side in (path.with_suffix(".aux"), path.with_name(path.name + ".aux")):
        if side != path and side.exists() and _head(side).startswith(_IMAGINE):
            raise InputError(
                f"{side} holds overviews in the format of ERDAS Imagine, which may name any other "
                f"file; delete it, or make TIFF ones with 'gdaladdo -ro {path.name}'"
            )


def check_overview_tag(dataset: Any, where: str) -> None:
    """Refuse an open raster whose metadata name an overview file; GDAL would read that instead.

    Raises:
        InputError: as said.
    """
    for key, value in dataset.tags(ns="OVERVIEWS").items():
        if key.casefold() == "overview_file":
            raise InputError(
                f"the metadata of {where} take its overviews from another file, {value!r:.80}; "
                "that is refused: delete that entry (or the .aux.xml that holds it), or copy the "
                "raster with 'gdal_translate -co COPY_SRC_MDD=NO'"
            )


def _head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as stream:
        return stream.read(len(_IMAGINE))


@contextmanager
def _quietly_opened(path: Path) -> Iterator[Any]:
    import rasterio

    with rasterio.open(path.absolute(), driver="GTiff") as dataset:
        yield dataset
