"""Engines: what they compute, that they agree, and models that are refused."""

import builtins
import subprocess
import sys

import numpy as np
import onnx
import pytest
from agri_core.files.errors import InputError
from agri_map.inference.engine import EngineError, open_engine


@pytest.fixture
def batch():
    return np.random.default_rng(0).normal(size=(2, 4, 24, 40)).astype(np.float32)


def reference(path, batch):
    """Softmax of a 1 x 1 convolution in numpy."""
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    logits = np.einsum("kc,nchw->nkhw", stored["weight"][:, :, 0, 0].astype(float), batch)
    logits += stored["bias"][:, None, None]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_computes_the_graph(save_model, batch, name):
    if name == "openvino":
        pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    path = save_model("pointwise")
    engine = open_engine(path, name, threads=1)
    result = engine.run(batch)
    assert result.dtype == np.float32 and engine.name == name and engine.precision == "f32"
    assert np.abs(result - reference(path, batch)).max() < 1e-6


def without_softmax(model):
    (node,) = (node for node in model.graph.node if node.op_type == "Softmax")
    node.op_type = "Identity"
    del node.attribute[:]


def with_a_weight_of(value):
    def damage(model):
        (bias,) = (t for t in model.graph.initializer if t.name == "bias")
        values = onnx.numpy_helper.to_array(bias).copy()
        values[1] = value
        bias.CopyFrom(onnx.numpy_helper.from_array(values, "bias"))

    return damage


@pytest.mark.parametrize(
    "damage", [without_softmax, with_a_weight_of(np.nan), with_a_weight_of(np.inf)]
)
@pytest.mark.parametrize("task", ["segment", "classify"])
def test_what_is_no_probability_becomes_no_map(save_model, make_spec, batch, damage, task):
    path = save_model(spec=make_spec(task=task))
    model = onnx.load(path)
    damage(model)
    onnx.save(model, path)
    with pytest.raises(InputError, match="no probabilities; its weights are damaged, or it was"):
        open_engine(path, threads=1).run(batch)


@pytest.mark.parametrize("kind", ["conv", "wide"])
def test_engines_agree_in_float32(save_model, batch, kind):
    pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    path = save_model(kind)
    a, b = (open_engine(path, name, threads=1).run(batch) for name in ("onnxruntime", "openvino"))
    assert np.abs(a - b).max() < 1e-6


def test_bf16_is_only_a_little_different(save_model, batch):
    pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    path = save_model("conv")
    exact = open_engine(path, "openvino", "f32").run(batch)
    rough = open_engine(path, "openvino", "bf16").run(batch)
    assert np.abs(exact - rough).max() < 0.05


def test_onnxruntime_has_no_bf16(save_model):
    with pytest.raises(InputError, match="--engine openvino"):
        open_engine(save_model(), "onnxruntime", "bf16")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("torch",), "engine must be one of onnxruntime, openvino, got 'torch'"),
     (("onnxruntime", "int8"), "precision must be one of"),
     (("onnxruntime", "f32", 0), "threads must be 1 or more")],
)  # fmt: skip
def test_refuses(save_model, arguments, message):
    with pytest.raises(InputError, match=message):
        open_engine(save_model(), *arguments)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("wrong", "what"), [("inputs", "input"), ("outputs", "output")])
def test_graph_that_does_not_fit_its_spec(save_model, name, wrong, what):
    pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    path = save_model(**{wrong: 7})
    with pytest.raises(InputError, match=f"{what} channels but its graph has 7"):
        open_engine(path, name)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_graph_of_nonsense(save_model, tmp_path, name):
    pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    model = onnx.load(save_model())
    model.graph.node[0].op_type = "Nonsense"
    path = tmp_path / "nonsense.onnx"
    onnx.save(model, path)
    with pytest.raises(InputError, match=rf"nonsense\.onnx cannot be loaded by {name}"):
        open_engine(path, name)


def test_without_the_extra(save_model, monkeypatch):
    real = builtins.__import__

    def refuse(name, *arguments, **named):
        if name == "openvino":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(EngineError, match=r"uv pip install 'agri-map\[openvino\]'"):
        open_engine(save_model(), "openvino")


def test_fixed_size_model_explains_itself(save_model, tmp_path, batch):
    model = onnx.load(save_model())
    for size, value in zip(
        model.graph.input[0].type.tensor_type.shape.dim[2:], (64, 64), strict=True
    ):
        size.dim_value = value
    path = tmp_path / "fixed.onnx"
    onnx.save(model, path)
    with pytest.raises(EngineError, match=r"shape \(2, 4, 24, 40\)"):
        open_engine(path).run(batch)


def test_openvino_is_silent_on_the_network(save_model):
    pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    code = """
import sys
calls = []
watched = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen",
           "os.fork", "os.posix_spawn", "os.system"}
sys.addaudithook(lambda event, details: event in watched and calls.append((event, details)))
import numpy as np
from agri_map.inference.engine import open_engine
open_engine(sys.argv[1], "openvino").run(np.zeros((1, 4, 16, 16), np.float32))
import threading
# A sender in the background counts too: give every thread that was started its time.
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(2)
assert not calls, calls
"""
    run = subprocess.run([sys.executable, "-c", code, save_model()], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
