"""Masks from VIA polygons: `agri_annotate` against the two recipes that are copied most.

    python benchmarks/annotate.py                  # 200 pictures of 4000 x 3000, 50 polygons each
    python benchmarks/annotate.py --pictures 20    # quicker, but start-up weighs more than masks

- matterport: `load_mask` of Mask_RCNN's samples/balloon/balloon.py: skimage.draw.polygon into a
  plane a polygon, nothing written. It is slow, so it draws --slow pictures; compare the rows by
  picture. Its vertices are clipped into the picture, since beyond the border it fails.
- dhsegment: `create_masks` of dhSegment's dh_segment/io/via.py: cv2.fillPoly of all polygons of a
  class into one picture, written with cv2.imwrite as PNG. There is one class, so one file each.
- ours: `read_project` and `make_masks` as `agri-annotate masks` runs them, without the report page:
  it parses the file, finds the pictures, reads their headers, checks every region, writes masks and
  tables. The peers get parsed polygons and picture sizes for nothing.

Each row is a process of its own: seconds from the end of imports, processor seconds, and the
highest memory the kernel saw. The peers live in an environment of their own: --peers VENV, or a
throwaway one made with uv, for which a network is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers import peers

PEERS = ("scikit-image", "opencv-python-headless", "numpy")
HEIGHT, WIDTH = 3000, 4000
POLYGONS, VERTICES = 50, 40
SMALLEST, LARGEST = 120, 300
FASTER, MEMORY = 20, 300


def synthesise(folder: Path, pictures: int) -> None:
    """Write grey pictures (one file under many names) and a VIA 2 file of star-shaped polygons."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    (folder / "pictures").mkdir()
    first = folder / "pictures" / "p000.jpg"
    Image.new("RGB", (WIDTH, HEIGHT), "grey").save(first)
    content = {}
    for number in range(pictures):
        name = f"p{number:03}.jpg"
        if number:
            os.link(first, first.with_name(name))
        regions = [region(rng) for _ in range(POLYGONS)]
        size = first.stat().st_size
        content[f"{name}{size}"] = {
            "filename": name, "size": size, "regions": regions, "file_attributes": {},
        }  # fmt: skip
    (folder / "via.json").write_text(json.dumps(content), encoding="utf-8")


def region(rng: Any) -> dict[str, Any]:
    """Return a polygon within the picture about a random centre."""
    import numpy as np

    angles = np.sort(rng.uniform(0, 2 * np.pi, VERTICES))
    radii = rng.uniform(SMALLEST, LARGEST, VERTICES)
    x = rng.uniform(0, WIDTH) + radii * np.cos(angles)
    y = rng.uniform(0, HEIGHT) + radii * np.sin(angles)
    shape = {
        "name": "polygon",
        "all_points_x": np.clip(x, 0, WIDTH - 1).astype(int).tolist(),
        "all_points_y": np.clip(y, 0, HEIGHT - 1).astype(int).tolist(),
    }
    return {"shape_attributes": shape, "region_attributes": {"label": "field"}}


def parsed(folder: Path, count: int) -> list[list[dict[str, Any]]]:
    """Return the shapes of the first `count` pictures, as both peers hold them."""
    content = json.loads((folder / "via.json").read_text(encoding="utf-8"))
    return [[r["shape_attributes"] for r in p["regions"]] for p in list(content.values())[:count]]


def ours(folder: Path, count: int) -> Callable[[], None]:
    """Return the work of `agri-annotate masks` without its report."""
    from agri_annotate.annotate import Options, make_masks
    from agri_annotate.formats.read import read_project
    from agri_annotate.masks.naming import Naming
    from agri_annotate.model.classes import derive

    def work() -> None:
        project, problems = read_project(folder / "via.json")
        options = Options(Naming(derive(project, "label", None), "label"))
        made = make_masks(
            project, folder / "pictures", folder / "masks", options, problems=problems
        )
        assert made.masks == count and not made.lost

    return work


def dhsegment(folder: Path, count: int) -> Callable[[], None]:
    """Return the drawing and writing of dhSegment's `create_masks` for one class."""
    import cv2
    import numpy as np

    pictures = parsed(folder, count)
    out = folder / "dhsegment"
    out.mkdir()

    def work() -> None:
        for number, shapes in enumerate(pictures):
            mask = np.zeros([HEIGHT, WIDTH], np.uint8)
            for shape in shapes:
                points = np.stack([shape["all_points_x"], shape["all_points_y"]], axis=1)
                mask = cv2.fillPoly(mask, [points[:, None, :].astype(np.int32)], 255)
            cv2.imwrite(str(out / f"p{number:03}.png"), mask)

    return work


def matterport(folder: Path, count: int) -> Callable[[], None]:
    """Return the `load_mask` of Mask_RCNN's balloon sample."""
    import numpy as np
    import skimage.draw

    pictures = parsed(folder, count)

    def work() -> None:
        for shapes in pictures:
            mask = np.zeros([HEIGHT, WIDTH, len(shapes)], dtype=np.uint8)
            for i, shape in enumerate(shapes):
                rr, cc = skimage.draw.polygon(shape["all_points_y"], shape["all_points_x"])
                mask[rr, cc, i] = 1
            mask.astype(bool)

    return work


WAYS = {"ours": ours, "dhsegment": dhsegment, "matterport": matterport}


def child(way: str, folder: Path, count: int) -> None:
    """Do the work of one row and print its figures as JSON."""
    work = WAYS[way](folder, count)
    begun, busy = time.perf_counter(), time.process_time()
    work()
    took, busy = time.perf_counter() - begun, time.process_time() - busy
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"wall": took / count, "busy": busy / count, "peak": peak}))


def measure(python: Path, way: str, folder: Path, count: int) -> dict[str, float]:
    """Run one row in a new process."""
    command = [python, __file__, "--child", way, "--folder", folder, "--pictures", str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def compare(chosen: argparse.Namespace, work: Path) -> dict[str, dict[str, float]]:
    """Return the figures of all rows, and print them."""
    synthesise(work, chosen.pictures)
    other = peers(chosen.peers or work / "peers", PEERS)
    slow = min(chosen.slow, chosen.pictures)
    plan = {
        "ours": (Path(sys.executable), chosen.pictures),
        "dhsegment": (other, chosen.pictures),
        "matterport": (other, slow),
    }
    print(f"{WIDTH} x {HEIGHT}, {POLYGONS} polygons of {VERTICES} vertices, {os.cpu_count()} cores")
    print(f"{'way':<12}{'pictures':>9}{'ms each':>10}{'cpu ms':>9}{'ratio':>8}{'peak MB':>9}")
    rows: dict[str, dict[str, float]] = {}
    for way, (python, count) in plan.items():
        row = rows[way] = measure(python, way, work, count)
        ratio = row["wall"] / rows["ours"]["wall"]
        times = f"{1e3 * row['wall']:>10.1f}{1e3 * row['busy']:>9.1f}{ratio:>8.2f}"
        print(f"{way:<12}{count:>9}{times}{row['peak']:>9.0f}", flush=True)
    return rows


def main() -> None:
    """Print the table; fail if ours is slower than promised or takes more memory."""
    parser = argparse.ArgumentParser(description="Masks from VIA polygons against two recipes.")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--slow", type=int, default=10, help="pictures of the slow recipe")
    parser.add_argument("--peers", type=Path, help="environment with skimage and cv2")
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.folder, chosen.pictures)
        return
    with tempfile.TemporaryDirectory(prefix="agri-annotate-") as folder:
        rows = compare(chosen, Path(folder))
    wall = {way: row["wall"] for way, row in rows.items()}
    if wall["matterport"] < FASTER * wall["ours"] or wall["dhsegment"] < wall["ours"]:
        sys.exit(f"slower than promised: {FASTER} times matterport, no slower than dhsegment")
    if rows["ours"]["peak"] > MEMORY:
        sys.exit(f"more than {MEMORY} MB")


if __name__ == "__main__":
    main()
