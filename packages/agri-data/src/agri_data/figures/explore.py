"""Explore a chip store: how much of each class there is, how it spreads, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.files.errors import StoreError
from agri_core.legend import Legend
from numpy.typing import NDArray

from agri_data.store.store import ChipStore
from agri_data.store.table import SPLITS

BATCH = 256


@dataclass(frozen=True, slots=True)
class Census:
    """Class counts `(N, K)` of N chips.

    Counted are labelled pixels, for patches a one in the label's column. `rows` are the chips'
    positions in the store, `ignored` is the number of pixels without a label.
    """

    legend: Legend
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    ignored: int
    patches: bool

    @property
    def totals(self) -> NDArray[np.int64]:
        """Counts per class, `(K,)`."""
        return np.asarray(self.counts.sum(axis=0), np.int64)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class in each chip with any label, `(M, K)`, rows adding up to one."""
        sums = self.counts.sum(axis=1)
        return np.asarray(self.counts[sums > 0] / sums[sums > 0, None], np.float64)

    @property
    def mean_share(self) -> NDArray[np.float64]:
        """Mean of `shares` over chips, `(K,)`; nan where there is no labelled chip."""
        shares = self.shares
        return shares.mean(axis=0) if len(shares) else np.full(len(self.legend), np.nan)

    def majority(self) -> tuple[str, float] | None:
        """Return the majority class and its share, None without any label."""
        totals = self.totals
        if totals.sum() == 0:
            return None
        best = int(totals.argmax())
        return self.legend.names[best], float(totals[best] / totals.sum())


def census(store: ChipStore, split: str | None = None) -> Census:
    """Count the classes of a split of a store, or of all of it, a batch of chips at a time.

    Raises:
        StoreError: the chips carry no labels, or a mask holds a value outside the legend.
    """
    rows = store.indices(split)
    if not store.has_masks:
        labels = store.labels(rows)
        counts = np.eye(len(store.legend), dtype=np.int64)[labels]
        return Census(store.legend, rows, counts, 0, patches=True)
    classes = len(store.legend)
    parts = [_histograms(store, rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
    full = np.concatenate(parts) if parts else np.zeros((0, 256), np.int64)
    odd = np.flatnonzero(full[:, classes:255].any(axis=0)) + classes
    if odd.size:
        raise StoreError(
            f"masks in {store.path} hold the values {odd.tolist()[:8]}, the legend has "
            f"0 to {classes - 1}; build the store again with a legend that names them"
        )
    return Census(store.legend, rows, full[:, :classes], int(full[:, 255].sum()), patches=False)


def _histograms(store: ChipStore, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    masks = store.masks(rows)
    return np.stack([np.bincount(mask.ravel(), minlength=256) for mask in masks]).astype(np.int64)


def census_by_split(store: ChipStore) -> dict[str, Census]:
    """Return a census per split that has chips; a store that is not split has one, "all"."""
    found = {name: census(store, name) for name in SPLITS if len(store.indices(name))}
    return found or {"all": census(store)}


def summary(store: ChipStore, found: dict[str, Census]) -> dict[str, Any]:
    """Return what `explore.json` holds: counts, shares and baselines per split."""
    return {
        "dataset": store.info.name,
        "fingerprint": store.fingerprint,
        "chips": len(store),
        "counted": "chips" if not store.has_masks else "pixels",
        "parts": {name: _part(item, store.info.pixel_size) for name, item in found.items()},
    }


def _part(item: Census, pixel: float | None) -> dict[str, Any]:
    names = item.legend.names
    totals = {name: int(n) for name, n in zip(names, item.totals, strict=True)}
    best = item.majority()
    content: dict[str, Any] = {
        "chips": len(item.rows),
        "totals": totals,
        "ignored": item.ignored,
        "mean_share": _rounded(names, item.mean_share),
        "majority": None if best is None else {"class": best[0], "share": round(best[1], 6)},
    }
    if pixel is not None and not item.patches:
        content["hectares"] = {n: round(c * pixel**2 / 1e4, 4) for n, c in totals.items()}
    if not item.patches and len(item.shares):
        quartiles = np.percentile(item.shares, (0, 25, 50, 75, 100), axis=0).T
        content["share_quartiles"] = {
            name: [round(float(v), 6) for v in row]
            for name, row in zip(names, quartiles, strict=True)
        }
    return content


def _rounded(names: tuple[str, ...], values: NDArray[np.float64]) -> dict[str, float | None]:
    return {
        name: None if np.isnan(value) else round(float(value), 6)
        for name, value in zip(names, values, strict=True)
    }
