"""Chips of labelled imagery become labelled patches, as EuroSAT has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from agri_core.bands import EUROSAT_TIFF_ORDER
from agri_core.files.errors import InputError
from agri_core.legend import ARABLE, EUROSAT, IGNORE, MOISTURE, Legend
from agri_data import cli, patches
from agri_data.build import build
from agri_data.patches import own_patches, synthetic_patches
from agri_data.sources.patches import dominant
from agri_data.sources.windows import Cut
from agri_data.store.store import ChipStore
from PIL import Image
from rasterio.transform import from_origin
from ruamel.yaml import YAML

THREE = Legend.of({"field": "#e8c547", "wood": "#1b6e37", "water": "#2a7fba"})
X = IGNORE


def write_scene(folder: Path, mask: Any, legend: Legend = ARABLE, **content: Any) -> Path:
    """Write a scene whose image is its row number, a label raster, and the description."""
    side = len(mask)
    place = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}
    shape = {"driver": "GTiff", "height": side, "width": side, "count": 1, **place}
    image = np.repeat(np.arange(1, side + 1, dtype=np.uint16)[:, None], side, axis=1)
    files = {"scene.tif": image, "labels.tif": np.array(mask, np.uint8)}
    for name, values in files.items():
        with rasterio.open(folder / name, "w", dtype=values.dtype, **shape) as sink:
            sink.write(values, 1)
    scene = {"image": "scene.tif", "label": "labels.tif", "group": "valley"}
    base = {"name": "set", "kind": "scenes", "unit": "dn", "bands": ["B04"], "scenes": [scene]}
    labels = {"legend": legend.to_list(), "label": {"kind": "raster"}}
    with (folder / "set.yaml").open("w") as sink:
        YAML().dump(base | labels | content, sink)
    return folder / "set.yaml"


@pytest.mark.parametrize(
    ("share", "label"),
    # 10 of 16 pixels are wood, 10 / 16 = 0.625; of the 12 that are labelled they are 0.83.
    [(0.6, "wood"), (0.625, "wood"), (0.63, None), (0.8, None)],
)
def test_pixels_to_be_ignored_count_as_pixels(share: float, label: str | None) -> None:
    mask = np.array([[1, 1, 1, X], [1, 1, 1, X], [1, 1, 1, X], [1, 0, 2, X]], np.uint8)
    assert dominant(mask, THREE, share) == label


def test_a_share_is_met_to_the_pixel() -> None:
    mask = np.zeros(100, np.uint8)
    mask[:55] = 2
    # 0.55 * 100 is 55.00000000000001 in floating point, yet 55 of 100 are 0.55.
    assert dominant(mask.reshape(10, 10), THREE, 0.55) == "water"
    assert dominant(np.full((4, 4), X, np.uint8), THREE, 0.6) is None


def test_chips_become_patches_with_a_place_and_without_masks(tmp_path: Path) -> None:
    # Four chips of 2 x 2: 4 of 4 arable, 3 of 4 other, 2 and 2, 2 arable and 2 ignored.
    mask = [[1, 1, 0, 0], [1, 1, 0, 1], [0, 1, 1, 1], [1, 0, X, X]]
    report = build(write_scene(tmp_path, mask), tmp_path / "chips", cut=Cut(2), share=0.75)
    store = ChipStore.open(tmp_path / "chips")
    assert not store.has_masks
    assert store.table["label"].tolist() == ["arable", "other"]
    assert store.labels([0, 1]).tolist() == [1, 0]
    assert store.table["group"].tolist() == ["valley", "valley"]
    assert store.table["crs"].tolist() == ["EPSG:32633"] * 2
    assert store.table["transform"][1].split()[2:6:3] == ["500020.0", "5000000.0"]
    assert store.images([0, 1])[..., 0].tolist() == [[[1, 1], [2, 2]]] * 2
    assert store.info.source == "scenes, labels: raster, a class on at least 75 %"
    assert (report.chips, report.unit, report.classes) == (2, "chips", {"other": 1, "arable": 1})
    assert report.dropped == {"no class covers 75 % of them": 2}


@pytest.mark.parametrize("share", [0.5, 0.0, -1.0, 1.01, float("nan")])
def test_a_share_that_makes_no_sense_is_refused(tmp_path: Path, share: float) -> None:
    source = write_scene(tmp_path, [[1, 1], [1, 1]])
    with pytest.raises(InputError, match=r"above 0\.5 and up to 1"):
        build(source, tmp_path / "chips", cut=Cut(2), share=share)
    with pytest.raises(InputError, match=r"above 0\.5 and up to 1"):
        synthetic_patches(tmp_path / "chips", seed=1, places=1, cut=Cut(2), share=share)
    assert not (tmp_path / "chips").exists()


def test_unlabelled_imagery_has_no_class(tmp_path: Path) -> None:
    source = write_scene(tmp_path, [[1, 1], [1, 1]])
    content = YAML(typ="safe").load(source)
    plain = {"kind": "none"}, [{"image": "scene.tif"}]
    del content["legend"]
    with source.open("w") as sink:
        YAML().dump(content | dict(zip(("label", "scenes"), plain, strict=True)), sink)
    with pytest.raises(InputError, match="has no labels"):
        build(source, tmp_path / "chips", cut=Cut(2), share=0.6)


def test_mixed_chips_alone_are_no_store(tmp_path: Path) -> None:
    source = write_scene(tmp_path, [[1, 1], [0, 0]])
    with pytest.raises(InputError, match="no chip is left to write; no class covers 60 %"):
        build(source, tmp_path / "chips", cut=Cut(2), share=0.6)


def eurosat(folder: Path) -> Path:
    for name in EUROSAT.names[:2]:
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (64, 64)).save(folder / name / f"{name}_1.jpg")
    return folder


def test_eurosat_is_taken_as_it_is(tmp_path: Path) -> None:
    source = eurosat(tmp_path / "EuroSAT")
    with pytest.raises(InputError, match="already has a label per patch"):
        build(source, tmp_path / "chips", share=0.6)
    report = own_patches(source, tmp_path / "chips", root=None, cut=Cut(32), share=0.6)
    assert report.chips == 2
    one = build(source, tmp_path / "plain")
    prints = {ChipStore.open(item.path).fingerprint for item in (report, one)}
    assert len(prints) == 1


def test_a_description_of_masks_is_cut_into_patches(tmp_path: Path) -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:4] = 1
    source = write_scene(tmp_path, mask.tolist())
    report = own_patches(source, tmp_path / "chips", root=None, cut=Cut(4), share=0.6)
    assert report.classes == {"other": 2, "arable": 2}


@pytest.fixture
def run(command_line: Any) -> Any:
    """Run the command line; return exit code, stdout and stderr."""
    return partial(command_line, "agri-data", cli.main)


def test_synthetic_patches_from_the_command_line(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "SIDE", 256)
    out = tmp_path / "patches"
    code, said, err = run("patches", "synthetic", "--out", out, "--places", 1, "--size", 16)
    assert (code, err) == (0, "")
    assert "no class covers 60 % of them" in said
    assert [path.name for path in tmp_path.iterdir()] == ["patches"]
    store = ChipStore.open(out)
    assert store.bands == EUROSAT_TIFF_ORDER
    assert store.legend == MOISTURE
    assert not store.has_masks
    assert set(store.table["label"]) == set(MOISTURE.names)
    assert set(store.table["group"]) == {"alder"}
    code, said, _ = run("split", out, "--method", "block")
    assert code == 0
    split = ChipStore.open(out).table.groupby("split")["label"].nunique()
    assert split.to_dict() == {"train": 7, "val": 7, "test": 7}


def test_patches_are_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "SIDE", 64)
    prints = set()
    for _ in range(2):
        synthetic_patches(tmp_path / "p", seed=3, places=1, cut=Cut(16), share=0.6)
        prints.add(ChipStore.open(tmp_path / "p").fingerprint)
    assert len(prints) == 1


def test_mistakes_are_one_line(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "SIDE", 64)
    for options, message in (
        (["--size", 65], "size of up to 64 pixels"),
        (["--share", 0.4], "expected a share"),
        (["--places", 0], "places, got 0"),
    ):
        code, out, err = run("patches", "synthetic", "--out", tmp_path / "p", *options)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err
    code, _, err = run("patches", tmp_path / "no.zip", "--out", tmp_path / "p")
    assert (code, err.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_somebody_elses_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/note.txt").write_text("mine")
    monkeypatch.setattr("agri_data.synth.write.write_synth", lambda *_, **__: pytest.fail("made"))
    with pytest.raises(InputError, match="was not written by"):
        synthetic_patches(tmp_path / "mine", seed=7, places=1, cut=Cut(32), share=0.6)
    monkeypatch.chdir(tmp_path / "mine")
    with pytest.raises(InputError, match="was not written by"):
        synthetic_patches(Path(), seed=7, places=1, cut=Cut(32), share=0.6)
