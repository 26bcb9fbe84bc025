"""Dataclasses become options of a command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from agri_core.files.commands import OUTPUT, CommandLine, output_marks
from agri_core.files.options import with_records, with_settings
from agri_core.files.params import params_option
from typer.testing import CliRunner


@dataclass(frozen=True)
class Settings:
    """Settings of a fit.

    Attributes:
        alpha: degrees of freedom, a number or
            auto.
        epochs: passes over the tiles.
        target: of the refinement.
    """

    alpha: float | str = "auto"
    epochs: int = 30
    target: Literal["full", "ema"] = "full"


def test_a_dataclass_becomes_options_of_a_command_whose_annotations_are_text():
    app, calls = CommandLine("agri-test", ""), []

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
    assert calls == [(Path("c"), 5, {"alpha": "auto", "epochs": 3, "target": "full"})]
    text = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    assert "--alpha" in text and "passes over the tiles" in text
    assert CliRunner().invoke(app, ["c", "--epochs", "x"]).exit_code == 2


def test_a_choice_of_a_setting_is_listed_and_others_are_refused_by_name():
    app, calls = CommandLine("agri-test", ""), []

    @app.command()
    @with_settings(Settings)
    def fit(*, settings: dict[str, Any]) -> None:
        calls.append(settings["target"])

    assert "full|ema" in CliRunner().invoke(app, ["--help"]).output
    assert CliRunner().invoke(app, ["--target", "ema"]).exit_code == 0 and calls == ["ema"]
    refused = CliRunner().invoke(app, ["--target", "batch"])
    assert refused.exit_code == 2
    assert "'batch' is not one of 'full', 'ema'" in " ".join(refused.output.split())


@dataclass(frozen=True)
class Head:
    weights: Annotated[str, typer.Option(help="Of the body.")]
    layers: Annotated[list[int] | None, typer.Option(min=1)] = None
    table: Annotated[Path | None, OUTPUT, typer.Option(help="To write.")] = None


@pytest.fixture
def asked():
    """Run a command that takes a dataclass and settings; return what it received and its help."""
    app, calls = CommandLine("agri-test", ""), []

    @app.command()
    @with_settings(Settings)
    @with_records
    def fit(
        *,
        first: bool = False,
        params: Annotated[Path | None, params_option("fit")] = None,
        head: Head,
        last: int = 1,
        settings: dict[str, Any],
    ) -> None:
        """Fit it."""
        calls.append((first, head, last, settings["epochs"]))

    def call(*words: str) -> Any:
        result = CliRunner().invoke(app, list(words))
        return calls.pop() if calls else (result.exit_code, result.output)

    call.command = fit
    return call


def test_a_command_receives_the_dataclass_of_its_options(asked, write_params):
    assert asked("--weights", "none") == (False, Head("none"), 1, 30)
    path = str(write_params("fit:\n  weights: a\n  last: 3\n"))
    given = asked("--first", "--params", path, "--weights", "b", "--layers", "2", "--layers", "5")
    assert given == (True, Head("b", [2, 5]), 3, 30)


def test_options_of_a_dataclass_are_like_the_commands_own(asked):
    code, said = asked("--last", "2")
    assert code == 2 and "--weights" in said
    code, said = asked("--weights", "none", "--layers", "0")
    assert code == 2 and "--layers" in said
    assert output_marks(asked.command) == {"table": OUTPUT}


def test_options_of_a_dataclass_stand_where_the_command_takes_it(asked):
    _, text = asked("--help")
    places = [
        text.index(name) for name in ("--first", "--weights", "--layers", "--last", "--alpha")
    ]
    assert places == sorted(places) and "Fit it." in text and "--head" not in text
