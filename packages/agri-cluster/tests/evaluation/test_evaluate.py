"""`agri-cluster evaluate`: the clustering first, the baselines beside it, labels only to score."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from agri_cluster.artifact.fitted import Fitted
from agri_cluster.cli import app
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.data.truth import find_truth, read_truth
from agri_cluster.evaluation.evaluation import matching
from agri_cluster.init import umap
from agri_core.bands import make_bands
from agri_core.files.errors import InputError
from agri_core.legend import Legend, LegendClass
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter
from typer.testing import CliRunner

NAMES = ("field", "soil", "lake")
IDS = [f"t{place:02}" for place in range(24)]


@pytest.fixture(autouse=True)
def no_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(umap, "installed", lambda: False)


def write_store(path: Path, labels: list[str] | None, masks: list[Any] | None = None) -> ChipStore:
    """24 chips of 8 pixels and two bands, by turns of three kinds."""
    rng = np.random.default_rng(0)
    classes = [LegendClass(i, name, f"#00000{i}") for i, name in enumerate(NAMES)]
    info = StoreInfo(
        name="made", source="made", licence="CC0", bands=make_bands(("B04", "B08"), "dn"),
        chip_size=8, nodata=None, legend=Legend(tuple(classes)),
    )  # fmt: skip
    with StoreWriter(path, info) as writer:
        for place, name in enumerate(IDS):
            level = np.array([(300, 3000), (1600, 2400), (200, 100)][place % 3])
            chip = (level + rng.integers(0, 40, (8, 8, 2))).astype(np.uint16)
            record = ChipRecord(chip_id=name, source="s", label=labels[place] if labels else "")
            writer.add(record, chip, None if masks is None else masks[place])
    return ChipStore.open(path)


@pytest.fixture
def labelled(tmp_path: Path) -> ChipStore:
    return write_store(tmp_path / "labelled", [NAMES[place % 3] for place in range(24)])


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_classes_come_from_labels(labelled: ChipStore) -> None:
    found = find_truth(labelled.path, ["t04", "t02"])
    assert found is not None and found.names == NAMES
    assert found.classes.tolist() == [1, 2] and found.source == "label of the chip"
    assert find_truth(labelled.path, IDS, wanted=False) is None


def test_classes_come_from_most_pixels_of_a_mask(tmp_path: Path) -> None:
    masks = [np.full((8, 8), 255, np.uint8) for _ in IDS]
    masks[1][0, :3], masks[1][1, :2] = 2, 0  # three pixels of 2, two of 0, the rest not labelled
    store = write_store(tmp_path / "masks", None, masks)
    found = read_truth(store, [0, 1])
    assert found is not None and found.classes.tolist() == [-1, 2]


def test_a_store_without_labels_scores_what_needs_none(
    fitted: Fitted, four_bands: ChipStore, tmp_path: Path
) -> None:
    done = run(fitted.path, four_bands.path, "--out", tmp_path / "out")
    assert done.exit_code == 0 and "No classes are known" in done.stdout
    scores = json.loads((tmp_path / "out" / "metrics.json").read_text())["scores"]
    assert scores["acc"] is None and scores["used"] == 3
    assert scores["silhouette"]["pca"] > 0.5
    assert not (tmp_path / "out" / "composition.csv").exists()
    refused = run(fitted.path, four_bands.path, "--truth", "--out", tmp_path / "other")
    assert isinstance(refused.exception, InputError) and "no labels" in str(refused.exception)


def test_the_table_has_the_clustering_and_every_baseline(
    fitted: Fitted, labelled: ChipStore, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run(fitted.path, labelled.path, "--out", out, "--seeds", 2, "--groups", 3)
    assert done.exit_code == 0, done.exception
    table = pd.read_csv(out / "table.csv").set_index("method")
    told = json.loads((out / "metrics.json").read_text())
    for name in ("nmi", "heldout"):
        assert told[name] == pytest.approx(table[name].dropna().to_dict(), abs=1e-6)
    assert list(table.index) == [
        "clustering", "clustering, merged", "k-means", "band statistics + k-means",
        "PCA + k-means", "PCA + Ward", "PCA + UMAP + k-means",
    ]  # fmt: skip
    # four centres for three classes: one to one is not said; merged into three it is
    assert np.isnan(table.loc["clustering", "acc"]) and table.loc["clustering", "purity"] == 1
    assert table.loc["clustering, merged", "acc"] == 1
    assert table.loc["PCA + k-means", "runs"] == 2
    assert table.loc["PCA + k-means", "purity"] == 1
    assert "not installed" in table.loc["PCA + UMAP + k-means", "trouble"]
    assert "PCA + UMAP + k-means: UMAP is not installed" in done.stdout
    assert len(pd.read_csv(out / "runs.csv")) == 1 + 1 + 5 * 2
    held = pd.read_csv(out / "composition.csv").set_index("cluster")
    assert held["majority"].tolist()[:3] == list(NAMES) and held["tiles"].tolist() == [8, 8, 8, 0]
    groups = pd.read_csv(out / "groups.csv")
    assert groups["group"].tolist()[:3] == [0, 1, 2]
    assert (out / "dendrogram.png").is_file() and (out / "table.md").is_file()
    assert "used to score, never to cluster" in done.stdout


def test_labels_change_no_group(fitted: Fitted, labelled: ChipStore, tmp_path: Path) -> None:
    for flag in ("--truth", "--no-truth"):
        assert run(fitted.path, labelled.path, flag, "--out", tmp_path / flag).exit_code == 0
    with_truth, without = (
        pd.read_csv(tmp_path / flag / "table.csv") for flag in ("--truth", "--no-truth")
    )
    for column in ("used", "largest", "holding", "silhouette_pca"):
        pd.testing.assert_series_equal(with_truth[column], without[column])


def test_a_second_evaluation_is_equal_but_for_times(
    fitted: Fitted, labelled: ChipStore, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    texts = []
    for _ in range(2):
        assert run(fitted.path, labelled.path, "--out", out).exit_code == 0
        texts.append((out / "metrics.json").read_text())
    assert texts[0] == texts[1]


def test_repeats_give_stability(
    fitted: Fitted, labelled: ChipStore, write_fitted: Callable[..., Fitted], tmp_path: Path
) -> None:
    mirrored = write_fitted(IDS, -fitted.embedding.take(np.arange(24)), -fitted.centres)
    out = tmp_path / "out"
    assert run(fitted.path, labelled.path, "--repeat", mirrored.path, "--out", out).exit_code == 0
    own = pd.read_csv(out / "table.csv").iloc[0]
    assert own["runs"] == 2 and own["stability"] == 1
    other = write_fitted(IDS[::-1], np.zeros((24, 2)), fitted.centres)
    refused = run(fitted.path, labelled.path, "--repeat", other.path, "--out", tmp_path / "no")
    assert isinstance(refused.exception, InputError) and "of other tiles" in str(refused.exception)


def test_the_start_and_the_features_stand_beside_it_where_they_were_kept(
    fitted: Fitted, labelled: ChipStore, tmp_path: Path
) -> None:
    table = pd.read_csv(fitted.path / "clusters.csv")
    table.assign(initial=0).to_csv(fitted.path / "clusters.csv", index=False)
    shutil.copy(fitted.path / "embedding.npy", fitted.path / "features.npy")
    out = tmp_path / "out"
    assert run(fitted.path, labelled.path, "--out", out).exit_code == 0
    found = pd.read_csv(out / "table.csv").set_index("method")
    assert found.loc["initial clusters", "used"] == 1
    assert found.loc["features + Ward", "purity"] == 1
    assert found.loc["clustering", "silhouette_features"] > 0.8


def test_tiles_that_are_not_there_are_refused(fitted: Fitted) -> None:
    with pytest.raises(InputError, match=r"24 of the 24 tiles .* such as 't00'"):
        matching(fitted, ArrayTiles(np.zeros((30, 2))))


def test_tiles_are_put_in_the_order_of_the_clustering(fitted: Fitted) -> None:
    values = np.arange(30.0)[:, None]
    tiles = ArrayTiles(values, [f"t{29 - place:02}" for place in range(30)])
    found = matching(fitted, tiles)
    assert found.take(np.arange(24))[:, 0].tolist() == [29.0 - place for place in range(24)]
