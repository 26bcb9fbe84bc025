"""Scores of a network on the validation split, with confidence intervals over places."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from agri_core.confusion import f1, iou, mean_iou
from agri_core.evaluation.interval import accuracy_interval, metric_interval
from agri_data.splits.resample import find_places

from agri_train.data.datamodule import ChipDataModule
from agri_train.engine.accumulator import METRICS, ConfusionAccumulator
from agri_train.engine.module import TrainingModule


@torch.inference_mode()
def score(module: TrainingModule, data: ChipDataModule) -> dict[str, Any]:
    """Score the validation split in float32.

    `interval` is the 95 % CI of the mean IoU (patches: of the accuracy) over places, see
    `agri_core.evaluation.interval`; null where the places do not tell. `classes` holds the IoU of
    each class (patches: F1), null for a class that occurs neither in truth nor in prediction.
    """
    patches = module.task == "classify"
    total, single = ConfusionAccumulator(module.loss), []
    for image, truth in data.val_dataloader():
        image, truth = image.to(module.device), truth.to(module.device)
        logits = module(image)
        total.add(module.loss.sums(logits, truth), logits, truth)
        for number in range(len(truth)):
            chip = ConfusionAccumulator(module.loss)
            one = slice(number, number + 1)
            chip.add_counts(logits[one], truth[one])
            single.append(chip.matrix())
    matrices = find_places(data.store).sum_by_place(data.rows("val"), np.stack(single))
    values = total.scores()
    each = np.asarray((f1 if patches else iou)(total.matrix())).tolist()
    seed = data.config.seed
    low, high = (
        accuracy_interval(matrices, seed) if patches else metric_interval(matrices, mean_iou, seed)
    )
    return {
        **_plain({name: values[name] for name in METRICS}),
        "interval": list(_plain({"low": low, "high": high}).values()),
        "classes": _plain(dict(zip(module.legend.names, each, strict=True))),
    }


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return the values for JSON: NaN becomes null."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}
