"""What installing one package alone costs: wheels fetched, their size, size on disk.

Without names it measures the packages that must stay light; the training packages fetch about 3 GB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = str(ROOT / "requirements.txt")
LIGHT = ("agri-annotate", "agri-data", "agri-map")
LIMIT = 250e6


def run(*command: str | Path) -> None:
    """Run a command quietly; a failure ends the benchmark."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def build(folder: Path) -> Path:
    """Build the wheels of all packages into `folder`."""
    run("uv", "build", "--directory", ROOT, "--all-packages", "--wheel", "-q", "-o", folder)
    return folder


def disk(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(package: str, wheels: Path, work: Path) -> tuple[int, int, int, float]:
    """Return the number of wheels, bytes fetched, bytes installed, seconds to install."""
    env, fetched = work / "env", work / "fetched"
    run(sys.executable, "-m", "venv", env)
    pip = (env / "bin" / "python", "-m", "pip", "-q", "--disable-pip-version-check")
    (wheel,) = wheels.glob(f"{package.replace('-', '_')}-*.whl")
    binary = ("--only-binary", ":all:", "--find-links", wheels)
    run(*pip, "download", *binary, "-c", PINS, "-d", fetched, wheel)
    before, start = disk(env), time.perf_counter()
    run(*pip, "install", "--no-index", "--find-links", fetched, wheel)
    took = time.perf_counter() - start
    files = list(fetched.glob("*.whl"))
    return len(files), disk(fetched), disk(env) - before, took


def main() -> None:
    """Print a row a package and fail if a light one fetches more than the limit."""
    print(f"{'package':<16}{'wheels':>7}{'fetched, MB':>13}{'on disk, MB':>13}{'install, s':>12}")
    heavy = []
    with tempfile.TemporaryDirectory(prefix="agri-install-") as folder:
        wheels = build(Path(folder, "wheels"))
        for package in sys.argv[1:] or LIGHT:
            work = Path(folder, package)
            count, fetched, installed, took = measure(package, wheels, work)
            row = f"{package:<16}{count:>7}{fetched / 1e6:>13.0f}{installed / 1e6:>13.0f}"
            print(f"{row}{took:>12.1f}", flush=True)
            heavy += [package] if package in LIGHT and fetched > LIMIT else []
    if heavy:
        sys.exit(f"more than {LIMIT / 1e6:.0f} MB: {', '.join(heavy)}")


if __name__ == "__main__":
    main()
