import io
import json
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from agri_classify.cli import app
from agri_classify.training.networks.networks import build
from agri_classify.training.train import BeatenError, Plan, train
from agri_core.files.errors import InputError, MissingError
from agri_map.bundle.bundle import read_spec
from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import open_engine
from agri_train.config import TrainConfig
from agri_train.engine.module import TrainingModule
from PIL import Image
from typer.testing import CliRunner

FAST = TrainConfig(epochs=6, batch_size=10, lr=0.01, sample_rows=0, patience=0, schedule="constant")


def plan(**options) -> Plan:
    return Plan(**{"model": "compact", "name": "m", **options})


def test_a_trained_bundle_tells_the_classes(make_store, tmp_path):
    store = make_store()
    result = train(plan(dropout=0.0), store, FAST, tmp_path / "run").result
    assert result.spec.task == "classify"
    assert result.spec.arch == "compact"
    rows = store.indices("val")
    batch = normalise(store.images(rows, result.spec.bands), result.spec)
    found = open_engine(result.bundle).run(batch).argmax(1)
    # Twelve patches, of which one class in three is right by chance.
    assert (found == store.labels(rows)).mean() > 0.9


def test_bands_are_taken_by_name(make_store, tmp_path):
    config = TrainConfig(epochs=1, batch_size=10, sample_rows=0)
    result = train(plan(bands=("B08", "B02")), make_store(), config, tmp_path / "run").result
    assert result.spec.bands == ("B08", "B02")
    with pytest.raises(InputError, match="named twice in B08, B08"):
        train(plan(bands=("B08", "B08")), make_store(), config, tmp_path / "other")
    with pytest.raises(MissingError, match="B11"):
        train(plan(bands=("B11",)), make_store(), config, tmp_path / "other")


def test_weights_of_other_content_at_the_same_path_train_again(make_store, tmp_path, capsys):
    config = TrainConfig(epochs=1, batch_size=10, sample_rows=0)
    store, path = make_store(), tmp_path / "weights.pth"
    state = build("compact", store.bands, 3).state_dict()
    for factor, told in (
        (1.0, "epoch   1/1"),
        (1.0, "already trained for 1 epochs"),
        (0.5, "training from the start"),
    ):
        torch.save({name: factor * value for name, value in state.items()}, path)
        train(plan(weights=str(path)), store, config, tmp_path / "run")
        assert told in capsys.readouterr().err


def test_chips_that_cannot_teach(make_store, tmp_path):
    bare = make_store(lambda i: "" if i == 4 else "water")
    with pytest.raises(InputError, match=r"1 of the 42 chips .* no label, such as c004"):
        train(plan(), bare, FAST, tmp_path / "run")


def test_chips_of_one_class(make_store, tmp_path):
    with pytest.raises(InputError, match=r"all training chips in .* are forest"):
        train(plan(), make_store(lambda i: "forest"), FAST, tmp_path / "run")


def test_baselines_stand_beside_the_network(make_store, tmp_path):
    store = make_store()
    made = train(plan(dropout=0.0, coverage=0.9), store, FAST, tmp_path / "run")
    names = {item.name: item.accuracy for item in made.baselines}
    assert names["majority class"] == pytest.approx(1 / 3)
    # The class is the band that is brighter, so its mean tells.
    assert names["band statistics, logistic regression"] == 1.0
    found = json.loads((tmp_path / "run/metrics.json").read_text())
    assert found["baselines"] == names
    assert found["accuracy"] == made.scores["accuracy"]
    assert found["conformal"]["coverage"] >= 0.9
    held = read_spec(made.result.bundle).metrics["conformal"]
    assert (held["nominal"], held["part"]) == (0.9, "val")
    assert open_engine(made.result.bundle).spec.metrics["conformal"] == held


def test_a_model_of_photos_is_judged_on_coarser_files_too(photo_store, tmp_path):
    config = replace(FAST, jpeg=0.5)
    made = train(plan(dropout=0.0), photo_store, config, tmp_path / "run")
    held = read_spec(made.result.bundle).metrics["jpeg"]
    assert list(held) == ["95", "90", "75", "50"]
    assert json.loads((tmp_path / "run/metrics.json").read_text())["jpeg"] == held
    engine, rows = open_engine(made.result.bundle), photo_store.indices("val")
    images = np.stack([by_pillow(image, 50) for image in photo_store.images(rows)])
    found = engine.run(normalise(images, engine.spec)).argmax(1)
    assert held["50"] == (found == photo_store.labels(rows)).mean()
    # Whole patches of one colour: nothing of what tells them apart is lost.
    assert min(held.values()) > 0.9


def by_pillow(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def test_other_bands_have_no_files_to_be_judged_on(make_store, tmp_path):
    config = TrainConfig(epochs=1, batch_size=10, sample_rows=0)
    made = train(plan(), make_store(), config, tmp_path / "run")
    assert "jpeg" not in read_spec(made.result.bundle).metrics
    assert "jpeg" not in made.scores
    with pytest.raises(InputError, match="`jpeg` is for B04, B03, B02 in uint8"):
        train(plan(), make_store(), replace(config, jpeg=0.5), tmp_path / "other")


def test_a_network_that_learnt_nothing_fails_loudly(make_store, tmp_path):
    store = make_store()
    words = ["train", "--chips", str(store.path), "--out", str(tmp_path / "run")]
    # With a rate of nearly nothing the weights stay as they were drawn.
    options = ["--epochs", "1", "--batch-size", "10", "--lr", "0.00001", "--mix", "cutmix"]
    done = CliRunner().invoke(app, [*words, *options, "--ema-decay", "0.9"])
    assert isinstance(done.exception, BeatenError)
    assert "1.0000  band statistics, logistic regression" in done.output
    assert (tmp_path / "run/model.onnx").is_file()


def test_the_command(make_store, tmp_path):
    store = make_store()
    words = ["train", "--chips", str(store.path), "--out", str(tmp_path / "run"), "--lr", "0.01"]
    options = ["--epochs", "6", "--batch-size", "10", "--dropout", "0", "--schedule", "constant"]
    done = CliRunner().invoke(app, [*words, *options])
    assert done.exit_code == 0, done.output
    assert "| water | 1.0000 | 1.0000 | 1.0000 | 4 |" in done.output


def test_the_command_exports_what_a_killed_one_trained(make_store, tmp_path, monkeypatch):
    store, out = make_store(), tmp_path / "run"
    words = ["train", "--chips", str(store.path), "--out", str(out), "--lr", "0.01"]
    words += ["--epochs", "6", "--batch-size", "10", "--dropout", "0", "--schedule", "constant"]

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(import_module("agri_train.fit"), "export_bundle", killed)
        assert CliRunner().invoke(app, words).exit_code != 0
    assert (out / "checkpoints/last.ckpt").is_file()
    assert not (out / "model.onnx").exists()
    monkeypatch.setattr(TrainingModule, "training_step", None)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "already trained for 6 epochs" in done.output
    assert "conformal" in read_spec(out / "model.onnx").metrics
    assert json.loads((out / "metrics.json").read_text())["epochs"] == 6


@pytest.mark.parametrize("command", ["train", "bands", "curve"])
def test_without_the_extra_a_command_says_what_to_install(command):
    code = (
        "import sys, importlib.util as util\n"
        "found = util.find_spec\n"
        "def without(name, *rest):\n"
        "    return None if name == 'agri_train' else found(name, *rest)\n"
        "util.find_spec = without\n"
        "from agri_classify.cli import main\n"
        f"sys.argv = ['agri-classify', '{command}', '--chips', 'data', '--epochs', '3']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "agri-classify[train]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_light_part_never_loads_torch():
    code = (
        "import sys\n"
        "sys.modules['agri_train'] = None\n"
        "import agri_classify.commands.missing_extra\n"
        "assert not {'torch', 'torchvision', 'lightning'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_store_is_as_the_tests_think(make_store):
    store = make_store()
    assert np.bincount(store.labels(store.indices("train"))).tolist() == [10, 10, 10]


class Seen(Exception):
    """Carries what the command would have trained."""


@pytest.mark.parametrize(
    ("recipe", "model", "rate", "jpeg"),
    [
        ("compact", "compact", 0.003, 0.0),
        ("robust", "compact", 0.003, 0.5),
        ("wide-resnet", "wide_resnet50_2", 0.0001, 0.0),
    ],
)
def test_a_recipe_is_made_of_options(make_store, tmp_path, monkeypatch, recipe, model, rate, jpeg):
    def look(plan, store, config, out):
        raise Seen(plan, config)

    monkeypatch.setattr("agri_classify.training.train.train", look)
    path = Path(__file__).parents[2] / "recipes" / f"{recipe}.yaml"
    words = ["train", "--params", str(path), "--chips", str(make_store().path)]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert isinstance(done.exception, Seen), done.output
    plan, config = done.exception.args
    assert (plan.model, config.lr, config.jpeg) == (model, rate, jpeg)
