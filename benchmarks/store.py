"""The chip store against torchvision's ImageFolder and torchgeo's EuroSAT: random batches a second.

    python benchmarks/store.py DATA_FOLDER [--peers VENV]

DATA_FOLDER holds a EuroSAT RGB archive (a .zip of <Class>/<Class>_<n>.jpg); the 13-band TIFFs are
made up on the spot, since only their form matters. The peers need torch and so live in an
environment of their own: VENV, or a throwaway one made with `uv` (a few GB the first time, from
the network). Without it the script says so and fails.

Every reader is one process without helpers. It draws random batches of 128 chips: a first round
warms the system's page cache, then the median of five rounds counts. Both sides end with a batch
in memory: uint8 for the pictures, float32 for the 13 bands, as the peers give them.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from peers import peers

PEERS = ("torchgeo==0.8.1", "torchvision", "requests")
"""torchgeo 0.8.1 imports requests without asking for it."""
BATCH, ROUNDS, DRAWN = 128, 5, 1024
TIFFS, SIZE, BANDS = 600, 64, 13
SMALL, LARGE = 10_000, 100_000
TARGET = 20.0
TIFF_FOLDER = "ds/images/remote_sensing/otherDatasets/sentinel_2/tif"

Read = Callable[[list[int]], object]


def ours(path: str, wide: bool) -> tuple[int, Read]:
    """Open a chip store; wide chips are turned to float32 as torchgeo does."""
    import numpy as np
    from agri_data.store.store import ChipStore

    store = ChipStore.open(path)

    def read(rows: list[int]) -> object:
        images = store.images(rows)
        return images.astype(np.float32) if wide else images

    return len(store), read


def image_folder(path: str) -> tuple[int, Read]:
    """Open class folders of JPEGs with torchvision; a batch is a stack of uint8 tensors."""
    import torch
    from torchvision.datasets import ImageFolder
    from torchvision.transforms.functional import pil_to_tensor

    torch.set_num_threads(1)
    folder = ImageFolder(path, transform=pil_to_tensor)
    return len(folder), lambda rows: torch.stack([folder[row][0] for row in rows])


def torchgeo_eurosat(path: str) -> tuple[int, Read]:
    """Open 13-band TIFFs with torchgeo."""
    import torch
    from torchgeo.datasets import EuroSAT

    torch.set_num_threads(1)
    found = EuroSAT(path, split="train")
    return len(found), lambda rows: torch.stack([found[row]["image"] for row in rows])


READERS: dict[str, Callable[[str], tuple[int, Read]]] = {
    "ours": lambda path: ours(path, wide=False),
    "ours-wide": lambda path: ours(path, wide=True),
    "imagefolder": image_folder,
    "torchgeo": torchgeo_eurosat,
}


def work(reader: str, path: str) -> None:
    """Print chips a second and the peak resident memory in MB, as JSON; runs in its own process."""
    import random

    count, read = READERS[reader](path)
    rows = random.Random(0)
    rates = []
    for _ in range(1 + ROUNDS):
        batches = [rows.choices(range(count), k=BATCH) for _ in range(DRAWN // BATCH)]
        start = time.perf_counter()
        for batch in batches:
            read(batch)
        rates.append(DRAWN / (time.perf_counter() - start))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": statistics.median(rates[1:]), "peak": peak}))


def walk(path: str) -> None:
    """Print the peak resident memory in MB after reading every chip once in random order."""
    import random

    count, read = ours(path, wide=False)
    rows = list(range(count))
    random.Random(0).shuffle(rows)
    for start in range(0, count, BATCH):
        read(rows[start : start + BATCH])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": float("nan"), "peak": peak}))


def call(python: Path, task: str, path: Path) -> dict[str, float]:
    """Run one worker and return what it measured."""
    command = [python, __file__, "--worker", task, path]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{task} failed:\n{run.stderr}")
    result: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return result


def build(source: Path, out: Path) -> float:
    """Build a chip store with the command line and return the seconds it took."""
    program = Path(sys.executable).with_name("agri-data")
    start = time.perf_counter()
    subprocess.run([program, "chips", source, "--out", out], check=True, capture_output=True)
    return time.perf_counter() - start


def make_tiffs(root: Path) -> None:
    """Write 13-band georeferenced TIFFs in EuroSAT's layout, with the list torchgeo asks for."""
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    rng, names = np.random.default_rng(0), []
    for number in range(TIFFS):
        label = ("Forest", "River", "Pasture")[number % 3]
        file = root / TIFF_FOLDER / label / f"{label}_{number + 1}.tif"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 4000, (BANDS, SIZE, SIZE), np.uint16)
        place = from_origin(500_000 + 640 * number, 5_000_000, 10, 10)
        form = {"width": SIZE, "height": SIZE, "count": BANDS, "dtype": "uint16"}
        with rasterio.open(file, "w", "GTiff", crs="EPSG:32633", transform=place, **form) as made:
            made.write(pixels)
        names.append(file.name)
    (root / "eurosat-train.txt").write_text("\n".join(names))


def make_store(path: Path, count: int) -> Path:
    """Write a store of `count` RGB chips."""
    import numpy as np
    from agri_core.bands import make_bands
    from agri_data.store.store import ChipRecord, StoreInfo, StoreWriter

    bands = make_bands(["B04", "B03", "B02"], "uint8")
    with StoreWriter(path, StoreInfo("made", "made", "CC0", bands, SIZE)) as writer:
        for number in range(count):
            chip = np.full((SIZE, SIZE, 3), number % 256, np.uint8)
            writer.add(ChipRecord(f"c{number}", "made"), chip)
    return path


def compare(archive: Path, work_folder: Path, python: Path) -> bool:
    """Measure, print the table, and return whether both targets are met."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(work_folder / "jpeg")
    classes = next((work_folder / "jpeg").rglob("*.jpg")).parent.parent
    make_tiffs(work_folder / "tiff")
    here = Path(sys.executable)
    built = build(archive, work_folder / "rgb")
    wide = build(work_folder / "tiff" / TIFF_FOLDER, work_folder / "wide")
    pairs = [
        ("RGB, uint8", "ImageFolder", "imagefolder", classes, "ours", work_folder / "rgb"),
        (
            "13 bands",
            "torchgeo",
            "torchgeo",
            work_folder / "tiff",
            "ours-wide",
            work_folder / "wide",
        ),
    ]
    print(f"{'random batches of ' + str(BATCH):<24}{'chips/s':>12}{'peak MB':>10}{'times':>8}")
    met = True
    for what, name, peer, peer_path, mine, path in pairs:
        theirs, own = call(python, peer, peer_path), call(here, mine, path)
        times = own["rate"] / theirs["rate"]
        met = met and times >= TARGET
        print(f"{what + ', ' + name:<24}{theirs['rate']:>12.0f}{theirs['peak']:>10.0f}{1:>8}")
        print(f"{what + ', chip store':<24}{own['rate']:>12.0f}{own['peak']:>10.0f}{times:>8.1f}")
    print(f"\nbuild from {archive.name}: {built:.1f} s; from {TIFFS} TIFFs: {wide:.1f} s")
    for count in (SMALL, LARGE):
        path = make_store(work_folder / f"made-{count}", count)
        peak = call(here, "walk", path)["peak"]
        size = count * SIZE * SIZE * 3 / 1e6
        print(f"reading all of {count} chips ({size:.0f} MB): peak {peak:.0f} MB")
    return met


def main() -> None:
    """Parse the command line and compare; fail if a target is missed."""
    parser = argparse.ArgumentParser(description="The chip store against its peers.")
    parser.add_argument("data", type=Path, help="folder with a EuroSAT RGB zip")
    parser.add_argument("--peers", type=Path, help="environment with torchgeo and torchvision")
    chosen = parser.parse_args()
    archives = [p for p in sorted(chosen.data.glob("*.zip")) if "eurosat" in p.name.lower()]
    if not archives:
        sys.exit(f"no EuroSAT archive (*eurosat*.zip) in {chosen.data}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = peers(chosen.peers or folder / "peers", PEERS)
        if not compare(archives[0], folder, python):
            sys.exit(f"the store is less than {TARGET:g} times as fast as a peer")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        task, path = sys.argv[2:4]
        walk(path) if task == "walk" else work(task, path)
    else:
        main()
