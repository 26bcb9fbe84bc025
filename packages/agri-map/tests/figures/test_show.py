"""Pictures: right colours in the right places, legend with hectares, and what is refused."""

import matplotlib.image
import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_map.figures.page import draw_page, layout
from agri_map.figures.show import Request, make_page
from rasterio.transform import Affine, from_origin

COS = 3**0.5 / 2
"""Of 30 degrees."""


@pytest.fixture
def codes():
    codes = np.zeros((60, 80), np.uint8)
    codes[:, 40:] = 1
    codes[:10, :10] = 255
    return codes


def texts(page):
    figure = layout(page)
    found = list(figure.texts)
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title, axes._right_title]
        for child in axes.child_axes:
            found += child.texts
    return [item.get_text() for item in found if item.get_text()]


def test_map_only(write_map, codes, tmp_path):
    page = make_page(Request(map=write_map(codes)))
    assert [panel.title for panel in page.panels] == ["map"]
    image = page.panels[0].image
    assert image.shape == (60, 80, 3)
    assert image[30, 10].tolist() == [0xC8] * 3 and image[30, 60].tolist() == [0xE8, 0xC5, 0x47]
    assert image[5, 5].tolist() == [0xE6] * 3
    shown = texts(page)
    # 60 * 80 = 4800 pixels of 0.01 ha; 100 without data; 2300 other, 2400 arable.
    assert {"23.00 ha", "24.00 ha", "1.00 ha", "48.00 ha", "51.1 %", "N", "200 m"} <= set(shown)
    assert any("EPSG:3035" in text and "not an area estimate" in text for text in shown)
    draw_page(page, tmp_path / "map.png")
    assert matplotlib.image.imread(tmp_path / "map.png").shape[1] > 800


def test_all_panels(save_model, write_map, write_scene, smooth, codes, tmp_path, legend):
    from agri_map.inference.engine import open_engine
    from agri_map.mapping import Options, Outputs, map_scene
    from agri_map.scene.scene import open_scene

    scene = write_scene(smooth(60, 80))
    outputs = Outputs(tmp_path / "m.tif", confidence=tmp_path / "c.tif")
    model = save_model("conv")
    with open_scene(scene, open_engine(model).spec.bands) as source:
        map_scene(source, model, outputs, Options(threads=1))
    truth = write_map(codes, "truth.tif")
    page = make_page(
        Request(map=outputs.map, scene=scene, confidence=outputs.confidence, truth=truth)
    )
    titles = [panel.title for panel in page.panels]
    assert titles == ["true colour (B04 B03 B02)", "map", "truth", "errors", "confidence"]
    errors = page.panels[3].image
    wrong = (errors == [0xD7, 0x19, 0x1C]).all(-1)
    shown = page.panels[1].image
    expected = (shown != page.panels[2].image).any(-1) & (codes != 255)
    assert np.array_equal(wrong, expected) and wrong.any()
    assert "baseline" in texts(page)
    draw_page(page, tmp_path / "all.png")


def test_large_maps_are_thinned(write_map):
    page = make_page(Request(map=write_map(np.zeros((100, 3000), np.uint8))))
    assert page.panels[0].image.shape == (47, 1400, 3)
    assert page.metres == pytest.approx(10 * 3000 / 1400)


@pytest.mark.parametrize(
    ("transform", "north"),
    [(from_origin(0, 0, 10, 10), 0), (Affine(0, 10, 0, 10, 0, 0), 90),
     (Affine(10 * COS, 5, 0, 5, -10 * COS, 0), 30), (Affine.scale(10, 10), 180)],
)  # fmt: skip
def test_north(write_map, codes, transform, north):
    """North is where the northing grows fastest on the page."""
    page = make_page(Request(map=write_map(codes, transform=transform)))
    a, b, _, d, e, _ = transform[:6]
    column, row = np.sin(np.radians(page.north)), -np.cos(np.radians(page.north))
    assert a * column + b * row == pytest.approx(0, abs=1e-9)
    assert d * column + e * row > 0
    assert abs(page.north) == pytest.approx(north) or north in (90, 180)


def test_degrees(write_map, codes):
    path = write_map(codes, crs="EPSG:4326", transform=from_origin(15, 60, 0.0001, 0.0001))
    page = make_page(Request(map=path))
    # At 60 degrees north a degree of longitude is half as long as one of latitude.
    assert page.aspect == pytest.approx(2, rel=0.01)
    assert page.metres == pytest.approx(5.57, rel=0.01)


def test_without_crs(write_map, codes):
    page = make_page(Request(map=write_map(codes, crs=None, transform=Affine.identity())))
    assert page.metres is None and page.north is None
    shown = texts(page)
    assert "2,300 px" in shown and not any("ha" in text.split() for text in shown)


def test_scene_elsewhere(write_map, write_scene, smooth, codes):
    scene = write_scene(smooth(60, 80), transform=from_origin(0, 0, 10, 10))
    with pytest.raises(InputError, match="not on the grid of the map"):
        make_page(Request(map=write_map(codes), scene=scene))
