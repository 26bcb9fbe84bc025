"""Command lines: one way to make them, and one guard before every command.

A parameter that names an output is marked `Annotated[Path, OUTPUT, typer.Option(...)]`; every other
path is an input. Before a command starts it is checked that no output is an input and that every
output file may be replaced, so that hours of work do not end in a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, get_type_hints

import typer

from agri_core.files.errors import InputError
from agri_core.files.ownership import Run, check_file, running
from agri_core.files.panels import PanelCommand


class Output:
    """Marks a command's parameter as a path that the command writes."""


OUTPUT = Output()


class CommandLine(typer.Typer):
    """A typer application whose commands are guarded; `script` is its console script's name."""

    def __init__(self, script: str, text: str) -> None:
        super().__init__(
            help=text, rich_markup_mode=None, no_args_is_help=True, add_completion=False
        )
        self.script = script

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
            check_outputs(outputs)
            return function(*args, **values)

    return call


def sort_paths(
    function: Callable[..., Any], values: Mapping[str, Any]
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the paths among a command's values: inputs and outputs, by parameter."""
    hints = get_type_hints(function, include_extras=True)
    inputs: dict[str, Path] = {}
    outputs: dict[str, Path] = {}
    for name, value in values.items():
        written = OUTPUT in getattr(hints.get(name), "__metadata__", ())
        for number, path in enumerate(_paths(value)):
            (outputs if written else inputs)[f"{name}{number or ''}"] = path
    return inputs, outputs


def check_outputs(outputs: Mapping[str, Path]) -> None:
    """Refuse outputs that this run may not write, and one path for two of them.

    Raises:
        InputError: for each of these; the message names the path.
    """
    given: dict[Path, str] = {}
    for name, path in outputs.items():
        if path.is_dir():
            continue
        first = given.setdefault(path.resolve(), name)
        if first != name and path.suffix:  # two outputs may share a folder
            raise InputError(f"{path} is given for two outputs, --{first} and --{name}")
        try:
            check_file(path)
        except InputError as error:
            raise InputError(f"--{name}: {error}") from error


def _paths(value: Any) -> Iterator[Path]:
    items = value if isinstance(value, list | tuple) else (value,)
    return (item for item in items if isinstance(item, Path))
