"""Exports a trained network as a model bundle: one ONNX file with all that inference needs."""

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
TOLERANCE = (1e-4, 1e-5)
"""Largest and mean difference in probability that is always accepted: no map shows it."""
ROUNDING_FACTOR = 10.0
"""A graph may differ from its network by so many times the network's own rounding error.

Two correct programs round in different orders, so in float32 each is about as far from float64 as
the other. Over 110 inputs of networks with four encoders, after little and after long training, the
largest difference was 0.3 to 4.9 times that error and the mean difference 0.3 to 2.6 times.
"""
Size = tuple[int, int, int]


class ExportError(AgriError, RuntimeError):
    """The exported graph does not compute what the network computes."""


class Probabilities(nn.Module):
    """A network with calibrated class probabilities; a binary head gets two channels."""

    def __init__(self, net: nn.Module, head: Head, temperature: float = 1.0) -> None:
        super().__init__()
        self.net, self.head, self.temperature = net, head, temperature

    def forward(self, image: Tensor) -> Tensor:
        """Return probabilities `(N, K, ...)` that sum to 1 over the classes."""
        return self.scale(self.net(image).float())

    def scale(self, logits: Tensor) -> Tensor:
        """Return the probabilities of logits, in the precision of the logits."""
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

    Batch size, height and width stay dynamic. Before the file is put in place, agri-map's engine
    runs the graph on inputs of several sizes, and the results are compared with torch in float32;
    a file that differs by more than rounding is not kept, see `check_gap`. The inputs are the
    `examples`, tiled: on white noise, which it has not seen in training, a network has very large
    logits with large rounding errors.

    Args:
        net: gives logits; its mode and device are restored.
        spec: written to the metadata of the file.
        head: `binary` (one logit) or `multiclass`.
        path: the `.onnx` file; one of an earlier run is replaced.
        sizes: `(N, H, W)` of the inputs; the tile size and others around it when omitted.
        examples: real input `(N, C, H, W)`; noise when omitted.

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
        # The tracer warns about every fixed size; `_compare` checks those that matter.
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
        if not worst[0] <= TOLERANCE[0]:
            check_gap(worst, rounding(model, images))
    return float(worst[0])


def rounding(model: Probabilities, images: Sequence[Tensor]) -> Tensor:
    """Return the largest and mean error of a network's probabilities in float32, against float64.

    Two memory formats are tried, because they sum in different orders: a single one can be exact by
    chance where the network is most sensitive.
    """
    wide = copy.deepcopy(model).double()
    errors = []
    for image in images:
        exact = wide.scale(wide.net(image.double()))
        for memory_format in (torch.contiguous_format, torch.channels_last):
            found = model(image.contiguous(memory_format=memory_format))
            errors.append(_gap(found, exact))
    return torch.stack(errors).amax(0)


def _gap(found: Tensor, expected: Tensor) -> Tensor:
    """Return the largest and the mean difference."""
    gap = (found - expected).abs()
    return torch.stack([gap.max(), gap.mean()]).double()


def check_gap(gap: Tensor, own: Tensor) -> None:
    """Raise if a graph differs from its network by more than the network's rounding explains.

    Both the largest and the mean difference are checked: rounding may decide a few pixels and
    leaves the rest unchanged, a wrong graph changes all of them.

    Args:
        gap: largest and mean difference between graph and network, both in float32.
        own: largest and mean error of the network, see `rounding`.

    Raises:
        ExportError: one of the two exceeds both its tolerance and ten times the network's own.
    """
    allowed = (ROUNDING_FACTOR * own).clamp(min=torch.tensor(TOLERANCE, dtype=own.dtype))
    if not bool((gap <= allowed).all()):
        raise ExportError(
            f"The exported graph differs from the network by {gap[0]:.2g} in probability, in the "
            f"mean by {gap[1]:.2g}; the network's own rounding explains {allowed[0]:.2g} and "
            f"{allowed[1]:.2g}. The network probably computes with fixed sizes: use sizes taken "
            "from its input instead."
        )
    warn(
        f"the network magnifies rounding: in float32 its probabilities are off by up to "
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
