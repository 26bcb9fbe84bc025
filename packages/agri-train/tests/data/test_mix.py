import pytest
import torch
from agri_core.files.errors import InputError
from agri_train.config import TrainConfig
from agri_train.data.mix import check_mix, mix
from agri_train.engine.loss import build_loss
from agri_train.engine.module import TrainingModule
from agri_train.network.ema import EMA
from torch import nn


def patches(count: int = 6, side: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Patch i is all i, and its class is i."""
    values = torch.arange(count)
    return values.float()[:, None, None, None].expand(count, 2, side, side).clone(), values


def test_mixup_blends_by_the_share():
    torch.manual_seed(3)
    images, truth = patches()
    made = mix(images, truth, "mixup")
    expected = made.share * truth + (1 - made.share) * made.partner
    assert torch.allclose(made.images[:, 0, 0, 0], expected)
    assert torch.equal(made.images, made.images[:, :1, :1, :1].expand_as(images))
    assert sorted(made.partner.tolist()) == list(range(6))


@pytest.mark.parametrize("seed", range(8))
def test_cutmix_shares_are_those_of_the_pixels(seed):
    torch.manual_seed(seed)
    images, truth = patches()
    made = mix(images, truth, "cutmix")
    own = made.images == truth[:, None, None, None]
    other = made.images == made.partner[:, None, None, None]
    assert (own | other).all()
    for number in range(6):
        if made.partner[number] != truth[number]:
            assert float(own[number].float().mean()) == pytest.approx(made.share, abs=1e-6)
            rows, columns = other[number, 0].any(1), other[number, 0].any(0)
            # What was pasted is a whole rectangle.
            assert int(other[number, 0].sum()) == int(rows.sum() * columns.sum())


def test_both_does_each():
    torch.manual_seed(0)
    images, truth = patches()
    whole = [float(mix(images, truth, "both").images.frac().abs().sum()) == 0 for _ in range(30)]
    assert any(whole)
    assert not all(whole)


def test_given_patches_are_left_alone():
    images, truth = patches()
    before = images.clone()
    mix(images, truth, "cutmix")
    assert torch.equal(images, before)


def test_maps_are_not_mixed():
    check_mix(TrainConfig(mix="cutmix"), "classify")
    with pytest.raises(InputError, match=r"`mix` is for patches; set it to none to segment"):
        check_mix(TrainConfig(mix="cutmix"), "segment")
    with pytest.raises(InputError, match="one of mixup, cutmix, both, got 'none'"):
        mix(*patches(), "none")


def test_the_loss_of_mixed_patches_by_hand(tiny, monkeypatch):
    monkeypatch.setattr("torch.distributions.Beta.sample", lambda self: torch.tensor(0.25))
    monkeypatch.setattr("torch.randperm", lambda count: torch.tensor([1, 0]))
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    config, loss = TrainConfig(mix="mixup"), build_loss("ce", "multiclass", 2)
    module = TrainingModule(net, "classify", None, loss, config)
    images = torch.tensor([[4.0, 0.0], [0.0, 8.0]])[:, :, None, None]
    _, _, value = module._forward_loss(images, torch.tensor([0, 1]))
    # Logits: 1/4 (4, 0) + 3/4 (0, 8) = (1, 6) and 1/4 (0, 8) + 3/4 (4, 0) = (3, 2).
    p = torch.log_softmax(torch.tensor([[1.0, 6.0], [3.0, 2.0]]), 1)
    own, partner = -(p[0, 0] + p[1, 1]) / 2, -(p[0, 1] + p[1, 0]) / 2
    assert float(value) == pytest.approx(float(0.25 * own + 0.75 * partner), rel=1e-6)


def test_the_moving_average_by_hand():
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 1.0)
    ema = EMA(net, 0.25)
    ema.follow(net)
    ema.update()  # the first step copies the network
    nn.init.constant_(net.weight, 5.0)
    ema.update()
    # The decay is warmed up: (1 + 1) / (10 + 1), then min(0.25, 3 / 12).
    second = 2 / 11 * 1 + 9 / 11 * 5
    assert ema.module.weight.item() == pytest.approx(second)
    nn.init.constant_(net.weight, 9.0)
    ema.update()
    third = 3 / 12 * second + 9 / 12 * 9
    assert ema.module.weight.item() == pytest.approx(third)
    ema.update()
    # 4 / 13 would be more than 0.25.
    assert ema.module.weight.item() == pytest.approx(0.25 * third + 0.75 * 9)
    assert not ema.module.weight.requires_grad
