"""The environment that the peers of a benchmark live in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def peers(folder: Path, wanted: Sequence[str]) -> Path:
    """Return the interpreter of the peers' environment, making it where it is not there yet."""
    python = folder / "bin" / "python"
    if not python.exists():
        if shutil.which("uv") is None:
            sys.exit("the peers need an environment and uv is not installed; give --peers VENV")
        print(f"installing {' and '.join(wanted)} into {folder} ...", file=sys.stderr)
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, folder], check=True)
        done = subprocess.run(["uv", "pip", "install", "-q", "--python", python, *wanted])
        if done.returncode:
            sys.exit("the peers cannot be installed (no network?); nothing was compared")
    return python
