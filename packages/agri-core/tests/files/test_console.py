"""How errors reach a user: one line, and an exit code."""

from __future__ import annotations

import errno

import pytest
import typer
from agri_core.files import console
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
