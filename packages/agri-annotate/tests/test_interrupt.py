"""Ctrl-C: one line, exit code 130, nothing half written; whichever command it is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

START = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from agri_annotate.cli import main
"""
READING = """
def hook(event, told):
    if event == "open" and str(told[0]).endswith(".json"):
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
main()
"""
AGAIN = """
import atexit
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
"""
DRAWING = """
import agri_annotate.annotate
def write_mask(path, *rest):
    path.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.3)
agri_annotate.annotate.write_mask = write_mask
main()
"""
COMMANDS = {
    "masks": "via.json --pictures pictures --attribute label --out out",
    "check": "via.json --pictures pictures --attribute label",
    "vector": "via.json --pictures pictures --out out.gpkg",
    "prelabel": "maps --pictures pictures --out out.json --classes classes.json",
    "diff": "via.json via.json --pictures pictures --out out.json",
    "convert": "via.json --to coco --out out.json --pictures pictures",
    "simulate": "maps --pictures pictures --classes classes.json --out out.json",
}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for folder in ("pictures", "maps"):
        (tmp_path / folder).mkdir()
    entries = {}
    for name in ("s.png", *(f"s_{number}.png" for number in range(30))):
        Image.new("RGB", (20, 20)).save(tmp_path / "pictures" / name)
        shape = {"name": "rect", "x": 2, "y": 2, "width": 5, "height": 5}
        region = {"shape_attributes": shape, "region_attributes": {"label": "soil"}}
        entries[name] = {"filename": name, "size": -1, "regions": [region], "file_attributes": {}}
    (tmp_path / "via.json").write_text(json.dumps(entries))
    legend = [{"id": 0, "name": "background"}, {"id": 1, "name": "soil"}]
    (tmp_path / "classes.json").write_text(json.dumps(legend))
    profile = {"driver": "GTiff", "height": 20, "width": 20, "count": 1, "dtype": "uint8"}
    place = Affine(10, 0, 300000, 0, -10, 5000000)
    with rasterio.open(
        tmp_path / "maps" / "s.tif", "w", crs="EPSG:32632", transform=place, **profile
    ) as file:
        file.write(np.ones((1, 20, 20), np.uint8))
    return tmp_path


def run(desk: Path, script: str, command: str) -> subprocess.CompletedProcess[str]:
    stated = [command, *COMMANDS[command].split()]
    return subprocess.run(
        [sys.executable, "-c", START + script, *stated],
        cwd=desk, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def assert_one_line(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 130, done.stderr
    assert done.stderr.strip().startswith("interrupted") and len(done.stderr.split("\n")) <= 3
    assert done.stdout == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_interrupted(command: str, desk: Path) -> None:
    before = sorted(desk.rglob("*"))
    assert_one_line(run(desk, READING, command))
    assert sorted(desk.rglob("*")) == before


def test_a_second_one_while_it_ends_says_nothing_more(desk: Path) -> None:
    assert_one_line(run(desk, AGAIN + READING, "check"))


def test_an_earlier_output_is_kept_and_pending_masks_are_not_drawn(desk: Path) -> None:
    assert run(desk, "main()", "masks").returncode == 0
    before = {path: path.read_bytes() for path in sorted(desk.rglob("*")) if path.is_file()}
    assert_one_line(run(desk, DRAWING, "masks"))
    assert {p: p.read_bytes() for p in sorted(desk.rglob("*")) if p.is_file()} == before
