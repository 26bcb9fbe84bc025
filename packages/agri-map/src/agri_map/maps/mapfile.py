"""Read a class map: its legend from the file itself, its pixels block by block."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from agri_core.files.errors import InputError
from agri_core.files.records import parse_json
from agri_core.legend import IGNORE, Legend, LegendClass, colour
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from agri_map.maps.write import LEGEND
from agri_map.scene.raster import damaged, open_raster


def open_map(path: Path | str) -> DatasetReader:
    """Open a raster of class codes: one band of 8-bit whole numbers.

    Raises:
        MissingError: No such file.
        InputError: Not a raster of class codes.
    """
    dataset = open_raster(path)
    if dataset.count != 1 or dataset.dtypes[0] != "uint8":
        found = f"{dataset.count} band(s) of {dataset.dtypes[0]}"
        dataset.close()
        raise InputError(f"{path} is not a class map: expected one band of uint8, got {found}")
    return dataset


def read_legend(dataset: DatasetReader) -> Legend:
    """Give the classes of a map: from our tags, else from class-name tags and the palette.

    A map by someone else without names gets `class 0`, `class 1`, ... up to its largest code.
    """
    text = dataset.tags().get(LEGEND)
    if text:
        return parse_json(Legend, text, f"the {LEGEND} tag of {dataset.name}, which is damaged")
    tags = dataset.tags(1)
    named = [int(key[6:]) for key in tags if key.startswith("CLASS_") and key[6:].isdigit()]
    codes = np.flatnonzero(count_pixels(Path(dataset.name))[:IGNORE])
    top = max([1, *named, *map(int, codes)])
    palette = _palette(dataset)
    return Legend(
        tuple(
            LegendClass(
                code,
                tags.get(f"CLASS_{code}", f"class {code}"),
                palette.get(code, colour(code)),
            )
            for code in range(top + 1)
        )
    )


def read_blocks(dataset: DatasetReader) -> Iterator[tuple[Window, NDArray[np.uint8]]]:
    """Read a class map in bands of whole rows, from top to bottom; no-data becomes 255.

    Raises:
        InputError: The file is damaged.
    """
    step = max(1, dataset.block_shapes[0][0])
    nodata = dataset.nodatavals[0]
    for top in range(0, dataset.height, step):
        window = Window(0, top, dataset.width, min(step, dataset.height - top))
        try:
            block = dataset.read(1, window=window)
        except rasterio.errors.RasterioError as error:
            raise damaged(dataset.name, error) from error
        if nodata is not None and nodata != IGNORE:
            block[block == nodata] = IGNORE
        yield window, block


def count_pixels(path: Path) -> NDArray[np.int64]:
    """Count the pixels of each value, `(256,)`."""
    counts = np.zeros(256, np.int64)
    with open_map(path) as dataset:
        for _, block in read_blocks(dataset):
            counts += np.bincount(block.ravel(), minlength=256)
    return counts


def _palette(dataset: DatasetReader) -> dict[int, str]:
    try:
        colours = dataset.colormap(1)
    except ValueError:
        return {}
    return {code: "#{:02x}{:02x}{:02x}".format(*rgba[:3]) for code, rgba in colours.items()}
