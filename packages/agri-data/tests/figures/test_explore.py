from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agri_core.files.errors import StoreError
from agri_core.legend import IGNORE, Legend
from agri_data.cli import app
from agri_data.figures.explore import census, census_by_split, summary
from agri_data.store.store import ChipStore
from typer.testing import CliRunner

MakeStore = Callable[..., ChipStore]

# three chips of 2 x 2: arable pixels 4, 1, 0; other 0, 2, 4; one pixel without label
MASKS = np.array([[[1, 1], [1, 1]], [[1, 0], [0, IGNORE]], [[0, 0], [0, 0]]], np.uint8)


def images(count: int, size: int = 2, depth: int = 4) -> np.ndarray[Any, Any]:
    shape = (count, size, size, depth)
    return np.random.default_rng(0).integers(1, 4000, shape).astype(np.uint16)


def test_counts_shares_and_baseline(make_store: MakeStore) -> None:
    found = census(make_store(images(3), MASKS))
    assert found.totals.tolist() == [6, 5]
    assert found.ignored == 1
    # chip shares of arable: 1, 1/3, 0 -> mean 4/9
    np.testing.assert_allclose(found.mean_share, [5 / 9, 4 / 9])
    assert found.majority() == ("other", pytest.approx(6 / 11))


def test_parts_follow_the_split(make_store: MakeStore) -> None:
    store = make_store(images(3), MASKS, split=["train", "val", "train"])
    found = census_by_split(store)
    assert list(found) == ["train", "val"]
    assert found["train"].totals.tolist() == [4, 4]
    assert found["val"].totals.tolist() == [2, 1]
    content = summary(store, found)
    assert content["parts"]["val"]["majority"] == {"class": "other", "share": 0.666667}
    assert content["parts"]["val"]["ignored"] == 1
    assert content["parts"]["train"]["share_quartiles"]["arable"] == [0, 0.25, 0.5, 0.75, 1]


def test_patch_labels_count_chips(make_store: MakeStore) -> None:
    store = make_store(images(4), label=["arable", "other", "arable", "arable"])
    found = census(store)
    assert found.patches
    assert found.totals.tolist() == [1, 3]
    assert found.majority() == ("arable", 0.75)


def test_chips_without_any_label_count_nowhere(make_store: MakeStore) -> None:
    empty = np.full((2, 2, 2), IGNORE, np.uint8)
    found = census(make_store(images(2), empty))
    assert found.ignored == 8
    assert found.majority() is None
    assert np.isnan(found.mean_share).all()


def test_a_value_outside_the_legend_is_named(make_store: MakeStore) -> None:
    wrong = MASKS.copy()
    wrong[0, 0, 0] = 9
    with pytest.raises((StoreError, ValueError), match="9"):
        census(make_store(images(3), wrong))


def test_show_writes_pictures_and_numbers(make_store: MakeStore, tmp_path: Path) -> None:
    size, rng = 16, np.random.default_rng(1)
    masks = rng.integers(0, 2, (9, size, size)).astype(np.uint8)
    store = make_store(images(9, size), masks, split=["train"] * 5 + ["val"] * 2 + ["test"] * 2)
    out = tmp_path / "report"
    result = CliRunner().invoke(app, ["show", str(store.path), "--out", str(out), "--samples", "3"])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.glob("[!.]*")) == [
        "explore.json", "samples-test.png", "samples-train.png", "samples-val.png",
        "shares.png", "spread.png", "totals.png",
    ]  # fmt: skip
    content = json.loads((out / "explore.json").read_text())
    assert content["parts"]["train"]["totals"]["arable"] == int(masks[:5].sum())
    share = max(masks[:5].mean(), 1 - masks[:5].mean())
    assert f"majority baseline on train: accuracy {share:.3f}" in result.output


def test_show_draws_patches_and_unlabelled_chips(make_store: MakeStore, tmp_path: Path) -> None:
    legend = Legend.of({f"class {i}": f"#{i:02x}8040" for i in range(10)})
    labels = [f"class {i % 10}" for i in range(12)]
    store = make_store(images(12, 8, 3), legend=legend, label=labels, name="patches")
    out = tmp_path / "patches-report"
    result = CliRunner().invoke(app, ["show", str(store.path), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert {p.name for p in out.glob("[!.]*")} == {
        "explore.json", "samples-all.png", "shares.png", "totals.png",
    }  # fmt: skip
    bare = make_store(images(2, 8, 1), legend=None, name="bare")
    result = CliRunner().invoke(app, ["show", str(bare.path), "--out", str(tmp_path / "b")])
    assert result.exit_code == 0, result.output
    assert "without labels" in result.output
    assert (tmp_path / "b" / "samples-all.png").is_file()
