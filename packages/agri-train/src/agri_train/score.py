"""Scores of a network on the validation part, with intervals over places."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from agri_data.confusion import bootstrap, iou, mean_iou
from agri_data.places import blocks, locate
from agri_data.store import ChipStore
from numpy.typing import NDArray

from agri_train.data import ChipDataModule
from agri_train.task import METRICS, Tally, Task

Matrices = NDArray[np.int64]


@torch.inference_mode()
def score(module: Task, data: ChipDataModule) -> dict[str, Any]:
    """Score the validation part in float32.

    `interval` is the 95 % interval of the mean IoU when whole places are drawn anew (see `place`);
    null when there are fewer than two. A class that occurs
    neither in truth nor in prediction is null.
    """
    tally, single = Tally(module.loss), []
    for image, truth in data.val_dataloader():
        image, truth = image.to(module.device), truth.to(module.device)
        logits = module(image)
        tally.add(module.loss.sums(logits, truth), logits, truth)
        for number in range(len(truth)):
            chip = Tally(module.loss)
            one = slice(number, number + 1)
            chip.count(logits[one], truth[one])
            single.append(chip.matrix())
    matrices = by_place(np.stack(single), place(data.store)[data.rows("val")])
    values = tally.scores()
    each = np.asarray(iou(tally.matrix())).tolist()
    low, high = bootstrap(matrices, mean_iou, seed=data.config.seed)
    return {
        **_plain({name: values[name] for name in METRICS}),
        "interval": list(_plain({"low": low, "high": high}).values()),
        "classes": _plain(dict(zip(module.legend.names, each, strict=True))),
    }


def place(store: ChipStore) -> NDArray[np.int64]:
    """Number the place of every chip: the block or group it was split by, else the chip itself."""
    split, table = store.info.split or {}, store.table
    if split.get("unit") == "block":
        return blocks(locate(table, store.info.chip_size), float(split["block"]))
    if (table["group"] != "").all():
        return np.asarray(table["group"].astype("category").cat.codes, np.int64)
    return np.arange(len(table), dtype=np.int64)


def by_place(matrices: Matrices, places: NDArray[np.int64]) -> Matrices:
    """Add the matrices `(N, K, K)` of the chips of each place."""
    found, numbers = np.unique(places, return_inverse=True)
    out = np.zeros((len(found), *matrices.shape[1:]), np.int64)
    np.add.at(out, numbers, matrices)
    return out


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers for JSON: n/a is null."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}
