"""Every command explains itself, with an example, and starts without heavy imports."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "numpy", "pandas", "torch", "tensorflow", "rasterio", "matplotlib", "cv2", "onnxruntime",
    "pydantic", "jinja2",
}  # fmt: skip


def leaves(command, words=()):
    """Yield (subcommand names, command) of every command below `command` that does work."""
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from leaves(child, (*words, name))
    else:
        yield words, command


def help_text(command, program):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), pytest.raises(SystemExit) as stop:
        command.main(["--help"], prog_name=program)
    assert not stop.value.code, text.getvalue()
    return " ".join(text.getvalue().split())


def test_every_command_shows_an_example(apps):
    lacking = []
    for script, app in apps.items():
        for words, command in leaves(app):
            program = " ".join((script, *words))
            after_usage = help_text(command, program).partition(program)[2]
            if not re.search(rf"{re.escape(program)} \S", after_usage):
                lacking.append(program)
    assert lacking == []


def test_every_option_is_explained(apps):
    silent = [
        f"{' '.join((script, *words))} {parameter.opts[0]}"
        for script, app in apps.items()
        for words, command in leaves(app)
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.help
    ]
    assert silent == []


def test_scripts_are_installed_and_answer(apps):
    for script in apps:
        program = Path(sys.executable).with_name(script)
        done = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert script in done.stdout


def test_a_user_mistake_is_one_line_and_exit_code_2(apps):
    for script in apps:
        program = Path(sys.executable).with_name(script)
        done = subprocess.run([program, "--nope"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_command_lines_start_without_heavy_imports(projects):
    code = "import sys, {0}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    for project in projects.values():
        for target in project.get("scripts", {}).values():
            module = target.partition(":")[0]
            done = subprocess.run(
                [sys.executable, "-c", code.format(module)], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            assert set(done.stdout.split()) & HEAVY == set(), module
