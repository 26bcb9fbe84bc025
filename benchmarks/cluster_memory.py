"""Peak memory of deep embedded clustering as the set grows: it should be that of the labels alone.

    python benchmarks/cluster_memory.py                          # 10,000 and 200,000 patches
    python benchmarks/cluster_memory.py --tiles 10000 50000      # quicker
    python benchmarks/cluster_memory.py --kind store             # patches from a chip store

One command, one table. Patches of 8 x 8 pixels are made as they are asked for, or lie in a chip
store in a temporary folder. Each size is fitted and predicted in a process of its own, whose peak
the kernel reports: 100 clusters, 100 embedding columns, a few steps. It fails where the peak grows
by more than 64 MiB beyond four bytes a label.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SIDE = 8
GROUPS = 100
WIDTH = 100
STEPS = 40
SPARE = 64.0
"""MiB that the peak may grow by, beyond the labels."""


class Names(Sequence[str]):
    """The names of made patches, which take no memory."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row):  # noqa: ANN001, ANN204
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(self._count))]
        return f"patch-{int(row):07d}"


class Patches:
    """Patches `(8, 8, 1)` in 100 groups with noise, made when taken; row i is always the same."""

    def __init__(self, count: int) -> None:
        self.ids, self.bands = Names(count), ("grey",)
        self.shape = (SIDE, SIDE, 1)
        self._centres = np.random.default_rng(0).normal(size=(GROUPS, SIDE * SIDE))
        self._noise = np.random.default_rng(1).normal(size=(4099, SIDE * SIDE))

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: object) -> np.ndarray:
        """Return the patches at `indices`, `(n, 8, 8, 1)` float32."""
        rows = np.asarray(indices, np.int64)
        values = self._centres[rows % GROUPS] + 0.5 * self._noise[rows * 31 % len(self._noise)]
        return values.reshape(-1, *self.shape).astype(np.float32)


def write_store(path: Path, count: int) -> None:
    """Write the patches as a chip store of uint8."""
    from agri_core.bands import make_bands
    from agri_data.store.store import ChipRecord, StoreInfo, StoreWriter

    tiles = Patches(count)
    info = StoreInfo("made", "made", "CC0", make_bands(("B08",), "uint8"), SIDE)
    with StoreWriter(path, info) as writer:
        for start in range(0, count, 1000):
            rows = np.arange(start, min(start + 1000, count))
            pixels = (128 + 30 * tiles.take(rows)).clip(1, 255).astype(np.uint8)
            for row, image in zip(rows.tolist(), pixels, strict=True):
                place = f"10 0 {300000 + row % 450 * 80} 0 -10 {5000000 - row // 450 * 80}"
                record = ChipRecord(tiles.ids[row], "made.tif", row, 0, "EPSG:32633", place)
                writer.add(record, image)


def work(kind: str, place: str, count: int, folder: str) -> None:
    """Fit and predict in this process; print its peak after each, in MiB, and the seconds."""
    from agri_cluster.dec.estimator import DeepEmbeddedClustering

    begun = time.monotonic()
    data = Patches(count) if kind == "made" else Path(place)
    model = DeepEmbeddedClustering(
        GROUPS, encoder="mlp", hidden=(64,), embedding_dim=WIDTH, epochs=1, n_init=2,
        max_iter=STEPS, folder=folder or None,
    )  # fmt: skip
    model.fit(data)
    fitted = peak()
    labels = model.predict(data)
    assert np.array_equal(labels, model.labels_)
    print(fitted, peak(), time.monotonic() - begun)


def peak() -> float:
    """Return the largest resident memory of this process so far, MiB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 2**10


def measure(kind: str, count: int, kept: bool) -> tuple[float, float, float]:
    """Run one size in its own process; return peak after fit, after predict, and the seconds."""
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as name:
        store, folder = Path(name, "chips"), Path(name, "kept") if kept else ""
        if kind == "store":
            # In a process of its own too: a child starts with the peak of its parent.
            command = [sys.executable, __file__, "--write", str(store), str(count)]
            subprocess.run(command, check=True)
        command = [sys.executable, __file__, "--worker", kind, str(store), str(count), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    fitted, whole, seconds = map(float, done.stdout.split()[-3:])
    return fitted, whole, seconds


def main() -> None:
    """Measure each size and print a row for it."""
    options = parse()
    print(f"{GROUPS} clusters, {WIDTH} columns, {STEPS} steps, patches: {options.kind}")
    print(f"{'patches':>9}{'fit':>10}{'predict':>10}{'seconds':>9}  growth beyond labels, MiB")
    rows = []
    for count in sorted(options.tiles):
        fitted, whole, seconds = measure(options.kind, count, options.folder)
        rows.append((count, whole))
        grown = "" if len(rows) == 1 else f"  {beyond(rows[0], rows[-1]):+.1f}"
        print(f"{count:>9}{fitted:>10.1f}{whole:>10.1f}{seconds:>9.1f}{grown}", flush=True)
    if any(beyond(rows[0], row) > SPARE for row in rows[1:]):
        sys.exit(f"the peak grows by more than {SPARE:g} MiB beyond the labels")


def beyond(first: tuple[int, float], last: tuple[int, float]) -> float:
    """Return by how much the peak grew from one size to another beyond four bytes a label."""
    return last[1] - first[1] - 4 * (last[0] - first[0]) / 2**20


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiles", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--kind", choices=("made", "store"), default="made")
    parser.add_argument("--folder", action="store_true", help="keep the embedding in a folder")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        kind, place, count, folder = sys.argv[2:]
        work(kind, place, int(count), folder)
    elif sys.argv[1:2] == ["--write"]:
        write_store(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
