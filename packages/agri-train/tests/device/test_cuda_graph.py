import pytest
import torch
from agri_core.files.errors import InputError
from agri_train.device.cuda_graph import CudaGraphs
from torch import nn


def test_a_shape_is_captured_once_and_again_when_more_is_trainable(monkeypatch):
    made = []
    net = nn.Linear(3, 2)
    graphs = CudaGraphs(net)
    monkeypatch.setattr(graphs, "_capture", lambda image: made.append(len(image)))
    monkeypatch.setattr(
        "agri_train.device.cuda_graph._Replay.apply", lambda capture, image, *rest: rest
    )
    net.bias.requires_grad_(False)
    graphs.refresh()
    assert [len(graphs(torch.zeros(size, 3))) for size in (5, 4, 5, 4)] == [1, 1, 1, 1]
    net.bias.requires_grad_(True)
    graphs.refresh()
    assert len(graphs(torch.zeros(5, 3))) == 2
    assert made == [5, 4, 5]


def test_a_network_that_cannot_be_captured_is_refused_with_a_way_out(monkeypatch):
    graphs = CudaGraphs(nn.Linear(3, 2))

    def refuse(image):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(graphs, "_capture", refuse)
    with pytest.raises(
        InputError, match=r"\(operation not .* capturing\). Set `cuda_graphs` to false"
    ):
        graphs(torch.zeros(1, 3))
