"""The guard before every command: outputs are checked before any work begins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer
from agri_core.files.atomic import adding_files, replacing_dir, write_text
from agri_core.files.commands import INPUT, OUTPUT, REPLACED, CommandLine, added
from agri_core.files.console import run
from agri_core.files.ownership import Run, add_input, running

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


@app.command()
def gather(
    source: Annotated[str, INPUT, typer.Argument()],
    out: Annotated[Path, REPLACED, typer.Option()],
) -> None:
    """Write a folder from a list of files, which names what it reads."""
    began.append("gather")
    names = [] if source == "nothing" else Path(source).read_text().split()
    for name in names:
        add_input(Path(name))
    with replacing_dir(out) as folder:
        (folder / "whole").write_text("".join(Path(name).read_text() for name in names))


@app.command()
def report(
    band: Annotated[list[str], INPUT, typer.Option()],
    out: Annotated[Path, added("page", "table"), typer.Option()],
) -> None:
    """Add files to a folder."""
    began.append("report")
    with adding_files(out) as folder:
        (folder / "page").write_text(",".join(band))


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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gather nothing --out mine", "--out: mine is not replaced: mine/notes exists and was not"),
        ("gather made/list --out made", "made would be replaced, and "),
        ("gather nothing --out a", "a exists and is not a folder"),
        ("report --band red=b --out mine", "mine/page exists and was not written by 'agri-x re"),
        ("report --band red=mine/page --out mine", "mine/page is an input of this command"),
        ("copy a --out mine", "mine exists and is not a file"),
    ],
)
def test_nothing_begins_when_a_folder_may_not_be_written(
    call, tmp_path: Path, line: str, message: str
) -> None:
    with running(Run("agri-x gather")), replacing_dir(tmp_path / "made") as folder:
        (folder / "list").write_text("a b")
    (tmp_path / "mine").mkdir()
    for name in ("notes", "page"):
        (tmp_path / "mine" / name).write_text("mine")
    code, text = call(line)
    assert code == 2 and message in text and text.count("\n") == 1
    assert began == []
    assert (tmp_path / "made" / "list").read_text() == "a b"


def test_the_working_folder_is_not_replaced(call, tmp_path: Path, monkeypatch) -> None:
    assert call("gather nothing --out made") == (0, "")
    monkeypatch.chdir(tmp_path / "made")
    for out in (".", "../made", str(tmp_path / "made")):
        code, text = call(f"gather nothing --out {out}")
        assert code == 2 and "it is, or holds, the working folder" in text
    assert (tmp_path / "made" / "whole").is_file()


def test_what_an_input_names_is_an_input(call, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a b")
    assert call("gather list --out made") == (0, "")
    (tmp_path / "list").write_text("made/whole b")
    code, text = call("gather list --out made")
    assert code == 2 and "made/whole, an input of this command, lies in it" in text
    assert (tmp_path / "made" / "whole").read_text() == "ab"


@pytest.mark.parametrize("out", ["made/../made", "../{name}/made", "./made/", "link"])
def test_a_folder_is_replaced_however_its_path_is_written(call, tmp_path: Path, out: str) -> None:
    assert call("gather nothing --out made") == (0, "")
    (tmp_path / "link").symlink_to("made")
    (tmp_path / "list").write_text("a b")
    assert call(f"gather list --out {out.format(name=tmp_path.name)}") == (0, "")
    assert (tmp_path / "made" / "whole").read_text() == "ab"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a", "b", "link", "list", "made"]


def test_commands_are_told_apart_by_their_names(call) -> None:
    assert call("copy a --out c")[0] == 0
    code, text = call("other-name --out c")
    assert code == 2
    assert "c was written by 'agri-x copy', not by 'agri-x other-name'" in text
