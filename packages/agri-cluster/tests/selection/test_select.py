"""`agri-cluster name` and `select` as a user runs them, up to the pieces to draw on."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from agri_cluster import cli
from agri_cluster.artifact.fitted import CENTRES, EMBEDDING, INFO, TABLE
from agri_core.files.csvfile import csv_text, read_rows
from agri_data.annotation.pieces import SelectionRequest, select_pieces
from agri_data.annotation.select import read_chosen
from agri_data.build import build
from agri_data.sources.windows import Cut
from agri_data.store.store import ChipStore
from rasterio.transform import from_origin

Run = Callable[..., tuple[int, str, str]]
SIZE = 16
NAMES = ("arable", "water", "forest")


@pytest.fixture
def run(command_line: Run) -> Run:
    """Run the command line; return exit code, stdout and stderr."""
    return partial(command_line, "agri-cluster", cli.main)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A scene of 4 x 6 tiles of 16 pixels; its columns of tiles are arable, water and forest."""
    rng = np.random.default_rng(0)
    shape = (4 * SIZE, 6 * SIZE)
    label = np.repeat(np.arange(6) % 3, SIZE)[None].repeat(shape[0], axis=0).astype(np.uint8)
    image = (300 + 500.0 * label + rng.integers(0, 90, shape)).astype(np.uint16)
    for name, data in (("field.tif", image), ("truth.tif", label)):
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", width=shape[1], height=shape[0], count=1,
            dtype=data.dtype, crs="EPSG:32633", transform=from_origin(500_000, 5_000_000, 10, 10),
        ) as target:  # fmt: skip
            target.write(data, 1)
    legend = "\n".join(
        f"- {{id: {i}, name: {n}, colour: '#00000{i}'}}" for i, n in enumerate(NAMES)
    )
    path = tmp_path / "source.yaml"
    path.write_text(
        "name: s\nkind: scenes\nlicence: CC0\nunit: dn\nbands: [B04]\nscenes:\n"
        f"- {{image: field.tif, label: truth.tif}}\nlegend:\n{legend}\nlabel: {{kind: raster}}\n"
    )
    return path


@pytest.fixture
def tiles(source: Path, tmp_path: Path) -> Path:
    build(source, tmp_path / "tiles", cut=Cut(SIZE))
    return tmp_path / "tiles"


@pytest.fixture
def fitted(tiles: Path, tmp_path: Path) -> Path:
    """A clustering of the tiles into five clusters: one for each column of tiles, 3 being empty."""
    store, rng = ChipStore.open(tiles), np.random.default_rng(1)
    columns = store.table["col"].to_numpy() // SIZE
    labels = np.array([0, 1, 2, 0, 4, 2])[columns]
    embedding = (labels[:, None] * [3.0, 1.0] + rng.normal(0, 0.1, (24, 2))).astype(np.float32)
    centres = np.arange(5)[:, None] * np.array([[3.0, 1.0]], np.float32)
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / INFO).write_text("{}")
    np.save(folder / CENTRES, centres.astype(np.float32))
    np.save(folder / EMBEDDING, embedding)
    distance = np.linalg.norm(embedding - centres[labels], axis=1)
    rows = [
        [chip, label, round(0.9 - 0.01 * place, 4), 0.5, gap]
        for place, (chip, label, gap) in enumerate(
            zip(store.table["chip_id"], labels, distance, strict=True)
        )
    ]
    header = ["chip_id", "cluster", "confidence", "margin", "distance"]
    (folder / TABLE).write_text(csv_text(header, rows))
    return folder


def read(path: Path) -> list[dict[str, str]]:
    return read_rows(path)


def test_from_known_labels_to_the_pieces(run: Run, source: Path, tiles: Path, fitted: Path):
    here = fitted.parent
    names, listed = here / "names.yaml", here / "chosen.csv"
    code, said, _ = run("name", fitted, "--truth", tiles, "--out", names)
    assert code == 0
    assert "named from known labels (majority class of the mask in" in said
    assert "not by a person" in names.read_text().splitlines()[0]
    assert [line.partition("  #")[0] for line in names.read_text().splitlines()[1:]] == [
        "0: arable", "1: water", "2: forest", "4: water",
    ]  # fmt: skip

    code, said, warned = run("select", fitted, "--names", names, "--count", 7, "--out", listed)
    assert (code, warned) == (0, "")
    assert "7 of 24 tiles chosen, clusters: 4" in said
    assert "  water: tiles 3, clusters 2" in said
    rows = read(listed)
    assert [(row["cluster"], row["name"], row["rank"]) for row in rows] == [
        ("0", "arable", "1"), ("1", "water", "1"), ("2", "forest", "1"), ("4", "water", "1"),
        ("0", "arable", "2"), ("1", "water", "2"), ("2", "forest", "2"),
    ]  # fmt: skip

    total = select_pieces(
        source, here / "out", SelectionRequest(1, SIZE, chosen=read_chosen(listed))
    )
    selected = read(here / "out/selected.csv")
    assert total == 7
    assert [row["chip_id"] for row in selected] == [row["chip_id"] for row in rows]
    assert [row["group"] for row in selected] == [row["name"] for row in rows]
    store = ChipStore.open(tiles)
    ids = list(store.table["chip_id"])
    for row in rows:
        with rasterio.open(here / f"out/images/{row['chip_id']}.tif") as piece:
            assert (piece.read(1) == store.image(ids.index(row["chip_id"]))[..., 0]).all()


def test_without_names_all_clusters_take_part(run: Run, fitted: Path):
    listed = fitted.parent / "chosen.csv"
    code, said, warned = run("select", fitted, "--how", "nearest", "--out", listed)
    assert code == 0
    assert "24 of 24 tiles chosen" in said
    assert "64 tiles were asked for, there are 24" in warned
    rows = read(listed)
    assert {row["cluster"] for row in rows} == {"0", "1", "2", "4"}
    assert {row["name"] for row in rows} == {""}
    table = {row["chip_id"]: row for row in read(fitted / TABLE)}
    of_two = [float(table[row["chip_id"]]["distance"]) for row in rows if row["cluster"] == "2"]
    assert of_two == sorted(of_two)
    assert read_chosen(listed)[rows[0]["chip_id"]] == "0"


def test_the_same_again_gives_the_same_bytes(run: Run, fitted: Path):
    files = [fitted.parent / f"{n}.csv" for n in range(2)]
    for file in files:
        assert run("select", fitted, "--keep", "2,0=green", "--each", 3, "--out", file)[0] == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert [row["cluster"] for row in read(files[0])] == ["0", "2"] * 3


def test_pseudo_labels_want_a_name_for_every_cluster(run: Run, fitted: Path):
    here = fitted.parent
    out = ("--out", here / "c.csv", "--pseudo", here / "pseudo.csv")
    code, _, said = run("select", fitted, "--keep", "0=arable", *out)
    assert code == 2 and "there is none for 1 to 2, 4" in said
    assert not (here / "c.csv").exists()
    code, _, _ = run("select", fitted, "--keep", "0=arable", "--keep", "1,2,4=other", *out)
    rows = read(here / "pseudo.csv")
    assert code == 0 and len(rows) == 24
    table = read(fitted / TABLE)
    for row, known in zip(rows, table, strict=True):
        assert row["chip_id"] == known["chip_id"]
        assert row["label"] == ("arable" if known["cluster"] == "0" else "other")
        assert float(row["confidence"]) == float(known["confidence"])


def test_outlines_lie_where_the_chips_do(run: Run, tiles: Path, fitted: Path):
    here = fitted.parent
    out = ("--out", here / "c.csv", "--geojson", here / "c.geojson")
    code, _, said = run("select", fitted, *out)
    assert code == 2 and "--geojson FILE needs --chips STORE" in said
    assert run("select", fitted, "--each", 1, *out, "--chips", tiles)[0] == 0
    features = json.loads((here / "c.geojson").read_text())["features"]
    chosen = read(here / "c.csv")
    assert [f["properties"]["chip_id"] for f in features] == [row["chip_id"] for row in chosen]
    assert features[0]["properties"] == {
        "chip_id": chosen[0]["chip_id"], "cluster": 0, "name": "", "rank": 1,
        "confidence": float(chosen[0]["confidence"]),
    }  # fmt: skip
    from rasterio.warp import transform_bounds

    table = ChipStore.open(tiles).table.set_index("chip_id")
    for feature in features:
        row, col = table.loc[feature["properties"]["chip_id"], ["row", "col"]]
        left, top = 500_000 + 10 * col, 5_000_000 - 10 * row
        box = transform_bounds("EPSG:32633", "EPSG:4326", left, top - 160, left + 160, top)
        ring = np.array(feature["geometry"]["coordinates"][0])
        assert [*ring.min(axis=0), *ring.max(axis=0)] == pytest.approx(box, abs=2e-7)


def test_groups_of_merged_clusters(run: Run, fitted: Path):
    names, listed = fitted.parent / "names.yaml", fitted.parent / "chosen.csv"
    # Centres lie at 0, 1, 2, (3,) and 4 steps; 0 and 1 (8 and 4 tiles) join as they are close and
    # small, so three groups are {0, 1}, {2} and {4}.
    assert run("name", fitted, "--groups", 3, "--out", names)[0] == 0
    assert names.read_text().splitlines()[1:] == [
        "0:  # 12 tiles",
        "1:  # 8 tiles",
        "2:  # 4 tiles",
    ]
    names.write_text("0: low\n2: high\n")
    code, said, _ = run(
        "select", fitted, "--groups", 3, "--names", names, "--count", 5, "--out", listed
    )
    assert code == 0 and "clusters: 2" in said
    assert [row["name"] for row in read(listed)] == ["low", "high", "low", "high", "low"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--keep", "7=arable"], "--keep names cluster 7, but clusters are 0 to 4"),
        (["--keep", "3=arable"], "--keep names cluster 3, which holds no tile"),
        (["--keep", "0=a", "--names", "n.yaml"], "from --names or from --keep, got both"),
        (["--names", "none.yaml"], "there is no file none.yaml"),
        (["--count", "0"], "--count is a number of tiles from 1, got 0"),
        (["--confidence", "0.95"], "the highest is 0.9;"),
        (["--groups", "5"], "4 clusters with tiles can be merged into 1 to 4 groups, got 5"),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, fitted: Path, options: list[str], words: str):
    out = fitted.parent / "chosen.csv"
    code, _, said = run("select", fitted, "--out", out, *options)
    assert code == 2
    assert words in said and len(said.splitlines()) == 1
    assert not out.exists()


def test_an_unknown_way_to_choose_lists_them_all(run: Run, fitted: Path):
    out = fitted.parent / "chosen.csv"
    code, _, said = run("select", fitted, "--out", out, "--how", "divers")
    assert code == 2 and not out.exists()
    assert said.splitlines()[-1] == (
        "Error: Invalid value for '--how': 'divers' is not one of 'nearest', 'diverse', "
        "'boundary', did you mean 'diverse'?"
    )


def test_names_by_hand_are_not_overwritten(run: Run, fitted: Path):
    names = fitted.parent / "names.yaml"
    assert run("name", fitted, "--out", names)[0] == 0
    assert run("name", fitted, "--out", names)[0] == 0
    names.write_text(names.read_text().replace("0:", "0: arable", 1))
    code, _, said = run("name", fitted, "--out", names)
    assert code == 2 and "names.yaml" in said
    assert "0: arable" in names.read_text()


def test_chips_without_labels_or_of_something_else_name_nothing(
    run: Run, source: Path, tiles: Path, fitted: Path
):
    names = fitted.parent / "names.yaml"
    text = source.read_text().replace(", label: truth.tif", "").replace("raster", "none")
    source.write_text(text)
    build(source, fitted.parent / "bare", cut=Cut(SIZE))
    code, _, said = run("name", fitted, "--truth", fitted.parent / "bare", "--out", names)
    assert code == 2 and "have no labels" in said
    build(source, fitted.parent / "large", cut=Cut(2 * SIZE))
    code, _, said = run("name", fitted, "--truth", fitted.parent / "large", "--out", names)
    assert code == 2 and "18 of 24 tiles are not in" in said
    assert not names.exists()


def test_a_folder_that_is_no_clustering(run: Run, tmp_path: Path):
    for words in (["name"], ["select"]):
        code, _, said = run(*words, tmp_path, "--out", tmp_path / "o.yaml")
        assert code == 2 and "there is no fitted clustering at" in said


def test_choosing_loads_no_framework(fitted: Path, tmp_path: Path):
    """Choosing from a clustering needs no TensorFlow; it must start at once."""
    import subprocess
    import sys

    code = (
        "import sys; from agri_cluster.cli import app\n"
        f"try: app(['select', {str(fitted)!r}, '--out', {str(tmp_path / 'c.csv')!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "sys.exit(bool({'tensorflow', 'keras', 'torch'} & set(sys.modules)))"
    )
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
