"""Threads that wait must not keep a core from other work."""

import os
import subprocess
import sys

import pytest
from agri_core.threads import VARIABLE, wait_passively

SHOW = (
    "import os; os.environ.pop('OMP_WAIT_POLICY', None); {}; print(os.environ['OMP_WAIT_POLICY'])"
)
"""Sets the policy in a fresh process by what stands in the braces, and prints it."""


def test_wait_policy_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    wait_passively()
    assert os.environ[VARIABLE] == "PASSIVE"


def test_the_users_own_policy_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ACTIVE")
    wait_passively()
    assert os.environ[VARIABLE] == "ACTIVE"


def test_every_command_line_sets_it() -> None:
    command = (
        "import typer; from agri_core.files.console import run; app = typer.Typer();"
        "app.command()(lambda: print(os.environ['OMP_WAIT_POLICY'])); run(app)"
    )
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(command)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["PASSIVE"]
