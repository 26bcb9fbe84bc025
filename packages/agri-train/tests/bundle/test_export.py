import numpy as np
import onnx
import pytest
import segmentation_models_pytorch as smp
import torch
from agri_core.files.atomic import write_text
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from agri_map.bundle.bundle import read_spec
from agri_map.bundle.spec import BundleSpec
from agri_map.inference.engine import open_engine
from agri_train.bundle.calibrate import fit_temperature
from agri_train.bundle.export import ExportError, Probabilities, check_gap, export_bundle, rounding
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


class Shaky(nn.Module):
    """Loses four digits: a batch norm takes off a level that the convolution adds."""

    def __init__(self, fault=None):
        super().__init__()
        torch.manual_seed(0)
        self.fault = fault
        self.mix = nn.Conv2d(4, 32, 3, padding=1, padding_mode="replicate")
        self.norm, self.head = nn.BatchNorm2d(32, momentum=None), nn.Conv2d(32, 3, 1)
        with torch.no_grad():
            self(torch.randn(2, 4, 64, 64))  # sets the statistics of the batch norm
        self.eval()

    def forward(self, x):
        if self.fault is not None and torch.onnx.is_in_onnx_export():
            x = self.fault(x)
        return self.head(self.norm(self.mix(x + 1e4)).relu())


def test_a_network_that_magnifies_rounding_is_exported(tmp_path, capsys):
    net, path = Shaky(), tmp_path / "model.onnx"
    image = torch.randn(1, 4, 48, 48)
    with torch.no_grad():
        own = rounding(Probabilities(net, "multiclass"), [image])
        exact = net.double()(image.double()).softmax(1)
    assert own[0] > 3e-4  # three times what other networks are allowed
    net.float()
    gap = export_bundle(net, spec(), "multiclass", path)
    assert 1e-4 < gap < 5 * own[0]
    assert "warning: the network magnifies rounding" in capsys.readouterr().err
    # The bundle is as right as the network itself.
    error = np.abs(open_engine(path).run(image.numpy()) - exact.numpy())
    assert error.max() < 5 * own[0]
    assert error.mean() < 3 * own[1]


@pytest.mark.parametrize(
    "fault",
    [lambda x: 1.05 * x, lambda x: x + 0.1, lambda x: x.flip(1), nn.functional.gelu],
    ids=["another deviation", "another mean", "other bands", "another operation"],
)
def test_rounding_is_no_excuse_for_a_wrong_graph(tmp_path, fault):
    with pytest.raises(ExportError, match=r"by .* in the mean by .* own rounding explains"):
        export_bundle(Shaky(fault), spec(), "multiclass", tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("gap", "own", "right"),
    [
        ((2e-3, 2e-5), (3e-4, 3e-6), True),  # both below ten times the network's own
        ((4e-3, 2e-5), (3e-4, 3e-6), False),  # the largest is above
        ((2e-3, 4e-5), (3e-4, 3e-6), False),  # the mean is above
        ((2e-4, 1e-6), (0.0, 0.0), False),
        ((9e-5, 9e-6), (0.0, 0.0), True),  # the floors
        ((float("nan"), 0.0), (1.0, 1.0), False),
    ],
)
def test_largest_and_mean_difference_both_count(gap, own, right):
    pair = (torch.tensor(gap, dtype=torch.float64), torch.tensor(own, dtype=torch.float64))
    if right:
        check_gap(*pair)
    else:
        with pytest.raises(ExportError):
            check_gap(*pair)


def test_the_error_of_a_network_by_hand():
    class Third(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor(1.0))

        def forward(self, x):
            # 16,777,217 needs 25 bits, so in float32 the sum is 16,777,216 and the logit 0, not 1.
            return (x * self.weight + 16_777_216.0) - 16_777_216.0

    image = torch.ones(1, 1, 1, 2)
    image[..., 1] = 2.0  # has room in 24 bits
    own = rounding(Probabilities(Third(), "binary"), [image])
    # sigmoid(1) - sigmoid(0) = 0.2310586; half of the pixels are right.
    assert own.tolist() == pytest.approx([0.2310586, 0.1155293])


@pytest.mark.parametrize("name", ["Unet", "DeepLabV3", "DeepLabV3Plus"])
def test_real_networks_export(name, tmp_path):
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
