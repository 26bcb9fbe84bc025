import cv2
import numpy as np
import pytest
import rasterio
from agri_cluster.data.folder import FolderTiles
from agri_cluster.data.pictures import FolderSource
from agri_cluster.data.sources import StoreTiles, as_tiles, open_tiles
from agri_cluster.data.tiles import ArrayTiles
from agri_core.bands import make_bands
from agri_core.files.errors import InputError, MissingError
from agri_data.store.info import StoreInfo
from agri_data.store.stats import compute
from agri_data.store.store import ChipStore, rewrite_table
from agri_data.store.table import ChipRecord
from agri_data.store.writer import StoreWriter

BANDS = ("B02", "B03", "B04", "B08")


@pytest.fixture
def images():
    return np.random.default_rng(3).integers(1, 3000, (12, 8, 8, 4)).astype(np.uint16)


def write_store(path, images, unit="dn", nodata=0.0):
    info = StoreInfo(
        "test", "made up", "MIT", make_bands(BANDS, unit), images.shape[1], nodata=nodata
    )
    with StoreWriter(path, info) as writer:
        for number, image in enumerate(images):
            split = "train" if number < 6 else "val"
            writer.add(ChipRecord(f"c{number}", "scene", split=split), image)
    return path


@pytest.fixture
def chips(tmp_path, images):
    return write_store(tmp_path / "chips", images)


def test_a_store_is_standardised_by_all_its_chips_where_it_records_no_statistics(chips, images):
    tiles = open_tiles(chips)
    found = tiles.take(range(12)).reshape(-1, 4)
    assert found.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-4)
    assert found.std(axis=0) == pytest.approx(np.ones(4), rel=1e-4)
    assert tiles.shape == (8, 8, 4)
    assert tiles.ids[11] == "c11"


def test_recorded_statistics_of_the_train_part_are_used(chips, images):
    store = ChipStore.open(chips)
    rewrite_table(chips, store.table, split={"method": "test"}, stats=compute(store))
    train = images[:6].reshape(-1, 4).astype(np.float64)
    found = open_tiles(chips).take([9])[0]
    expected = (images[9] - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_bands_are_chosen_by_name_in_the_order_asked(chips):
    whole, two = open_tiles(chips), open_tiles(chips, bands=["B08", "B02"])
    assert two.bands == ("B08", "B02")
    np.testing.assert_array_equal(two.take([3, 1]), whole.take([3, 1])[..., [3, 0]])


def test_a_band_that_is_not_there_is_named(chips):
    with pytest.raises(MissingError, match=r"B11.*B02, B03, B04, B08"):
        open_tiles(chips, bands=["B04", "B11"])


def test_a_part_is_read_alone_and_keeps_its_ids(chips):
    part = open_tiles(chips, split="val")
    assert list(part.ids) == [f"c{number}" for number in range(6, 12)]
    np.testing.assert_array_equal(part.take([0]), open_tiles(chips).take([6]))
    assert part.rows.tolist() == list(range(6, 12))


def test_an_empty_part_is_an_error(chips):
    with pytest.raises(InputError, match="in the split asked for"):
        open_tiles(chips, split="test")


@pytest.mark.parametrize("scale", ["standard", "photo"])
def test_pixels_without_data_hold_the_bands_mean(tmp_path, images, scale):
    images[0] = 0
    images[1, 2, 3] = 0
    images[1, 4, 4, 0] = 0
    tiles = open_tiles(write_store(tmp_path / "chips", images), scale=scale)
    found = tiles.take([0, 1])
    fill = tiles.scaling["fill"]
    np.testing.assert_allclose(found[0], np.broadcast_to(fill, (8, 8, 4)), rtol=1e-6)
    np.testing.assert_allclose(found[1, 2, 3], fill, rtol=1e-6)
    # A single band of 0 is a dark pixel, not a gap.
    assert found[1, 4, 4, 0] != pytest.approx(fill[0])


def test_nan_pixels_never_reach_the_encoder(tmp_path):
    images = np.random.default_rng(0).random((4, 8, 8, 4), np.float32)
    images[2] = np.nan
    images[3, 0, 0, 1] = np.inf
    path = write_store(tmp_path / "chips", images, "reflectance", None)
    found = open_tiles(path).take(range(4))
    assert np.isfinite(found).all()
    assert not found[2].any()


def test_chips_without_any_data_are_an_error(tmp_path):
    path = write_store(tmp_path / "chips", np.zeros((3, 8, 8, 4), np.uint16))
    with pytest.raises(InputError, match="B02 has no valid pixel"):
        open_tiles(path)


def test_another_store_is_scaled_by_the_numbers_of_the_first(tmp_path, chips, images):
    first = open_tiles(chips, bands=["B04", "B03"], scale="photo")
    brighter = write_store(tmp_path / "brighter", images + np.uint16(500))
    found = open_tiles(brighter, scaling=first.scaling)
    assert found.bands == ("B04", "B03")
    assert found.scaling == first.scaling
    assert found.take([0]).mean() > first.take([0]).mean() + 10


def test_a_store_in_another_unit_is_refused(tmp_path, chips, images):
    other = write_store(tmp_path / "other", images.astype(np.float32) / 1e4, "reflectance")
    with pytest.raises(InputError, match=r"reflectance.*fitted to dn"):
        open_tiles(other, scaling=open_tiles(chips).scaling)


def write_pictures(folder, count=11, side=8, channels=3):
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (count, side, side, channels)).astype(np.uint8)
    for number, picture in enumerate(pictures, 1):
        cv2.imwrite(str(folder / f"tile{number}.png"), picture[..., ::-1])
    return pictures


def test_a_folder_gives_its_pictures_in_natural_order_and_nothing_else(tmp_path):
    pictures = write_pictures(tmp_path / "tiles")
    (tmp_path / "tiles" / "notes.txt").write_text("x")
    (tmp_path / "tiles" / ".hidden.png").write_bytes(b"x")
    tiles = open_tiles(tmp_path / "tiles", scale="photo")
    assert isinstance(tiles, FolderTiles)
    assert tiles.ids[:2] == ["tile1.png", "tile2.png"]
    assert tiles.ids[10] == "tile11.png"
    assert tiles.bands == ("red", "green", "blue")
    np.testing.assert_array_equal(tiles.take([10, 0]), pictures[[10, 0]])


def test_a_folder_is_standardised_by_its_own_pictures(tmp_path):
    write_pictures(tmp_path / "tiles")
    found = open_tiles(tmp_path / "tiles").take(range(11)).reshape(-1, 3)
    assert found.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-4)
    assert found.std(axis=0) == pytest.approx(np.ones(3), rel=1e-4)


def test_tiffs_bring_the_names_of_their_bands(tmp_path):
    values = np.random.default_rng(1).integers(1, 3000, (2, 2, 8, 8)).astype(np.uint16)
    for number, value in enumerate(values):
        options = {"driver": "GTiff", "width": 8, "height": 8, "count": 2, "dtype": "uint16"}
        with rasterio.open(tmp_path / f"{number}.tif", "w", **options) as file:
            file.write(value)
            file.descriptions = ("B08", "B04")
    tiles = open_tiles(tmp_path, bands=["B04"])
    assert tiles.bands == ("B04",)
    assert tiles.take([0, 1]).mean() == pytest.approx(0, abs=1e-5)


def test_an_unreadable_picture_is_refused_by_name(tmp_path):
    write_pictures(tmp_path / "tiles")
    (tmp_path / "tiles" / "tile5.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match=r"tile5\.png"):
        open_tiles(tmp_path / "tiles")


def test_a_picture_of_another_size_is_refused_by_name(tmp_path):
    write_pictures(tmp_path / "tiles")
    write_pictures(tmp_path / "more", count=1, side=9)
    (tmp_path / "more" / "tile1.png").rename(tmp_path / "tiles" / "tile20.png")
    tiles = open_tiles(tmp_path / "tiles", scale="photo")
    with pytest.raises(InputError, match=r"tile20\.png is of shape \(9, 9, 3\).*one size"):
        tiles.take([11])


@pytest.mark.parametrize("content", [[], ["readme.txt"]])
def test_a_folder_without_pictures_is_an_error(tmp_path, content):
    for name in content:
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match="neither a chip store nor a folder with pictures"):
        open_tiles(tmp_path)


def test_a_folder_of_pictures_has_no_parts(tmp_path):
    write_pictures(tmp_path / "tiles")
    with pytest.raises(InputError, match="no split 'train'"):
        open_tiles(tmp_path / "tiles", split="train")


def test_a_path_to_nothing_or_to_a_file_is_an_error(tmp_path):
    with pytest.raises(MissingError, match="does not exist"):
        open_tiles(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    with pytest.raises(MissingError, match="is a file"):
        as_tiles(tmp_path / "file")


def test_as_tiles_takes_paths_arrays_and_tiles(chips):
    assert isinstance(as_tiles(str(chips)), StoreTiles)
    assert isinstance(as_tiles([[1.0, 2.0], [3.0, 4.0]]), ArrayTiles)
    tiles = as_tiles(np.zeros((2, 4, 4, 1)))
    assert as_tiles(tiles) is tiles
    with pytest.raises(InputError, match="NaN"):
        as_tiles(np.array([[np.nan]]))


def write_tiff(path, values, **options):
    """Write `(H, W, C)`."""
    height, width, count = values.shape
    shape = {"height": height, "width": width, "count": count, "dtype": str(values.dtype)}
    with rasterio.open(path, "w", driver="GTiff", **shape, **options) as sink:
        sink.write(np.moveaxis(values, -1, 0))


def test_an_alpha_band_of_a_folder_is_a_mask(tmp_path):
    values = np.full((8, 8, 4), 100, np.uint8)
    values[0, :, 3] = 0
    write_tiff(tmp_path / "a.tif", values, photometric="rgb", alpha="yes")
    tiles = open_tiles(tmp_path)
    assert tiles.bands == ("red", "green", "blue")
    shown, valid = FolderSource(tmp_path).read(["a.tif"])
    assert shown.shape == (1, 8, 8, 3) and not valid[0, 0].any() and valid[0, 1:].all()


def test_real_numbers_are_digital_numbers_or_reflectance_by_their_size(tmp_path):
    for name, scale in (("dn", 3000.0), ("reflectance", 0.3)):
        folder = tmp_path / name
        folder.mkdir()
        ramp = np.linspace(0.5, 1, 64, dtype=np.float32).reshape(8, 8, 1)
        write_tiff(folder / "a.tif", ramp * np.float32(scale), nodata=-1)
        write_tiff(folder / "b.tif", np.full((8, 8, 1), -1, np.float32), nodata=-1)
        tiles = open_tiles(folder)
        assert tiles.scaling["unit"] == name
        assert len(tiles.take([0, 1])) == 2  # one of them has no data, so it has no unit either
        assert FolderSource(folder).bands[0].unit == name
