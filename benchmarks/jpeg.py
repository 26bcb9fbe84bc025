"""What saving again as JPEG costs a model of patches: the box, or a bundle of one's own.

    python benchmarks/jpeg.py EuroSAT_RGB.zip

Judged on the val part of seed 7, which the model in the box did not learn from, though it chose the
epoch: the patches as they are, and saved again at several qualities with halved colour resolution.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from agri_classify.box import BOXED
from agri_map.engine import open_engine
from agri_map.preprocess import normalise
from eurosat import make_store
from numpy.typing import NDArray
from PIL import Image

HALVED = 2
BATCH = 128


def main() -> None:
    """Print a row per quality."""
    args = parse()
    engine = open_engine(args.model)
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        store = make_store(args.photos, Path(folder, "chips"), 7)
        counts = np.bincount(store.labels(store.indices("val")))
        print(f"{engine.spec.name}, {counts.sum()} patches of val, seed 7")
        print(f"commonest class {counts.max() / counts.sum():.4f}")
        for quality in (None, *args.qualities):
            right = 0
            for rows, images in store.batches("val", BATCH):
                given = images if quality is None else np.stack([saved(i, quality) for i in images])
                found = engine.run(normalise(given, engine.spec)).argmax(axis=1)
                right += int((found == store.labels(rows)).sum())
            print(f"{quality or 'as it is':>8}  {right / counts.sum():.4f}", flush=True)


def saved(image: NDArray[Any], quality: int) -> NDArray[np.uint8]:
    """Return a picture `(H, W, 3)` as it comes back from a JPEG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality, subsampling=HALVED)
    return np.asarray(Image.open(stream))


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "photos", type=Path, help="EuroSAT RGB: the .zip, its folder, or a store of it"
    )
    parser.add_argument("--model", type=Path, default=BOXED, help="a bundle; default: the box")
    parser.add_argument("--qualities", type=int, nargs="+", default=[98, 95, 92, 90, 75, 50])
    return parser.parse_args()


if __name__ == "__main__":
    main()
