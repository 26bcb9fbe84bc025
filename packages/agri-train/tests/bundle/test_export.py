import numpy as np
import onnx
import pytest
import torch
from agri_core.files.atomic import write_text
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from agri_map.bundle.bundle import read_spec
from agri_map.bundle.spec import BundleSpec
from agri_map.inference.engine import open_engine
from agri_train.bundle.calibrate import fit_temperature
from agri_train.bundle.export import ExportError, Probabilities, export_bundle
from agri_train.config import TrainConfig
from agri_train.device.hardware import choose
from torch import nn

LEGEND = Legend.of({"water": "#2a7fba", "arable": "#e8c547", "forest": "#1b6e37"})


def spec(**kwargs) -> BundleSpec:
    base = {"name": "m", "task": "segment", "bands": ("B02", "B03", "B04", "B08"), "unit": "dn"}
    numbers = {"mean": (0.0,) * 4, "std": (1.0,) * 4, "tile": 64, "overlap": 16}
    return BundleSpec(**{**base, **numbers, "legend": LEGEND, **kwargs})


def test_parity_at_any_size_and_the_spec_inside(tiny, tmp_path):
    net, path = tiny().train(), tmp_path / "model.onnx"
    gap = export_bundle(net, spec(temperature=1.7), "multiclass", path)
    assert gap <= 1e-4
    assert net.training
    assert read_spec(path) == spec(temperature=1.7)
    batch = np.random.default_rng(1).normal(size=(3, 4, 37, 91)).astype(np.float32)
    with torch.no_grad():
        expected = (net.eval()(torch.from_numpy(batch)) / 1.7).softmax(1).numpy()
    assert np.abs(open_engine(path).run(batch) - expected).max() < 1e-5
    assert [p.name for p in tmp_path.glob("[!.]*")] == ["model.onnx"]  # one file, no data beside it


def test_the_graph_suits_old_runtimes(tiny, tmp_path):
    export_bundle(tiny(), spec(), "multiclass", tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx")
    assert graph.opset_import[0].version == 17
    assert graph.ir_version <= 9
    assert [i.name for i in graph.graph.input] == ["image"]
    assert [o.name for o in graph.graph.output] == ["probabilities"]


def test_both_engines_agree(tiny, tmp_path):
    pytest.importorskip("openvino")
    export_bundle(tiny(), spec(), "multiclass", tmp_path / "model.onnx")
    batch = np.random.default_rng(1).normal(size=(2, 4, 48, 80)).astype(np.float32)
    runs = [open_engine(tmp_path / "model.onnx", n).run(batch) for n in ("onnxruntime", "openvino")]
    assert np.abs(runs[0] - runs[1]).max() < 1e-4


def test_binary_probabilities_by_hand():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.full((1, 1, 1, 1), 2 * float(np.log(3)))

    # logit 2 ln 3 over temperature 2 is ln 3: sigmoid 3/4.
    out = Probabilities(Constant(), "binary", 2.0)(torch.zeros(1))
    assert out.flatten().tolist() == pytest.approx([0.25, 0.75])


class Fixed(nn.Module):
    """Adds a pattern that the tracer freezes at the size of its example."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        return self.conv(x) + float(x.shape[-1]) / 10 * torch.tensor([1.0, 0.0, 0.0])[:, None, None]


@pytest.mark.parametrize("examples", [None, torch.rand(2, 4, 32, 32)])
def test_a_graph_that_differs_is_never_left(tmp_path, examples):
    path = tmp_path / "model.onnx"
    write_text(path, "earlier")
    with pytest.raises(ExportError, match=r"differs from the network by .* use sizes taken from"):
        export_bundle(Fixed(), spec(), "multiclass", path, examples=examples)
    assert path.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.glob("[!.]*")] == ["model.onnx"]


@pytest.mark.parametrize("name", ["Unet", "DeepLabV3", "DeepLabV3Plus"])
def test_real_networks_export(name, tmp_path):
    smp = pytest.importorskip("segmentation_models_pytorch")
    torch.manual_seed(0)
    net = getattr(smp, name)("resnet18", encoder_weights=None, in_channels=4, classes=3)
    gap = export_bundle(
        net, spec(), "multiclass", tmp_path / "m.onnx", sizes=[(1, 64, 64), (2, 96, 32)]
    )
    assert gap <= 1e-4


def test_temperature_is_found():
    # Truth drawn from the probabilities of `logits / 2`: the temperature is 2 but for chance.
    torch.manual_seed(0)
    logits = 4 * torch.randn(20_000, 3)
    truth = torch.multinomial((logits / 2).softmax(1), 1)[:, 0]
    assert fit_temperature(logits, truth, "multiclass") == pytest.approx(2, rel=0.03)
    single = 4 * torch.randn(20_000, 1)
    truth = torch.bernoulli((single[:, 0] / 2).sigmoid()).long()
    assert fit_temperature(single, truth, "binary") == pytest.approx(2, rel=0.05)
    assert fit_temperature(single[:0], truth[:0], "binary") == 1.0


@pytest.mark.parametrize(
    ("features", "precision"),
    [
        (("_is_amx_tile_supported", "_is_avx512_bf16_supported"), "bf16"),
        (("_is_avx512_bf16_supported",), "bf16"),
        ((), "32"),
    ],
)
def test_auto_follows_the_cpu(monkeypatch, features, precision):
    monkeypatch.setattr("agri_train.device.hardware._has", lambda probe: probe in features)
    hardware = choose(TrainConfig(device="cpu"))
    assert (hardware.precision, hardware.memory_format) == (precision, "channels_last")
    asked = choose(TrainConfig(device="cpu", precision="bf16", memory_format="contiguous"))
    assert (asked.precision, asked.memory_format) == ("bf16", "contiguous")


@pytest.mark.parametrize(
    ("cores", "asked", "workers"), [(16, 0, 4), (3, 0, 2), (1, 0, 0), (3, 7, 7)]
)
def test_batches_are_read_beside_a_gpu(monkeypatch, cores, asked, workers):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr("agri_train.device.hardware.cores", lambda: cores)
    assert choose(TrainConfig(workers=asked)).workers == workers
    assert choose(TrainConfig(workers=asked, device="cpu")).workers == asked


def test_a_gpu_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch sees no GPU here"):
        choose(TrainConfig(device="gpu"))
