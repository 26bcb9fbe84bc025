"""Pairs of images and masks: by key, by name of band, by exact colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import geopandas
import numpy as np
import pytest
import rasterio
from agri_core.files.errors import AgriError, InputError, MissingError
from agri_core.files.folders import natural
from agri_data.build import build
from agri_data.sources.chips import ChipIds
from agri_data.sources.readers.pairing import find_keyed, read_table
from agri_data.store.store import ChipStore
from numpy.typing import NDArray
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import from_origin
from ruamel.yaml import YAML
from shapely.geometry import Polygon

LEGEND = [
    {"id": 0, "name": "other", "colour": "#c8c8c8"},
    {"id": 1, "name": "arable", "colour": "#e8c547"},
]
BASE: dict[str, Any] = {
    "name": "set",
    "kind": "pairs",
    "unit": "dn",
    "bands": ["B02", "B03", "B04"],
    "images": "images/*.tif",
    "masks": "masks/*.png",
    "legend": LEGEND,
    "label": {"kind": "raster"},
}
PLACE = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10)}


def describe(folder: Path, **changes: Any) -> Path:
    content = {k: v for k, v in (BASE | changes).items() if v is not None}
    with (folder / "set.yaml").open("w") as sink:
        YAML().dump(content, sink)
    return folder / "set.yaml"


def write_tiff(
    path: Path, values: NDArray[Any], names: tuple[str, ...] = (), **options: Any
) -> None:
    """Write `(H, W, C)`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = {"height": values.shape[0], "width": values.shape[1], "count": values.shape[2]}
    kind = {"driver": "GTiff", "dtype": str(values.dtype), "photometric": "minisblack"}
    with rasterio.open(path, "w", **shape, **(kind | options)) as sink:
        sink.write(np.moveaxis(values, -1, 0))
        if names:
            sink.descriptions = names


def write_png(path: Path, values: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def filled(side: int = 8, bands: int = 3, dtype: str = "uint16") -> NDArray[Any]:
    """Band i holds i."""
    return np.broadcast_to(np.arange(1, bands + 1), (side, side, bands)).astype(dtype)


def one_pair(folder: Path, image: NDArray[Any] | None = None, mask: Any = None) -> None:
    write_tiff(folder / "images/a.tif", filled() if image is None else image)
    write_png(folder / "masks/a.png", np.eye(8, dtype=np.uint8) if mask is None else mask)


def made(folder: Path, size: int = 8, **changes: Any) -> ChipStore:
    build(describe(folder, **changes), folder / "chips", cut=cut(size))
    return ChipStore.open(folder / "chips")


def cut(size: int, overlap: int = 0) -> Any:
    from agri_data.sources.windows import Cut

    return Cut(size, overlap)


def test_every_band_is_itself(tmp_path: Path):
    names = [f"b{i}" for i in range(1, 14)]
    one_pair(tmp_path, filled(bands=13))
    store = made(tmp_path, bands=names)
    assert store.image(0)[3, 4].tolist() == list(range(1, 14))
    assert (store.mask(0) == np.eye(8)).all()
    assert store.table.group[0] == "a"


def test_a_shuffled_file_gives_the_same_chips(tmp_path: Path):
    """D4: the order inside a file does not matter once its bands are named."""
    for folder, order in (("x", (0, 1, 2)), ("y", (2, 0, 1))):
        names = tuple(("B2", "B03", "b04")[i] for i in order)
        write_tiff(tmp_path / folder / "images/a.tif", filled()[..., order], names)
        write_png(tmp_path / folder / "masks/a.png", np.eye(8, dtype=np.uint8))
    stores = [made(tmp_path / f, bands=None, use=["B04", "B02", "B03"]) for f in ("x", "y")]
    assert [s.image(0)[0, 0].tolist() for s in stores] == [[3, 1, 2], [3, 1, 2]]
    assert stores[0].bands == ("B04", "B02", "B03")


def test_names_in_the_file_that_contradict_are_refused_unless_overruled(tmp_path: Path):
    write_tiff(tmp_path / "images/a.tif", filled(), ("B03", "B02", "B04"))
    write_png(tmp_path / "masks/a.png", np.eye(8, dtype=np.uint8))
    with pytest.raises(InputError, match="band 1 is 'B02' in the description and 'B03' in"):
        made(tmp_path)
    assert made(tmp_path, trust="bands").bands == ("B02", "B03", "B04")


def test_missing_and_unnamed_bands_are_named(tmp_path: Path):
    one_pair(tmp_path)
    with pytest.raises(MissingError, match="no band B08; it has B02, B03, B04"):
        made(tmp_path, use=["B08"])
    with pytest.raises(InputError, match="3 bands, the description names 2: B02, B03"):
        made(tmp_path, bands=["B02", "B03"])
    with pytest.raises(InputError, match="3 bands without names"):
        made(tmp_path, bands=None)


def test_pairs_follow_keys_not_listings(tmp_path: Path):
    """D10: each mask is filled with the class its key says, whatever was written first."""
    for n in (10, 2, 1):
        write_tiff(tmp_path / f"images/t{n}.tif", np.full((8, 8, 3), n, np.uint16))
    for n in (2, 10, 1):
        write_png(tmp_path / f"masks/t{n}.png", np.full((8, 8), n == 10, np.uint8))
    store = made(tmp_path)
    assert [int(store.image(i)[0, 0, 0]) for i in range(3)] == [1, 2, 10]
    assert [int(store.mask(i)[0, 0]) for i in range(3)] == [0, 0, 1]


def test_keys_are_what_the_wildcards_match(tmp_path: Path):
    for tile in "14":
        write_png(tmp_path / f"Tile {tile}/masks/p_mask.png", np.zeros((2, 2), np.uint8))
    assert list(find_keyed(tmp_path, "Tile */masks/*_mask.png")) == ["1/p", "4/p"]
    assert list(find_keyed(tmp_path, "Tile */masks/*.png", "_mask")) == ["1/p", "4/p"]
    assert list(find_keyed(tmp_path, "Tile 1/masks")) == ["p_mask"]
    assert list(find_keyed(tmp_path, "**/*.png")) == ["Tile 1/masks/p_mask", "Tile 4/masks/p_mask"]
    with pytest.raises(MissingError, match="no file matches"):
        find_keyed(tmp_path, "Tile */*.png")


@pytest.mark.parametrize("pattern", ["p[z-a].png", "[9-0]/*.png"])
def test_a_range_that_runs_downwards_is_no_pattern(tmp_path: Path, pattern: str):
    with pytest.raises(InputError, match=r"is not a file pattern \(bad character range"):
        find_keyed(tmp_path, pattern)


def test_natural_order():
    assert natural(["a10", "a2", "b", "a1", "10", "9"]) == ["9", "10", "a1", "a2", "a10", "b"]


def test_files_without_partner_are_listed_and_refused_or_counted(tmp_path: Path):
    one_pair(tmp_path)
    write_tiff(tmp_path / "images/b.tif", filled())
    write_png(tmp_path / "masks/c.png", np.eye(8, dtype=np.uint8))
    with pytest.raises(
        InputError, match=r"2 files have no partner: .*b\.tif has no mask; .*c\.png"
    ):
        made(tmp_path)
    report = build(describe(tmp_path, unmatched="skip"), tmp_path / "chips", cut=cut(8))
    assert (report.chips, len(report.skipped)) == (1, 2)


def test_two_files_with_one_key_are_refused(tmp_path: Path):
    one_pair(tmp_path)
    write_png(tmp_path / "images/a.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="two files have the key 'a'"):
        made(tmp_path, images="images/*.*")


def test_sizes_must_be_equal(tmp_path: Path):
    one_pair(tmp_path, mask=np.zeros((8, 9), np.uint8))
    with pytest.raises(InputError, match=r"a.png is 8x9 pixels, its image .*a.tif is 8x8"):
        made(tmp_path)


def test_a_table_pairs_by_row_and_names_a_bad_one(tmp_path: Path):
    one_pair(tmp_path)
    table = tmp_path / "t.csv"
    table.write_text("image,mask\nimages/a.tif,masks/a.png\n")
    assert len(made(tmp_path, images=None, masks=None, table="t.csv")) == 1
    table.write_text("image,mask\nimages/a.tif,masks/a.png\nimages/a.tif,masks/gone.png\n")
    with pytest.raises(MissingError, match=r"t.csv row 3: there is no file .*gone.png"):
        made(tmp_path, images=None, masks=None, table="t.csv")
    table.write_text("image,mask\nimages/a.tif\n")
    with pytest.raises(InputError, match=r"row 2 needs 2 filled columns"):
        made(tmp_path, images=None, masks=None, table="t.csv")
    table.write_text("picture,mask\n")
    with pytest.raises(InputError, match="header must be 'image,mask', got 'picture,mask'"):
        made(tmp_path, images=None, masks=None, table="t.csv")


def test_a_table_may_go_up_inside_the_root_but_never_out_of_it(tmp_path: Path):
    root = tmp_path / "set"
    one_pair(root)
    table = root / "lists/t.csv"
    table.parent.mkdir()
    table.write_text("image,mask\n../images/./a.tif,../masks/a.png\n")
    (pair,) = read_table(table, masks=True, root=root)
    assert (pair.image, pair.mask) == (root / "images/a.tif", root / "masks/a.png")
    one_pair(tmp_path)
    outside = ["../../images/a.tif", str(tmp_path / "images/a.tif"), "a/../../../images/a.tif"]
    for cell in outside:
        table.write_text(f"image,mask\n{cell},../masks/a.png\n")
        with pytest.raises(InputError, match=r"t.csv row 2: .*root"):
            read_table(table, masks=True, root=root)


@pytest.mark.parametrize("pattern", ["../images/*.tif", "images/../../images/*", "{root}/*.tif"])
def test_a_pattern_that_leads_out_of_the_root_is_refused(tmp_path: Path, pattern: str):
    one_pair(tmp_path)
    (tmp_path / "set/images").mkdir(parents=True)
    with pytest.raises(InputError, match="root"):
        find_keyed(tmp_path / "set", pattern.format(root=tmp_path / "images"))


def test_values_outside_the_legend_are_counted(tmp_path: Path):
    one_pair(tmp_path, mask=np.eye(8, dtype=np.uint8) * 7)
    with pytest.raises(InputError, match=r"a.png: label values that stand for no class: 7 \(8 pix"):
        made(tmp_path)
    store = made(tmp_path, label={"kind": "raster", "unknown": "ignore"})
    assert (store.mask(0) == np.where(np.eye(8), 255, 0)).all()
    store = made(tmp_path, label={"kind": "raster", "codes": {7: "arable", 0: "ignore"}})
    assert (store.mask(0) == np.where(np.eye(8), 1, 255)).all()


def test_a_mask_of_0_and_255_is_a_trap_that_is_named(tmp_path: Path):
    one_pair(tmp_path, mask=np.eye(8, dtype=np.uint8) * 255)
    with pytest.raises(InputError, match=r"hold 0 and 255 only.*codes: \{0: other, 255: arable\}"):
        made(tmp_path)
    assert not (tmp_path / "chips").exists()
    store = made(tmp_path, label={"kind": "raster", "codes": {0: "other", 255: "arable"}})
    assert (store.mask(0) == np.eye(8)).all()


def test_no_data_of_a_mask_that_is_also_a_class_needs_a_decision(tmp_path: Path):
    one_pair(tmp_path)
    write_tiff(tmp_path / "tiffs/a.tif", np.eye(8, dtype=np.uint8)[..., None], nodata=0)
    with pytest.raises(
        InputError, match="declares 0 as 'no data', but 0 is also the class 'other'"
    ):
        made(tmp_path, masks="tiffs/*.tif")
    label = {"kind": "raster", "codes": {1: "arable"}}
    store = made(tmp_path, masks="tiffs/*.tif", label=label)
    assert (store.mask(0) == np.where(np.eye(8), 1, 255)).all()
    label = {"kind": "raster", "codes": {0: "other", 1: "arable"}}
    assert (made(tmp_path, masks="tiffs/*.tif", label=label).mask(0) == np.eye(8)).all()


def test_one_bit_and_float_masks_hold_their_numbers(tmp_path: Path):
    one_pair(tmp_path)
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / "masks/a.png")
    assert (made(tmp_path).mask(0) == np.eye(8)).all()
    values = np.eye(8, dtype=np.float32)[..., None]
    values[0, 1] = np.nan
    write_tiff(tmp_path / "tiffs/a.tif", values)
    assert made(tmp_path, masks="tiffs/*.tif").mask(0)[0].tolist() == [1, 255] + [0] * 6
    values[0, 1] = 0.5
    write_tiff(tmp_path / "tiffs/a.tif", values)
    with pytest.raises(InputError, match=r"holds 0.5; labels are whole numbers"):
        made(tmp_path, masks="tiffs/*.tif")


def test_jpeg_masks_are_refused(tmp_path: Path):
    one_pair(tmp_path)
    (tmp_path / "jpegs").mkdir()
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "jpegs/a.jpg")
    with pytest.raises(InputError, match="masks must be lossless"):
        made(tmp_path, masks="jpegs/*.jpg")


COLOURS = {"kind": "palette", "colours": {"#0bc348": "arable", "#e2130f": "other"}}


@pytest.mark.parametrize("form", ["rgb", "palette", "rgba", "tiff"])
def test_colours_are_exact(tmp_path: Path, form: str):
    """D11."""
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[:], rgb[2:4] = (226, 19, 15), (11, 195, 72)
    one_pair(tmp_path)
    path = tmp_path / "masks/a.png"
    if form == "rgb":
        Image.fromarray(rgb).save(path)
    elif form == "palette":
        Image.fromarray(rgb).quantize(2).save(path)
        assert Image.open(path).mode == "P"
    elif form == "rgba":
        Image.fromarray(np.dstack([rgb, np.full((8, 8), 255, np.uint8)])).save(path)
    else:
        path.unlink()
        write_tiff(tmp_path / "masks/a.tif", rgb)
    expected = np.zeros((8, 8), np.uint8)
    expected[2:4] = 1
    store = made(tmp_path, label=COLOURS, masks="masks/*.*")
    assert (store.mask(0) == expected).all()


def test_an_unknown_colour_is_named_and_never_a_class(tmp_path: Path):
    rgb = np.full((8, 8, 3), (226, 19, 15), np.uint8)
    rgb[0, :3] = (226, 19, 16)
    one_pair(tmp_path, mask=rgb)
    with pytest.raises(
        InputError, match=r"a.png: colours that stand for no class: #e21310 \(3 pix"
    ):
        made(tmp_path, label=COLOURS)
    store = made(tmp_path, label=COLOURS | {"unknown": "ignore"})
    assert store.mask(0)[0].tolist() == [255] * 3 + [0] * 5
    with pytest.raises(InputError, match=r"3 bands; a mask of kind 'raster' has one.*palette"):
        made(tmp_path)


def test_a_band_of_the_image_is_its_label(tmp_path: Path):
    image = filled(bands=4)
    image[..., 3] = np.where(np.eye(8), 40, 10)
    write_tiff(tmp_path / "images/a.tif", image)
    label = {"kind": "band", "band": "cover", "codes": {40: "arable", 10: "other"}}
    names = ["B02", "B03", "B04", "cover"]
    store = made(tmp_path, masks=None, bands=names, label=label)
    assert store.bands == ("B02", "B03", "B04")
    assert (store.mask(0) == np.eye(8)).all()
    with pytest.raises(InputError, match=r"a.tif band cover: .*: 10 \(56 pixels\)"):
        made(tmp_path, masks=None, bands=names, label=label | {"codes": {40: "arable"}})
    with pytest.raises(MissingError, match="no band landcover"):
        made(tmp_path, masks=None, bands=names, label=label | {"band": "landcover"})


def test_polygons_in_another_crs_are_burnt_by_the_pixel_centre(tmp_path: Path):
    write_tiff(tmp_path / "images/a.tif", filled(16), **PLACE)
    shape = Polygon([(500_012, 4_999_988), (500_107, 4_999_980), (500_060, 4_999_870)])
    table = geopandas.GeoDataFrame({"class": ["arable"]}, geometry=[shape], crs="EPSG:32633")
    (tmp_path / "masks").mkdir()
    table.to_crs(4326).to_file(tmp_path / "masks/a.geojson", driver="GeoJSON")
    expected = rasterize([(shape, 1)], (16, 16), fill=255, transform=PLACE["transform"])
    assert 20 < (expected == 1).sum() < 200
    label = {"kind": "vector", "attribute": "class"}
    store = made(tmp_path, 16, masks="masks/*.geojson", label=label)
    assert (store.mask(0) == expected).all()
    store = made(tmp_path, 16, masks="masks/*.geojson", label=label | {"outside": "other"})
    assert (store.mask(0) == np.where(expected == 1, 1, 0)).all()
    with pytest.raises(MissingError, match="no column 'klass'; it has class"):
        made(tmp_path, 16, masks="masks/*.geojson", label=label | {"attribute": "klass"})
    with pytest.raises(InputError, match=r"polygon 1 has class = 'arable', expected one of field"):
        made(tmp_path, 16, masks="masks/*.geojson", label=label | {"codes": {"field": "arable"}})


def test_polygons_need_a_place(tmp_path: Path):
    write_tiff(tmp_path / "images/a.tif", filled())
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(InputError, match="no georeference"):
        made(tmp_path, masks="masks/*.geojson", label={"kind": "vector"})


def test_cutting_keeps_place_and_every_pixel(tmp_path: Path):
    image = np.arange(10 * 11 * 3, dtype=np.uint16).reshape(10, 11, 3)
    write_tiff(tmp_path / "images/a.tif", image, **PLACE)
    write_png(tmp_path / "masks/a.png", np.eye(10, 11, dtype=np.uint8))
    build(describe(tmp_path), tmp_path / "chips", cut=cut(4, 1))
    store = ChipStore.open(tmp_path / "chips")
    back = np.zeros_like(image)
    for i, row in store.table.iterrows():
        back[row.row : row.row + 4, row.col : row.col + 4] = store.image(int(i))
        a, _, c, _, e, f = map(float, row["transform"].split())
        assert (a, e) == (10, -10)
        assert (c, f) == (500_000 + 10 * row.col, 5_000_000 - 10 * row.row)
    assert (back == image).all()
    assert store.info.pixel_size == 10
    assert store.table.chip_id[1] == "a_r0_c3"


def test_an_image_smaller_than_a_chip_is_refused(tmp_path: Path):
    one_pair(tmp_path)
    with pytest.raises(InputError, match=r"a.tif is 8x8 pixels, smaller than a chip of 9"):
        made(tmp_path, 9)


def test_no_data_leaves_the_mask_and_empty_chips_are_counted(tmp_path: Path):
    image = filled(8)
    image[:4, :4] = 0
    image[5, 5, 1] = 0
    write_tiff(tmp_path / "images/a.tif", image, nodata=0)
    write_png(tmp_path / "masks/a.png", np.ones((8, 8), np.uint8))
    report = build(describe(tmp_path), tmp_path / "chips", cut=cut(4))
    store = ChipStore.open(tmp_path / "chips")
    assert report.dropped == {"no pixel with data": 1}
    assert store.table.valid_fraction.tolist() == [1, 1, 15 / 16]
    assert store.info.nodata == 0
    assert store.mask(2)[1, 1] == 255
    assert store.image(2)[1, 1].tolist() == [0, 0, 0]
    assert (store.mask(2) == 255).sum() == 1


def test_imagery_without_any_data_is_not_blamed_on_the_labels(tmp_path: Path):
    write_tiff(tmp_path / "images/a.tif", np.zeros((8, 8, 3), np.uint16), nodata=0)
    write_png(tmp_path / "masks/a.png", np.ones((8, 8), np.uint8))
    with pytest.raises(InputError, match="no pixel with data: 1 chips"):
        made(tmp_path)


def test_nan_is_no_data(tmp_path: Path):
    image = np.full((8, 8, 3), 0.25, np.float32)
    image[2, 3, 0] = np.nan
    one_pair(tmp_path, image)
    store = made(tmp_path, unit="reflectance")
    assert (store.mask(0) == 255).sum() == 1
    assert np.isnan(store.image(0)[2, 3]).all()
    assert store.table.valid_fraction[0] == 63 / 64


def test_photos(tmp_path: Path):
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    write_png(tmp_path / "images/a.png", rgb)
    write_png(tmp_path / "images/g.png", rgb[..., 0])
    for key in "ag":
        write_png(tmp_path / f"masks/{key}.png", np.eye(8, dtype=np.uint8))
    store = made(tmp_path, images="images/*.png", bands=None, unit="uint8")
    assert store.bands == ("B04", "B03", "B02")
    assert (store.image(0) == rgb).all()
    assert (store.image(1) == rgb[..., :1]).all()
    deep = (rgb.astype(np.uint16) * 257)[..., ::-1]
    cv2.imwrite(str(tmp_path / "images/g.png"), deep)
    with pytest.raises(InputError, match=r"g.png holds uint16, the files before it hold uint8"):
        made(tmp_path, images="images/*.png", bands=None, unit="uint8")
    with pytest.raises(InputError, match="no reflectance"):
        made(tmp_path, images="images/*.png", bands=None, unit="reflectance")


def test_the_fourth_band_is_alpha_only_if_it_is_not_declared(tmp_path: Path):
    image = filled(bands=4, dtype="uint8").copy()
    image[0, 0, 3] = 0
    write_tiff(tmp_path / "images/a.tif", image, photometric="RGB", alpha="yes")
    write_png(tmp_path / "masks/a.png", np.eye(8, dtype=np.uint8))
    store = made(tmp_path, unit="uint8", bands=["B04", "B03", "B02", "B08"])
    assert store.bands[-1] == "B08"
    assert store.image(0)[0, 1].tolist() == [1, 2, 3, 4]
    store = made(tmp_path, unit="uint8", bands=["B04", "B03", "B02"])
    assert store.mask(0)[0, 0] == 255
    assert store.table.valid_fraction[0] == 63 / 64


def test_unlabelled_images_make_an_unlabelled_store(tmp_path: Path):
    one_pair(tmp_path)
    store = made(tmp_path, masks=None, legend=None, label=None)
    assert not store.has_masks
    assert store.info.legend is None


def test_damaged_files_are_refused_or_skipped(tmp_path: Path):
    one_pair(tmp_path)
    for key in "bc":
        write_tiff(tmp_path / f"images/{key}.tif", filled())
        write_png(tmp_path / f"masks/{key}.png", np.eye(8, dtype=np.uint8))
    whole = (tmp_path / "images/b.tif").read_bytes()
    (tmp_path / "images/b.tif").write_bytes(whole[:-100])
    (tmp_path / "masks/c.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"b.tif cannot be read, it is truncated"):
        made(tmp_path)
    report = build(describe(tmp_path), tmp_path / "chips", cut=cut(8), skip=True)
    assert report.chips == 1
    assert "b.tif" in report.skipped[0]
    assert "c.png" in report.skipped[1]


def test_chip_ids_are_unique_and_safe():
    ids = ChipIds()
    assert ids.make("Tile 1/part", 0, 64) == "Tile-1-part_r0_c64"
    assert ids.make("Tile-1-part", 0, 64) == "Tile-1-part~2_r0_c64"
    assert ids.make("../..", 0, 0) == "image_r0_c0"


def test_no_label_at_all_is_refused(tmp_path: Path):
    one_pair(tmp_path, mask=np.full((8, 8), 255, np.uint8))
    with pytest.raises(AgriError, match="not one pixel is labelled"):
        made(tmp_path)
