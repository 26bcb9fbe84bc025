"""How long `dvc repro` takes in a fresh clone, and how long when there is nothing to do.

It clones the last commit; `SECTION.KEY=VALUE` arguments override parameters.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def timed(folder: Path, environment: dict[str, str], *command: str) -> float:
    """Return the seconds that `command` takes in `folder`."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the time of the whole pipeline and of a run with nothing to do."""
    overrides = [part for argument in sys.argv[1:] for part in ("-S", argument)]
    with tempfile.TemporaryDirectory(prefix="agri-pipeline-") as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "DVC_SITE_CACHE_DIR": str(Path(folder, "site"))}
        first = ("exp", "run", *overrides) if overrides else ("repro",)
        whole = timed(clone, environment, "dvc", *first)
        idle = timed(clone, environment, "dvc", "repro", "-q")
    print(f"{'whole pipeline, s':<20}{whole:>8.1f}\n{'nothing to do, s':<20}{idle:>8.1f}")


if __name__ == "__main__":
    main()
