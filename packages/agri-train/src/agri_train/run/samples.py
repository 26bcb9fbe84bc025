"""Sample pictures: image, truth and prediction in the colours of the legend."""

from pathlib import Path

import numpy as np
from agri_data.figures.picture import colourise, composite, picture_bands
from agri_data.figures.sheet import Panel, sheet
from numpy.typing import NDArray

from agri_train.data.datamodule import ChipDataModule
from agri_train.data.sampler import Rows


def draw_samples(
    data: ChipDataModule, rows: Rows, predicted: NDArray[np.int64], path: Path, epoch: int
) -> None:
    """Draw one row per chip; `predicted` holds class ids `(N, H, W)` or, for patches, `(N,)`."""
    legend, store = data.spec.legend, data.store
    images = store.images(rows)
    shown = picture_bands(store.bands)
    lines: list[list[Panel]] = []
    for position, row in enumerate(rows):
        name = str(store.table["chip_id"].iloc[int(row)])
        image = composite(images[position], store.bands, shown)
        if data.task == "segment":
            panels = [
                Panel(image, name),
                Panel(colourise(store.mask(int(row)), legend), "truth"),
                Panel(colourise(predicted[position].astype(np.uint8), legend), "prediction"),
            ]
        else:
            truth = legend.names[int(store.labels(rows[position : position + 1])[0])]
            name = legend.names[predicted[position]]
            panels = [Panel(image, f"truth {truth}\nprediction {name}")]
        lines.append(panels)
    sheet(lines, legend, path, f"{data.spec.name}: validation, epoch {epoch}")
