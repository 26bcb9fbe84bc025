import math

import numpy as np
import pytest
import torch
from agri_core.confusion import confusion
from agri_train.config import TrainConfig
from agri_train.engine.loss import build_loss
from agri_train.engine.optim import build_optimizer
from agri_train.engine.schedule import Schedule
from agri_train.engine.task import DivergedError, Tally, Task, count, predict
from sklearn.metrics import f1_score, jaccard_score
from torch import nn


def test_counts_equal_the_shared_core():
    rng = np.random.default_rng(0)
    truth = rng.choice([0, 1, 2, 255], (4, 8, 8))
    found = rng.integers(0, 3, (4, 8, 8))
    ours = count(torch.from_numpy(truth), torch.from_numpy(found), 3)
    assert np.array_equal(ours.reshape(3, 3), confusion(truth, found, 3))


@pytest.mark.parametrize("head", ["binary", "multiclass"])
def test_scores_do_not_depend_on_batch_size(head):
    channels, classes = (1, 2) if head == "binary" else (3, 3)
    torch.manual_seed(0)
    logits, truth = torch.randn(7, channels, 8, 8), torch.randint(0, classes, (7, 8, 8))
    truth[6, :6] = 255  # the last chip of an uneven last batch is mostly ignored
    seen = []
    for size in (1, 2, 3, 7):
        tally = Tally(build_loss("auto", head, classes))
        for i in range(0, 7, size):
            part, real = logits[i : i + size], truth[i : i + size]
            tally.add(tally.loss.sums(part, real), part, real)
        seen.append(tally.scores())
    for scores in seen:
        assert scores == pytest.approx(seen[0], abs=1e-6)


def test_scores_equal_an_independent_reference():
    torch.manual_seed(1)
    logits, truth = torch.randn(3, 3, 8, 8), torch.randint(0, 3, (3, 8, 8))
    tally = Tally(build_loss("ce", "multiclass", 3))
    tally.add(tally.loss.sums(logits, truth), logits, truth)
    scores, y, p = tally.scores(), truth.flatten(), predict(logits, "multiclass").flatten()
    assert scores["iou"] == pytest.approx(jaccard_score(y, p, average="macro"))
    assert scores["f1"] == pytest.approx(f1_score(y, p, average="macro"))
    assert scores["accuracy"] == pytest.approx(float((y == p).float().mean()))
    assert scores["majority"] == pytest.approx(float(torch.bincount(y).max() / len(y)))


def test_an_epoch_without_a_valid_pixel_has_no_score():
    logits, truth = torch.randn(1, 3, 4, 4), torch.full((1, 4, 4), 255)
    tally = Tally(build_loss("ce+dice", "multiclass", 3))
    tally.add(tally.loss.sums(logits, truth), logits, truth)
    assert all(math.isnan(value) for value in tally.scores().values())


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
    optimizer = build_optimizer(net, TrainConfig(optimizer=name, lr=0.1, decay=0.1))
    net(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    assert net.weight.item() == pytest.approx(expected, abs=1e-5)


def test_sgd_has_its_momentum():
    net = nn.Linear(1, 1, bias=False)
    nn.init.ones_(net.weight)
    optimizer = build_optimizer(net, TrainConfig(optimizer="sgd", lr=0.1, decay=0.0, momentum=0.5))
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.ones(1, 1)).sum().backward()
        optimizer.step()
    assert net.weight.item() == pytest.approx(1 - 0.1 - 0.1 * 1.5)


def test_cosine_equals_torch_and_ends_at_the_floor():
    schedule = Schedule(TrainConfig(epochs=5, lr=0.1, floor=0.02, schedule="cosine"))
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5, eta_min=0.02)
    for epoch in range(6):
        assert schedule.rate(epoch) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert schedule.rate(5) == schedule.rate(50) == 0.02


def test_warmup_rises_to_the_rate():
    schedule = Schedule(TrainConfig(lr=0.3, warmup=2, schedule="constant"))
    assert [schedule.rate(e) for e in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.3])


def test_plateau_halves_after_waiting_and_stops_at_the_floor():
    config = TrainConfig(lr=0.4, floor=0.15, wait=2, schedule="plateau")
    schedule, rates = Schedule(config), []
    for epoch, loss in enumerate([1.0, 0.5, 0.6, 0.5, 0.7, 0.4, 0.4, 0.4, 0.4]):
        rates.append(schedule.rate(epoch))
        schedule.report(loss)
    # Epochs 2 and 3 bring no gain: half from epoch 4. Epochs 6 and 7 neither: 0.1 < floor.
    assert rates == pytest.approx([0.4] * 4 + [0.2] * 4 + [0.15])
    again = Schedule(config)
    again.load_state_dict(schedule.state_dict())
    assert again.rate(9) == schedule.rate(9)


def test_losses_that_are_looked_at_together_name_the_batch():
    task = Task(nn.Identity(), "classify", None, build_loss("ce", "multiclass", 2), TrainConfig())
    task.record = {"lr": 0.5}
    task._losses = {4: torch.tensor(0.25), 5: torch.tensor(0.5)}
    task._look()
    assert task._losses == {}
    task._look()
    task._losses = {6: torch.tensor(0.25), 7: torch.tensor(math.inf), 8: torch.tensor(math.nan)}
    with pytest.raises(DivergedError, match=r"became inf in epoch 1, batch 7, at lr 0.5"):
        task._look()
