"""Command lines: one way to make them, and one guard before every command.

A parameter that names an output is marked `Annotated[Path, OUTPUT, typer.Option(...)]`, or with
`REPLACED`, `RESUMED` or `added(...)` where it is a folder; every other path is an input, and so is
text marked `INPUT`. Before a command starts it is checked that no output is an input and that every
output may be written, so that hours of work do not end in a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal, get_type_hints

import typer

from agri_core.files.console import fail
from agri_core.files.errors import InputError
from agri_core.files.ownership import Run, check_added, check_file, check_folder, running
from agri_core.files.panels import PanelCommand
from agri_core.files.text import legible


@dataclass(frozen=True, slots=True)
class Output:
    """Marks a command's parameter as a path that the command writes.

    Attributes:
        kind: A file, a folder in which runs are resumed, a folder that is replaced as a whole, or
            one that files are added to.
        names: Files that are added in every run.
    """

    kind: Literal["file", "resumed", "replaced", "added"] = "file"
    names: tuple[str, ...] = ()


class Input:
    """Marks a text parameter, `FILE` or `NAME=FILE`, that may name a path to read."""


OUTPUT, REPLACED, RESUMED, INPUT = Output(), Output("replaced"), Output("resumed"), Input()


def added(*names: str) -> Output:
    """Return the mark of a folder that the files `names`, and perhaps others, are added to."""
    return Output("added", names)


class CommandLine(typer.Typer):
    """A typer application whose commands are guarded; `script` is its console script's name."""

    def __init__(self, script: str, text: str) -> None:
        super().__init__(
            help=text, rich_markup_mode=None, no_args_is_help=True, add_completion=False
        )
        self.script = script

    def __call__(self, *args: Any, **settings: Any) -> Any:
        """Run the command line and exit; what is wrong with it is told without control characters.

        Raises:
            SystemExit: at the end.
        """
        try:
            code = super().__call__(*args, standalone_mode=False, **settings)
        except typer.Abort:
            fail("aborted")
            raise SystemExit(1) from None
        except Exception as error:
            if not hasattr(error, "format_message"):  # typer's own errors have it
                raise
            wrong: Any = error
            told = legible(wrong.format_message())
            wrong.format_message = lambda: told
            wrong.show()
            raise SystemExit(wrong.exit_code) from None
        raise SystemExit(code if isinstance(code, int) else 0)

    def command(  # type: ignore[override]
        self, name: str | None = None, **settings: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return a decorator that adds a function as a command and leaves the function as it is."""
        add = super().command(name, cls=PanelCommand, **settings)

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            own = name or function.__name__.replace("_", "-")
            add(guarded(f"{self.script} {own}", function))
            return function

        return register


def guarded(command: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a command so that its outputs are checked first and are written in its name."""

    @wraps(function)
    def call(*args: Any, **values: Any) -> Any:
        inputs, outputs = sort_paths(function, values)
        with running(Run(command, tuple(inputs.values()))):
            check_outputs(outputs, output_marks(function))
            return function(*args, **values)

    return call


def sort_paths(
    function: Callable[..., Any], values: Mapping[str, Any]
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the paths among a command's values: inputs and outputs, by parameter."""
    hints = get_type_hints(function, include_extras=True)
    inputs: dict[str, Path] = {}
    outputs: dict[str, Path] = {}
    marks = output_marks(function)
    for name, value in values.items():
        marked = INPUT in getattr(hints.get(name), "__metadata__", ())
        for number, path in enumerate(_paths(value, marked)):
            (outputs if name in marks else inputs)[f"{name}{number or ''}"] = path
    return inputs, outputs


def output_marks(function: Callable[..., Any]) -> dict[str, Output]:
    """Return the marks of the parameters that name outputs."""
    found = {}
    for name, hint in get_type_hints(function, include_extras=True).items():
        marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Output)]
        if marks:
            found[name] = marks[0]
    return found


def check_outputs(outputs: Mapping[str, Path], marks: Mapping[str, Output]) -> None:
    """Refuse outputs that this run may not write, and one path for two of them.

    Args:
        outputs: paths by parameter.
        marks: what each of them is; a file by default.

    Raises:
        InputError: for each of these; the message names the path.
    """
    given: dict[Path, str] = {}
    for name, path in outputs.items():
        mark = marks.get(name, OUTPUT)
        first = given.setdefault(path.resolve(), name)
        if first != name and path.suffix:  # two outputs may share a folder
            raise InputError(f"{path} is given for two outputs, --{first} and --{name}")
        try:
            _check_output(path, mark)
        except InputError as error:
            raise InputError(f"--{name}: {error}") from error


def _check_output(path: Path, mark: Output) -> None:
    if mark.kind == "replaced":
        check_folder(path)
    elif mark.kind == "added":
        check_added(path, mark.names)
    elif mark.kind == "file" or not path.is_dir():
        check_file(path)


def _paths(value: Any, marked: bool) -> Iterator[Path]:
    """Yield the paths of a parameter; of text that may name one (`marked`), what exists."""
    for item in value if isinstance(value, list | tuple) else (value,):
        if isinstance(item, Path):
            yield item
        elif marked and isinstance(item, str) and item:
            path = Path(item if Path(item).exists() else item.partition("=")[2])
            if path != Path() and path.exists():
                yield path
