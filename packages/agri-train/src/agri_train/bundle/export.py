"""From a trained network to a model bundle: one ONNX file that holds all it takes to use it."""

import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from agri_core.files.atomic import replacing_file
from agri_core.files.console import warn
from agri_core.files.errors import AgriError
from agri_map.bundle.bundle import metadata
from agri_map.bundle.spec import BundleSpec
from agri_map.inference.engine import open_engine
from numpy.typing import NDArray
from torch import Tensor, nn

from agri_train.engine.loss import Head

OPSET = 17
FLOOR = (1e-4, 1e-5)
"""Largest and mean difference in probability that every graph may have: no map shows it."""
FACTOR = 10.0
"""How many times the network's own rounding error a graph may differ from it.

Two correct programs round in different orders, so in float32 each is about as far from float64 as
the other is. Over 110 inputs of networks on four encoders, barely trained and well, the largest
difference was 0.3 to 4.9 of that error and the mean one 0.3 to 2.6.
"""
Size = tuple[int, int, int]


class ExportError(AgriError, RuntimeError):
    """The exported graph does not give what the network gives."""


class Probabilities(nn.Module):
    """Logits over a temperature, as probabilities of every class; binary heads get two channels."""

    def __init__(self, net: nn.Module, head: Head, temperature: float = 1.0) -> None:
        super().__init__()
        self.net, self.head, self.temperature = net, head, temperature

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities `(N, K, ...)` that sum to 1 over the classes."""
        return self.scale(self.net(image).float())

    def scale(self, logits: Tensor) -> Tensor:
        """Probabilities of logits, in their precision."""
        logits = logits / self.temperature
        if self.head == "binary":
            share = logits.sigmoid()
            return torch.cat([1.0 - share, share], dim=1)
        return torch.softmax(logits, dim=1)


def export_bundle(
    net: nn.Module,
    spec: BundleSpec,
    head: Head,
    path: Path,
    *,
    sizes: Sequence[Size] | None = None,
    examples: Tensor | None = None,
) -> float:
    """Write `net` with its spec to `path` and return the largest difference from torch.

    Batch size, height and width stay free. The graph is run by agri-map's engine on inputs of
    several sizes and compared with torch in float32 before the file takes its place; a file that
    differs by more than rounding is never left behind, see `check_gap`. The inputs are `examples`
    repeated side by side: white noise is nothing a trained network has seen, its logits are then
    huge, and so is their rounding.

    Args:
        net: gives logits; left in the mode and on the device it came in.
        spec: goes into the file's metadata.
        head: `binary` (one logit) or `multiclass`.
        path: the `.onnx` file; an earlier one is replaced.
        sizes: `(N, H, W)` to compare at; the tile and others around it when omitted.
        examples: real input `(N, C, H, W)` to compare at; noise when omitted.

    Raises:
        ExportError: a probability differs by more than rounding explains.
    """
    model = Probabilities(net, head, spec.temperature)
    modes = [(module, module.training) for module in net.modules()]
    device = next((p.device for p in net.parameters()), torch.device("cpu"))
    model.eval().cpu()
    try:
        with replacing_file(path) as temporary:
            _write(model, spec, temporary)
            gap = _compare(model, spec, temporary, sizes or _sizes(spec), examples)
    finally:
        net.to(device)
        for module, mode in modes:
            module.training = mode
    return gap


def _write(model: nn.Module, spec: BundleSpec, path: Path) -> None:
    side = spec.tile
    axes = {"image": {0: "n", 2: "h", 3: "w"}, "probabilities": {0: "n", 2: "h", 3: "w"}}
    if spec.task == "classify":
        axes["probabilities"] = {0: "n"}
    example = torch.zeros(2, len(spec.bands), side, side)
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns of every size it sees; what matters is checked by `_compare`.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            model,
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["probabilities"],
            dynamic_axes=axes,
        )
    graph = onnx.load(path)
    graph.producer_name = "agri-train"
    onnx.helper.set_model_props(graph, metadata(spec))
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _sizes(spec: BundleSpec) -> list[Size]:
    side = spec.tile
    if spec.task == "classify":
        return [(1, side, side), (3, side, side)]
    return [
        (1, side, side),
        (2, side // 2 + 32, side // 2 + 64),
        (1, side // 2 + 13, side // 2 + 7),
    ]


def _compare(
    model: Probabilities,
    spec: BundleSpec,
    path: Path,
    sizes: Sequence[Size],
    examples: Tensor | None,
) -> float:
    engine = open_engine(path)
    images = [torch.from_numpy(batch) for batch in _inputs(spec, sizes, examples)]
    with torch.no_grad():
        gaps = [_gap(torch.from_numpy(engine.run(i.numpy())), model(i)) for i in images]
        worst = torch.stack(gaps).amax(0)
        if not worst[0] <= FLOOR[0]:
            check_gap(worst, rounding(model, images))
    return float(worst[0])


def rounding(model: Probabilities, images: Sequence[Tensor]) -> Tensor:
    """Largest and mean error of a network's probabilities in float32, against float64.

    Two memory layouts are tried, because they sum in different orders: one alone is at times right
    by chance where the network is most sensitive.
    """
    wide = copy.deepcopy(model).double()
    errors = []
    for image in images:
        exact = wide.scale(wide.net(image.double()))
        for layout in (torch.contiguous_format, torch.channels_last):
            errors.append(_gap(model(image.contiguous(memory_format=layout)), exact))
    return torch.stack(errors).amax(0)


def _gap(found: Tensor, expected: Tensor) -> Tensor:
    """Largest and mean difference."""
    gap = (found - expected).abs()
    return torch.stack([gap.max(), gap.mean()]).double()


def check_gap(gap: Tensor, own: Tensor) -> None:
    """Refuse a graph that differs from its network by more than the network's rounding explains.

    The mean counts beside the largest, because rounding that decides a few pixels leaves the rest
    alone, and a wrong graph does not.

    Args:
        gap: largest and mean difference between graph and network, both in float32.
        own: largest and mean error of the network, see `rounding`.

    Raises:
        ExportError: one of the two is above both its floor and ten times the network's own.
    """
    allowed = (FACTOR * own).clamp(min=torch.tensor(FLOOR, dtype=own.dtype))
    if not bool((gap <= allowed).all()):
        raise ExportError(
            f"The exported graph differs from the network by {gap[0]:.2g} in probability, in the "
            f"mean by {gap[1]:.2g}; the network's own rounding explains {allowed[0]:.2g} and "
            f"{allowed[1]:.2g}. The network probably computes with fixed sizes: use sizes taken "
            "from its input instead."
        )
    warn(
        f"the network magnifies rounding: in 32 bits its probabilities are off by up to "
        f"{own[0]:.1g}, and those of its bundle differ by up to {gap[0]:.1g}"
    )


def _inputs(
    spec: BundleSpec, sizes: Sequence[Size], examples: Tensor | None
) -> Iterator[NDArray[np.float32]]:
    """Yield an input of each size, then the examples as they are."""
    if examples is None:
        rng = np.random.default_rng(0)
        for n, height, width in sizes:
            yield rng.normal(size=(n, len(spec.bands), height, width)).astype(np.float32)
        return
    real = examples.cpu().numpy().astype(np.float32)
    for n, height, width in sizes:
        rows, cols = np.arange(height) % real.shape[2], np.arange(width) % real.shape[3]
        yield np.ascontiguousarray(real[np.arange(n) % len(real)][:, :, rows][:, :, :, cols])
    yield real
