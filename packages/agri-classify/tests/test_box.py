"""The model in the box, as a user has it who installed the package and nothing else."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from agri_classify.box import BOXED, notes_of
from agri_classify.cli import app
from agri_data.legend import EUROSAT
from agri_map.bundle import read_spec
from PIL import Image
from typer.testing import CliRunner

SEA, FOREST = (45, 90, 100), (38, 63, 75)
"""Colours of open water and of dense wood in EuroSAT's pictures."""


@pytest.fixture
def photo(tmp_path):
    """Write a patch of one colour with a little noise, and return its path."""

    def write(rgb, name="patch.jpg"):
        noise = np.random.default_rng(0).normal(0, 2, (64, 64, 3))
        image = np.clip(np.array(rgb) + noise, 0, 255).astype(np.uint8)
        cv2.imwrite(str(tmp_path / name), image[..., ::-1])
        return tmp_path / name

    return write


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_it_is_small_and_says_what_it_is():
    assert BOXED.stat().st_size <= 12 * 1024 * 1024
    spec = read_spec(BOXED)
    assert (spec.name, spec.task, spec.unit) == ("eurosat-rgb", "classify", "uint8")
    assert spec.bands == ("B04", "B03", "B02")
    assert (spec.tile, spec.pixel_size, spec.licence) == (64, 10.0, "MIT")
    assert spec.legend.names == EUROSAT.names
    assert spec.metrics["conformal"]["nominal"] == 0.99
    low, high = spec.metrics["interval"]
    assert low <= high


def test_a_picture_is_answered_at_once(photo):
    done = run("predict", photo(SEA), photo(FOREST, "wood.png"))
    assert done.exit_code == 0, done.output
    first, second = done.output.splitlines()
    assert first.split()[1] == "SeaLake"
    assert second.split()[1] == "Forest"


def test_a_coarse_picture_is_answered_with_what_that_costs(photo, tmp_path):
    coarse = tmp_path / "coarse.jpg"
    Image.open(photo(SEA, "sea.png")).save(coarse, quality=80)
    done = run("predict", coarse)
    assert done.exit_code == 0, done.output
    held = read_spec(BOXED).metrics
    costs = f"{100 * held['jpeg']['75']:.1f} % are right instead of {100 * held['accuracy']:.1f} %"
    assert f"JPEG of quality 80: fine texture is lost; at quality 75 {costs}" in done.output


def test_its_card_tells_data_scores_and_limits():
    done = run("card")
    assert done.exit_code == 0, done.output
    assert notes_of(BOXED) in done.output
    for fact in ("EuroSAT", "top-of-atmosphere", "Europe", "64", "10 m", "0..2750", "95 %", "ECE"):
        assert fact in done.output, fact
    assert "sha256" in done.output


def test_a_bundle_without_notes_has_a_card_too(tmp_path):
    copy = tmp_path / "model.onnx"
    copy.write_bytes(BOXED.read_bytes())
    assert notes_of(copy) == ""
    done = run("card", "--model", copy)
    assert done.exit_code == 0
    assert done.output.startswith("eurosat-rgb ")


def test_no_such_model(tmp_path):
    done = run("card", "--model", tmp_path / "none.onnx")
    assert done.exit_code != 0
    assert "there is no model bundle" in str(done.exception)


def test_the_recipe_of_the_box_is_the_one_in_the_repository():
    recipes = Path(__file__).parents[1] / "recipes"
    assert sorted(path.name for path in recipes.glob("*.yaml")) == [
        "compact.yaml", "robust.yaml", "wide-resnet.yaml",
    ]  # fmt: skip
    assert read_spec(BOXED).arch == "compact"
