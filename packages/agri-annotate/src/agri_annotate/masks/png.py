"""Masks as palette PNG."""

import zlib
from pathlib import Path

from agri_annotate.masks.runs import Runs


def write_png(path: Path, runs: Runs, palette: bytes) -> None:
    """Write a mask as PNG of mode P with the 256 colours of `palette`.

    A mask is long runs of one value: looking for them alone (RFC 1951 with repetitions at
    distance 1) is as quick as the lowest level, and the file half as large.
    """
    from PIL import Image

    image = Image.fromarray(runs.array())
    image.putpalette(palette)
    image.save(path, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
