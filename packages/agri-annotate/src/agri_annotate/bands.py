"""Open a picture with rasterio as what its content is, whatever its name says."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agri_annotate.errors import InputError

MAGIC = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"RIFF": "WEBP",
    b"BM": "BMP",
    b"\0\0\0\x0cjP": "JP2OpenJPEG",
    b"\xffO\xffQ": "JP2OpenJPEG",
}
"""First bytes of the formats that hold pixels themselves; others name files elsewhere."""


@contextlib.contextmanager
def open_bands(path: Path) -> Iterator[Any]:
    """Yield a rasterio dataset.

    Raises:
        InputError: it is no picture, or damaged; in the body also where it cannot be decoded.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    driver = _driver(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            # GDAL would take a relative name such as "a:b" for something other than a file.
            with rasterio.open(path.absolute(), driver=driver) as dataset:
                yield dataset
    except (RasterioError, UnicodeError) as error:
        raise InputError("it cannot be read as a picture, it is damaged or cut short") from error


def _driver(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}") from error
    for magic, driver in MAGIC.items():
        if head.startswith(magic):
            return driver
    raise InputError("it is no picture: expected TIFF, PNG, JPEG, WebP, BMP or JPEG 2000")
