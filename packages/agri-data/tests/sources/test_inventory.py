"""The pipeline's first stage on somebody's own imagery."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
from agri_core.files.errors import AgriError, MissingError
from agri_data.sources.description.parse import read_description
from agri_data.sources.inventory import adopt
from agri_data.sources.source import read_source

DESCRIPTION = """
name: mine
kind: pairs
images: images/*.tif
unit: dn
bands: [B04]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / "a.tif").write_bytes(b"abc")
    (tmp_path / "mine.yaml").write_text(DESCRIPTION + "root: data\n")
    return tmp_path


def test_description_works_from_its_new_place(own: Path) -> None:
    assert adopt(own / "mine.yaml", own / "out" / "scenes") == 1
    moved = read_description(own / "out" / "scenes" / "source.yaml")
    assert moved.root.resolve() == own / "data"


def test_inventory_names_size_and_content(own: Path) -> None:
    adopt(own / "mine.yaml", own / "out")
    rows = list(csv.reader((own / "out" / "inventory.csv").open()))
    assert rows[1:] == [["images/a.tif", "3", hashlib.sha256(b"abc").hexdigest()]]


def test_opening_a_folder_in_a_file_manager_changes_nothing(own: Path) -> None:
    adopt(own / "mine.yaml", own / "out")
    before = (own / "out" / "inventory.csv").read_bytes()
    (own / "data" / ".DS_Store").write_bytes(b"x")
    (own / "data" / "images" / "Thumbs.db").write_bytes(b"x")
    adopt(own / "mine.yaml", own / "out")
    assert (own / "out" / "inventory.csv").read_bytes() == before


def test_a_root_that_is_not_there_is_named(own: Path) -> None:
    with pytest.raises(MissingError, match="nowhere"):
        adopt(own / "mine.yaml", own / "out", own / "nowhere")
    assert not (own / "out").exists()
    (own / "mine.yaml").write_text(DESCRIPTION + "root: nowhere\n")
    for read in (lambda path: adopt(path, own / "out"), read_source):
        with pytest.raises(MissingError) as error:
            read(own / "mine.yaml")
        assert str(error.value) == (
            f"{own / 'mine.yaml'}: 'root' names {own / 'nowhere'}, and there is no such folder or "
            ".zip; correct 'root', or give --root"
        )


def test_a_misspelt_key_stops_it(own: Path) -> None:
    (own / "mine.yaml").write_text(DESCRIPTION + "licens: MIT\n")
    with pytest.raises(AgriError, match="licens"):
        adopt(own / "mine.yaml", own / "out")
