"""The number of clusters: digits, plain blobs, and the chart and command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from agri_cluster.artifact.fitted import Fitted
from agri_cluster.cli import app
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.evaluation.choose import _agreed, _distances, _silhouette, spaced, suggest_k
from agri_core.files.errors import InputError
from agri_data.store.store import ChipStore
from PIL import Image
from sklearn.datasets import load_digits, make_blobs
from sklearn.decomposition import PCA
from typer.testing import CliRunner


@pytest.mark.parametrize("seed", [0, 1])
def test_the_range_of_digits_holds_10_and_is_narrow(seed: int) -> None:
    values = PCA(20, random_state=0).fit_transform(load_digits().data)
    found = suggest_k(ArrayTiles(values), range(2, 17), np.random.default_rng(seed))
    assert found.low <= 10 <= found.high and found.high - found.low <= 4
    assert found.low <= found.best <= found.high


@pytest.fixture(scope="module")
def blobs() -> ArrayTiles:
    values, _ = make_blobs([40] * 5, centers=np.eye(5) * 30, cluster_std=1.0, random_state=3)
    return ArrayTiles(values)


def test_every_rule_finds_five_blobs(blobs: ArrayTiles) -> None:
    found = suggest_k(blobs, range(2, 9), np.random.default_rng(0))
    assert set(found.votes.values()) == {5}
    assert (found.low, found.high, found.best, found.warnings) == (5, 5, 5, ())


def test_the_same_seed_gives_the_same_suggestion(blobs: ArrayTiles) -> None:
    one, same = (suggest_k(blobs, range(2, 6), np.random.default_rng(7)) for _ in range(2))
    assert one == same


def test_a_range_at_the_end_and_a_continuum_are_warned_of(blobs: ArrayTiles) -> None:
    ended = suggest_k(blobs, range(2, 5), np.random.default_rng(0))
    assert ended.high == 4 and any("try more clusters" in note for note in ended.warnings)
    noise = ArrayTiles(np.random.default_rng(0).normal(size=(300, 40)))
    faint = suggest_k(noise, range(2, 8), np.random.default_rng(0))
    assert any("hardly separated" in note for note in faint.warnings)


def test_silhouette_by_hand() -> None:
    # 0: (10 - 1) / 10 = .9; 1: (9 - 1) / 9 = .88889; 10 is alone and counts 0.
    distances = _distances(np.array([[0.0], [1.0], [10.0]]))
    assert _silhouette(distances, np.array([0, 0, 1])) == pytest.approx(0.596296, abs=1e-6)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [([9, 9, 12, 11], (9, 11)), ([9, 9, 11], (9, 11)), ([2, 30], (2, 30)), ([4, 5, 6, 7], (4, 6))],
)
def test_the_range_is_the_shortest_that_holds_three_votes(
    votes: list[int], expected: tuple[int, int]
) -> None:
    assert _agreed(votes) == expected


def test_candidates_are_all_or_spaced() -> None:
    assert spaced(2, 5) == (2, 3, 4, 5)
    many = spaced(2, 200)
    assert many[0] == 2 and many[-1] == 200 and len(many) <= 30
    with pytest.raises(InputError, match="from 2 up, got 1 to 5"):
        spaced(1, 5)


@pytest.mark.parametrize("values", [np.ones((20, 3)), np.ones((1, 3))])
def test_tiles_that_are_all_the_same_are_refused(values: np.ndarray) -> None:
    with pytest.raises(InputError, match="1 of them different"):
        suggest_k(ArrayTiles(values), range(2, 6), np.random.default_rng(0))


def test_candidates_beyond_the_different_tiles_are_left_out() -> None:
    values = np.repeat([[0.0, 0], [5, 0], [0, 9]], 10, axis=0)
    found = suggest_k(ArrayTiles(values), range(2, 9), np.random.default_rng(0))
    assert found.candidates == (2, 3) and found.best == 3


@pytest.mark.parametrize("kind", ["store", "fitted"])
def test_the_command_reads_tiles_and_clusterings(
    kind: str, four_bands: ChipStore, fitted: Fitted, tmp_path: Path
) -> None:
    source = four_bands.path if kind == "store" else fitted.path
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        ["suggest-k", str(source), "--max-clusters", "6", "--out", str(out)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0 and "votes of 24 tiles" in done.stdout
    written = json.loads((out / "suggestion.json").read_text())
    assert written["low"] == 3 <= written["best"] <= written["high"] and written["rows"] == 24
    assert kind == "store" or written["votes"]["silhouette"] == 3
    assert (out / "curves.csv").read_text().startswith("clusters,silhouette,davies_bouldin,gap")
    assert len((out / "curves.csv").read_text().splitlines()) == 1 + 5
    assert Image.open(out / "curves.png").size[0] > 800
