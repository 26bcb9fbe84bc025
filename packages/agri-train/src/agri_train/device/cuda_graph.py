"""A network's forward and backward pass as CUDA graphs.

A step of a small network on a fast GPU takes as long as the CPU needs to launch its hundreds of
kernels; a graph is a single launch. The computation is the same.
"""

from dataclasses import dataclass
from typing import Any

import torch
from agri_core.files.errors import InputError
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Key = tuple[torch.Size, tuple[int, ...], torch.dtype, int]
WARMUP_STEPS = 3
"""Steps before a capture, in which libraries create their handles and choose algorithms."""


@dataclass(frozen=True, slots=True)
class Capture:
    """The graphs of a forward and a backward pass, and their input and output buffers.

    Attributes:
        image: input: the batch.
        logits: output of the forward pass.
        gradient: input of the backward pass: gradient of the loss by the logits.
        gradients: output: gradients of the loss by the parameters; None where there is none.
    """

    forward: torch.cuda.CUDAGraph
    backward: torch.cuda.CUDAGraph
    image: Tensor
    logits: Tensor
    gradient: Tensor
    gradients: tuple[Tensor | None, ...]


class CudaGraphs:
    """Replays the training passes of a network, captured once per batch shape.

    Captures share their memory, which is safe because the forward and backward pass of a batch end
    before the next batch begins. A network with data-dependent control flow cannot be captured.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self._trainable: tuple[nn.Parameter, ...] = ()
        self._captures: dict[Key, Capture] = {}
        self._pool: Any = None

    def refresh(self) -> None:
        """Update the list of trainable parameters; call it after freezing or unfreezing some."""
        self._trainable = tuple(item for item in self.net.parameters() if item.requires_grad)

    def __call__(self, image: Tensor) -> Tensor:
        """Return the logits of a batch on the GPU; their gradient reaches the parameters.

        The caller must not keep the autograd graph of an earlier batch, such as its loss, when a
        new shape is captured: its nodes would tie the capture to another stream.

        Raises:
            InputError: the network cannot be captured.
        """
        key = (image.shape, image.stride(), image.dtype, len(self._trainable))
        if key not in self._captures:
            try:
                self._captures[key] = self._capture(image)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                raise InputError(
                    "The network cannot be captured as a CUDA graph "
                    f"({str(error).splitlines()[0]}). Set `cuda_graphs` to false: a step is "
                    "then launched kernel by kernel."
                ) from error
        logits: Tensor = _Replay.apply(self._captures[key], image, *self._trainable)
        return logits

    def _capture(self, image: Tensor) -> Capture:
        """Capture both passes; running statistics and random state stay as they were."""
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        # A cache of cast weights would outlive the graph that made it.
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
        # The default stream cannot be captured; the other one must see the work queued so far.
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARMUP_STEPS):
                logits = self.net(image)
                self._differentiate(logits, torch.zeros_like(logits))
        torch.cuda.current_stream().wait_stream(stream)
        forward, backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        # Restrict the capture to this thread: the data loader pins memory in another meanwhile.
        mode = {"pool": self._pool, "stream": stream, "capture_error_mode": "thread_local"}
        with torch.cuda.graph(forward, **mode):
            logits = self.net(image)
        gradient = torch.zeros_like(logits)
        with torch.cuda.graph(backward, **mode):
            gradients = self._differentiate(logits, gradient)
        return Capture(forward, backward, image, logits.detach(), gradient, gradients)

    def _differentiate(self, logits: Tensor, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return torch.autograd.grad(logits, self._trainable, gradient, allow_unused=True)


class _Replay(torch.autograd.Function):
    """A single autograd node for the whole network."""

    @staticmethod
    def forward(ctx: Any, capture: Capture, image: Tensor, *trainable: Tensor) -> Tensor:
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
