import copy
from collections import OrderedDict

import pytest
import torch
from agri_core.files.errors import InputError
from agri_train.config import TrainConfig
from agri_train.engine.optim import build_optimizer
from agri_train.network.freeze import freeze, frozen_stages, is_frozen, unfreeze, unfreeze_stages
from torch import nn


def step(net):
    params = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(params, lr=0.1)
    net.train()
    net(torch.randn(4, 4, 8, 8)).square().mean().backward()
    optimizer.step()
    return {name: value.clone() for name, value in net.state_dict().items()}


def test_frozen_is_bit_identical_after_a_step(tiny):
    net = tiny()
    freeze(net.encoder)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    after = step(net)
    for name in before:
        same = torch.equal(before[name], after[name])
        assert same == name.startswith("encoder."), name
    assert is_frozen(net.encoder)
    assert not is_frozen(net)


def test_frozen_stays_in_evaluation_mode(tiny):
    net = freeze(tiny().encoder)
    net.train()
    assert not any(part.training for part in net.modules())


def test_unfrozen_learns_again(tiny):
    net = tiny()
    unfreeze(freeze(net.encoder))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    after = step(net)
    assert not torch.equal(before["encoder.0.weight"], after["encoder.0.weight"])
    assert not torch.equal(before["encoder.1.running_mean"], after["encoder.1.running_mean"])


def test_a_frozen_network_can_be_copied(tiny):
    net = tiny()
    freeze(net.encoder)
    twin = copy.deepcopy(net).train()
    assert not twin.encoder.training
    assert twin.encoder.train(True) is twin.encoder


def names_of(groups, net):
    known = {id(part): name for name, part in net.named_modules()}
    return [[known[id(part)] for part in group] for group in groups]


def test_the_stages_of_a_frozen_encoder_are_unfrozen_from_its_end():
    layers = {"conv": nn.Conv2d(4, 8, 3), "norm": nn.BatchNorm2d(8), "relu": nn.ReLU()}
    blocks = {name: nn.Sequential(nn.Conv2d(8, 8, 1)) for name in ("low", "high")}
    net = nn.Module()
    net.encoder = nn.Sequential(OrderedDict({**layers, **blocks}))
    net.head = nn.Conv2d(8, 3, 1)
    freeze(net.encoder)
    found = frozen_stages(net)
    assert names_of(found, net) == [
        ["encoder.high"], ["encoder.low"], ["encoder.conv", "encoder.norm"],
    ]  # fmt: skip
    for count, learning in ((0, []), (1, ["high"]), (2, ["high", "low"])):
        unfreeze_stages(found, count)
        trainable = [name for name in blocks if not is_frozen(net.encoder.get_submodule(name))]
        assert sorted(trainable) == sorted(learning)
        assert is_frozen(net.encoder.conv)
        assert not net.encoder.norm.training
    unfreeze_stages(found, 3)
    assert net.encoder.norm.training
    assert not is_frozen(net.encoder.conv)


def test_what_is_trainable_is_no_stage(tiny):
    assert frozen_stages(tiny()) == []


def test_a_network_without_a_head_that_learns_is_refused_with_unfreeze_every_too(tiny):
    with pytest.raises(InputError, match="nothing to train"):
        build_optimizer(freeze(tiny()), TrainConfig(unfreeze_every=1))
