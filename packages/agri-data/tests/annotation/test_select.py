"""Pieces to draw on: unlike each other, written whole, and back as chips with the drawings."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError, MissingError
from agri_data.annotation.drawn import describe_drawn
from agri_data.annotation.pieces import SelectionRequest, select_pieces
from agri_data.annotation.select import (
    describe_piece,
    farthest_first,
    match_groups,
    read_chosen,
    read_groups,
    spread,
    spread_by_group,
)
from agri_data.build import build
from agri_data.sources.windows import Cut
from agri_data.store.store import ChipStore
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.transform import from_origin

LEGEND = [
    {"id": 0, "name": "other", "colour": "#c8c8c8"},
    {"id": 1, "name": "arable", "colour": "#e8c547"},
]


def test_a_piece_is_described_by_the_pixels_with_data():
    image = np.array([[[2, 10], [4, 30]], [[0, 0], [0, 0]]], np.uint16)
    # Means 3 and 20, deviations 1 and 10; the pixels of (0, 0) have no data.
    assert describe_piece(image, nodata=0).tolist() == [3, 20, 1, 10]
    # With them: means 1.5 and 10.
    assert describe_piece(image, nodata=None).tolist()[:2] == [1.5, 10]
    assert describe_piece(image * 0, nodata=0).tolist() == [0, 0, 0, 0]


def test_the_first_is_the_most_usual_and_each_next_the_farthest():
    features = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    # The mean is 3.2; 10 is 7 from 3, then 0 is 3 from 3, then 1 and 2 are 1 from a chosen one.
    assert spread(features, 5).tolist() == [3, 4, 0, 1, 2]
    assert spread(features, 2).tolist() == [3, 4]
    assert spread(np.zeros((3, 2)), 9).tolist() == [0, 1, 2]
    assert spread(np.zeros((0, 2)), 3).tolist() == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=12),
       st.integers(1, 4))  # fmt: skip
def test_the_choice_covers_within_twice_the_best(points: list[tuple[int, int]], count: int):
    from itertools import combinations

    features = np.array(points, float)
    scale = features.std(0)
    scaled = (features - features.mean(0)) / np.where(scale > 0, scale, 1)
    gaps = np.sqrt(np.square(scaled[:, None] - scaled[None]).sum(-1))

    def reach(rows: Any) -> float:
        return float(gaps[:, list(rows)].min(1).max())

    chosen = spread(features, count)
    assert len(set(chosen.tolist())) == len(chosen) == min(count, len(points))
    best = min(reach(rows) for rows in combinations(range(len(points)), len(chosen)))
    assert reach(chosen) <= 2 * best + 1e-9


def test_groups_take_turns():
    features = np.array([[0.0], [1.0], [9.0], [5.0], [6.0]])
    chosen = spread_by_group(features, ["a", "a", "a", "b", "b"], 4)
    groups = ["a" if row < 3 else "b" for row in chosen]
    assert groups == ["a", "b", "a", "b"]
    assert len(set(spread_by_group(features, ["a", "a", "a", "b", "b"], 99).tolist())) == 5
    with pytest.raises(InputError, match="1 of 2 pieces have no group, the first is y"):
        match_groups(["x", "y"], {"x": "1"})


def test_clusters_serve_as_groups(tmp_path: Path):
    path = tmp_path / "clusters.csv"
    path.write_text("chip_id,cluster\na,4\nb,32\n")
    assert read_groups(path) == {"a": "4", "b": "32"}
    path.write_text("id,cluster\na,4\n")
    with pytest.raises(InputError, match=r"clusters\.csv: a CSV with the columns chip_id"):
        read_groups(path)


@pytest.fixture
def scene(tmp_path: Path) -> tuple[Path, NDArray[np.uint16]]:
    """A scene of 64 x 96 pixels: six pieces of 32, one of them without data."""
    rng = np.random.default_rng(0)
    image = rng.integers(100, 3000, (3, 64, 96)).astype(np.uint16)
    image[:, :32, :32] = 0
    image[:, 32:, 64:] //= 10
    with rasterio.open(
        tmp_path / "north.tif", "w", driver="GTiff", width=96, height=64, count=3, dtype="uint16",
        crs="EPSG:32633", transform=from_origin(500_000, 5_000_000, 10, 10), nodata=0,
    ) as target:  # fmt: skip
        target.write(image)
        target.descriptions = ("B02", "B03", "B04")
    source = tmp_path / "source.yaml"
    source.write_text(
        "name: s\nkind: scenes\nlicence: CC0\nunit: dn\nscenes:\n- image: north.tif\n"
        "  label: gone.tif\n"
        "legend:\n- {id: 0, name: other, colour: '#c8c8c8'}\nlabel: {kind: raster}\n"
    )
    return source, image


def test_pieces_come_with_their_place_and_all_bands(scene, tmp_path: Path):
    source, image = scene
    # The label file is not there: labels are not looked at.
    assert select_pieces(source, tmp_path / "out", SelectionRequest(count=3, size=32)) == 5
    with (tmp_path / "out/selected.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert json.loads((tmp_path / "out/classes.json").read_text()) == LEGEND[:1]
    assert len(rows) == 3 and {row["source"] for row in rows} == {"north.tif"}
    for row in rows:
        top, left = int(row["row"]), int(row["col"])
        with rasterio.open(tmp_path / f"out/images/{row['chip_id']}.tif") as piece:
            assert (piece.read() == image[:, top : top + 32, left : left + 32]).all()
            assert piece.descriptions == ("B02", "B03", "B04")
            assert piece.nodata == 0
            bounds = piece.bounds
        with rasterio.open(tmp_path / f"out/pictures/{row['chip_id']}.png") as picture:
            assert picture.bounds == bounds and picture.crs == "EPSG:32633"
            assert bounds.left == 500_000 + 10 * left and bounds.top == 5_000_000 - 10 * top
            # B04 is red: 2200 DN and more are white, gamma keeps the order.
            red = picture.read(1).astype(int)
        brighter = image[2, top : top + 32, left : left + 32]
        assert red[brighter == brighter.max()].min() >= red[brighter == brighter.min()].max()
    # The dark piece is the one unlike the others.
    assert "north_r32_c64" in [row["chip_id"] for row in rows]


def test_pieces_are_the_same_again_and_replace_only_their_own(scene, tmp_path: Path):
    source, _ = scene
    out = tmp_path / "out"

    def content() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}

    select_pieces(source, out, SelectionRequest(2, 32))
    first = content()
    select_pieces(source, out, SelectionRequest(2, 32))
    assert content() == first
    (out / "selected.csv").write_text("chosen by hand")
    with pytest.raises(InputError, match=r"selected\.csv was changed since"):
        select_pieces(source, out, SelectionRequest(2, 32))


def test_too_little_data_or_nothing_wanted(scene, tmp_path: Path):
    source, image = scene
    image[:, :32] = 0
    with rasterio.open(tmp_path / "north.tif", "r+") as target:
        target.write(image)
    # Both pieces of 64 pixels have data on their lower half.
    assert select_pieces(source, tmp_path / "half", SelectionRequest(1, 64, valid=0.5)) == 2
    with pytest.raises(InputError, match=r"no piece of .* has data on 60% of its pixels"):
        select_pieces(source, tmp_path / "out", SelectionRequest(1, 64, valid=0.6))
    for wrong in (
        {"count": 0, "size": 32},
        {"count": 1, "size": 8},
        {"count": 1, "size": 32, "valid": 2.0},
    ):
        with pytest.raises(InputError):
            SelectionRequest(**wrong)


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_exactly_the_chosen_pieces_in_their_order(scene, tmp_path: Path):
    source, image = scene
    listed = tmp_path / "chosen.csv"
    listed.write_text(
        "chip_id,cluster,name\nnorth_r32_c64,7,water\nnorth_r0_c32,4,arable\nnorth_r32_c0,2,\n"
    )
    chosen = read_chosen(listed)
    # A name says more than a number; without either there is no group.
    assert chosen == {"north_r32_c64": "water", "north_r0_c32": "arable", "north_r32_c0": "2"}
    assert select_pieces(source, tmp_path / "out", SelectionRequest(1, 32, chosen=chosen)) == 3
    rows = table(tmp_path / "out/selected.csv")
    assert [row["chip_id"] for row in rows] == list(chosen)
    assert [row["group"] for row in rows] == ["water", "arable", "2"]
    assert sorted(p.stem for p in (tmp_path / "out/images").iterdir()) == sorted(chosen)
    with rasterio.open(tmp_path / "out/images/north_r0_c32.tif") as piece:
        assert (piece.read() == image[:, :32, 32:64]).all()


def test_a_list_of_other_pieces_is_refused_and_nothing_is_written(scene, tmp_path: Path):
    source, _ = scene
    # The first piece has no data, so it is none; the second is no multiple of 32 pixels.
    chosen = {"north_r32_c0": "", "north_r0_c0": "", "north_r16_c0": ""}
    with pytest.raises(InputError, match=r"2 of 3 chosen pieces .* the first is north_r0_c0"):
        select_pieces(source, tmp_path / "out", SelectionRequest(1, 32, chosen=chosen))
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="by a list or by groups, got both"):
        SelectionRequest(1, 32, groups={"a": "1"}, chosen={"a": ""})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chip_id\n", "a row a piece"),
        ("chip,name\na,b\n", "the column chip_id"),
        ("chip_id\na\n\nb\na\n", "lists the piece a twice"),
        ("chip_id,name\n,water\n", "the column chip_id"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str, words: str):
    path = tmp_path / "chosen.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_chosen(path)


@pytest.mark.parametrize("size", [16, 24, 32, 40])
def test_pieces_have_the_ids_of_chips_of_the_same_size(scene, tmp_path: Path, size: int):
    """Tiles are clustered as chips and drawn on as pieces: an id means the same ground."""
    source, _ = scene
    build(unlabelled(source), tmp_path / "tiles", cut=Cut(size))
    tiles = ChipStore.open(tmp_path / "tiles")
    total = select_pieces(source, tmp_path / "out", SelectionRequest(99, size, valid=0))
    rows = {row["chip_id"]: row for row in table(tmp_path / "out/selected.csv")}
    assert total == len(rows) == len(tiles)
    for index, (chip, row, col) in enumerate(
        zip(*(tiles.table[name] for name in ("chip_id", "row", "col")), strict=True)
    ):
        assert (rows[chip]["row"], rows[chip]["col"]) == (str(row), str(col))
        with rasterio.open(tmp_path / f"out/images/{chip}.tif") as piece:
            assert (np.moveaxis(piece.read(), 0, -1) == tiles.image(index)).all()


def unlabelled(source: Path) -> Path:
    path = source.with_name("unlabelled.yaml")
    path.write_text(source.read_text().replace("  label: gone.tif\n", "").replace("raster", "none"))
    return path


def test_an_id_does_not_depend_on_what_is_left_out(tmp_path: Path):
    """Two scenes of one plain name: the first has no labels, so it gives pieces but no chips."""
    image = np.full((1, 32, 32), 500, np.uint16)
    for name, label in (("a b", 255), ("a-b", 0)):
        for file, data in (
            (f"{name}.tif", image + label),
            (f"{name}-label.tif", image * 0 + label),
        ):
            with rasterio.open(
                tmp_path / file, "w", driver="GTiff", width=32, height=32, count=1,
                dtype="uint16", crs="EPSG:32633", transform=from_origin(0, 320, 10, 10),
            ) as target:  # fmt: skip
                target.write(data)
    source = tmp_path / "source.yaml"
    source.write_text(
        "name: s\nkind: scenes\nlicence: CC0\nlabelled: 0.5\nunit: dn\nbands: [B04]\nscenes:\n"
        "- {image: a b.tif, label: a b-label.tif}\n- {image: a-b.tif, label: a-b-label.tif}\n"
        "legend:\n- {id: 0, name: other, colour: '#c8c8c8'}\nlabel: {kind: raster}\n"
    )
    build(source, tmp_path / "tiles", cut=Cut(32))
    (chip,) = ChipStore.open(tmp_path / "tiles").table["chip_id"]
    select_pieces(source, tmp_path / "out", SelectionRequest(9, 32))
    by_id = {row["chip_id"]: row["source"] for row in table(tmp_path / "out/selected.csv")}
    assert len(by_id) == 2 and by_id[chip] == "a-b.tif"


def test_the_farthest_first_of_points_as_they_are():
    # The mean is (2.5, 26.25), and (3, 25) is nearest. From it (4, 39) is 14 away, (1, 20) 5.4 and
    # (2, 21) 4.1.
    points = np.array([[1.0, 20.0], [2.0, 21.0], [3.0, 25.0], [4.0, 39.0]])
    assert farthest_first(points, 9).tolist() == [2, 3, 0, 1]
    assert farthest_first(points, 2).tolist() == [2, 3]
    assert farthest_first(points[:0], 2).tolist() == []


def drawings(tmp_path: Path, names: list[str]) -> Path:
    folder = tmp_path / "annotate/drawn"
    (folder / "masks").mkdir(parents=True)
    (folder / "classes.json").write_text(json.dumps(LEGEND))
    lines = ["image,mask"]
    for number, name in enumerate(names):
        mask = np.zeros((32, 32), np.uint8)
        mask[: 8 * (number + 1)] = 1
        with rasterio.open(
            folder / f"masks/{name}.tif", "w", driver="GTiff", width=32, height=32, count=1,
            dtype="uint8", nodata=255,
        ) as target:  # fmt: skip
            target.write(mask, 1)
        lines.append(f"../../out/pictures/{name}.png,masks/{name}.tif")
    (folder / "masks.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_drawings_become_labelled_chips(scene, tmp_path: Path):
    source, image = scene
    select_pieces(source, tmp_path / "out", SelectionRequest(3, 32))
    names = sorted(path.stem for path in (tmp_path / "out/images").iterdir())[:2]
    folder = drawings(tmp_path, names)
    description = tmp_path / "annotate/source.yaml"
    assert describe_drawn(tmp_path / "out", folder, description) == 2
    build(description, tmp_path / "chips", cut=Cut(16))
    store = ChipStore.open(tmp_path / "chips")
    assert len(store) == 8 and store.legend.names == ("other", "arable")
    assert store.bands == ("B02", "B03", "B04")
    # 8 of 32 rows of the first drawing are arable, 16 of the second: 8 * 32 + 16 * 32 pixels.
    assert int((store.masks(np.arange(8)) == 1).sum()) == 24 * 32
    place = store.table["transform"][0].split()
    top, left = (int(text[1:]) for text in names[0].split("_")[1:])
    assert (float(place[2]), float(place[5])) == (500_000 + 10 * left, 5_000_000 - 10 * top)
    assert (store.image(0) == np.moveaxis(image, 0, -1)[top : top + 16, left : left + 16]).all()


def test_drawings_of_something_else_are_refused(scene, tmp_path: Path):
    source, _ = scene
    select_pieces(source, tmp_path / "out", SelectionRequest(1, 32))
    folder = drawings(tmp_path, ["stranger"])
    out = tmp_path / "annotate/source.yaml"
    with pytest.raises(MissingError, match=r"masks\.csv row 2: .*stranger\.png' is no selected"):
        describe_drawn(tmp_path / "out", folder, out)
    (folder / "masks.csv").write_text("image,mask\n")
    with pytest.raises(InputError, match="lists no mask"):
        describe_drawn(tmp_path / "out", folder, out)
    (folder / "classes.json").write_text("{}")
    with pytest.raises(InputError, match=r"classes\.json: expected a list, got \{\}"):
        describe_drawn(tmp_path / "out", folder, out)
    assert not out.exists()
