"""From a trained network to a model bundle: one ONNX file that holds all it takes to use it."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import AgriError
from agri_map.bundle.bundle import metadata
from agri_map.bundle.spec import BundleSpec
from agri_map.inference.engine import open_engine
from numpy.typing import NDArray
from torch import Tensor, nn

from agri_train.engine.loss import Head

OPSET = 17
TOLERANCE = 1e-4
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
        logits = self.net(image).float() / self.temperature
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
    differs is never left behind. The inputs are `examples` repeated side by side: white noise is
    nothing a trained network has seen, its logits are then huge, and so is their rounding.

    Args:
        net: gives logits; left in the mode and on the device it came in.
        spec: goes into the file's metadata.
        head: `binary` (one logit) or `multiclass`.
        path: the `.onnx` file; an earlier one is replaced.
        sizes: `(N, H, W)` to compare at; the tile and others around it when omitted.
        examples: real input `(N, C, H, W)` to compare at; noise when omitted.

    Raises:
        ExportError: a probability differs by more than 1e-4, or the graph cannot be built.
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
    model: nn.Module,
    spec: BundleSpec,
    path: Path,
    sizes: Sequence[Size],
    examples: Tensor | None,
) -> float:
    engine = open_engine(path)
    worst = 0.0
    for batch in _inputs(spec, sizes, examples):
        with torch.no_grad():
            expected = model(torch.from_numpy(batch)).numpy()
        gap = float(np.abs(engine.run(batch) - expected).max())
        if not gap <= TOLERANCE:
            raise ExportError(
                f"The exported graph differs from the network by {gap:.2g} in probability at input "
                f"{batch.shape}; at most {TOLERANCE:g} is allowed. The network probably computes "
                "with fixed sizes: use sizes taken from its input instead."
            )
        worst = max(worst, gap)
    return worst


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
