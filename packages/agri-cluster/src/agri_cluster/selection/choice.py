"""Choose tiles of each cluster, and order them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from agri_core.files.errors import InputError
from agri_core.files.hints import hint
from agri_data.annotation.select import farthest_first

from agri_cluster.artifact.fitted import Fitted
from agri_cluster.choices import How
from agri_cluster.data.tiles import Floats, Ints, Tiles
from agri_cluster.evaluation.merge import merge_clusters

HOW: tuple[str, ...] = get_args(How)

LIMIT = 20_000
"""Tiles of a cluster that `diverse` chooses from, drawn at random, to bound memory."""


@dataclass(frozen=True, slots=True)
class SelectionRequest:
    """Number and kind of the tiles to choose.

    Attributes:
        count: maximum in all, the clusters taking turns; None for no limit.
        each: maximum per cluster; None for no limit.
        how: "nearest" to the centre; "diverse", each as far as possible from those before it;
            "boundary", with the smallest margin over the second cluster.
        confidence: minimum soft label of a tile for its own cluster, 0..1.
    """

    count: int | None
    each: int | None = None
    how: How = "diverse"
    confidence: float = 0.0

    def __post_init__(self) -> None:
        """Check the values."""
        for name, number in (("--count", self.count), ("--each", self.each)):
            if number is not None and number < 1:
                raise InputError(f"{name} is a number of tiles from 1, got {number}")
        if self.how not in HOW:
            near = hint(self.how, HOW)
            raise InputError(f"--how is one of {', '.join(HOW)}, got {self.how!r}{near}")
        if not 0 <= self.confidence <= 1:
            raise InputError(f"--confidence is from 0 to 1, got {self.confidence:g}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tiles chosen, in order.

    Attributes:
        rows: of the table, `(n,)`.
        ranks: order within the cluster: 1 for the first, 2 for the second; `(n,)`.
    """

    rows: Ints
    ranks: Ints


def grouped(fitted: Fitted, groups: int | None) -> tuple[Ints, int]:
    """Return the group of each tile, `(N,)`, and how many there are.

    Without `groups` they are the clusters, else what `merge_clusters` makes of those.
    """
    labels = fitted.labels
    if groups is None:
        return labels, fitted.clusters
    sizes = np.bincount(labels, minlength=fitted.clusters)
    return merge_clusters(fitted.centres, sizes, groups)[labels], groups


def choose_tiles(
    table: pd.DataFrame,
    labels: Ints,
    embedding: Tiles,
    kept: Sequence[int],
    request: SelectionRequest,
    rng: np.random.Generator,
) -> Chosen:
    """Choose tiles of the clusters `kept`, which take turns in rising order.

    Args:
        table: `confidence`, `margin` and `distance` of each tile.
        labels: the cluster of each tile, `(N,)`.
        embedding: rows `(D,)`, one a tile.
        kept: clusters to choose from.
        request: how many, and which.
        rng: draws the candidates of a very large cluster.

    Raises:
        InputError: no tile of these clusters is confident enough.
    """
    sure = table["confidence"].to_numpy() >= request.confidence
    members = [np.flatnonzero((labels == cluster) & sure) for cluster in sorted(set(kept))]
    if not any(len(rows) for rows in members):
        most = table["confidence"].to_numpy()[np.isin(labels, list(kept))].max(initial=0)
        raise InputError(
            f"no tile of the {len(members)} clusters has a confidence of {request.confidence:g}; "
            f"the highest is {most:.3g}; use a lower --confidence"
        )
    numbers = quotas([len(rows) for rows in members], request)
    queues = [
        _best(table, rows, embedding, number, request.how, rng)
        for rows, number in zip(members, numbers, strict=True)
    ]
    rows = np.concatenate(queues)
    ranks = np.concatenate([np.arange(1, len(queue) + 1) for queue in queues])
    order = np.argsort(ranks, kind="stable")
    return Chosen(rows[order], ranks[order])


def quotas(sizes: Sequence[int], request: SelectionRequest) -> list[int]:
    """Return the number of tiles per cluster when they take turns until the request is met."""
    left = [size if request.each is None else min(size, request.each) for size in sizes]
    if request.count is None or sum(left) <= request.count:
        return left
    given, count = [0] * len(left), request.count
    while count:
        open_ = [position for position, size in enumerate(left) if size > given[position]]
        turn = max(count // len(open_), 1)
        for position in open_[:count]:
            step = min(turn, left[position] - given[position])
            given[position] += step
            count -= step
    return given


def _best(
    table: pd.DataFrame,
    rows: Ints,
    embedding: Tiles,
    number: int,
    how: str,
    rng: np.random.Generator,
) -> Ints:
    if how == "diverse":
        return _diverse(rows, embedding, number, rng)
    column = {"nearest": "distance", "boundary": "margin"}[how]
    order = np.argsort(table[column].to_numpy()[rows], kind="stable")
    return rows[order[:number]]


def _diverse(rows: Ints, embedding: Tiles, number: int, rng: np.random.Generator) -> Ints:
    if not number:
        return rows[:0]
    if len(rows) > LIMIT:
        rows = np.sort(rng.choice(rows, max(LIMIT, number), replace=False))
    points: Floats = embedding.take(rows)
    return rows[farthest_first(points, number)]
