"""A parameter file fills a command's options; flags win, and what is no option is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from agri_core.files.errors import InputError, MissingError
from agri_core.files.params import choose, fill_from, load_params, with_settings
from typer.testing import CliRunner

KNOWN = ["lr", "epochs", "batch", "encoder", "params"]


@pytest.fixture
def asked():
    """Run a command of two options that reads the sections `all`, then `own`."""
    app, calls = typer.Typer(), []

    @app.command()
    def fit(
        params: Annotated[
            Path | None, typer.Option(is_eager=True, callback=fill_from("all", "own"))
        ] = None,
        clusters: int = 10,
        encoder: str = "mlp",
    ) -> None:
        calls.append((clusters, encoder))

    def call(*options: str) -> Any:
        result = CliRunner().invoke(app, list(options))
        if result.exception:
            raise result.exception
        return calls.pop()

    return call


def test_scientific_notation_is_a_number(write_params):
    sections = load_params(write_params("train:\n  lr: 1e-05\n"))
    assert sections == {"train": {"lr": 1e-05}}
    assert choose(sections, ["train"], KNOWN, "p") == {"lr": "1e-05"}


def test_yes_and_no_stay_words(write_params):
    # YAML 1.1 would read them as booleans.
    assert load_params(write_params("train:\n  encoder: no\n")) == {"train": {"encoder": "no"}}


def test_a_later_section_wins_and_flags_win_over_both(write_params, asked):
    path = str(
        write_params("all:\n  clusters: 3\n  encoder: vgg16\nown:\n  clusters: 4\nelse:\n  k: 1\n")
    )
    assert asked() == (10, "mlp")
    assert asked("--params", path) == (4, "vgg16")
    assert asked("--clusters", "5", "--params", path) == (5, "vgg16")
    assert asked("--params", path, "--encoder", "convae") == (4, "convae")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("own:\n  cluster: 3\n", ["params.yaml", "own.cluster", "did you mean 'clusters'?"]),
        ("own:\n  params: x\n", ["params.yaml", "own.params"]),
        ("own:\n  encoder: {a: 1}\n", ["params.yaml", "own.encoder", "plain value"]),
        ("own: 3\n", ["params.yaml", "'own'", "3"]),
        ("- 1\n", ["params.yaml", "sections"]),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(write_params, asked, text, words):
    with pytest.raises(InputError) as error:
        asked("--params", str(write_params(text)))
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_missing_file(asked, tmp_path):
    with pytest.raises(MissingError, match="there is no parameter file"):
        asked("--params", str(tmp_path / "none.yaml"))


@dataclass(frozen=True)
class Settings:
    """Settings of a fit.

    Attributes:
        alpha: degrees of freedom, a number or
            auto.
        epochs: passes over the tiles.
    """

    alpha: float | str = "auto"
    epochs: int = 30


def test_a_dataclass_becomes_options_of_a_command_whose_annotations_are_text():
    app, calls = typer.Typer(), []

    @app.command()
    @with_settings(Settings)
    def fit(
        chips: Annotated[Path, typer.Argument(help="Tiles.")],
        *,
        seed: Annotated[int, typer.Option(help="Of all.")] = 0,
        settings: dict[str, Any],
    ) -> None:
        calls.append((chips, seed, settings))

    done = CliRunner().invoke(app, ["c", "--epochs", "3", "--seed", "5"])
    assert done.exit_code == 0, done.output
    assert calls == [(Path("c"), 5, {"alpha": "auto", "epochs": 3})]
    text = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    assert "--alpha" in text and "passes over the tiles" in text
    assert CliRunner().invoke(app, ["c", "--epochs", "x"]).exit_code == 2
