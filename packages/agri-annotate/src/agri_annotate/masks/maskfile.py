"""Mask files: their names, and writing them as palette PNG or as GeoTIFF."""

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agri_core.legend import IGNORE, Legend

from agri_annotate.choices import Format
from agri_annotate.masks.png import write_png
from agri_annotate.masks.runs import Runs
from agri_annotate.model.pictures import Header

LONGEST = 120
"""Bytes of a mask's name before its ending, so that it fits any file system."""

# GDAL's own default; TIFF asks for multiples of 16.
BLOCK = 256
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]|\s')
# Names that Windows keeps for devices, whatever their ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def mask_names(pictures: Sequence[str], ending: str) -> list[str]:
    """Return a file name a picture, each different even where case makes no difference.

    That is the picture's name with its ending replaced; where two would be one, both keep their
    own ending (`a.jpg.png`), and what is still no different gets a number.
    """
    plain = [_safe(Path(name).stem) for name in pictures]
    often = Counter(name.casefold() for name in plain)
    taken: set[str] = set()
    names = []
    for name, stem in zip(pictures, plain, strict=True):
        base = stem if often[stem.casefold()] == 1 else _safe(Path(name).name)
        names.append(_free(base, ending, taken))
    return names


def write_mask(path: Path, runs: Runs, legend: Legend, header: Header, kind: Format) -> None:
    """Write a mask; a GeoTIFF has the place of the picture if that has one.

    Not atomic by itself: masks go into a folder that takes its place when all are written.
    """
    if kind == "png":
        write_png(path, runs, legend.palette())
        return
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    # A classic TIFF ends at 4 GB, and the compressed size is not known beforehand: "if_safer".
    profile: dict[str, Any] = {
        "driver": "GTiff", "dtype": "uint8", "count": 1, "height": runs.height, "width": runs.width,
        "nodata": IGNORE, "compress": "deflate", "zlevel": 1, "bigtiff": "if_safer",
        "tiled": min(runs.height, runs.width) >= BLOCK, "crs": header.crs,
        "transform": header.transform,
    }  # fmt: skip
    if profile["tiled"]:
        profile |= {"blockxsize": BLOCK, "blockysize": BLOCK}
    palette = legend.palette()
    colours = {i: (*palette[3 * i : 3 * i + 3], 255) for i in range(IGNORE + 1)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **profile) as file:
            file.write(runs.array(), 1)
            file.write_colormap(1, colours)


def _safe(name: str) -> str:
    """Return `name` without what a file system, a shell or a table may trip over."""
    name = _UNSAFE.sub("_", name).strip(". ")
    # A character that the cut goes through is dropped.
    name = name.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore").rstrip(". ")
    return f"_{name}" if not name or _DEVICES.match(name) else name


def _free(base: str, ending: str, taken: set[str]) -> str:
    name, number = f"{base}.{ending}", 2
    while name.casefold() in taken:
        name, number = f"{base}-{number}.{ending}", number + 1
    taken.add(name.casefold())
    return name
