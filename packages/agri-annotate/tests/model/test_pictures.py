"""Pictures are found by name and never outside their folder; their headers are read alone."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from agri_annotate.masks.maskfile import mask_names
from agri_annotate.model.pictures import count_pictures, find_pictures, header
from agri_core.files.errors import InputError, MissingError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    names = ["a.png", "sub/b.png", "x/c.png", "y/c.png", "d.JPG", "Ünï “q”.png", "no", 'e"\n.png']
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (tmp_path / "secret.png").touch()
    return root


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a.png", "a.png"),
        ("b.png", "sub/b.png"),
        ("x/c.png", "x/c.png"),
        ("x\\c.png", "x/c.png"),
        ("C:\\maps\\a.png", "a.png"),
        ("/etc/a.png", "a.png"),
        ("../../a.png", "a.png"),
        ("https://host/of/a.png?size=1", "a.png"),
        ("file:///U%CC%88ni%CC%88%20%E2%80%9Cq%E2%80%9D.png", "Ünï “q”.png"),
        ("no", "no"),
        ('e"\n.png', 'e"\n.png'),
    ],
)
def test_found_by_name(folder: Path, name: str, place: str) -> None:
    found, problems = find_pictures(folder, [name])
    assert found == {name: folder / place} and not problems


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("c.png", "2 pictures"),
        ("d.jpg", "'d.JPG'"),
        ("d.jpeg", "'d.JPG'"),
        ("A.PNG", "'a.png'"),
        ("../secret.png", "no such picture"),
        ("", "no such picture"),
        ("..", "no such picture"),
        ("a.png\0", "no such picture"),
        ("\ud800.png", "no such picture"),
    ],
)
def test_not_guessed(folder: Path, name: str, said: str) -> None:
    found, (problem,) = find_pictures(folder, [name])
    assert not found and said in problem.what and problem.severity == "lost"


def test_an_earlier_output_in_the_folder_holds_no_pictures(folder: Path) -> None:
    (folder / "x" / "b.png").touch()
    assert not find_pictures(folder, ["b.png"])[0]
    assert find_pictures(folder, ["b.png"], skip=folder / "x")[0]
    assert (count_pictures(folder), count_pictures(folder, folder / "x")) == (8, 6)
    with pytest.raises(MissingError):
        find_pictures(folder / "none", [])


@given(st.text(max_size=30))
def test_no_name_leads_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "leads"
    (root / "in").mkdir(parents=True, exist_ok=True)
    (root / "in" / "a").touch()
    found, problems = find_pictures(root / "in", [name, f"../{name}", f"in/{name}", f"/{name}"])
    assert all(path.parent == root / "in" for path in found.values())
    assert len(found) + len(problems) == len({name, f"../{name}", f"in/{name}", f"/{name}"})


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tif"])
def test_header_says_the_size(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    Image.new("RGB", (7, 5)).save(path)
    read = header(path)
    assert (read.height, read.width, read.crs, read.turned) == (5, 7, None, False)
    assert read.size_bytes == path.stat().st_size


def test_header_of_a_georeferenced_picture(tmp_path: Path) -> None:
    place = Affine(10, 0, 300000, 0, -10, 5000000)
    stated = {"driver": "GTiff", "count": 1, "dtype": "uint8", "height": 4, "width": 6}
    with rasterio.open(tmp_path / "a.tif", "w", crs=32632, transform=place, **stated) as file:
        file.write(np.zeros((1, 4, 6), np.uint8))
    read = header(tmp_path / "a.tif")
    assert read.crs == rasterio.crs.CRS.from_epsg(32632) and read.transform == place


def test_a_world_file_gives_a_place(tmp_path: Path) -> None:
    Image.new("RGB", (7, 5)).save(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text("10\n0\n0\n-10\n300005\n4999995\n")
    assert header(tmp_path / "a.png").transform == Affine(10, 0, 300000, 0, -10, 5000000)


def test_a_turned_picture_is_noticed(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (7, 5)).save(tmp_path / "a.jpg", exif=exif)
    assert header(tmp_path / "a.jpg").turned


def test_no_pixel_is_decoded(tmp_path: Path) -> None:
    Image.new("RGB", (7, 5)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: whole.index(b"IDAT") + 6])
    assert header(tmp_path / "cut.png").width == 7


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"]
)
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a picture"):
        header(path)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    data = struct.pack(">2I5B", 100_000, 100_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + data
    body = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body + b"\0\0\0\0IDAT\x35\xaf\x06\x1e")
    with pytest.raises(InputError, match=r"100000 x 100000|not a picture"):
        header(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("pictures", "masks"),
    [
        (["a.jpeg", "b"], ["a.png", "b.png"]),
        (["a.png", "a.jpg", "b.png"], ["a.png.png", "a.jpg.png", "b.png"]),
        (["a.png", "A.png"], ["a.png.png", "A.png-2.png"]),
        (["a.png", "a.jpg", "a.png.tif"], ["a.png.png", "a.jpg.png", "a.png-2.png"]),
        (['q"\n<|>.png', "con.png", ".png", "..."], ["q_____.png", "_con.png", "png.png", "_.png"]),
    ],
)
def test_names_of_masks(pictures: list[str], masks: list[str]) -> None:
    assert mask_names(pictures, "png") == masks


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=200), max_size=8))
def test_names_of_masks_are_safe_and_different(pictures: list[str]) -> None:
    made = mask_names(pictures, "png")
    assert len({name.casefold() for name in made}) == len(pictures)
    for name in made:
        assert Path(name).name == name and name.endswith(".png") and "\n" not in name
        assert len(name.encode()) <= 130


def test_a_turned_picture_with_a_world_file_is_noticed_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (7, 5)).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "a.jgw").write_text("10\n0\n0\n-10\n300005\n4999995\n")
    read = header(tmp_path / "a.jpg")
    assert read.turned and read.transform == Affine(10, 0, 300000, 0, -10, 5000000)


def test_what_a_killed_run_left_holds_no_pictures(folder: Path) -> None:
    left = folder / ".partial-out-x" / "new" / "masks"
    left.mkdir(parents=True)
    (left / "b.png").touch()
    assert find_pictures(folder, ["b.png"]) == ({"b.png": folder / "sub" / "b.png"}, [])
    assert count_pictures(folder) == 7
