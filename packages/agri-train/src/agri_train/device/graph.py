"""A network's forward and backward pass as CUDA graphs.

The step of a small network on a fast GPU takes as long as the processor needs to launch its
kernels, hundreds of them; a graph is one launch. What is computed stays the same.
"""

from dataclasses import dataclass
from typing import Any

import torch
from agri_core.files.errors import InputError
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Key = tuple[torch.Size, tuple[int, ...], torch.dtype, int]
WARM = 3
"""Steps before a capture: libraries make their handles and choose their algorithms in them."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Two graphs and the places that they read and write.

    Attributes:
        image: the batch goes here.
        logits: come out here.
        gradient: of the loss by the logits goes here.
        gradients: of the loss by the parameters come out here; None where there is none.
    """

    forward: torch.cuda.CUDAGraph
    backward: torch.cuda.CUDAGraph
    image: Tensor
    logits: Tensor
    gradient: Tensor
    gradients: tuple[Tensor | None, ...]


class Graphs:
    """Replays a network in training; it is captured once for every shape of batch.

    Captures share their memory, which is safe since a batch is carried forward and backward before
    the next begins. A network whose path depends on its data cannot be captured.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self._learning: tuple[nn.Parameter, ...] = ()
        self._kept: dict[Key, Capture] = {}
        self._pool: Any = None

    def refresh(self) -> None:
        """Look again which parameters learn; call it after freezing or waking some."""
        self._learning = tuple(item for item in self.net.parameters() if item.requires_grad)

    def __call__(self, image: Tensor) -> Tensor:
        """Return the logits of a batch on the GPU; their gradient flows to the parameters.

        Nothing that holds the autograd graph of an earlier batch, such as its loss, may be kept
        when a new shape comes: its nodes would tie the capture to another stream.

        Raises:
            InputError: the network cannot be captured.
        """
        key = (image.shape, image.stride(), image.dtype, len(self._learning))
        if key not in self._kept:
            try:
                self._kept[key] = self._capture(image)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                raise InputError(
                    "The network cannot be captured as a CUDA graph "
                    f"({str(error).splitlines()[0]}). Set `graphs` to false: a step is then "
                    "launched kernel by kernel."
                ) from error
        logits: Tensor = _Replay.apply(self._kept[key], image, *self._learning)
        return logits

    def _capture(self, image: Tensor) -> Capture:
        """Capture; running statistics and the state of chance are left as they were."""
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        # The cache of cast weights would outlive the graph that made it.
        cast = torch.autocast(
            "cuda",
            dtype=torch.get_autocast_dtype("cuda"),
            enabled=torch.is_autocast_enabled("cuda"),
            cache_enabled=False,
        )
        buffers = [(buffer, buffer.clone()) for buffer in self.net.buffers()]
        with torch.random.fork_rng([image.device]), cast:
            found = self._record(image.clone())
        for buffer, value in buffers:
            buffer.copy_(value)
        return found

    def _record(self, image: Tensor) -> Capture:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM):
                logits = self.net(image)
                self._differentiate(logits, torch.zeros_like(logits))
        torch.cuda.current_stream().wait_stream(stream)
        forward, backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        # Only this thread must not do what a capture forbids: another pins memory meanwhile.
        mode = {"pool": self._pool, "stream": stream, "capture_error_mode": "thread_local"}
        with torch.cuda.graph(forward, **mode):
            logits = self.net(image)
        gradient = torch.zeros_like(logits)
        with torch.cuda.graph(backward, **mode):
            gradients = self._differentiate(logits, gradient)
        return Capture(forward, backward, image, logits.detach(), gradient, gradients)

    def _differentiate(self, logits: Tensor, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return torch.autograd.grad(logits, self._learning, gradient, allow_unused=True)


class _Replay(torch.autograd.Function):
    """One node of autograd that stands for the whole network."""

    @staticmethod
    def forward(ctx: Any, capture: Capture, image: Tensor, *learning: Tensor) -> Tensor:
        ctx.capture = capture
        capture.image.copy_(image)
        capture.forward.replay()
        return capture.logits.detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        capture: Capture = ctx.capture
        capture.gradient.copy_(gradient)
        capture.backward.replay()
        found = (None if item is None else item.detach() for item in capture.gradients)
        return None, None, *found
