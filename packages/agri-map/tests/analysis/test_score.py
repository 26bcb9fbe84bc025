"""Agreement of a map with a reference raster, by hand arithmetic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_map import cli
from agri_map.analysis.score import score_map
from rasterio.transform import from_origin
from typer.testing import CliRunner

Writer = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def save(name: str, codes: Any, left: float = 500_000, tags: bool = True) -> Path:
        array = np.asarray(codes, np.uint8)
        path = tmp_path / name
        with rasterio.open(
            path, "w", driver="GTiff", height=array.shape[0], width=array.shape[1], count=1,
            dtype="uint8", crs="EPSG:32633", transform=from_origin(left, 5_500_000, 10, 10),
            nodata=255,
        ) as sink:  # fmt: skip
            sink.write(array, 1)
            if tags:
                sink.update_tags(1, CLASS_0="other", CLASS_1="arable")
        return path

    return save


def test_counts_by_hand_and_leaves_out_no_data(write: Writer) -> None:
    found = write("map.tif", [[0, 1, 1, 255]])
    truth = write("truth.tif", [[0, 0, 1, 1]])
    score = score_map(found, truth)
    # pairs (truth, map): (0,0) (0,1) (1,1)
    assert score.matrix.tolist() == [[1, 1], [0, 1]]
    figures = score.scores
    assert figures["iou"] == {"other": 0.5, "arable": 0.5}
    assert figures["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["majority_accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["majority_class"] == "other"


def test_masked_pixels_are_left_out(write: Writer) -> None:
    found = write("map.tif", [[0, 1, 1, 1]])
    truth = write("truth.tif", [[0, 0, 1, 1]])
    for path, mask in ((found, [[255, 0, 255, 255]]), (truth, [[255, 255, 255, 0]])):
        with rasterio.open(path, "r+") as sink:
            sink.nodata = None
            sink.write_mask(np.array(mask, np.uint8))
    # Of the pairs (0,0) (0,1) (1,1) (1,1) the second and the last are masked.
    assert score_map(found, truth).matrix.tolist() == [[1, 0], [0, 1]]


def test_blocks_are_the_places_and_sum_to_the_map(write: Writer) -> None:
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 2, (2, 300, 200))
    score = score_map(write("map.tif", found), write("truth.tif", truth))
    assert len(score.places) == 3 * 2  # ceil(300 / 128) * ceil(200 / 128)
    assert score.matrix.sum() == 300 * 200
    assert score.matrix[0, 1] == ((truth == 0) & (found == 1)).sum()


def test_other_grids_and_other_classes_are_refused(write: Writer) -> None:
    found = write("map.tif", [[0, 1]])
    with pytest.raises(InputError, match="one grid"):
        score_map(found, write("shifted.tif", [[0, 1]], left=500_010))
    with pytest.raises(InputError, match="one grid"):
        score_map(found, write("wider.tif", [[0, 1, 1]]))
    with pytest.raises(InputError, match=r"\[7\]"):
        score_map(found, write("other.tif", [[0, 7]]))
    with pytest.raises(InputError, match="in common"):
        score_map(found, write("empty.tif", [[255, 255]]))


def test_command_writes_what_it_prints(write: Writer, tmp_path: Path) -> None:
    found, truth = write("map.tif", [[0, 1, 1]]), write("truth.tif", [[0, 0, 1]])
    out = tmp_path / "score.json"
    result = CliRunner().invoke(
        cli.app, ["score", str(found), "--truth", str(truth), "--out", str(out)]
    )
    assert result.exit_code == 0
    assert "0.500" in result.stdout
    assert json.loads(out.read_text())["miou"] == 0.5


def test_no_reference_is_said_and_not_invented(write: Writer, tmp_path: Path) -> None:
    out = tmp_path / "score.json"
    found = write("map.tif", [[0, 1]])
    result = CliRunner().invoke(
        cli.app, ["score", str(found), "--truth", "none", "--out", str(out)]
    )
    assert "not scored" in result.stdout
    assert json.loads(out.read_text()) == {}
