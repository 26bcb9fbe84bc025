"""A gallery: sample chips of a store next to their masks, a sheet per split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from agri_core.bands import COLOUR_INFRARED
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_data.figures.picture import colourise, composite, composite_title, picture_bands
from agri_data.figures.sheet import Panel, sheet
from agri_data.store.store import ChipStore

ACROSS = 6


def draw_gallery(
    store: ChipStore, rows: NDArray[np.int64], path: Path, title: str, count: int, seed: int
) -> Path:
    """Draw `count` chips chosen by `seed`: with masks a row each, else a grid of labelled chips."""
    if count < 1:
        raise InputError(f"expected at least 1 sample, got {count}")
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(rows, min(count, len(rows)), replace=False))
    if store.has_masks:
        lines = _two_per_row(store, chosen)
    else:
        panels = [_labelled(store, int(row)) for row in chosen]
        lines = [panels[i : i + ACROSS] for i in range(0, len(panels), ACROSS)]
    return sheet(lines, store.info.legend, path, title)


def _views(store: ChipStore) -> list[tuple[str, str, str]]:
    views = [picture_bands(store.bands)]
    if set(COLOUR_INFRARED) <= set(store.bands):
        views.append(COLOUR_INFRARED)
    return views


def _two_per_row(store: ChipStore, chosen: NDArray[np.int64]) -> list[list[Panel]]:
    """Return panels with two chips a row, each as its composites and its mask."""
    groups = [_shown(store, int(row)) for row in chosen]
    return [[p for panels in groups[i : i + 2] for p in panels] for i in range(0, len(groups), 2)]


def _shown(store: ChipStore, row: int) -> list[Panel]:
    name = str(store.table["chip_id"].iloc[row])
    unit = store.info.bands[0].unit
    panels = [
        Panel(composite(store.image(row), store.bands, view, unit=unit), composite_title(view))
        for view in _views(store)
    ]
    return [*panels, Panel(colourise(store.mask(row), store.legend), name)]


def _labelled(store: ChipStore, row: int) -> Panel:
    image = composite(
        store.image(row), store.bands, picture_bands(store.bands), unit=store.info.bands[0].unit
    )
    label = str(store.table["label"].iloc[row]) or str(store.table["chip_id"].iloc[row])
    return Panel(image, label)
