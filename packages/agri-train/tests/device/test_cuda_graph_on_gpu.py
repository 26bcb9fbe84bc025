"""CUDA graphs against the network itself; collected only where there is a GPU (`conftest`)."""

import copy
from collections.abc import Iterator

import pytest
import torch
from agri_train.device.cuda_graph import CudaGraphs
from torch import nn


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Graph and network may take other algorithms; in TF32 these differ in the fourth digit."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    ).cuda()


def batches(count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    torch.manual_seed(1)
    sizes = [5 - number % 2 for number in range(count)]
    return [(torch.randn(size, 3, 16, 16).cuda(), torch.arange(size).cuda() % 4) for size in sizes]


def learn(net, forward, data) -> list[float]:
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    losses = []
    for image, truth in data:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(forward(image), truth)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        # As in the engine, nothing holds the autograd graph when the next shape is captured.
        del loss
    return losses


def test_graphs_learn_what_the_network_itself_learns():
    net = network()
    twin = copy.deepcopy(net)
    graphs = CudaGraphs(twin)
    graphs.refresh()
    data = batches(7)
    assert learn(twin, graphs, data) == pytest.approx(learn(net, net, data), rel=1e-4)
    for name, value in net.state_dict().items():
        assert torch.allclose(value.float(), twin.state_dict()[name].float(), atol=1e-5), name
    assert int(twin[1].num_batches_tracked) == 7
    assert len(graphs._captures) == 2


def test_what_wakes_later_learns_from_then_on():
    net = network()
    net[0].requires_grad_(False)
    twin = copy.deepcopy(net)
    graphs = CudaGraphs(twin)
    for part in (net, twin):
        before = part[0].weight.clone()
        graphs.refresh()
        learn(part, graphs if part is twin else part, batches(2))
        assert torch.equal(part[0].weight, before)
        part[0].requires_grad_(True)
        graphs.refresh()
        learn(part, graphs if part is twin else part, batches(2))
        assert not torch.equal(part[0].weight, before)
    assert torch.allclose(net[0].weight, twin[0].weight, atol=1e-5)


def test_a_capture_leaves_statistics_and_chance_as_they_were():
    net = nn.Sequential(network(), nn.Dropout(0.5))
    graphs = CudaGraphs(net)
    graphs.refresh()
    image, _ = batches(1)[0]
    state, mean = torch.cuda.get_rng_state(), net[0][1].running_mean.clone()
    graphs._capture(image)
    assert torch.equal(torch.cuda.get_rng_state(), state)
    assert torch.equal(net[0][1].running_mean, mean)


def test_casts_to_half_precision_follow_the_weights():
    net = network()
    graphs = CudaGraphs(net)
    graphs.refresh()
    image, _ = batches(1)[0]
    with torch.autocast("cuda", dtype=torch.bfloat16):
        before = graphs(image).float()
        with torch.no_grad():
            net[5].weight.mul_(2)
            net[5].bias.mul_(2)
        after = graphs(image).float()
    assert torch.allclose(after, 2 * before, rtol=2e-2, atol=1e-3)
