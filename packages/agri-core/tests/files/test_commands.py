"""The guard before every command: outputs are checked before any work begins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer
from agri_core.files.atomic import write_text
from agri_core.files.commands import OUTPUT, CommandLine
from agri_core.files.console import run

app = CommandLine("agri-x", "Copies texts.")
began: list[str] = []


@app.command()
def copy(
    sources: Annotated[list[Path], typer.Argument()],
    out: Annotated[Path, OUTPUT, typer.Option()],
    report: Annotated[Path | None, OUTPUT, typer.Option()] = None,
) -> None:
    """Join texts."""
    began.append("copy")
    write_text(out, "".join(source.read_text() for source in sources))
    if report is not None:
        write_text(report, "done")


@app.command("other-name")
def other(out: Annotated[Path, OUTPUT, typer.Option()]) -> None:
    """Write a text."""
    write_text(out, "other")


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    began.clear()
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)

    def start(line: str) -> tuple[object, str]:
        monkeypatch.setattr("sys.argv", ["agri-x", *line.split()])
        with pytest.raises(SystemExit) as stop:
            run(app)
        return stop.value.code, capsys.readouterr().err

    return start


def test_a_second_run_replaces_the_first_ones_output(call, tmp_path: Path) -> None:
    assert call("copy a b --out c") == (0, "")
    assert call("copy b --out c") == (0, "")
    assert (tmp_path / "c").read_text() == "b"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("copy a b --out b", "b is an input of this command"),
        ("copy a --out ./x/../a", "is an input of this command"),
        ("copy a --out mine", "mine exists and was not written by 'agri-x copy'"),
        ("copy a --out c.txt --report c.txt", "c.txt is given for two outputs, --out and --report"),
        ("copy a --out c --report mine", "mine exists and was not written by"),
    ],
)
def test_nothing_begins_when_an_output_may_not_be_written(
    call, tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "mine").write_text("mine")
    code, text = call(line)
    assert code == 2 and message in text and text.count("\n") == 1
    assert began == []
    assert (tmp_path / "mine").read_text() == "mine" and (tmp_path / "a").read_text() == "a"


def test_commands_are_told_apart_by_their_names(call) -> None:
    assert call("copy a --out c")[0] == 0
    code, text = call("other-name --out c")
    assert code == 2
    assert "c was written by 'agri-x copy', not by 'agri-x other-name'" in text
