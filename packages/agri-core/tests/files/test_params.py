"""A parameter file fills a command's options; flags win, and what is no option is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from agri_core.files.errors import InputError, MissingError
from agri_core.files.params import choose, fill_from, load_params
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
    assert choose(sections, ["train"], KNOWN, "p")["lr"].text == "1e-05"


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
        ("own:\n  encoder: true\n", ["own.encoder' must be a plain value or a list", "got true"]),
        (
            "own:\n  clusters: '3'\n",
            ["yaml: 'own.clusters' must be a whole number, got '3'"],
        ),
        ("onw:\n  clusters: 3\n", ["params.yaml: unknown section 'onw', did you mean 'own'?"]),
        (
            "else:\n  k: 1\n",
            ["params.yaml has no section 'all' or 'own' for this command; it has else"],
        ),
        ("# nothing\n", ["params.yaml is empty; it must hold sections such as 'train:'"]),
        ("- 1\n", ["params.yaml", "sections"]),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(write_params, asked, text, words):
    with pytest.raises(InputError) as error:
        asked("--params", str(write_params(text)))
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_file_in_another_encoding(asked, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_bytes("own:\n  clusters: 3\n".encode("utf-16"))
    with pytest.raises(InputError) as error:
        asked("--params", str(path))
    assert str(error.value) == f"{path} is not UTF-8 text (invalid start byte); save it as UTF-8"


def test_a_missing_file(asked, tmp_path):
    with pytest.raises(MissingError, match="there is no parameter file"):
        asked("--params", str(tmp_path / "none.yaml"))
