"""Building is all or nothing, its summary true, and its exit code honest."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_data.build import build, summary
from agri_data.sources.windows import Cut
from agri_data.store.store import ChipStore
from ruamel.yaml import YAML

AGRI = [sys.executable, "-c", "from agri_data.cli import main; main()"]


def write_images(folder: Path, count: int, side: int = 64) -> Path:
    (folder / "images").mkdir(parents=True)
    shape = {"count": 3, "height": side, "width": side, "dtype": "uint16", "driver": "GTiff"}
    for n in range(count):
        with rasterio.open(folder / f"images/{n}.tif", "w", **shape) as sink:
            sink.write(np.full((3, side, side), n + 1, np.uint16))
    content: dict[str, Any] = {"name": "set", "kind": "pairs", "unit": "dn"}
    content |= {"bands": ["B02", "B03", "B04"], "images": "images/*.tif"}
    with (folder / "set.yaml").open("w") as sink:
        YAML().dump(content, sink)
    return folder / "set.yaml"


def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [*AGRI, "chips", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if ".partial-" in path.name]


def test_the_command_tells_what_it_wrote(tmp_path: Path):
    path = write_images(tmp_path, 3)
    done = run(path, "--out", tmp_path / "chips", "--size", 32)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path / 'chips'}: 12 chips, 0.1 MB" in done.stdout
    assert "note: 3 images" in done.stdout
    assert len(ChipStore.open(tmp_path / "chips")) == 12


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path: Path):
    path = write_images(tmp_path, 1)
    path.write_text(path.read_text().replace("images:", "imagse:"))
    done = run(path, "--out", tmp_path / "chips")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "did you mean 'images'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "chips").exists()


def test_skipping_is_counted_listed_and_exit_code_3(tmp_path: Path):
    path = write_images(tmp_path, 3)
    (tmp_path / "images/1.tif").write_bytes(b"II*\0broken")
    assert run(path, "--out", tmp_path / "chips").returncode == 2
    done = run(path, "--out", tmp_path / "chips", "--skip")
    assert done.returncode == 3
    assert "1.tif" in done.stderr
    assert "1 skipped" in done.stderr
    assert len(ChipStore.open(tmp_path / "chips")) == 2


def test_a_killed_build_leaves_no_store_and_runs_again(tmp_path: Path):
    path = write_images(tmp_path, 150, side=256)
    command = [*AGRI, "chips", str(path), "--out", str(tmp_path / "chips")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not leftovers(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.005)
        assert leftovers(tmp_path), "the build had not begun to write"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "chips").exists()
    assert build(path, tmp_path / "chips").chips == 150 * 16
    assert ChipStore.open(tmp_path / "chips").verify() == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path):
    path = write_images(tmp_path, 40)
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        "from agri_data.cli import main; main()"
    )
    command = [sys.executable, "-c", limited, "chips", str(path), "--out", str(tmp_path / "chips")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "chips").exists()
    assert leftovers(tmp_path) == []


def test_an_earlier_store_survives_a_failed_build(tmp_path: Path):
    path = write_images(tmp_path, 2)
    build(path, tmp_path / "chips")
    before = ChipStore.open(tmp_path / "chips").fingerprint
    (tmp_path / "images/1.tif").write_bytes(b"")
    with pytest.raises(InputError, match=r"1\.tif"):
        build(path, tmp_path / "chips")
    assert ChipStore.open(tmp_path / "chips").fingerprint == before
    assert leftovers(tmp_path) == []


def test_somebody_elses_folder_is_not_replaced(tmp_path: Path):
    path = write_images(tmp_path, 1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years")
    with pytest.raises(InputError, match="was not written by"):
        build(path, tmp_path / "mine")
    assert (tmp_path / "mine/thesis.txt").read_text() == "years"


def test_a_zip_serves_as_root_and_is_cleaned_up(tmp_path: Path):
    path = write_images(tmp_path, 2)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for n in range(2):
            archive.write(tmp_path / f"images/{n}.tif", f"images/{n}.tif")
    whole = build(path, tmp_path / "one")
    zipped = build(path, tmp_path / "out/two", root=tmp_path / "set.zip")
    prints = {ChipStore.open(item.path).fingerprint for item in (whole, zipped)}
    assert len(prints) == 1
    assert leftovers(tmp_path / "out") == []
    with zipfile.ZipFile(tmp_path / "set.zip", "a") as archive:
        archive.writestr("../evil.tif", b"")
    with pytest.raises(InputError, match="outside its folder"):
        build(path, tmp_path / "out/three", root=tmp_path / "set.zip")
    assert leftovers(tmp_path / "out") == []


def test_memory_does_not_grow_with_the_set(tmp_path: Path):
    """D22: ten times the files, the same peak within 20 %."""
    measure = (
        "import resource, sys; from pathlib import Path; from agri_data.build import build\n"
        "build(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (20, 200):
        path = write_images(tmp_path / str(count), count, side=256)
        command = [sys.executable, "-c", measure, str(path), str(tmp_path / f"chips{count}")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.2 * peaks[0]


def test_the_summary_counts_add_up(tmp_path: Path):
    report = build(write_images(tmp_path, 2), tmp_path / "chips", cut=Cut(32, 16))
    lines = list(summary(report))
    assert lines[0].startswith(f"{tmp_path / 'chips'}: 18 chips")
    assert report.size == sum(p.stat().st_size for p in (tmp_path / "chips").iterdir())


def test_messages_name_the_zip_and_not_the_folder_it_was_unpacked_to(tmp_path: Path):
    path = write_images(tmp_path / "data", 2)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(tmp_path / "data/images/0.tif", "images/0.tif")
        archive.writestr("images/1.tif", b"II*\0")
    wanted = f"{tmp_path / 'set.zip'}/images/1.tif cannot be read"
    with pytest.raises(InputError, match=re.escape(wanted)):
        build(path, tmp_path / "chips", cut=Cut(32), root=tmp_path / "set.zip")
    report = build(path, tmp_path / "chips", cut=Cut(32), root=tmp_path / "set.zip", skip=True)
    assert [text.startswith(wanted) for text in report.skipped] == [True]
