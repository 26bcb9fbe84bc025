"""Help in plain text, with a section for each panel."""

from typing import Annotated, Literal

import pytest
import typer
from agri_core.files.commands import CommandLine
from agri_core.files.errors import SettingError
from typer.testing import CliRunner

app = CommandLine("agri-x", "Makes maps.")


@app.command()
def draw(
    scene: Annotated[str, typer.Argument(help="The scene.")],
    tile: Annotated[int, typer.Option(help="Tile side.", rich_help_panel="Engine")] = 8,
    out: Annotated[str, typer.Option(help="The map.")] = "map.tif",
    engine: Annotated[
        Literal["fast", "exact"], typer.Option(help="Runtime.", rich_help_panel="Engine")
    ] = "fast",
    secret: Annotated[int, typer.Option(hidden=True, rich_help_panel="Hidden")] = 0,
) -> None:
    """Draw a map."""


@app.command()
def other() -> None:
    """Do nothing."""


def help_lines(*words: str) -> list[str]:
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, result.output
    return [line.rstrip() for line in result.output.splitlines()]


def test_options_stand_in_the_sections_of_their_panels() -> None:
    lines = help_lines("draw")
    titles = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Arguments:", "Options:", "Engine:"]
    main, engine = lines.index("Options:"), lines.index("Engine:")
    assert [line.split()[0] for line in lines[main + 1 : engine - 1]] == ["--out", "--help"]
    assert [line.split()[0] for line in lines[engine + 1 :]] == ["--tile", "--engine"]


def test_choices_are_shown_and_held() -> None:
    text = "\n".join(help_lines("draw"))
    assert "fast|exact" in text
    result = CliRunner().invoke(app, ["draw", "scene", "--engine", "slow"])
    assert result.exit_code == 2
    assert "'slow' is not one of 'fast', 'exact'" in result.output


@app.command()
def fit(
    depth: Annotated[int, typer.Option(min=1, max=7)] = 3,
    rate: float = 0.5,
    sizes: Annotated[list[int] | None, typer.Option()] = None,
) -> None:
    """Fit a model."""
    if rate > 1:
        raise SettingError("rate", f"must be at most 1, got {rate}")
    raise SettingError("engine", "is not there")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--depth", "x"], "'--depth': must be a whole number, got 'x'"),
        (["--depth", "1.5"], "'--depth': must be a whole number, got '1.5'"),
        (["--depth", "9"], "'--depth': must be at most 7, got '9'"),
        (["--depth", "0"], "'--depth': must be at least 1, got '0'"),
        (["--rate", "fast"], "'--rate': must be a number, got 'fast'"),
        (["--sizes", "3", "--sizes", "x"], "'--sizes': must be a whole number, got 'x'"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["fit", *options])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == f"Error: Invalid value for {message}"


def test_a_wrong_setting_has_the_name_of_its_flag_if_it_is_one() -> None:
    for options, message in (
        (["--rate", "2"], "--rate must be at most 1, got 2.0"),
        ([], "`engine` is not there"),
    ):
        assert str(CliRunner().invoke(app, ["fit", *options]).exception) == message


def test_a_command_without_panels_has_one_section() -> None:
    assert "Options:" in help_lines("other") and "Engine:" not in help_lines("other")
