"""How errors reach a user: one line, and an exit code."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys
import warnings

import pytest
import typer
from agri_core.files import console
from agri_core.files.commands import CommandLine
from agri_core.files.errors import InputError, MissingError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("size is 0, expected 1 or more"), "error: size is 0, expected 1 or more"),
        (MissingError("no file x.tif"), "error: no file x.tif"),
        (OSError(errno.ENOSPC, "No space left on device"), "error: the disk is full"),
        (MemoryError("Unable to allocate 2 TiB"), "error: not enough memory (Unable to allocate"),
        (PermissionError(errno.EACCES, "denied", "/x"), "error: no permission"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["agri-x"])
    with pytest.raises(SystemExit) as stop:
        console.run(app)
    text = capsys.readouterr().err
    assert stop.value.code == console.USER_ERROR
    assert text.startswith(line)
    assert text.count("\n") == 1


def test_our_own_faults_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sys.argv", ["agri-x"])
    with pytest.raises(ZeroDivisionError):
        console.run(app)


NAMES = {
    "a\x1b[31mred": "a\\x1b[31mred",
    "a\x9b31m": "a\\x9b31m",
    "a\u202eb": "a\\u202eb",
    "a\u2066b": "a\\u2066b",
    "a\x07\x08\r": "a\\x07\\x08\\r",
    "\ud800": "?",
    "Äcker 農地": "Äcker 農地",
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_control_characters_stay_out_of_the_terminal(
    name: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console.echo(f"class {name}")
    console.warn(name)
    console.fail(name)
    console.tell(name)
    told = capsys.readouterr()
    assert told.out == f"class {shown}\n"
    assert told.err == f"warning: {shown}\nerror: {shown}\n{shown}\n"


def test_a_message_is_one_line_and_not_endless(capsys: pytest.CaptureFixture[str]) -> None:
    console.warn("two\nlines")
    console.fail("x" * 100_000)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "warning: two\\nlines"
    assert second == f"error: {'x' * 2000}... (100000 characters)"


def run(app: typer.Typer, monkeypatch: pytest.MonkeyPatch, *args: str) -> object:
    monkeypatch.setattr("sys.argv", ["agri-x", *args])
    with pytest.raises(SystemExit) as stop:
        console.run(app)
    return stop.value.code


def test_what_libraries_warn_of_is_a_warning_like_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = CommandLine("agri-x", "A test.")
    logger = logging.getLogger("a.library")
    monkeypatch.setattr(logger, "propagate", False)  # else pytest handles it

    @app.command()
    def told() -> None:
        warnings.warn("file \x1b[31m.tif", stacklevel=1)
        logger.warning("tag %s", "\x1b[2J")

    assert run(app, monkeypatch) == 0
    assert capsys.readouterr().err == "warning: file \\x1b[31m.tif\nwarning: tag \\x1b[2J\n"


def test_a_wrong_command_line_is_told_without_control_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = CommandLine("agri-x", "A test.")

    @app.command()
    def size(pixels: int) -> None:
        console.echo(str(pixels))

    assert run(app, monkeypatch, "\x1b[31m5") == 2
    assert "got '\\x1b[31m5'" in capsys.readouterr().err
    assert run(app, monkeypatch, "--\x1b[31m") == 2
    assert "\x1b" not in capsys.readouterr().err
    assert run(app, monkeypatch, "7") == 0
    assert capsys.readouterr().out == "7\n"


WORK = """
import sys
from pathlib import Path
from agri_core.files.console import echo, run, warn
def app():
    sys.stdin.readline()
    for number in range(3):
        echo("x" * 100_000)
        warn("x" * 1000)
    Path({done!r}).write_text("done")
run(app)
"""


def test_work_goes_on_where_nobody_reads_its_lines(tmp_path) -> None:
    script = WORK.format(done=str(tmp_path / "done"))
    pipe = subprocess.PIPE
    work = subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, stderr=pipe)
    assert work.stdin is not None
    assert work.stdout is not None
    assert work.stderr is not None
    work.stdout.close()
    work.stderr.close()
    work.stdin.write(b"\n")
    work.stdin.close()
    assert work.wait(60) == 0
    assert (tmp_path / "done").read_text() == "done"


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_a_closed_or_narrow_stream_is_no_error() -> None:
    line = "from agri_core.files.console import *; run(lambda: (echo('ä'), warn('農')))"
    for redirected in (">&- 2>&-", ">/dev/null"):
        done = subprocess.run(
            ["sh", "-c", f'PYTHONIOENCODING=ascii "$0" -c "$1" {redirected}', sys.executable, line],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
