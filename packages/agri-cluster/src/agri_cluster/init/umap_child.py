"""The process that runs UMAP: `python -m agri_cluster.init.umap_child ROWS LAYOUT ...`."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import numpy as np


def main(arguments: list[str]) -> None:
    """Read rows from one `.npy` file and write their layout to another.

    Args:
        arguments: the two files, n_components, n_neighbors, min_dist and seed.
    """
    source, target, n_components, n_neighbors, min_dist, seed = arguments
    # Parametric UMAP, which is not used, would load TensorFlow, which crashes with numba.
    hidden: dict[str, Any] = {"tensorflow": None, "keras": None}
    sys.modules.update(hidden)
    umap = importlib.import_module("umap")

    model = umap.UMAP(
        n_components=int(n_components),
        n_neighbors=int(n_neighbors),
        min_dist=float(min_dist),
        # A seed alone is not enough: parallel updates of the layout depend on the order of
        # threads.
        random_state=int(seed),
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layout = model.fit_transform(np.load(source, allow_pickle=False))
    np.save(target, np.asarray(layout, np.float32), allow_pickle=False)


if __name__ == "__main__":
    main(sys.argv[1:])
