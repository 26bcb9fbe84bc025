"""The report of a clustering: its figures, cards and pictures, gathered for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from agri_core.files.csvfile import csv_text
from agri_core.pages.uri import data_uri

from agri_cluster.artifact.balance import Balance
from agri_cluster.artifact.fitted import HISTORY, PRETRAIN, Fitted
from agri_cluster.data.pictures import Pictures, PictureSource
from agri_cluster.evaluation.merge import draw_dendrogram
from agri_cluster.report import charts
from agri_cluster.report.cards import Card, make_cards
from agri_cluster.report.gallery import draw_gallery
from agri_cluster.report.groups import Group, groups, leaves, tree
from agri_cluster.report.moments import moments
from agri_cluster.report.profile import Profiles, profiles
from agri_cluster.report.scatter import animate, draw_layout, draw_series
from agri_cluster.report.tsne import layouts

CARDS = 300
"""Groups with a card; of more the largest ones."""

SHEET = 100
SHOWN = (
    "tsne.png", "series.png", "tsne.gif", "tree.png", "sizes.png", "silhouettes.png",
    "confidence.png", "refreshes.png", "pretrain.png",
)  # fmt: skip
"""Pictures that stand on the page."""

WRITTEN = (*SHOWN, "gallery.png", "figures.csv", "profiles.csv")


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows.

    Attributes:
        source: the folder of the clustering.
        info: the content of cluster.json.
        tiles: how many were grouped.
        clusters: how many were asked for.
        balance: how evenly the tiles are spread over the clusters.
        groups: the clusters in use, by number.
        cards: one a group, similar ones next to each other; at most `CARDS`.
        unit: of the spectral profiles.
        history: a row per refresh; None where none was kept.
        pictures: data URIs by name of the file in the folder.
    """

    source: str
    info: Mapping[str, Any]
    tiles: int
    clusters: int
    balance: Balance
    groups: list[Group]
    cards: list[Card]
    unit: str
    history: pd.DataFrame | None
    pictures: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> list[int]:
        """Clusters without a tile."""
        used = {group.cluster for group in self.groups}
        return [cluster for cluster in range(self.clusters) if cluster not in used]


def make_report(
    fitted: Fitted,
    source: PictureSource,
    folder: Path,
    *,
    names: Mapping[int, str] | None = None,
    seed: int = 0,
    tsne: bool = True,
) -> Report:
    """Gather what the page shows and write pictures and tables into `folder`.

    Args:
        fitted: the clustering.
        source: the tiles it was fitted on.
        folder: an existing folder.
        names: given to clusters.
        seed: draws tiles; the same seed gives the same files.
        tsne: whether to lay out the embedding, which takes longest.

    Raises:
        InputError: a tile of the clustering is not in `source`.
    """
    rng = np.random.default_rng(seed)
    known = groups(fitted, names or {}, rng)
    ids = list(fitted.table["chip_id"])
    found = profiles(source, ids, fitted.labels, fitted.clusters, rng)
    joins = tree(fitted, known)
    chosen = {group.cluster for group in sorted(known, key=lambda g: -g.tiles)[:CARDS]}
    ordered = [known[position] for position in leaves(joins) if known[position].cluster in chosen]
    cards = make_cards(fitted, ordered, Pictures(source), found, rng)
    history = fitted.history if (fitted.path / HISTORY).is_file() else None
    _draw_charts(fitted, known, history, folder)
    _draw_sheet(cards, folder)
    if len(joins):
        draw_dendrogram(joins, [_title(group) for group in known], folder / "tree.png")
    if tsne:
        _draw_moments(fitted, rng, seed, folder)
    _write_tables(known, found, folder)
    return Report(
        source=str(fitted.path),
        info=fitted.info,
        tiles=len(fitted),
        clusters=fitted.clusters,
        balance=fitted.balance,
        groups=known,
        cards=cards,
        unit=found.unit,
        history=history,
        pictures={name: _uri(folder / name) for name in SHOWN if (folder / name).is_file()},
    )


def _draw_charts(
    fitted: Fitted, known: list[Group], history: pd.DataFrame | None, folder: Path
) -> None:
    if history is not None and len(history) > 1:
        charts.draw_refreshes(history, fitted.clusters, folder / "refreshes.png")
    if (fitted.path / PRETRAIN).is_file():
        losses = pd.read_csv(fitted.path / PRETRAIN)
        if len(losses) > 1:
            charts.draw_loss(losses, folder / "pretrain.png")
    charts.draw_sizes(known, folder / "sizes.png")
    confidence = fitted.table["confidence"].to_numpy(np.float64)
    charts.draw_confidence(confidence, fitted.clusters, folder / "confidence.png")
    if any(group.silhouette is not None for group in known):
        charts.draw_silhouettes(known, folder / "silhouettes.png")


def _draw_sheet(cards: list[Card], folder: Path) -> None:
    shown = [(_title(card.group), card.sheet) for card in cards[:SHEET]]
    draw_gallery(shown, folder / "gallery.png", "Tiles nearest to the centre of each cluster")


def _draw_moments(fitted: Fitted, rng: np.random.Generator, seed: int, folder: Path) -> None:
    found = moments(fitted, rng)
    frames = layouts([moment.rows for moment in found], seed)
    labels, titles = [m.labels for m in found], [m.title for m in found]
    title = f"{len(labels[-1]):,} tiles, t-SNE of the embedding"
    draw_layout(frames[-1], labels[-1], folder / "tsne.png", title)
    if len(found) > 1:
        draw_series(frames, labels, titles, folder / "series.png")
        animate(frames, labels, titles, folder / "tsne.gif")


def _write_tables(known: list[Group], found: Profiles, folder: Path) -> None:
    header = ("cluster", "name", "tiles", "share", "confidence", "margin", "silhouette", "ndvi")
    rows = [
        (
            group.cluster, group.name, group.tiles, f"{group.share:.6f}",
            f"{group.confidence:.6f}", f"{group.margin:.6f}", _figure(group.silhouette),
            _figure(None if found.ndvi is None else float(found.ndvi[group.cluster, 0])),
        )
        for group in known
    ]  # fmt: skip
    (folder / "figures.csv").write_text(csv_text(header, rows), encoding="utf-8")
    lines = [
        (group.cluster, band.name, *(_figure(float(part[group.cluster, position]))
         for part in (found.mean, found.deviation)), found.unit)
        for group in known
        for position, band in enumerate(found.bands)
    ]  # fmt: skip
    heads = ("cluster", "band", "mean", "deviation", "unit")
    (folder / "profiles.csv").write_text(csv_text(heads, lines), encoding="utf-8")


def _figure(value: float | None) -> str | None:
    return None if value is None or not np.isfinite(value) else f"{value:.6g}"


def _title(group: Group) -> str:
    name = f"{group.cluster} {group.name}".strip()
    return f"{name} · {group.tiles:,} tile{'' if group.tiles == 1 else 's'}"


def _uri(file: Path) -> str:
    return data_uri(file.read_bytes(), "gif" if file.suffix == ".gif" else "png")
