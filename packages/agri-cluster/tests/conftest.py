"""What several tests share: a small store of four bands, and a clustering of it made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from agri_cluster.artifact.fitted import Fitted
from agri_core.bands import make_bands
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter

FOUR = ("B02", "B03", "B04", "B08")


@pytest.fixture(scope="session")
def four_bands(tmp_path_factory: pytest.TempPathFactory) -> ChipStore:
    """24 chips of 16 pixels, DN: by turns vegetation (NDVI 0.8), soil (0.2) and water (-0.5)."""
    spectra = ((300, 500, 400, 3600), (900, 1100, 1600, 2400), (600, 500, 300, 100))
    rng = np.random.default_rng(0)
    info = StoreInfo(
        name="four", source="made", licence="CC0", bands=make_bands(FOUR, "dn"), chip_size=16,
        nodata=0.0,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("stores") / "four"
    with StoreWriter(path, info) as writer:
        for place in range(24):
            chip = np.tile(np.array(spectra[place % 3], np.uint16), (16, 16, 1))
            chip[:, place % 16 : place % 16 + 1] += rng.integers(0, 3, dtype=np.uint16)
            writer.add(ChipRecord(chip_id=f"t{place:02}", source=f"{place}.tif"), chip)
    return ChipStore.open(path)


@pytest.fixture(scope="session")
def write_fitted(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Fitted]:
    """Write a clustering of given ids by hand, embedding (N, D) and centres (K, D)."""

    def write(
        ids: list[str],
        embedding: Any,
        centres: Any,
        *,
        refreshes: int = 3,
        **info: Any,
    ) -> Fitted:
        z, mu = np.float32(embedding), np.float32(centres)
        path = tmp_path_factory.mktemp("fitted")
        (path / "series").mkdir()
        distance = np.linalg.norm(z[:, None] - mu[None], axis=2)
        q = 1 / (1 + distance**2)
        q /= q.sum(axis=1, keepdims=True)
        labels, ranked = distance.argmin(axis=1), np.sort(q, axis=1)
        np.save(path / "centres.npy", mu)
        np.save(path / "embedding.npy", z)
        columns = {
            "chip_id": ids, "cluster": labels, "confidence": ranked[:, -1],
            "margin": ranked[:, -1] - ranked[:, -2], "distance": distance.min(axis=1),
        }  # fmt: skip
        pd.DataFrame(columns).to_csv(path / "clusters.csv", index=False)
        content = {"stop_reason": "converged", "warnings": [], "settings": {"seed": 3}} | info
        (path / "cluster.json").write_text(json.dumps(content))
        np.save(path / "series" / "rows.npy", np.arange(len(z)))
        history = []
        for number in range(refreshes):
            np.save(path / "series" / f"labels-{number:03}.npy", labels)
            moved = z + np.float32(0.1 * (refreshes - 1 - number))
            np.save(path / "series" / f"embedding-{number:03}.npy", moved)
            history.append(_refresh(number, labels, len(mu)))
        pd.DataFrame(history).to_csv(path / "history.csv", index=False)
        pd.DataFrame({"epoch": [1, 2], "loss": [1.0, 0.5]}).to_csv(path / "pretrain.csv")
        return Fitted.open(path)

    return write


@pytest.fixture
def fitted(four_bands: ChipStore, write_fitted: Callable[..., Fitted]) -> Fitted:
    """A copy to change: clusters 0 to 2 are the kinds of `four_bands`, cluster 3 is empty."""
    centres = np.array([[0, 0], [10, 0], [0, 20], [99, 99]])
    rng = np.random.default_rng(1)
    embedding = centres[np.arange(24) % 3] + rng.normal(0, 0.5, (24, 2))
    return write_fitted(list(four_bands.table["chip_id"]), embedding, centres)


def _refresh(number: int, labels: Any, clusters: int) -> dict[str, Any]:
    shares = np.bincount(labels, minlength=clusters) / len(labels)
    return {
        "refresh": number, "iteration": number * 40, "changed": 0.5 / (number + 1),
        "used": int((shares > 0).sum()), "largest": shares.max(), "smallest": shares.min(),
        "confidence": 0.6, "kl": 0.2, "reconstruction": None, "reseeded": int(number == 1),
    }  # fmt: skip
