"""The chip store of a EuroSAT archive, split as the benchmarks of the classifier want it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from agri_data.store.store import ChipStore


def make_store(photos: Path, path: Path, seed: int) -> ChipStore:
    """Build the store of a zip or folder at `path`; a tenth is val, look-alikes kept together.

    A folder that is such a store already is opened as it is.
    """
    if (photos / "dataset.json").is_file():
        return ChipStore.open(photos)
    parts = ["--method", "random", "--val", "0.1", "--test", "0", "--seed", str(seed)]
    for words in (["chips", photos, "--out", path], ["split", path, *parts]):
        subprocess.run(["agri-data", *words], check=True, stdout=subprocess.DEVNULL)
    return ChipStore.open(path)
