"""EuroSAT as users have it: zip or folder, JPEG or 13-band TIFF, whole or partial."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from agri_core.bands import EUROSAT_TIFF_ORDER
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import EUROSAT
from agri_data.build import build
from agri_data.sources.eurosat import COUNTS, find_patches
from agri_data.sources.source import read_source
from agri_data.store.store import ChipStore
from PIL import Image
from rasterio.transform import from_origin


def jpeg(value: int, side: int = 64) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (side, side), (value, 0, 255 - value)).save(sink, "JPEG", quality=95)
    return sink.getvalue()


def rgb_zip(path: Path, per_class: int = 2, prefix: str = "2750") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for k, name in enumerate(EUROSAT.names):
            for n in range(per_class, 0, -1):
                archive.writestr(f"{prefix}/{name}/{name}_{n}.jpg", jpeg(20 * k + n))
    return path


def write_patch(path: Path, x: float = 500_000.0, bands: int = 13) -> None:
    """Band i is filled with i."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"width": 64, "height": 64, "count": bands, "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": from_origin(x, 5_000_000, 10, 10)}
    with rasterio.open(path, "w", driver="GTiff", **shape, **place) as sink:
        for i in range(1, bands + 1):
            sink.write(np.full((64, 64), i, np.uint16), i)


def test_the_official_counts():
    assert list(COUNTS.values()) == [3000, 3000, 3000, 2500, 2500, 2000, 2500, 3000, 2500, 3000]
    assert sum(COUNTS.values()) == 27_000


def test_an_archive_becomes_a_store_in_class_and_number_order(tmp_path: Path):
    report = build(rgb_zip(tmp_path / "EuroSAT.zip", 11), tmp_path / "chips")
    store = ChipStore.open(tmp_path / "chips")
    assert report.chips == len(store) == 110
    assert report.classes == dict.fromkeys(EUROSAT.names, 11)
    assert store.bands == ("B04", "B03", "B02")
    assert store.info.bands[0].unit == "uint8"
    assert list(store.table.chip_id[:11]) == [f"AnnualCrop_{n}" for n in range(1, 12)]
    assert store.labels(np.arange(110)).tolist() == [k for k in range(10) for _ in range(11)]
    assert (store.table.group == "").all()
    assert not store.has_masks
    data = zipfile.ZipFile(tmp_path / "EuroSAT.zip").read(store.table.source[37])
    assert (store.image(37) == np.asarray(Image.open(io.BytesIO(data)))).all()


def test_folder_and_archive_make_the_same_store(tmp_path: Path):
    archive = rgb_zip(tmp_path / "a.zip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "unpacked")
    build(archive, tmp_path / "one")
    build(tmp_path / "unpacked", tmp_path / "two")
    build(tmp_path / "unpacked" / "2750", tmp_path / "three")
    prints = {ChipStore.open(tmp_path / name).fingerprint for name in ("one", "two", "three")}
    assert len(prints) == 1


def test_partial_sets_are_told(tmp_path: Path):
    notes = build(rgb_zip(tmp_path / "a.zip"), tmp_path / "chips").notes
    assert "Pasture: 2 of the official 2000 patches" in notes
    assert len(notes) == 10


def test_tiffs_are_read_by_their_own_order_with_b8a_last(tmp_path: Path):
    write_patch(tmp_path / "set/Forest/Forest_1.tif")
    write_patch(tmp_path / "set/Forest/Forest_2.tif", x=580_000.0)
    build(tmp_path / "set", tmp_path / "chips")
    store = ChipStore.open(tmp_path / "chips")
    assert store.bands == EUROSAT_TIFF_ORDER
    assert store.image(0)[0, 0].tolist() == list(range(1, 14))
    assert store.images([0], ["B8A", "B09", "B04"])[0, 5, 5].tolist() == [13, 9, 4]
    assert store.table.crs[0] == "EPSG:32633"
    assert store.table["transform"][0] == "10.0 0.0 500000.0 0.0 -10.0 5000000.0"
    assert store.table.group[0] != store.table.group[1] != ""


def test_bands_are_chosen_by_name(tmp_path: Path):
    write_patch(tmp_path / "set/Forest/Forest_1.tif")
    (tmp_path / "e.yaml").write_text("name: e\nkind: eurosat\nroot: set\nuse: [B8A, B02]\n")
    build(tmp_path / "e.yaml", tmp_path / "chips")
    assert ChipStore.open(tmp_path / "chips").image(0)[0, 0].tolist() == [13, 2]
    (tmp_path / "e.yaml").write_text("name: e\nkind: eurosat\nroot: set\nuse: [B13]\n")
    with pytest.raises(MissingError, match="no band B13; it has B01, B02"):
        build(tmp_path / "e.yaml", tmp_path / "other")


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["x/Forst/Forest_1.jpg", "readme.txt"], MissingError, "expected folders named AnnualCrop"),
        (["Forest/Forest_1.jpg", "Forest/Forest_2.tif"], InputError, "both JPEG and TIFF"),
        (["a/Forest/Forest_1.jpg", "b/Forest/Forest_1.jpg"], InputError, "Forest_1 twice"),
        (["Forest/River_1.jpg"], InputError, "folder of another class"),
    ],
)
def test_a_wrong_set_is_named(names: list[str], error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        find_patches(names, "set")


def test_a_damaged_patch_is_refused_or_skipped_and_counted(tmp_path: Path):
    path = rgb_zip(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("2750/River/River_7.jpg", jpeg(1)[:300])
        archive.writestr("2750/River/River_8.jpg", jpeg(1, side=32))
    with pytest.raises(InputError, match=r"River_7.jpg is truncated"):
        build(path, tmp_path / "chips")
    assert not (tmp_path / "chips").exists()
    report = build(path, tmp_path / "chips", skip=True)
    assert report.chips == 20
    assert ["River_7" in report.skipped[0], "32x32" in report.skipped[1]] == [True, True]
    assert len(ChipStore.open(tmp_path / "chips")) == 20


def test_what_is_neither_archive_nor_folder_is_named(tmp_path: Path):
    with pytest.raises(MissingError, match="no file or folder"):
        read_source(tmp_path / "nothing.zip")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="neither a description"):
        read_source(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="neither a description"):
        read_source(tmp_path)
