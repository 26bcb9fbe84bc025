"""Representative tiles of a cluster, and strips and sheets of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from agri_core.files.atomic import replacing_file
from agri_core.pages.uri import data_uri
from agri_data.figures.picture import Rgb
from agri_data.figures.sheet import Panel, sheet

from agri_cluster.data.pictures import Pictures
from agri_cluster.data.tiles import Ints

SIDE = 72
"""Pixels of the longer side of a thumbnail."""

GAP = 2
QUALITY = 82
MOSAIC = (2, 4)
ACROSS = 5


@dataclass(frozen=True, slots=True)
class Picks:
    """Representative tiles of one cluster, as rows of the table; no tile is in two lists.

    Attributes:
        nearest: those closest to the centre, closest first.
        uncertain: those with the least margin over the second cluster, least first.
        chance: any of the others, drawn at random.
    """

    nearest: Ints
    uncertain: Ints
    chance: Ints


def pick(table: pd.DataFrame, cluster: int, count: int, rng: np.random.Generator) -> Picks:
    """Choose up to `count` tiles of each kind; a small cluster fills `nearest` first."""
    rows = np.flatnonzero(table["cluster"].to_numpy() == cluster).astype(np.int64)
    order = np.argsort(table["distance"].to_numpy()[rows], kind="stable")
    nearest, rest = rows[order[:count]], np.sort(rows[order[count:]])
    order = np.argsort(table["margin"].to_numpy()[rest], kind="stable")
    uncertain, rest = rest[order[:count]], np.sort(rest[order[count:]])
    chance = np.sort(rng.choice(rest, min(count, len(rest)), replace=False))
    return Picks(nearest, uncertain, chance)


def thumbnails(pictures: Pictures, ids: Sequence[str], side: int = SIDE) -> Rgb:
    """Return the tiles named at thumbnail size, `(n, h, w, 3)`, longer side `side`.

    Shrinking averages; small tiles grow by whole factors, so their pixels stay pixels.
    """
    shown = pictures.of(ids)
    height, width = shown.shape[1:3]
    scale = side / max(height, width)
    scale = max(1, int(scale)) if scale >= 1 else scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.stack([cv2.resize(picture, size, interpolation=how) for picture in shown])


def mosaic(tiles: Rgb, rows: int, columns: int) -> Rgb:
    """Lay tiles `(n, h, w, 3)` out in reading order with white gaps; missing ones stay white."""
    height, width = tiles.shape[1] + GAP, tiles.shape[2] + GAP
    out = np.full((rows * height - GAP, columns * width - GAP, 3), 255, np.uint8)
    for position, tile in enumerate(tiles[: rows * columns]):
        top, left = position // columns * height, position % columns * width
        out[top : top + height - GAP, left : left + width - GAP] = tile
    return out


def strip(tiles: Rgb) -> str:
    """Return tiles side by side as one small JPEG in a data URI."""
    return jpeg_uri(mosaic(tiles, 1, len(tiles)))


def jpeg_uri(picture: Rgb) -> str:
    """Return a picture as a JPEG in a data URI."""
    from PIL import Image

    sink = io.BytesIO()
    Image.fromarray(picture).save(sink, "JPEG", quality=QUALITY, optimize=True)
    return data_uri(sink.getvalue(), "jpeg")


def draw_gallery(mosaics: Sequence[tuple[str, Rgb]], path: Path, title: str) -> Path:
    """Draw a sheet of captioned mosaics, one a cluster, five across."""
    panels = [Panel(picture, caption) for caption, picture in mosaics]
    across = min(ACROSS, len(panels))
    rows = [panels[start : start + across] for start in range(0, len(panels), across)]
    sheet(rows, None, path, title, panel=2.4)
    return _lighten(path)


def _lighten(path: Path) -> Path:
    """Reduce a PNG to 256 colours, a third of the bytes."""
    from PIL import Image

    with Image.open(path) as image:
        light = image.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE)
    with replacing_file(path) as temporary:
        light.save(temporary, format="PNG", optimize=True)
    return path
