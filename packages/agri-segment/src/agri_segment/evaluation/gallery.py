"""Figures of predictions: image, truth and the map of each model, in the legend's colours."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from agri_core.confusion import confusion, mean_iou
from agri_data.figures.picture import colourise, composite, composite_title, picture_bands
from agri_data.figures.sheet import Panel, sheet
from agri_data.store.store import ChipStore
from agri_map.bundle.chips import read_labelled
from numpy.typing import NDArray

from agri_segment.evaluation.score import Predictor


def draw_gallery(
    predictors: Sequence[Predictor],
    store: ChipStore,
    rows: NDArray[np.int64],
    path: Path,
    title: str,
    names: Sequence[str] = (),
    titles: Sequence[str] = (),
) -> None:
    """Draw one row per chip: composite, truth, then each predictor's map with its mean IoU.

    `names` label the rows in addition to the chip's id; `titles` default to the names of the
    predictors.
    """
    shown = picture_bands(store.bands)
    heads = titles or [predictor.spec.name for predictor in predictors]
    tops = names or [""] * len(rows)
    lines = [
        _line(dict(zip(heads, predictors, strict=True)), store, int(row), shown, tops[i])
        for i, row in enumerate(rows)
    ]
    sheet(lines, predictors[0].spec.legend, path, f"{title}; {composite_title(shown)}")


def _line(
    predictors: Mapping[str, Predictor],
    store: ChipStore,
    row: int,
    shown: tuple[str, str, str],
    name: str,
) -> list[Panel]:
    chip = str(store.table["chip_id"].iloc[row])
    image = composite(np.asarray(store.image(row)), store.bands, shown)
    panels = [Panel(image, f"{name}\n{chip}" if name else chip)]
    for title, predictor in predictors.items():
        legend = predictor.spec.legend
        images, masks = read_labelled(predictor.spec, store, np.array([row]))
        if len(panels) == 1:
            panels.append(Panel(colourise(masks[0], legend), "truth"))
        found = predictor.run(images)[0].argmax(axis=0).astype(np.uint8)
        score = mean_iou(confusion(masks[0], found, len(legend)))
        text = "n/a" if np.isnan(score) else f"{score:.2f}"
        panels.append(Panel(colourise(found, legend), f"{title}\nIoU {text}"))
    return panels
