import pytest
import torch
from agri_train.bundle.record import make_spec
from agri_train.config import TrainConfig
from agri_train.data.datamodule import ChipDataModule
from agri_train.engine.loss import build_loss
from agri_train.engine.module import TrainingModule
from agri_train.run.score import score
from torch import nn

BANDS = ("B02", "B03", "B04", "B08")


class Always(nn.Module):
    """Predicts class 0, for patches or for every pixel."""

    def __init__(self, patches: bool) -> None:
        super().__init__()
        self.patches = patches

    def forward(self, x):
        logits = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
        logits = logits.expand(len(x), 3, *x.shape[-2:])
        return logits[..., 0, 0] if self.patches else logits


@pytest.mark.parametrize("patches", [True, False])
def test_patches_are_scored_by_accuracy_and_pixels_by_iou(make_store, patches):
    kind = "classify" if patches else "segment"
    store, config = make_store(patches=patches, parts=(6, 40, 0)), TrainConfig(batch_size=8)
    spec = make_spec(store, BANDS, kind, "m", "always")
    module = TrainingModule(
        Always(patches), kind, spec.legend, build_loss("ce", "multiclass", 3), config
    )
    found = score(module, ChipDataModule(store, spec, config, kind))
    rows = store.indices("val")
    truth = store.labels(rows) if patches else store.masks(rows)
    share = float((truth == 0).mean())
    # Precision is the share, recall 1: F1 = 2 s / (1 + s), IoU = s; the other classes have 0.
    each = 2 * share / (1 + share) if patches else share
    assert list(found["classes"].values()) == pytest.approx([each, 0, 0])
    low, high = found["interval"]
    value = share if patches else share / 3
    assert low < value < high
    assert found["accuracy"] == pytest.approx(share)
