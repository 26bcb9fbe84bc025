"""The bundled model, as a user has it who installed the package and nothing else."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from agri_classify.bundled import BUNDLED, ROBUST, find_model, notes_of
from agri_classify.cli import app
from agri_core.legend import EUROSAT
from agri_map.bundle.bundle import read_spec
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


@pytest.mark.parametrize("path", [BUNDLED, ROBUST])
def test_it_is_small_and_says_what_it_is(path):
    assert path.stat().st_size <= 5 * 1000 * 1000
    assert find_model(path.stem) == path
    spec = read_spec(path)
    assert (spec.name, spec.task, spec.unit) == (path.stem, "classify", "uint8")
    assert list(spec.metrics["jpeg"]) == ["95", "90", "75", "50"]
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


def test_a_wood_saved_coarsely_is_still_a_wood(photo, tmp_path):
    coarse, table = tmp_path / "coarse.jpg", tmp_path / "found.csv"
    Image.open(photo(FOREST, "wood.png")).save(coarse, quality=75)
    assert run("predict", coarse, photo(SEA, "sea.png"), "--out", table).exit_code == 0
    first, second = read_table(table)
    assert (first["class"], first["model"]) == ("Forest", "eurosat-rgb-robust")
    assert (second["class"], second["model"]) == ("SeaLake", "eurosat-rgb")
    assert first["note"] == second["note"] == ""


def test_what_is_lost_on_coarser_files_is_said(photo, tmp_path):
    coarse = tmp_path / "coarse.jpg"
    Image.open(photo(SEA, "sea.png")).save(coarse, quality=60)
    held = read_spec(ROBUST).metrics
    costs = f"{100 * held['jpeg']['50']:.1f} % instead of {100 * held['accuracy']:.1f} %"
    said = run("predict", coarse).output
    assert f"JPEG of quality 60: fine texture is lost; accuracy at quality 50 is {costs}" in said


def test_an_enlarged_picture_goes_to_the_robust_model(photo, tmp_path):
    small, table = tmp_path / "small.png", tmp_path / "found.csv"
    Image.open(photo(SEA, "sea.png")).resize((40, 40)).save(small)
    assert run("predict", small, "--out", table).exit_code == 0
    (row,) = read_table(table)
    assert (row["class"], row["model"]) == ("SeaLake", "eurosat-rgb-robust")
    assert row["note"].startswith("resized from 40 to 64 pixels")


def test_a_chosen_model_answers_alone(photo, tmp_path):
    table = tmp_path / "found.csv"
    words = ["predict", photo(SEA, "sea.png"), "--model", "eurosat-rgb-robust", "--out", table]
    assert run(*words).exit_code == 0
    assert [row["model"] for row in read_table(table)] == ["eurosat-rgb-robust"]


def read_table(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("path", [BUNDLED, ROBUST])
def test_its_card_tells_data_scores_and_limits(path):
    done = run("card", "--model", path.stem)
    assert done.exit_code == 0, done.output
    assert notes_of(path) in done.output
    for fact in ("EuroSAT", "top-of-atmosphere", "Europe", "64", "10 m", "0..2750", "95 %", "ECE"):
        assert fact in done.output, fact
    assert "sha256" in done.output


def test_a_bundle_without_notes_has_a_card_too(tmp_path):
    copy = tmp_path / "model.onnx"
    copy.write_bytes(BUNDLED.read_bytes())
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
    assert read_spec(BUNDLED).arch == "compact"
