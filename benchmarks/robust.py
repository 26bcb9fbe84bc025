"""Accuracy of a patch classifier on compressed and resampled pictures.

    python benchmarks/robust.py EuroSAT_RGB.zip

Evaluated on the validation split of seed 7, which the bundled model was not trained on, though it
selected the epoch: the patches as they are, and with each change of `CHANGES`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from agri_classify.bundled import BUNDLED, find_model
from agri_data.augment.jpeg import Jpeg, save_again
from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import open_engine
from eurosat import make_store
from numpy.typing import NDArray

BATCH = 128
Photo = NDArray[np.uint8]


def main() -> None:
    """Print a row per change."""
    args = parse()
    engine = open_engine(args.model)
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        store = make_store(args.photos, Path(folder, "chips"), 7)
        counts = np.bincount(store.labels(store.indices("val")))
        print(f"{engine.spec.name}, {counts.sum()} patches of val, seed 7")
        print(f"{counts.max() / counts.sum():.4f}  majority class")
        for name, change in CHANGES.items():
            right, rng = 0, np.random.default_rng(0)
            for rows, images in store.batches("val", BATCH):
                given = np.stack([change(image, rng) for image in images])
                found = engine.run(normalise(given, engine.spec)).argmax(axis=1)
                right += int((found == store.labels(rows)).sum())
            print(f"{right / counts.sum():.4f}  {name}", flush=True)


def same(image: Photo, _: np.random.Generator) -> Photo:
    """Return the picture as it is."""
    return image


def saved(image: Photo, _: np.random.Generator, quality: int) -> Photo:
    """Return it as it comes back from a JPEG with halved colour resolution."""
    return save_again(image, Jpeg(quality, halved=True))


def noisy(image: Photo, rng: np.random.Generator, deviation: float) -> Photo:
    """Return it with white noise, in grey levels of 255."""
    return _whole(image + rng.normal(0, deviation, image.shape))


def lit(image: Photo, _: np.random.Generator, gain: float) -> Photo:
    """Return it brighter or darker."""
    return _whole(image * gain)


def shrunk(image: Photo, _: np.random.Generator, side: int) -> Photo:
    """Return it as a picture of fewer pixels that was enlarged back."""
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def _whole(values: NDArray[Any]) -> Photo:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


CHANGES: dict[str, Callable[[Photo, np.random.Generator], Photo]] = {
    "as it is": same,
    **{f"JPEG of quality {q}": partial(saved, quality=q) for q in (98, 95, 92, 90, 75, 50)},
    **{f"noise of deviation {d:g}": partial(noisy, deviation=d) for d in (1, 2, 4)},
    **{f"{gain:g} times as bright": partial(lit, gain=gain) for gain in (0.9, 1.1)},
    **{f"shrunk to {side} pixels": partial(shrunk, side=side) for side in (56, 48, 32)},
}


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "photos", type=Path, help="EuroSAT RGB: the .zip, its folder, or a store of it"
    )
    parser.add_argument(
        "--model", type=find_model, default=BUNDLED, help="a bundle; default: the bundled model"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
