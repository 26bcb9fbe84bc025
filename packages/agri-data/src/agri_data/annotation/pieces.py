"""Pieces of imagery as files: a picture to draw on, and all bands to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import replacing_dir, write_json, write_text
from agri_core.files.console import progress
from agri_core.files.csvfile import csv_text
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from numpy.typing import NDArray

from agri_data.annotation.select import describe_piece, match_groups, spread, spread_by_group
from agri_data.build import unpacked
from agri_data.figures.picture import composite, picture_bands
from agri_data.sources.description.description import (
    Description,
    EurosatDescription,
    PairsDescription,
)
from agri_data.sources.description.label import LabelSpec
from agri_data.sources.skips import Losses
from agri_data.sources.source import Source, describe, open_source
from agri_data.sources.windows import Cut
from agri_data.store.info import StoreInfo
from agri_data.store.table import ChipRecord

MARKER = "selected.csv"
PICTURES, IMAGES = "pictures", "images"
IMAGERY, CLASSES = "imagery.json", "classes.json"


@dataclass(frozen=True, slots=True)
class SelectionRequest:
    """How many pieces, how large, and which at all.

    Attributes:
        count: pieces to choose.
        size: side of a piece in pixels.
        valid: least share of pixels with data.
        groups: group by piece id, such as clusters; empty for none.
        chosen: exactly these pieces in this order, with the group of each; `count` and `valid`
            are then not used, and there are no `groups`.
    """

    count: int
    size: int
    valid: float = 0.9
    groups: dict[str, str] | None = None
    chosen: dict[str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse what chooses nothing."""
        if self.count < 1 or self.size < 16:
            raise InputError(
                f"at least 1 piece of 16 pixels is expected, got {self.count} of {self.size}"
            )
        if not 0 <= self.valid <= 1:
            raise InputError(f"valid is a share from 0 to 1, got {self.valid:g}")
        if self.groups and self.chosen:
            raise InputError("pieces are chosen by a list or by groups, got both; give one")


def select_pieces(
    path: Path, out: Path, request: SelectionRequest, root: Path | None = None
) -> int:
    """Cut a source into pieces and write those worth drawing on; return how many there were.

    `out` then holds `pictures/ID.png` in natural colour with their georeference, `images/ID.tif`
    with all bands, `selected.csv` in the order of choice, `imagery.json`, and `classes.json` where
    the source has a legend.

    Raises:
        AgriError: the source is not as it must be, no piece has enough data, or a chosen piece is
            not there.
    """
    whole = describe(path, root)
    bare = _unlabelled(whole, path)
    with unpacked(bare, out, Losses(False)) as description:
        legend = None if isinstance(whole, EurosatDescription) else whole.legend
        return _select(description, path, out, request, legend)


def _select(
    description: Description,
    path: Path,
    out: Path,
    request: SelectionRequest,
    legend: Legend | None,
) -> int:
    cut = Cut(request.size)
    groups, total = _choose(open_source(description, cut, Losses(False)), path, request)
    with replacing_dir(out) as folder:
        source = open_source(description, cut, Losses(False))
        records = _write_pieces(source, set(groups), folder)
        _refuse_strangers(list(groups), records, path)
        _write_imagery(folder / IMAGERY, source.info)
        if legend is not None:
            write_text(folder / CLASSES, legend.to_json())
        header = ["chip_id", "source", "row", "col", "group"]
        rows = [
            [name, records[name].source, records[name].row, records[name].col, group]
            for name, group in groups.items()
        ]
        write_text(folder / MARKER, csv_text(header, rows))
    return total


def _choose(source: Source, path: Path, request: SelectionRequest) -> tuple[dict[str, str], int]:
    """Return the chosen pieces in order with the group of each, and how many there were."""
    if request.chosen is not None:
        return request.chosen, len(request.chosen)
    ids, features = _survey(source, request)
    if not ids:
        raise InputError(
            f"no piece of {path} has data on {request.valid:.0%} of its pixels; ask for less with "
            "--valid, or for smaller pieces"
        )
    if request.groups:
        chosen = spread_by_group(features, match_groups(ids, request.groups), request.count)
    else:
        chosen = spread(features, request.count)
    return {ids[row]: (request.groups or {}).get(ids[row], "") for row in chosen}, len(ids)


def _refuse_strangers(names: Sequence[str], records: Mapping[str, ChipRecord], path: Path) -> None:
    missing = [name for name in names if name not in records]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(names)} chosen pieces are not in {path}, the first is "
            f"{missing[0]}; were they made with the same --size and no overlap?"
        )


def _unlabelled(description: Description, path: Path) -> Description:
    """Leave the labels of a source alone: what to draw on must not be chosen by them."""
    if isinstance(description, EurosatDescription):
        raise InputError(f"{path}: EuroSAT patches are labelled already, and too small to draw on")
    bare = replace(description, legend=None, label=LabelSpec(), masks="", suffix="")
    if isinstance(bare, PairsDescription):
        return bare
    return replace(bare, scenes=tuple(replace(s, label="", kind="") for s in bare.scenes))


def _survey(source: Source, request: SelectionRequest) -> tuple[list[str], NDArray[np.float64]]:
    ids, features = [], []
    for record, image, _ in progress(source, "survey", source.expected):
        if record.valid_fraction >= request.valid:
            ids.append(record.chip_id)
            features.append(describe_piece(image, source.info.nodata))
    return ids, np.array(features)


def _write_pieces(source: Source, names: Set[str], folder: Path) -> dict[str, ChipRecord]:
    written = {}
    for name in (PICTURES, IMAGES):
        (folder / name).mkdir()
    bands = [band.name for band in source.info.bands]
    unit = source.info.bands[0].unit
    for record, image, _ in progress(source, "pieces", source.expected):
        if record.chip_id in names:
            written[record.chip_id] = record
            picture = composite(image, bands, picture_bands(bands), unit=unit)
            _write_raster(folder / PICTURES / f"{record.chip_id}.png", picture, record, None, ())
            path = folder / IMAGES / f"{record.chip_id}.tif"
            _write_raster(path, image, record, source.info.nodata, bands)
    return written


def _write_raster(
    path: Path, image: NDArray[Any], record: ChipRecord, nodata: float | None, bands: Sequence[str]
) -> None:
    import warnings

    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.transform import Affine

    height, width, count = image.shape
    place: dict[str, Any] = {}
    if record.crs and record.transform:
        numbers = (float(n) for n in record.transform.split())
        place = {"crs": record.crs, "transform": Affine(*numbers)}
    driver = "PNG" if path.suffix == ".png" else "GTiff"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", driver=driver, height=height, width=width, count=count,
            dtype=image.dtype, nodata=nodata, **place,
        ) as target:  # fmt: skip
            target.write(np.moveaxis(image, -1, 0))
            for number, name in enumerate(bands, start=1):
                target.set_band_description(number, name)


def _write_imagery(path: Path, info: StoreInfo) -> None:
    content: dict[str, Any] = {
        "name": info.name,
        "licence": info.licence,
        "bands": [band.name for band in info.bands],
        "unit": info.bands[0].unit,
    }
    optional = {"pixel": info.pixel_size, "nodata": info.nodata}
    content |= {key: value for key, value in optional.items() if value is not None}
    write_json(path, content)
