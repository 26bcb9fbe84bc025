"""How long every command line takes to answer `--help`, best of five; above the limit it fails."""

from __future__ import annotations

import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 0.5
ROUNDS = 5


def scripts() -> list[str]:
    """Return the console scripts of all packages."""
    files = sorted(ROOT.glob("packages/*/pyproject.toml"))
    projects = [tomllib.loads(path.read_text(encoding="utf-8"))["project"] for path in files]
    return [script for project in projects for script in project.get("scripts", {})]


def seconds(script: str) -> float:
    """Return the shortest of several runs of `script --help`, a new process each."""
    program = Path(sys.executable).with_name(script)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Print a row a script and fail if one is slower than the limit."""
    times = {script: seconds(script) for script in scripts()}
    print(f"{'command':<16}{'--help, s':>10}")
    for script, best in times.items():
        print(f"{script:<16}{best:>10.3f}")
    slow = [script for script, best in times.items() if best > LIMIT]
    if slow:
        sys.exit(f"slower than {LIMIT} s: {', '.join(slow)}")


if __name__ == "__main__":
    main()
