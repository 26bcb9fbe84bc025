import importlib
from pathlib import Path
from typing import get_args

import pytest
from agri_core.files.errors import InputError, MissingError
from agri_segment import cli
from agri_segment.choices import ArchName, Preset
from agri_segment.networks import archs
from agri_segment.networks.unet import PRESETS
from agri_segment.params import below
from agri_train.config import TrainConfig
from typer.testing import CliRunner


@pytest.fixture
def asked(monkeypatch):
    """Run the `train` command line with a stand-in for the training; give what it was asked."""
    module = importlib.import_module("agri_segment.train")
    from agri_data.store.store import ChipStore

    calls = []

    def stand_in(plan, store, config, out):
        calls.append((plan, config))
        raise InputError("that is far enough")

    monkeypatch.setattr(module, "train", stand_in)
    monkeypatch.setattr(ChipStore, "open", lambda path: None)

    def call(*options):
        result = CliRunner().invoke(cli.app, ["train", "--chips", "c", "--out", "o/net", *options])
        if calls:
            return calls.pop()
        raise result.exception

    return call


def test_the_section_of_the_architecture_wins_over_train(write_params, asked):
    path = write_params(
        "train:\n  lr: 0.01\n  epochs: 7\nunet:\n  lr: 1e-05\n  encoder: vgg16\n"
        "deeplab:\n  lr: 0.5\n"
    )
    plan, config = asked("--arch", "unet", "--params", str(path))
    assert (config.lr, config.epochs, plan.encoder, plan.name) == (1e-05, 7, "vgg16", "net")


@pytest.mark.parametrize("order", [1, -1])
def test_flags_win_in_any_order(write_params, asked, order):
    path = write_params("train:\n  lr: 0.01\n  epochs: 7\n")
    options = [("--params", str(path)), ("--lr", "0.25"), ("--arch", "plain")][::order]
    _, config = asked(*(word for option in options for word in option))
    assert (config.lr, config.epochs) == (0.25, 7)


def test_without_a_file_the_settings_have_their_defaults(asked):
    _, config = asked()
    assert config == TrainConfig()


def test_lists_and_switches(write_params, asked):
    path = write_params(
        "train:\n  class_weights: [0.4, 2.2]\n  augment: false\n  bands: [B04, B03]\n"
        "  frozen: true\n"
    )
    plan, config = asked("--params", str(path))
    assert config.class_weights == (0.4, 2.2)
    assert config.augment is False
    assert (plan.bands, plan.frozen, plan.options) == (("B04", "B03"), True, {})


def test_options_of_the_architecture_reach_the_plan(write_params, asked):
    path = write_params("plain:\n  filters: 8\n  depth: 2\n  up: bilinear\n  dropout: 0.1\n")
    plan, _ = asked("--arch", "plain", "--params", str(path))
    assert plan.options == {"filters": 8, "depth": 2, "up": "bilinear", "dropout": 0.1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train:\n  epoch: 3\n", ["params.yaml", "train.epoch", "did you mean 'epochs'?"]),
        ("unet:\n  encodr: x\n", ["params.yaml", "unet.encodr", "did you mean 'encoder'?"]),
        ("train:\n  arch: unet\n", ["params.yaml", "train.arch"]),
        ("train:\n  lr: {a: 1}\n", ["params.yaml", "'train.lr' must be a number, got {'a': 1}"]),
        ("- 1\n", ["params.yaml", "sections"]),
        ("train: 3\n", ["params.yaml", "'train'", "3"]),
        ("train: [\n", ["params.yaml"]),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(write_params, asked, text, words):
    with pytest.raises(InputError) as error:
        asked("--params", str(write_params(text)))
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_misspelt_key_of_another_section_is_not_this_commands_business(write_params, asked):
    _, config = asked("--params", str(write_params("cluster:\n  kk: 3\ntrain:\n  epochs: 2\n")))
    assert config.epochs == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train:\n  epochs: 1.5\n", "'train.epochs' must be a whole number, got 1.5"),
        ("train:\n  epochs: true\n", "'train.epochs' must be a whole number, got true"),
        ("train:\n  epochs: [1, 2]\n", "'train.epochs' must be a whole number, got [1, 2]"),
        ("train:\n  lr: '0.001'\n", "'train.lr' must be a number, got '0.001'"),
        ("train:\n  lr:\n", "'train.lr' is empty; give it a value, or remove it"),
        ("train:\n  lr: -1\n", "'train.lr' must be a number >= 0; received -1.0."),
        (
            "train:\n  schedule: cosin\n",
            "'train.schedule' is one of constant, cosine, plateau, got 'cosin', did you mean "
            "'cosine'?",
        ),
        (
            "unet:\n  preset: smal\n",
            "'unet.preset' is one of small, simple, vanilla, wide, got 'smal', did you mean "
            "'small'?",
        ),
        ("unet:\n  depth: 9\n", "'unet.depth' must be at most 7, got 9"),
        ("trian:\n  epochs: 1\n", "unknown section 'trian', did you mean 'train'?"),
        ("train:\n", "the section 'train' is empty; give it keys, or remove it"),
    ],
)
def test_a_wrong_value_is_named_by_file_and_key(write_params, asked, text, message):
    path = write_params(text)
    with pytest.raises(InputError) as error:
        asked("--params", str(path))
    assert str(error.value) == f"{path}: {message}"


def test_the_section_of_another_architecture_is_no_misspelt_one(write_params, asked):
    path = write_params("train:\n  epochs: 2\ndeeplabv3:\n  dropout: 0.1\n")
    plan, config = asked("--arch", "deeplab", "--params", str(path))
    assert (config.epochs, plan.options) == (2, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--arch", "unett"],
            "Invalid value for '--arch': 'unett' is not one of 'plain', 'unet', 'deeplabv3', "
            "'deeplab', did you mean 'unet'?",
        ),
        (
            ["--optimizer", "adamm"],
            "Invalid value for '--optimizer': 'adamm' is not one of 'adam', 'adamw', 'sgd', "
            "'rmsprop', did you mean 'adam'?",
        ),
        (["--epochs", "1.5"], "Invalid value for '--epochs': must be a whole number, got '1.5'"),
    ],
)
def test_a_wrong_flag_is_told_in_plain_words(options, message):
    result = CliRunner().invoke(cli.app, ["train", "--chips", "c", "--out", "o", *options])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == f"Error: {message}"


def test_a_wrong_setting_is_named_by_its_flag(asked):
    with pytest.raises(InputError) as error:
        asked("--lr", "-1")
    assert str(error.value) == "--lr must be a number >= 0; received -1.0."


def test_the_choices_are_those_of_the_networks():
    assert get_args(ArchName) == archs.names()
    assert get_args(Preset) == tuple(PRESETS)


def test_a_missing_file(asked, tmp_path):
    with pytest.raises(MissingError, match="there is no parameter file"):
        asked("--params", str(tmp_path / "none.yaml"))


def test_every_training_setting_is_an_option_with_help():
    text = CliRunner().invoke(cli.app, ["train", "--help"]).output
    for name in TrainConfig.__dataclass_fields__:
        assert "--" + name.replace("_", "-") in text
    assert "passes over the training split" in text


def test_archs_name_the_folders_to_compare(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("archs:\n  - unet\n  - plain\n")
    assert below([Path("models")], file) == [Path("models/unet"), Path("models/plain")]


@pytest.mark.parametrize("text", ["train: {}\n", "archs: unet\n", "archs: [1]\n", "archs: []\n"])
def test_archs_must_be_a_list_of_names(tmp_path: Path, text: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match="archs"):
        below([Path("models")], file)
