"""Run a bundle on the CPU: one interface, onnxruntime by default, openvino when asked for.

Precision is never lowered in silence: openvino would choose bfloat16 by itself on processors
that have it, so float32 is forced unless `bf16` is asked for.
"""

import os
import sys
from pathlib import Path
from typing import Any, Protocol, get_args

import numpy as np
from agri_core.files.errors import AgriError, InputError
from numpy.typing import NDArray

from agri_map.bundle.bundle import check_whole, read_spec
from agri_map.bundle.spec import BundleSpec
from agri_map.choices import EngineName, Precision

Array = NDArray[np.float32]


class EngineError(AgriError, RuntimeError):
    """The runtime is not installed, or it cannot run the model."""


class Engine(Protocol):
    """A loaded model."""

    spec: BundleSpec
    name: str
    precision: str

    def run(self, batch: Array) -> Array:
        """Return probabilities `(N, K, H, W)` (`(N, K)` for patches) of input `(N, C, H, W)`."""
        ...


PROBABILITY_ERROR = 0.05
"""Largest error of a sum of probabilities: bfloat16 keeps 8 bits, so ten classes may miss 1 by
0.02."""


def open_engine(
    path: Path | str,
    name: EngineName = "onnxruntime",
    precision: Precision = "f32",
    threads: int | None = None,
    spec: BundleSpec | None = None,
) -> Engine:
    """Load a bundle.

    Args:
        path: The bundle.
        name: `onnxruntime` or `openvino` (the extra `agri-map[openvino]`).
        precision: `f32`, or `bf16` (openvino only).
        threads: Threads of the engine; all cores this process may use when None.
        spec: The bundle's own, where it has been read already.

    Raises:
        MissingError: No such file.
        InputError: Not a bundle, a damaged one, a graph that does not fit its spec, or an
            unknown name or precision.
        EngineError: The runtime is not installed or refuses the model.
    """
    if name not in get_args(EngineName):
        raise InputError(f"engine must be one of {', '.join(get_args(EngineName))}, got {name!r}")
    if precision not in get_args(Precision):
        raise InputError(
            f"precision must be one of {', '.join(get_args(Precision))}, got {precision!r}"
        )
    if threads is not None and threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}")
    path = Path(path)
    spec = spec or read_spec(path)
    check_whole(path)
    count = threads or cores()
    if name == "openvino":
        return _Openvino(path, spec, precision, count)
    if precision != "f32":
        raise InputError(
            "onnxruntime computes in float32 on a CPU; for bfloat16 pass --engine openvino"
        )
    return _Onnxruntime(path, spec, count)


def cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Onnxruntime:
    name = "onnxruntime"
    precision = "f32"

    def __init__(self, path: Path, spec: BundleSpec, threads: int) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Operators run one after the other, each on all threads.
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        # Fatal only: errors arrive as exceptions and are reported from there.
        options.log_severity_level = 4
        # Denormal floats are slow on a CPU and far below any difference between classes.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        # The same scene gives the same map in every run.
        options.add_session_config_entry("session.use_deterministic_compute", "1")
        # Waiting threads must not eat the time in which tiles are cut, blended and written.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InputError(f"{path} cannot be loaded by onnxruntime: {error}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        _check_graph(
            path, spec, [tuple(item.shape) for item in inputs], [tuple(o.shape) for o in outputs]
        )
        self._input, self._output = inputs[0].name, outputs[0].name
        self.spec = spec

    def run(self, batch: Array) -> Array:
        try:
            result = self._session.run([self._output], {self._input: batch})[0]
        except Exception as error:
            raise _run_error(self.name, batch, error) from error
        return _checked(np.asarray(result), batch, self.spec)


class _Openvino:
    name = "openvino"

    def __init__(self, path: Path, spec: BundleSpec, precision: str, threads: int) -> None:
        openvino = _import_openvino()
        mode = "ACCURACY" if precision == "f32" else "PERFORMANCE"
        hints = {
            "EXECUTION_MODE_HINT": mode,
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            # Batches come one at a time, so all threads work on one.
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
        }
        try:
            core = openvino.Core()
            model = core.read_model(path)
            _check_graph(path, spec, _shapes(model.inputs), _shapes(model.outputs))
            self._model = core.compile_model(model, "CPU", hints)
        except RuntimeError as error:
            raise InputError(f"{path} cannot be loaded by openvino: {error}") from error
        self._request = self._model.create_infer_request()
        self.spec = spec
        self.precision = precision

    def run(self, batch: Array) -> Array:
        try:
            result = self._request.infer([batch], share_inputs=True, share_outputs=False)[0]
        except RuntimeError as error:
            raise _run_error(self.name, batch, error) from error
        return _checked(np.asarray(result), batch, self.spec)


def _import_openvino() -> Any:
    """Import openvino without its telemetry, which would tell its makers of every import.

    A module that is None in `sys.modules` counts as not installed; openvino then does without.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise EngineError(
            "the engine openvino is not installed; install it with "
            "`uv pip install 'agri-map[openvino]'` or use --engine onnxruntime"
        ) from error
    return openvino


def _shapes(ports: Any) -> list[tuple[Any, ...]]:
    return [
        tuple(None if size.is_dynamic else size.get_length() for size in port.partial_shape)
        for port in ports
    ]


def _check_graph(
    path: Path, spec: BundleSpec, inputs: list[tuple[Any, ...]], outputs: list[tuple[Any, ...]]
) -> None:
    """Compare the graph's shapes with the spec; sizes that are no integers are dynamic."""
    rank = 4 if spec.task == "segment" else 2
    if len(inputs) != 1 or len(inputs[0]) != 4:
        raise InputError(f"{path}: expected one input (N, C, H, W), got {inputs}")
    if len(outputs) != 1 or len(outputs[0]) != rank:
        raise InputError(f"{path}: expected one output of {rank} dimensions, got {outputs}")
    for what, found, wanted in (
        ("input channels", inputs[0][1], len(spec.bands)),
        ("output channels", outputs[0][1], len(spec.legend)),
    ):
        if isinstance(found, int) and found != wanted:
            raise InputError(
                f"{path}: its spec asks for {wanted} {what} but its graph has {found}; "
                "the bundle was put together wrongly, export it again"
            )


def _run_error(name: str, batch: Array, error: Exception) -> EngineError:
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    return EngineError(f"{name} failed on a batch of shape {batch.shape}: {reason}")


def _checked(result: NDArray[Any], batch: Array, spec: BundleSpec) -> Array:
    classes = len(spec.legend)
    shape = (len(batch), classes, *(batch.shape[-2:] if spec.task == "segment" else ()))
    if result.shape != shape:
        raise EngineError(
            f"the model gave an output of shape {result.shape} for an input of shape "
            f"{batch.shape}; expected {shape}"
        )
    sums = result.sum(axis=1, dtype=np.float32)
    # NaN is neither; the message below is for it as well.
    if not (result.min() >= -PROBABILITY_ERROR and np.abs(sums - 1).max() <= PROBABILITY_ERROR):
        raise InputError(
            f"the model {spec.name!r} gave values from {result.min():g} to {result.max():g} that "
            f"sum to {sums.min():g} to {sums.max():g} over the classes, no probabilities; its "
            "weights are damaged, or it was exported without its softmax"
        )
    return np.asarray(result, np.float32)
