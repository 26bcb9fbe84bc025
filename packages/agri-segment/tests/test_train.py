import json
import shutil
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from agri_core.files.errors import InputError, MissingError
from agri_data.store.store import ChipStore
from agri_map.bundle.bundle import read_spec
from agri_map.inference.engine import open_engine
from agri_segment.cli import app
from agri_segment.evaluation.evaluate import evaluate
from agri_segment.networks.archs import build
from agri_segment.train import Plan, train
from agri_train.config import TrainConfig
from agri_train.engine.module import TrainingModule
from typer.testing import CliRunner

TINY = {"filters": 8, "depth": 2}


@pytest.fixture
def config():
    return TrainConfig(
        epochs=8, batch_size=7, lr=0.01, precision="32", threads=1, sample_rows=0, augment=False
    )


def test_all_bands_find_a_class_that_is_only_in_band_nine(hidden_band, config, tmp_path):
    result = train(Plan("plain", "all", options=TINY), hidden_band, config, tmp_path / "all")
    assert result.scores["accuracy"] > 0.95
    test = evaluate(open_engine(tmp_path / "all" / "model.onnx"), hidden_band, "test")
    assert test.scores["accuracy"] > 0.95


def test_three_visible_bands_stay_at_the_baseline(hidden_band, config, tmp_path):
    plan = Plan("plain", "rgb", bands=("B04", "B03", "B02"), options=TINY)
    result = train(plan, hidden_band, config, tmp_path / "rgb")
    assert abs(result.scores["accuracy"] - result.scores["majority_accuracy"]) < 0.08
    assert read_spec(tmp_path / "rgb" / "model.onnx").bands == ("B04", "B03", "B02")


def test_what_a_run_leaves(hidden_band, config, tmp_path):
    config = replace(config, epochs=2, sample_rows=2)
    out = tmp_path / "net"
    plan = Plan("unet", "net", bands=("B09", "B04"), encoder="mobilenet_v2")
    result = train(plan, hidden_band, config, out)
    for name in ("model.onnx", "history.csv", "curves.png", "config.json", "summary.txt"):
        assert (out / name).stat().st_size > 0, name
    assert len(list((out / "samples").glob("*.png"))) == 2
    content = json.loads((out / "metrics.json").read_text())
    assert content["split"] == "val"
    assert content["miou"] == result.scores["miou"]
    assert {"majority_accuracy", "seconds", "images_per_second", "milliseconds_per_chip"} <= set(
        content
    )
    # The summary and the metrics count the same parameters, on the network itself.
    assert f"{content['parameters']:,} parameters" in (out / "summary.txt").read_text()
    assert (content["epochs"], content["bands"], content["encoder"]) == (2, 2, "mobilenet_v2")
    settings = json.loads((out / "config.json").read_text())["settings"]
    assert settings["encoder"] == "mobilenet_v2"
    spec = read_spec(out / "model.onnx")
    assert (spec.arch, spec.name) == ("unet-mobilenet_v2", "net")
    assert spec.split == ChipStore.open(hidden_band.path).split_fingerprint


def test_the_scores_are_those_of_the_bundle(hidden_band, config, tmp_path):
    config = replace(config, epochs=1)
    trained = train(Plan("plain", "x", options=TINY), hidden_band, config, tmp_path / "x")
    again = evaluate(open_engine(tmp_path / "x" / "model.onnx"), hidden_band, "val")
    assert np.array_equal(trained.matrix, again.matrix)


def test_the_command_exports_what_a_killed_one_trained(hidden_band, tmp_path, monkeypatch):
    out = tmp_path / "net"
    words = ["train", "--arch", "plain", "--filters", "4", "--depth", "2", "--epochs", "1"]
    words += ["--batch-size", "7", "--chips", str(hidden_band.path), "--out", str(out)]

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(import_module("agri_train.fit"), "export_bundle", killed)
        assert CliRunner().invoke(app, words).exit_code != 0
    assert sorted(path.name for path in out.glob("[!.]*")) == [
        "checkpoints", "config.json", "curves.png", "history.csv", "samples",
    ]  # fmt: skip
    for name in ("config.json", "curves.png", "history.csv"):
        (out / name).unlink()  # as DVC removes the outputs of a stage before it runs
    shutil.rmtree(out / "samples")
    monkeypatch.setattr(TrainingModule, "training_step", None)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "already trained for 1 epochs" in done.output
    assert json.loads((out / "metrics.json").read_text())["epochs"] == 1
    assert read_spec(out / "model.onnx").name == "net"


def test_weights_of_other_content_at_the_same_path_train_again(
    hidden_band, config, tmp_path, capsys
):
    config, path = replace(config, epochs=1), tmp_path / "weights.pth"
    plan = Plan("plain", "x", options=TINY, weights=str(path))
    encoder = build("plain", bands=hidden_band.bands, classes=2, **TINY).encoder
    state = encoder.state_dict()
    for factor, told in (
        (1.0, "epoch   1/1"),
        (1.0, "already trained for 1 epochs"),
        (0.5, "training from the start"),
    ):
        torch.save({name: factor * value for name, value in state.items()}, path)
        train(plan, hidden_band, config, tmp_path / "x")
        assert told in capsys.readouterr().err


def test_a_band_that_is_not_there(hidden_band, config, tmp_path):
    with pytest.raises(MissingError, match="B10"):
        train(Plan("plain", "x", bands=("B04", "B10")), hidden_band, config, tmp_path / "x")


def test_a_band_twice(hidden_band, config, tmp_path):
    with pytest.raises(InputError, match="twice"):
        train(Plan("plain", "x", bands=("B04", "B04")), hidden_band, config, tmp_path / "x")


def test_one_tiny_chip_a_batch_is_refused_before_training(hidden_band, config, tmp_path):
    with pytest.raises(InputError, match="--batch-size 2"):
        train(
            Plan("unet", "x", encoder="mobilenet_v2"),
            hidden_band,
            replace(config, batch_size=1),
            tmp_path,
        )


def test_a_frozen_encoder_without_weights_warns(hidden_band, config, tmp_path, capsys):
    with pytest.raises(MissingError):
        train(Plan("unet", "x", frozen=True, weights="no.pth"), hidden_band, config, tmp_path)
    assert "random weights" not in capsys.readouterr().err
    with pytest.raises(InputError):
        train(Plan("unet", "x", frozen=True, encoder="none"), hidden_band, config, tmp_path)
    assert "random weights" in capsys.readouterr().err
