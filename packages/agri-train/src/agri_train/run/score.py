"""Scores of a network on the validation part, with intervals over places."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from agri_core.confusion import accuracy, bootstrap, f1, iou, mean_iou
from agri_data.splits.resample import find_places

from agri_train.data.data import ChipDataModule
from agri_train.engine.task import METRICS, Tally, Task


@torch.inference_mode()
def score(module: Task, data: ChipDataModule) -> dict[str, Any]:
    """Score the validation part in float32.

    `interval` is the 95 % interval of the mean IoU (patches: of the accuracy) when whole places
    are drawn anew; null when there are fewer than two. `classes` holds the IoU of each class
    (patches: F1), null for one that occurs neither in truth nor in prediction.
    """
    patches = module.task == "classify"
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
    matrices = find_places(data.store).sum_by_place(data.rows("val"), np.stack(single))
    values = tally.scores()
    each = np.asarray((f1 if patches else iou)(tally.matrix())).tolist()
    low, high = bootstrap(matrices, accuracy if patches else mean_iou, seed=data.config.seed)
    return {
        **_plain({name: values[name] for name in METRICS}),
        "interval": list(_plain({"low": low, "high": high}).values()),
        "classes": _plain(dict(zip(module.legend.names, each, strict=True))),
    }


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers for JSON: n/a is null."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}
