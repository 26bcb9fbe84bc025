"""The report counts truthfully, opens offline and trusts no name."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import rasterio
from agri_annotate.model.project import Problem
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect
from agri_annotate.report.page import ROWS, write_report
from agri_annotate.report.report import PictureReport, RegionReport, Report, to_json
from agri_annotate.report.thumbnail import thumbnail
from agri_core.legend import Legend
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

LEGEND = Legend.of(["background", "soil", "crop"])
SHAPES = (
    Rect(20, 20, 100, 70),
    Circle(220, 70, 35),
    Ellipse(400, 80, 70, 40, 0.524),
    Polygon(((40, 200), (160, 190), (180, 300), (60, 320))),
    Polyline(((220, 200), (300, 240), (380, 200))),
    Point(420, 260),
    Circle(600, 440, 46),
)


class Page(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def field(tmp_path):
    path = tmp_path / "pictures" / "field.png"
    path.parent.mkdir()
    Image.fromarray(np.full((480, 640, 3), 90, np.uint8)).save(path)
    return path


@pytest.fixture
def report(field):
    fates = ("drawn", "drawn", "drawn", "drawn", "lost", "lost", "clipped")
    codes = (1, 2, 2, 2, 2, None, 2)
    regions = tuple(
        RegionReport(number, shape, code, fate)
        for number, (shape, code, fate) in enumerate(zip(SHAPES, codes, fates, strict=True), 1)
    )
    pictures = (
        PictureReport("empty.png", field, (480, 640), (), "empty.png"),
        PictureReport("field.png", field, (480, 640), regions, "field.png"),
        PictureReport("gone.png"),
    )
    problems = (
        Problem("empty.png", "no regions", "note"),
        Problem("field.png region 5", "a polyline needs --line"),
        Problem("field.png region 6", f"no class in {field.parent}/field.png"),
        Problem("field.png region 7", "cut at the border", "changed"),
        Problem("field.png region 8", "a polygon of two points"),
        Problem("gone.png", "no such picture"),
    )
    pixels = {0: 300_000, 1: 7000, 2: 200}
    return Report("fields.json", LEGEND, pictures, 3, 1, pixels, problems)


def written(report, out, **options):
    write_report(report, out, **options)
    return json.loads((out / "report.json").read_text()), (out / "report.html").read_text()


def test_the_counts(report):
    content = to_json(report)
    assert content["files_on_disk"] == 3
    assert content["pictures"] == {
        "in_file": 3, "found": 2, "missing": 1, "without_regions": 2, "masks": 2,
    }  # fmt: skip
    # 7 regions have a shape, 1 could not be read; 2 of the 7 are lost, 1 is cut but drawn.
    assert content["regions"] == {"in_file": 8, "read": 7, "drawn": 5, "clipped": 1, "lost": 3}
    by_name = {item["name"]: item for item in content["classes"]}
    crop = by_name["crop"]
    assert (crop["read"], crop["drawn"], crop["clipped"], crop["lost"]) == (5, 4, 1, 1)
    assert (by_name["no class"]["read"], by_name["no class"]["pixels"]) == (1, 0)
    assert by_name["soil"]["pixels"] == 7000
    assert content["complete"] is False
    assert len(content["problems"]) == 6


def test_drawn_and_lost_add_up(report):
    regions = to_json(report)["regions"]
    assert regions["drawn"] + regions["lost"] == regions["in_file"]


def test_nothing_lost_is_complete(field):
    picture = PictureReport("a.png", field, (480, 640), (RegionReport(1, SHAPES[0], 1),), "a.png")
    note = Problem("a.png", "good to know", "note")
    assert to_json(Report("a", LEGEND, (picture,), 1, problems=(note,)))["complete"] is True
    lost = Problem("b.png", "no such picture")
    assert to_json(Report("a", LEGEND, (picture,), 1, problems=(lost,)))["complete"] is False


def test_a_second_run_is_equal_and_says_no_path(report, tmp_path):
    first = tmp_path / "one"
    second = tmp_path / "two" / "deep"
    write_report(report, first)
    write_report(report, second)
    for name in ("report.json", "report.html"):
        content = (first / name).read_bytes()
        assert content == (second / name).read_bytes()
        assert str(tmp_path).encode() not in content
    assert sorted(p.name for p in first.glob("[!.]*")) == ["report.html", "report.json"]


def test_the_page_shows_every_outline(report, tmp_path):
    _, html = written(report, tmp_path / "out")
    page = Page(html)
    svg = page.all("svg")
    assert [s["viewbox"] for s in svg] == ["0 0 640 480", "0 0 640 480"]
    assert {"x": "20", "y": "20", "width": "100", "height": "70"} in page.all("rect")
    # 0.524 radians are 30.02 degrees
    turned = [e["transform"] for e in page.all("ellipse")]
    assert turned == ["rotate(30.02299 400 80)"]
    assert {"d": "M40 200L160 190L180 300L60 320L40 200z"} in page.all("path")
    colours = [use.get("stroke") for use in page.all("use") if "stroke" in use]
    crop, soil = LEGEND.classes[2].colour, LEGEND.classes[1].colour
    assert colours == [soil, crop, crop, crop, crop, "#d4351c", crop]
    assert sum("lost" in use.get("class", "") for use in page.all("use")) == 4
    assert re.findall(r"<text [^>]*>(\d+)</text>", html) == ["1", "2", "3", "4", "5", "6", "7"]


def test_pictures_with_something_missing_come_first(report, tmp_path):
    _, html = written(report, tmp_path / "out")
    assert re.findall(r"<figcaption><b>([^<]*)</b>", html) == ["field.png", "gone.png", "empty.png"]
    _, html = written(report, tmp_path / "out", thumbnails=1)
    assert re.findall(r"<figcaption><b>([^<]*)</b>", html) == ["field.png"]
    assert "1 of 3 pictures are shown" in html
    assert "the other 2 are listed" in html


def test_the_page_needs_no_network_and_no_script(report, tmp_path):
    _, html = written(report, tmp_path / "out")
    page = Page(html)
    assert page.all("script") == page.all("link") == page.all("iframe") == []
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.all("img"))
    assert all(use["href"].startswith("#") for use in page.all("use"))
    policy = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy == [
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        "style-src 'unsafe-inline'"
    ]
    assert "http://" not in html
    assert "https://" not in html


NASTY = '"><script>alert(1)</script><img src=x onerror=alert(1)>\n\u202egnp.\ud800 $style'


def test_names_are_text_only(field, tmp_path):
    legend = Legend.of(["background", NASTY])
    region = RegionReport(1, SHAPES[0], 1, "lost")
    picture = PictureReport(NASTY, field, (480, 640), (region,), NASTY)
    problem = Problem(f"{NASTY} region 1", NASTY)
    content, html = written(
        Report(NASTY, legend, (picture,), 1, problems=(problem,)), tmp_path / "out"
    )
    page = Page(html)
    assert page.all("script") == []
    assert len(page.all("img")) == 1
    assert "onerror" not in page.all("img")[0]
    assert "\u202e" not in html
    assert "\u202e" not in json.dumps(content, ensure_ascii=False)
    assert content["listing"][0]["problems"] == 1


@given(st.text(), st.text())
def test_no_text_breaks_the_page(tmp_path_factory, name, what):
    out = tmp_path_factory.mktemp("page")
    picture = PictureReport(name, None, None, ())
    report = Report(what, LEGEND, (picture,), problems=(Problem(name, what),))
    _, html = written(report, out)
    tags = [tag for tag, _ in Page(html).tags]
    plain = Report("a", LEGEND, (PictureReport("a"),), problems=(Problem("a", "b"),))
    _, expected = written(plain, out)
    assert tags == [tag for tag, _ in Page(expected).tags]


def test_many_problems_are_counted_not_hidden(tmp_path):
    problems = tuple(Problem("a.png", f"n{n}", "note") for n in range(ROWS + 7))
    last = Problem("b.png", "the only thing lost")
    content, html = written(Report("a", LEGEND, (), problems=(*problems, last)), tmp_path / "out")
    assert "8 more in report.json" in html
    assert html.count("<tr class=") == ROWS
    assert "the only thing lost" in html
    assert len(content["problems"]) == ROWS + 8


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_thumbnails_are_small_and_true(tmp_path):
    # Left half red, right half blue, 1600 x 800
    data = np.zeros((800, 1600, 3), np.uint8)
    data[:, :800, 0] = data[:, 800:, 2] = 250
    Image.fromarray(data).save(tmp_path / "a.jpg", quality=95)
    image = decoded(thumbnail(tmp_path / "a.jpg"))
    assert image.size == (320, 160)
    left, right = image.getpixel((40, 80)), image.getpixel((280, 80))
    assert left[0] > 230 > 20 > left[2]
    assert right[2] > 230 > 20 > right[0]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16", "CMYK"])
def test_every_mode_of_picture_has_a_thumbnail(tmp_path, mode):
    base = Image.fromarray(np.arange(100 * 200, dtype=np.uint8).reshape(100, 200))
    image = base.convert("I").convert("I;16") if mode == "I;16" else base.convert(mode)
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    image.save(path)
    assert decoded(thumbnail(path)).size == (200, 100)


def test_many_bands_of_reflectance_have_a_thumbnail(tmp_path):
    path = tmp_path / "scene.tif"
    data = np.random.default_rng(0).integers(0, 4000, (6, 400, 800)).astype(np.uint16)
    with rasterio.open(
        path, "w", driver="GTiff", height=400, width=800, count=6, dtype="uint16", nodata=0
    ) as sink:
        sink.write(data)
    image = decoded(thumbnail(path))
    assert image.size == (320, 160)
    assert np.asarray(image).std() > 20


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"II*\0" + b"9" * 40]
)
def test_what_is_no_picture_has_no_thumbnail(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert thumbnail(path) is None


def test_a_cut_picture_has_no_thumbnail_and_the_page_is_written(field, tmp_path):
    cut = tmp_path / "cut.png"
    cut.write_bytes(field.read_bytes()[:-40])
    picture = PictureReport("cut.png", cut, (480, 640), (RegionReport(1, SHAPES[0], 1),))
    _, html = written(Report("a", LEGEND, (picture,)), tmp_path / "out")
    assert "cannot be shown" in html
    assert len(Page(html).all("rect")) == 1
