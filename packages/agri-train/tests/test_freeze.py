import copy

import torch
from agri_train.freeze import freeze, is_frozen, unfreeze


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
