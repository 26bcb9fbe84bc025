import os
import pickle
import socket
import zipfile

import pytest
import torch
from agri_core.files.errors import InputError, MissingError
from agri_train.network import tensorfile
from agri_train.network.stem import adapt_input
from agri_train.network.weights import load_encoder_weights, read_state, weights_fingerprint
from safetensors.torch import save_file
from torch import nn


def encoder(bands: int = 3) -> nn.Module:
    return nn.Sequential(nn.Conv2d(bands, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_local_file_fills_the_encoder(tmp_path, suffix):
    given, path = encoder(), tmp_path / f"weights{suffix}"
    state = given.state_dict()
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    taken = encoder()
    assert load_encoder_weights(taken, str(path), 3) == len(state)
    assert all(torch.equal(state[name], value) for name, value in taken.state_dict().items())


def test_a_whole_model_file_is_read_by_its_prefix(tmp_path):
    given = encoder()
    state = {f"encoder.{name}": value for name, value in given.state_dict().items()}
    torch.save({"state_dict": {**state, "head.weight": torch.zeros(3)}}, tmp_path / "w.pth")
    taken = encoder()
    load_encoder_weights(taken, str(tmp_path / "w.pth"), 3)
    assert torch.equal(taken[2].weight, given[2].weight)


@pytest.mark.parametrize("wrapped", ["", "encoder.", "net.", "net.net."])
def test_a_checkpoint_of_ours_gives_the_weights_that_were_judged(tmp_path, wrapped):
    last, mean = encoder(), encoder()
    state = {f"net.{wrapped}{name}": value for name, value in last.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "plain.ckpt")
    kept = {f"ema.module.{wrapped}{n}": value for n, value in mean.state_dict().items()}
    torch.save({"state_dict": {**state, **kept}}, tmp_path / "mean.ckpt")
    for name, judged in (("plain", last), ("mean", mean)):
        taken = encoder()
        load_encoder_weights(taken, str(tmp_path / f"{name}.ckpt"), 3)
        assert torch.equal(taken[2].weight, judged[2].weight)


def test_the_first_convolution_follows_band_names(tmp_path):
    given = encoder()
    torch.save(given.state_dict(), tmp_path / "w.pth")
    taken = encoder(4)
    load_encoder_weights(taken, str(tmp_path / "w.pth"), ("B02", "B03", "B04", "B08"))
    red, green, blue = given[0].weight.detach().unbind(1)
    expected = torch.stack([blue, green, red, (red + green + blue) / 3], 1) * 3 / 4
    assert torch.allclose(taken[0].weight, expected)


@pytest.mark.parametrize(
    ("content", "order"),
    [
        ({}, [2, 1, 0]),  # published weights: red, green, blue
        ({"agri": {"bands": ["B02", "B03", "B04"]}}, [0, 1, 2]),  # a checkpoint of these bands
        ({"agri": {"bands": ("B04", "B03", "B02")}}, [2, 1, 0]),
        ({"agri": {"bands": [1, 2, 3]}}, [2, 1, 0]),  # no record of bands
        ({"agri": "unknown"}, [2, 1, 0]),
    ],
)
def test_three_bands_in_another_order_than_the_file(tmp_path, content, order):
    given, taken = encoder(), encoder()
    torch.save({"state_dict": given.state_dict(), **content}, tmp_path / "w.pth")
    load_encoder_weights(taken, str(tmp_path / "w.pth"), ("B02", "B03", "B04"))
    assert torch.equal(taken[0].weight, given[0].weight[:, order])


def test_a_checkpoint_of_four_bands_fills_a_network_of_two(tmp_path):
    given, taken = encoder(4), encoder(2)
    bands = ("B02", "B03", "B04", "B08")
    torch.save({"state_dict": given.state_dict(), "agri": {"bands": bands}}, tmp_path / "w.ckpt")
    load_encoder_weights(taken, str(tmp_path / "w.ckpt"), ("B08", "B02"))
    assert torch.equal(taken[0].weight, given[0].weight[:, [3, 0]] * 2)


def test_equal_bands_give_the_same_activation_at_any_count():
    # Input that is the same in every band gives the same sum, however many bands there are.
    weight = torch.randn(4, 3, 3, 3)
    for bands in (1, 2, 5, 12):
        assert torch.allclose(adapt_input(weight, ["x"] * bands).sum(1), weight.sum(1), atol=1e-5)
    assert adapt_input(weight, 5).shape == (4, 5, 3, 3)


def test_an_encoder_may_be_one_convolution(tmp_path):
    given, taken = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
    torch.save(given.state_dict(), tmp_path / "w.pth")
    load_encoder_weights(taken, str(tmp_path / "w.pth"), ("B02", "B03", "B04", "B08"))
    assert torch.equal(taken.weight[:, 0], given.weight[:, 2] * 3 / 4)


def test_none_changes_nothing():
    net = encoder()
    before = net[0].weight.clone()
    assert load_encoder_weights(net, "none", 3) == 0
    assert torch.equal(net[0].weight, before)


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(MissingError, match="There is no weights file"):
        load_encoder_weights(encoder(), str(tmp_path / "no.pth"), 3)
    torch.save({"0.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "part.pth")
    with pytest.raises(
        InputError, match=r"part\.pth lacks 7 of the 9 tensors of this encoder, such as 0\.bias\."
    ):
        load_encoder_weights(encoder(), str(tmp_path / "part.pth"), 3)
    state = encoder().state_dict() | {"2.weight": torch.zeros(9, 4, 1, 1)}
    torch.save(state, tmp_path / "shape.pth")
    with pytest.raises(
        InputError, match=r"2.weight has shape \(9, 4, 1, 1\).*expects \(2, 4, 1, 1\)"
    ):
        load_encoder_weights(encoder(), str(tmp_path / "shape.pth"), 3)
    for name, reason in (("bad.safetensors", r"[Hh]eader"), ("bad.pth", "no code is run")):
        (tmp_path / name).write_bytes(b"not at all")
        with pytest.raises(InputError, match=rf"{name} is not a weights file \(.*{reason}.*\)\."):
            load_encoder_weights(encoder(), str(tmp_path / name), 3)


def changed(**tensors):
    """Return a state dict with other tensors under these names (`_` for a dot)."""
    return encoder().state_dict() | {name.replace("_", "."): t for name, t in tensors.items()}


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (changed(_2_weight=1), ""),
        (changed(**{"2_weight": torch.full((2, 4, 1, 1), float("nan"))}), "holds NaN or infinite"),
        (changed(**{"2_weight": torch.full((2, 4, 1, 1), float("inf"))}), "holds NaN or infinite"),
        (
            changed(**{"2_weight": torch.zeros(2, 4, 1, 1, dtype=torch.int64)}),
            "tensor of torch.int",
        ),
        (changed(**{"2_weight": torch.zeros(2, 4, 1, 1, dtype=torch.cfloat)}), "torch.complex64"),
        (changed(**{"2_weight": torch.zeros(2, 4, 1, 1).to_sparse()}), "torch.sparse_coo"),
        (changed(**{"2_weight": torch.zeros(2, 4, 1, 1, device="meta")}), "meta"),
        (changed(**{"2_weight": torch.zeros(1).expand(2, 4, 1, 1)}), "but fewer values"),
        (changed(**{"0_weight": torch.zeros(1).expand(4, 3, 30000, 30000)}), "but fewer values"),
        ([1, 2], "no named tensors"),
        ({"state_dict": [1, 2]}, "no named tensors"),
        ({"state_dict": {"0.weight": "text"}}, "no named tensors"),
    ],
)
def test_tensors_that_are_no_weights_are_refused(tmp_path, state, reason):
    torch.save(state, tmp_path / "w.pth")
    if reason:
        with pytest.raises(InputError, match=rf"w\.pth.*{reason}"):
            load_encoder_weights(encoder(), str(tmp_path / "w.pth"), 3)
    else:  # what is no tensor and has a name of its own is not the encoder's
        assert load_encoder_weights(encoder(), str(tmp_path / "w.pth"), 3) == 9


def test_half_precision_is_taken(tmp_path):
    given, taken = encoder().half(), encoder()
    torch.save(given.state_dict(), tmp_path / "w.pth")
    load_encoder_weights(taken, str(tmp_path / "w.pth"), 3)
    assert torch.equal(taken[2].weight, given[2].weight.float())


def save_tensors(path):
    torch.save({"a": torch.zeros(3)}, path)
    return path


def test_an_archive_that_unpacks_to_too_much_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorfile, "MAX_BYTES", 100_000)
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(100_001))
    assert path.stat().st_size < 1000
    with pytest.raises(InputError, match="100,001 bytes, and 100,000 are the most"):
        load_encoder_weights(encoder(), str(path), 3)
    assert len(read_state(save_tensors(tmp_path / "fits.pth"))[0]) == 1
    (tmp_path / "long.safetensors").write_bytes(bytes(100_002))
    with pytest.raises(InputError, match="100,002 bytes, and 100,000 are the most"):
        load_encoder_weights(encoder(), str(tmp_path / "long.safetensors"), 3)


def test_a_pipe_is_no_weights_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(MissingError, match="There is no weights file"):
        load_encoder_weights(encoder(), str(tmp_path / "pipe.pth"), 3)


def test_the_fingerprint_is_of_the_content(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(b"a")
    # echo -n a | sha256sum
    assert weights_fingerprint(str(path)).startswith("ca978112ca1bbdcafac231b39a23dc4d")
    assert [weights_fingerprint(name) for name in ("none", "imagenet", "gone.pth")] == ["", "", ""]


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code in a weights file was run')",))


def test_code_in_a_weights_file_is_never_run(tmp_path):
    (tmp_path / "trap.pth").write_bytes(pickle.dumps({"0.weight": Trap()}))
    with pytest.raises(InputError, match="is not a weights file") as told:
        load_encoder_weights(encoder(), str(tmp_path / "trap.pth"), 3)
    assert "False" not in str(told.value)  # torch advises to run the code


def test_imagenet_without_network_says_what_to_do():
    def fetch():
        socket.create_connection(("203.0.113.1", 443), timeout=1)
        return {}

    with pytest.raises(
        MissingError, match=r"could not be downloaded \(.*203\..* Use `--weights none`"
    ):
        load_encoder_weights(encoder(), "imagenet", 3, fetch)
    with pytest.raises(MissingError, match="no ImageNet weights for this encoder"):
        load_encoder_weights(encoder(), "imagenet", 3)


def test_imagenet_is_fetched_only_when_asked_for():
    given, calls = encoder(), []

    def fetch():
        calls.append(1)
        return given.state_dict()

    load_encoder_weights(encoder(), "none", 3, fetch)
    assert calls == []
    taken = encoder()
    load_encoder_weights(taken, "imagenet", 3, fetch)
    assert calls == [1]
    assert torch.equal(taken[0].weight, given[0].weight)
