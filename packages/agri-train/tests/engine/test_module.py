import math

import numpy as np
import pytest
import torch
from agri_core.confusion import confusion
from agri_train.config import TrainConfig
from agri_train.engine.accumulator import ConfusionAccumulator, confusion_counts, predict
from agri_train.engine.loss import build_loss
from agri_train.engine.module import DivergedError, TrainingModule
from agri_train.engine.optim import build_optimizer
from agri_train.engine.schedule import build_schedulers
from sklearn.metrics import f1_score, jaccard_score
from torch import nn


def test_counts_equal_the_shared_core():
    rng = np.random.default_rng(0)
    truth = rng.choice([0, 1, 2, 255], (4, 8, 8))
    found = rng.integers(0, 3, (4, 8, 8))
    ours = confusion_counts(torch.from_numpy(truth), torch.from_numpy(found), 3)
    assert np.array_equal(ours.reshape(3, 3), confusion(truth, found, 3))


@pytest.mark.parametrize("head", ["binary", "multiclass"])
def test_scores_do_not_depend_on_batch_size(head):
    channels, classes = (1, 2) if head == "binary" else (3, 3)
    torch.manual_seed(0)
    logits, truth = torch.randn(7, channels, 8, 8), torch.randint(0, classes, (7, 8, 8))
    truth[6, :6] = 255  # the last chip of an uneven last batch is mostly ignored
    seen = []
    for size in (1, 2, 3, 7):
        total = ConfusionAccumulator(build_loss("auto", head, classes))
        for i in range(0, 7, size):
            part, real = logits[i : i + size], truth[i : i + size]
            total.add(total.loss.sums(part, real), part, real)
        seen.append(total.scores())
    for scores in seen:
        assert scores == pytest.approx(seen[0], abs=1e-6)


def test_scores_equal_an_independent_reference():
    torch.manual_seed(1)
    logits, truth = torch.randn(3, 3, 8, 8), torch.randint(0, 3, (3, 8, 8))
    total = ConfusionAccumulator(build_loss("ce", "multiclass", 3))
    total.add(total.loss.sums(logits, truth), logits, truth)
    scores, y, p = total.scores(), truth.flatten(), predict(logits, "multiclass").flatten()
    assert scores["iou"] == pytest.approx(jaccard_score(y, p, average="macro"))
    assert scores["f1"] == pytest.approx(f1_score(y, p, average="macro"))
    assert scores["accuracy"] == pytest.approx(float((y == p).float().mean()))
    assert scores["majority"] == pytest.approx(float(torch.bincount(y).max() / len(y)))


def test_an_epoch_without_a_valid_pixel_has_no_score():
    logits, truth = torch.randn(1, 3, 4, 4), torch.full((1, 4, 4), 255)
    total = ConfusionAccumulator(build_loss("ce+dice", "multiclass", 3))
    total.add(total.loss.sums(logits, truth), logits, truth)
    assert all(math.isnan(value) for value in total.scores().values())


def test_binary_prediction_is_the_sign_of_the_logit():
    assert predict(torch.tensor([[[-1.0, 2.0]]]), "binary").tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # One weight 1.0 with gradient 1.0 + decay 0.1 * 1.0 = 1.1 and rate 0.1.
        ("sgd", 1 - 0.1 * 1.1),
        ("adam", 1 - 0.1),  # the first step is the rate times the sign of the gradient
        ("adamw", 1 - 0.1 * 0.1 - 0.1),  # decay apart from the gradient
        ("rmsprop", 1 - 0.1 * 1.1 / math.sqrt(0.01 * 1.1**2)),  # mean square 0.01 g^2
    ],
)
def test_one_step_of_each_optimiser(name, expected):
    net = nn.Linear(1, 1, bias=False)
    nn.init.ones_(net.weight)
    optimizer = build_optimizer(net, TrainConfig(optimizer=name, lr=0.1, weight_decay=0.1))
    net(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    assert net.weight.item() == pytest.approx(expected, abs=1e-5)


def test_sgd_has_its_momentum():
    net = nn.Linear(1, 1, bias=False)
    nn.init.ones_(net.weight)
    optimizer = build_optimizer(
        net, TrainConfig(optimizer="sgd", lr=0.1, weight_decay=0.0, momentum=0.5)
    )
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.ones(1, 1)).sum().backward()
        optimizer.step()
    assert net.weight.item() == pytest.approx(1 - 0.1 - 0.1 * 1.5)


def learning_rates(config, losses):
    """Learning rate of each epoch, when the epochs end with these validation losses."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=config.lr)
    schedulers, rates = [item["scheduler"] for item in build_schedulers(optimizer, config)], []
    for loss in losses:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
            scheduler.step(*([loss] if plateau else []))
    return rates


def test_cosine_equals_torch_and_ends_at_the_floor():
    rates = learning_rates(
        TrainConfig(epochs=5, lr=0.1, min_lr=0.02, schedule="cosine"), [1.0] * 50
    )
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5, eta_min=0.02)
    for epoch in range(6):
        assert rates[epoch] == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert rates[5] == rates[49] == pytest.approx(0.02)


def test_warmup_rises_to_the_rate():
    for schedule in ("constant", "plateau"):
        config = TrainConfig(lr=0.3, warmup=2, schedule=schedule)
        losses = [1.0, 0.9, 0.8, 0.7]
        assert learning_rates(config, losses) == pytest.approx([0.1, 0.2, 0.3, 0.3])


def test_warmup_never_falls_below_the_floor():
    for schedule in ("constant", "plateau"):
        config = TrainConfig(lr=0.4, min_lr=0.2, warmup=3, schedule=schedule)
        assert min(learning_rates(config, [1.0, 0.9, 0.8, 0.7])) == pytest.approx(0.2)


def test_plateau_halves_after_waiting_and_stops_at_the_floor():
    config = TrainConfig(lr=0.4, min_lr=0.15, plateau_patience=2, schedule="plateau")
    rates = learning_rates(config, [1.0, 0.5, 0.6, 0.5, 0.7, 0.4, 0.4, 0.4, 0.4])
    # Epochs 2 and 3 are no better: half from epoch 4. Epochs 6 and 7 neither: 0.1 < min_lr.
    assert rates == pytest.approx([0.4] * 4 + [0.2] * 4 + [0.15])


def test_plateau_counts_a_loss_that_is_not_a_number_as_no_gain():
    config = TrainConfig(lr=0.4, plateau_patience=2, schedule="plateau")
    assert learning_rates(config, [1.0, math.nan, math.nan, 0.5]) == [0.4, 0.4, 0.4, 0.2]


def test_losses_that_are_checked_together_name_the_batch():
    module = TrainingModule(
        nn.Identity(), "classify", None, build_loss("ce", "multiclass", 2), TrainConfig()
    )
    module._lr = lambda: 0.5
    module._losses = {4: torch.tensor(0.25), 5: torch.tensor(0.5)}
    module._check_losses()
    assert module._losses == {}
    module._check_losses()
    module._losses = {6: torch.tensor(0.25), 7: torch.tensor(math.inf), 8: torch.tensor(math.nan)}
    with pytest.raises(DivergedError, match=r"became inf in epoch 1, batch 7, at lr 0.5"):
        module._check_losses()
