"""Baselines: plain spaces, each method, and that none is dropped in silence."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from agri_cluster.data.tiles import ArrayTiles, Ints, Tiles
from agri_cluster.evaluation import baselines, spaces
from agri_cluster.evaluation.baselines import (
    BASELINES,
    Baseline,
    MethodRun,
    Space,
    make_space,
    run_baselines,
)
from agri_cluster.evaluation.comparison import method, table_csv, table_text
from agri_cluster.evaluation.metrics import accuracy, contingency
from agri_cluster.evaluation.scores import score
from agri_cluster.init import umap
from agri_core.files.errors import InputError, MissingError
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

DIGITS, TRUTH = load_digits(return_X_y=True)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def tiles(count: int = 30) -> ArrayTiles:
    """Tiles 4 x 4 of two bands, by turns of three kinds far apart."""
    kinds = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])[np.arange(count) % 3]
    return ArrayTiles(kinds[:, None, None] + rng().normal(0, 0.1, (count, 4, 4, 2)))


KINDS = np.arange(30) % 3


def test_flat_rows_are_the_values_in_order() -> None:
    one = tiles()
    rows = spaces.flat(one)
    assert rows.shape == (32,) and len(rows) == 30
    np.testing.assert_array_equal(rows.take([5])[0], one.take([5])[0].ravel())
    again = ArrayTiles(DIGITS)
    assert spaces.flat(again) is again


def test_components_equal_those_of_scikit_learn() -> None:
    ours = spaces.principal(ArrayTiles(DIGITS), rng(), 5).take(np.arange(len(DIGITS)))
    theirs = PCA(5, svd_solver="full").fit_transform(DIGITS)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=0.05)


def test_components_are_no_more_than_there_are_values() -> None:
    assert spaces.principal(tiles(), rng()).shape == (30,)
    assert spaces.principal(ArrayTiles(np.arange(24.0).reshape(8, 3)), rng()).shape == (3,)


def test_statistics_are_standardised_columns_of_each_band() -> None:
    one = tiles()
    rows = spaces.statistics(one).take(np.arange(30))
    x = one.take(np.arange(30)).reshape(30, 16, 2)
    raw = np.concatenate([x.mean(1), x.std(1), x.min(1), x.max(1)], axis=1)
    np.testing.assert_allclose(rows, (raw - raw.mean(0)) / raw.std(0), atol=2e-3)
    with pytest.raises(InputError, match="need image tiles"):
        spaces.statistics(ArrayTiles(DIGITS))


def test_statistics_of_constant_tiles_are_0() -> None:
    rows = spaces.statistics(ArrayTiles(np.full((6, 4, 4, 2), 7.5)))
    assert (rows.take(np.arange(6)) == 0).all()


def test_a_stored_space_holds_the_same_rows(tmp_path: Path) -> None:
    made = spaces.principal(tiles(), rng(), 4)
    kept = spaces.stored(made, tmp_path / "rows.npy")
    np.testing.assert_array_equal(kept.take([7, 2]), made.take([7, 2]))
    assert kept.ids == made.ids


@pytest.mark.parametrize("group", [baselines.kmeans, baselines.ward])
def test_kinds_far_apart_are_found(group: baselines.Algorithm) -> None:
    found = group(spaces.flat(tiles()), 3, 0)
    assert accuracy(contingency(KINDS, found)) == 1.0
    np.testing.assert_array_equal(found, group(spaces.flat(tiles()), 3, 0))


def test_rows_too_many_for_memory_give_the_same_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "VALUES", 32 * 9)  # nine rows of 32 values
    found = baselines.kmeans(spaces.flat(tiles()), 3, 0)
    assert accuracy(contingency(KINDS, found)) == 1.0


def test_ward_on_a_neighbour_graph_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agri_cluster.init.methods.WHOLE_WARD", 20)
    rows = spaces.flat(tiles(90))
    assert accuracy(contingency(np.arange(90) % 3, baselines.ward(rows, 3))) == 1.0


def test_ward_of_digits_is_as_published() -> None:
    labels = baselines.ward(ArrayTiles(DIGITS), 10)
    assert accuracy(contingency(TRUTH, labels)) == pytest.approx(0.8403, abs=1e-4)
    assert score(labels, 10, truth=TRUTH).nmi == pytest.approx(0.8682, abs=1e-4)


@pytest.mark.parametrize("group", [baselines.kmeans, baselines.ward, baselines.umap_kmeans])
def test_fewer_tiles_than_clusters_are_refused(group: baselines.Algorithm) -> None:
    with pytest.raises(InputError, match="31 clusters need as many tiles, got 30"):
        group(spaces.flat(tiles()), 31, 0)


def test_a_method_that_cannot_be_run_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "LARGEST_WARD", 20)
    monkeypatch.setattr(umap, "installed", lambda: False)
    rows = ArrayTiles(tiles().take(np.arange(30)).reshape(30, -1))
    made = {
        "values": make_space(lambda: rows),
        "pca": make_space(lambda: spaces.principal(rows, rng())),
        "bands": make_space(lambda: spaces.statistics(rows)),
    }
    found = run_baselines(made, 3, seeds=(0, 1))
    assert list(found) == [item.name for item in BASELINES]
    assert {len(runs) for runs in found.values()} == {2}
    trouble = {name: runs[0].trouble for name, runs in found.items()}
    assert trouble["k-means"] == trouble["PCA + k-means"] == ""
    assert "need image tiles" in trouble["band statistics + k-means"]
    assert "30 tiles are too many" in trouble["PCA + Ward"]
    assert "agri-cluster[umap]" in trouble["PCA + UMAP + k-means"]


def test_running_out_of_memory_is_told() -> None:
    def greedy(rows: Tiles, clusters: int, seed: int) -> Ints:
        raise MemoryError

    found = run_baselines({"values": Space(tiles())}, 3, (0,), [Baseline("g", "values", greedy)])
    assert found["g"] == [MethodRun(0, None, trouble="not enough memory")]


def test_runs_are_timed_with_the_making_of_their_space() -> None:
    space = Space(spaces.flat(tiles()), seconds=100.0, cpu=50.0)
    run = run_baselines({"values": space}, 3, (4,), BASELINES[:1])["k-means"][0]
    assert run.seed == 4 and run.labels is not None
    assert run.seconds is not None and 100 < run.seconds < 130
    assert run.cpu is not None and 50 <= run.cpu < 80


@pytest.mark.skipif(not umap.installed(), reason="the extra is not installed")
def test_umap_groups_in_a_process_of_its_own() -> None:
    found = baselines.umap_kmeans(spaces.flat(tiles(60)), 3, 0)
    assert accuracy(contingency(np.arange(60) % 3, found)) == 1.0
    assert "umap" not in sys.modules and "numba" not in sys.modules


def test_umap_that_is_lacking_or_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.zeros((30, 4), np.float32)
    with pytest.raises(InputError, match="needs 13 rows or more, got 12"):
        monkeypatch.setattr(umap, "installed", lambda: True)
        umap.umap_layout(rows[:12], seed=0)
    monkeypatch.setattr(umap, "CHILD", "agri_cluster.none")
    with pytest.raises(
        umap.UmapError, match=r"exit status 1: .*No module named agri_cluster\.none"
    ):
        umap.umap_layout(rows, seed=0)
    monkeypatch.setattr(umap, "installed", lambda: False)
    with pytest.raises(MissingError, match="not installed"):
        umap.umap_layout(rows, seed=0)


def test_a_comparison_shows_mean_spread_and_trouble() -> None:
    runs = [
        MethodRun(0, KINDS, 1.0, 2.0),
        MethodRun(1, KINDS * 0, 1.0, 4.0),
        MethodRun(2, None, trouble="broke"),
    ]
    some = method("some", "values", 3, runs, truth=KINDS)
    none = method("none", "values", 3, [MethodRun(0, None, trouble="too many")], truth=KINDS)
    assert some.figures()["acc"] == (pytest.approx(2 / 3), pytest.approx(1 / 3))  # 1 and 1/3
    assert some.figures()["stability"] == (0.0, 0.0)
    assert some.trouble == "1 runs failed: broke" and none.trouble == "too many"
    header, first, second = table_csv([some, none]).splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert (row["acc"], row["acc_sd"], row["runs"], row["cpu"]) == (
        "0.666667",
        "0.333333",
        "2",
        "3.0",
    )
    assert second.startswith("none,values,3,0,,") and second.endswith(",too many")
    text = table_text([some, none])
    assert "0.667 ± 0.333" in text and "- none: too many" in text
    assert "silhouette" not in text
