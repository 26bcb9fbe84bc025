"""Every path that a command writes is marked as an output, so that it is guarded."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import get_type_hints

import pytest
from agri_core.files.commands import CommandLine, Output, output_marks

WRITTEN = {"out", "report", "json", "best", "runs", "pseudo", "geojson"}
"""Parameters that are outputs in every command that has them."""
READ = {
    "chips", "chosen", "classes", "coarse", "confidence", "corrected", "data", "file", "fitted",
    "folder", "groups", "maps", "masks", "model", "models", "names", "note", "params", "path",
    "paths", "pictures", "probabilities", "proposed", "repeat", "root", "scene", "selected",
    "source", "store", "truth",
}  # fmt: skip
"""Parameters that may be inputs; `confidence` and `probabilities` are outputs where they are."""
MAPPING = {"agri-map predict", "agri-classify map"}


def path_parameters(function):
    """Yield (name, whether it is marked as an output) of every parameter that is a path."""
    hints = get_type_hints(function, include_extras=True)
    for name in inspect.signature(function).parameters:
        hint = hints.get(name)
        if hint is not None and "Path" in str(getattr(hint, "__origin__", hint)):
            yield name, any(isinstance(mark, Output) for mark in getattr(hint, "__metadata__", ()))


@pytest.fixture(scope="module")
def functions(projects):
    found = {}
    for project in projects.values():
        for script, target in project.get("scripts", {}).items():
            app = importlib.import_module(target.partition(":")[0]).app
            assert isinstance(app, CommandLine) and app.script == script
            for info in app.registered_commands:
                name = info.name or info.callback.__name__.replace("_", "-")
                found[f"{script} {name}"] = info.callback
    return found


def test_every_path_is_known_as_input_or_output(functions):
    unknown = {
        f"{command}: {name}"
        for command, function in functions.items()
        for name, _ in path_parameters(function)
        if name not in WRITTEN | READ
    }
    assert unknown == set()


def test_outputs_are_marked_and_inputs_are_not(functions):
    wrong = []
    for command, function in functions.items():
        for name, marked in path_parameters(function):
            mapped = command in MAPPING and name in ("confidence", "probabilities")
            if marked != (name in WRITTEN or mapped):
                wrong.append(f"{command}: {name}")
    assert wrong == []


def test_a_folder_is_not_marked_as_a_file(functions):
    """A file's mark refuses a folder that is there, so that a second run would fail."""
    wrong = []
    for command, function in functions.items():
        hints = get_type_hints(function, include_extras=True)
        for name, mark in output_marks(function).items():
            (option,) = [m for m in hints[name].__metadata__ if hasattr(m, "help")]
            told = f"{option.metavar} {option.help}".casefold()
            is_folder = "folder" in told or "chip store" in told
            if is_folder == (mark.kind == "file"):
                wrong.append(f"{command}: {name} ({mark.kind})")
    assert wrong == []


def test_a_path_without_a_mark_is_found():
    def command(out: Path, report: Path | None = None) -> None: ...

    assert list(path_parameters(command)) == [("out", False), ("report", False)]
