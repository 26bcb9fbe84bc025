"""Merging clusters equals Ward's rule on tiles that lie on their centres (scipy)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from agri_cluster.evaluation.merge import draw_dendrogram, linkage, merge_clusters
from agri_core.files.errors import InputError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.cluster import hierarchy
from sklearn.metrics import adjusted_rand_score


def test_heavy_clusters_stay_apart() -> None:
    centres = [[0.0], [4.0], [10.0]]
    # alike in size, 0 and 4 are nearest; joining costs n m / (n + m) d²: 100 * 100 / 200 * 16 = 800
    # for the heavy pair, but 100 * 1 / 101 * 36 = 35.6 for 4 and the one tile at 10
    assert merge_clusters(centres, [1, 1, 1], 2).tolist() == [0, 0, 1]
    assert merge_clusters(centres, [100, 100, 1], 2).tolist() == [0, 1, 1]


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_joins_equal_scipy_on_repeated_points(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    centres, sizes = rng.normal(size=(count, 3)), rng.integers(1, 5, count)
    tiles, own = np.repeat(centres, sizes, axis=0), np.repeat(np.arange(count), sizes)
    known = hierarchy.linkage(tiles, "ward")
    assert linkage(centres, sizes)[:, 2] == pytest.approx(known[1 - count :, 2])
    groups = int(rng.integers(1, count + 1))
    merged = merge_clusters(centres, sizes, groups)
    expected = hierarchy.fcluster(known, groups, "maxclust")
    assert adjusted_rand_score(merged[own], expected) == 1
    firsts = [int(np.flatnonzero(merged == group)[0]) for group in range(groups)]
    assert firsts == sorted(firsts) and merged.max() == groups - 1


def test_a_cluster_without_tiles_goes_with_the_nearest() -> None:
    merged = merge_clusters([[0.0], [9.0], [10.0], [1.0]], [5, 0, 5, 0], 2)
    assert merged.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("groups", [0, 3])
def test_more_groups_than_clusters_with_tiles_are_refused(groups: int) -> None:
    with pytest.raises(InputError, match=f"2 clusters with tiles.*got {groups}"):
        merge_clusters([[0.0], [1.0], [2.0]], [1, 1, 0], groups)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(2, 1\) and \(3,\)"):
        merge_clusters([[0.0], [1.0]], [1, 1, 1], 1)
    with pytest.raises(InputError, match="not in the tree"):
        linkage([[0.0], [1.0]], [1, 0])


@pytest.mark.parametrize("cut", [None, 1, 3, 6])
def test_the_tree_is_drawn(tmp_path: Path, cut: int | None) -> None:
    joins = linkage(np.arange(6.0)[:, None] ** 2, [3] * 6)
    path = draw_dendrogram(joins, [str(k) for k in range(6)], tmp_path / "tree.png", cut)
    assert Image.open(path).size[0] > 500


def test_a_dollar_in_a_name_is_no_formula(tmp_path):
    joins = linkage(np.array([[0.0], [1.0], [5.0]]), [1, 1, 1])
    assert draw_dendrogram(joins, [r"$\frac{1$", "$x$", "b"], tmp_path / "t.png").is_file()
