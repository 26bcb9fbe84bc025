"""A card for each cluster: representative tiles, profile and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from agri_core.files.console import progress
from agri_data.figures.picture import Rgb

from agri_cluster.artifact.fitted import Fitted
from agri_cluster.data.pictures import Pictures
from agri_cluster.data.tiles import Ints
from agri_cluster.report.gallery import jpeg_uri, mosaic, pick, thumbnails
from agri_cluster.report.groups import Group
from agri_cluster.report.profile import Doubles, Profiles
from agri_cluster.report.spectrum import Spectrum, highest, spectrum

COLUMNS = 4
FACE = 48
LARGE, SMALL = 96, 72
"""Pixels of a thumbnail's longer side, on a page of few cards and of many."""

FEW, MANY = 30, 120
"""Up to FEW cards thumbnails are large; beyond MANY a card shows one row of them, not two."""


@dataclass(frozen=True, slots=True)
class View:
    """Tiles of one kind side by side: what they are, a JPEG in a data URI, their names."""

    caption: str
    uri: str
    ids: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of tiles, COLUMNS in each but the last."""
        return -(-len(self.ids) // COLUMNS)

    @property
    def last(self) -> float:
        """The share of the last row that holds tiles, 0..1."""
        return (len(self.ids) - COLUMNS * (self.rows - 1)) / COLUMNS


@dataclass(frozen=True, slots=True)
class Card:
    """What the page shows of one group.

    Attributes:
        group: its figures.
        face: its tile closest to the centre, a small JPEG in a data URI.
        views: tiles nearest to the centre, least certain, and any.
        sheet: the nearest ones as a picture, for the sheet of all groups.
        spectrum: its spectral profile; None without a pixel with data.
        ndvi: mean and standard deviation; None without the bands or a pixel with data.
    """

    group: Group
    face: str
    views: tuple[View, ...]
    sheet: Rgb
    spectrum: Spectrum | None
    ndvi: tuple[float, float] | None


def make_cards(
    fitted: Fitted,
    groups: Sequence[Group],
    pictures: Pictures,
    found: Profiles,
    rng: np.random.Generator,
) -> list[Card]:
    """Make a card for each of `groups`, in their order."""
    rows = 1 if len(groups) > MANY else 2
    side = LARGE if len(groups) <= FEW else SMALL
    sizes = np.bincount(fitted.labels, minlength=fitted.clusters)
    overall = _overall(found, sizes)
    top = highest(found)
    cards = []
    for group in progress(groups, "cards"):
        views, nearest = _views(fitted, group, pictures, (rows, side), rng)
        cards.append(
            Card(
                group=group,
                face=jpeg_uri(thumbnails(pictures, views[0].ids[:1], FACE)[0]),
                views=views,
                sheet=mosaic(nearest, 2, COLUMNS),
                spectrum=spectrum(found, group.cluster, overall, top),
                ndvi=_ndvi(found, group.cluster),
            )
        )
    return cards


def _views(
    fitted: Fitted,
    group: Group,
    pictures: Pictures,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[tuple[View, ...], Rgb]:
    rows, side = size
    picks = pick(fitted.table, group.cluster, rows * COLUMNS, rng)
    ids = fitted.table["chip_id"].to_numpy()
    whole = not len(picks.uncertain)
    kinds = (
        ("all its tiles, nearest first" if whole else "nearest to the centre", picks.nearest),
        ("least certain", picks.uncertain),
        ("drawn at random", picks.chance),
    )
    views, first = [], None
    for caption, chosen in kinds:
        if len(chosen):
            names = tuple(str(name) for name in ids[chosen])
            tiles = thumbnails(pictures, names, side)
            first = tiles if first is None else first
            picture = mosaic(tiles, -(-len(tiles) // COLUMNS), COLUMNS)
            views.append(View(caption, jpeg_uri(picture), names))
    return tuple(views), np.asarray(first, np.uint8)


def _ndvi(found: Profiles, cluster: int) -> tuple[float, float] | None:
    if found.ndvi is None or not np.isfinite(found.ndvi[cluster]).all():
        return None
    mean, deviation = found.ndvi[cluster].tolist()
    return mean, deviation


def _overall(found: Profiles, sizes: Ints) -> Doubles:
    """The mean of all tiles, `(C,)`, clusters weighing as many tiles as they hold."""
    known = np.isfinite(found.mean)
    weights = sizes[:, None] * known
    total = np.maximum(weights.sum(axis=0), 1)
    return np.asarray((np.where(known, found.mean, 0.0) * weights).sum(axis=0) / total, np.float64)
