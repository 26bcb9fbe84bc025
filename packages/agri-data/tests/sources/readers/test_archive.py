"""Archives from outside: nothing leaves the folder, nothing fills the disk."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from agri_core.files.errors import InputError
from agri_data.sources.readers.archive import Caps, extract, members, open_archive, read_member


def make_zip(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_plain_archive_unpacks_whole(tmp_path: Path):
    path = make_zip(tmp_path / "a.zip", **{"x/1.txt": b"one", "x/y/2.txt": b"two"})
    extract(path, tmp_path / "out")
    assert (tmp_path / "out/x/1.txt").read_bytes() == b"one"
    assert (tmp_path / "out/x/y/2.txt").read_bytes() == b"two"


def test_droppings_of_file_managers_are_left_out(tmp_path: Path):
    names = {"a.txt": b"", "__MACOSX/._a.txt": b"", ".DS_Store": b"", "d/.hidden/b": b""}
    with open_archive(make_zip(tmp_path / "a.zip", **names)) as archive:
        assert [info.filename for info in members(archive)] == ["a.txt"]


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/abs.txt", "C:/x", "..\\w.txt"])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path: Path, name: str):
    path = make_zip(tmp_path / "a.zip", **{"ok.txt": b"", name: b"evil"})
    with pytest.raises(InputError, match="outside its folder"):
        extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.txt").exists()


def test_a_symlink_is_refused(tmp_path: Path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="a link or a device"):
        extract(tmp_path / "a.zip", tmp_path / "out")


def test_a_bomb_is_refused_by_ratio_before_anything_is_written(tmp_path: Path):
    path = make_zip(tmp_path / "a.zip", bomb=bytes(20 * 1024 * 1024))
    with pytest.raises(InputError, match="zip bomb"):
        extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_caps_on_member_total_and_count(tmp_path: Path):
    path = make_zip(tmp_path / "a.zip", a=b"x" * 60, b=b"y" * 60)
    with pytest.raises(InputError, match="'a' unpacks to 60 bytes, more than the 50"):
        extract(path, tmp_path / "out", Caps(member=50))
    with pytest.raises(InputError, match="unpacks to 120 bytes, more than the 100"):
        extract(path, tmp_path / "out", Caps(total=100))
    with pytest.raises(InputError, match="holds 2 members, more than the 1"):
        extract(path, tmp_path / "out", Caps(count=1))


def test_a_member_that_occurs_twice_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(InputError, match="occurs twice"):
        extract(tmp_path / "a.zip", tmp_path / "out")


def test_a_truncated_or_damaged_archive_is_named(tmp_path: Path):
    path = make_zip(tmp_path / "a.zip", a=bytes(range(256)) * 20)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged or not a zip"):
        extract(path, tmp_path / "out")
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF
    path.write_bytes(bytes(flipped))
    with pytest.raises(InputError, match="damaged"):
        extract(path, tmp_path / "out2")


def test_what_the_caller_raises_is_not_called_a_damaged_archive(tmp_path: Path):
    path = make_zip(tmp_path / "a.zip", a=b"x")
    for error in (zipfile.BadZipFile("inner.zip"), NotImplementedError("elsewhere")):
        with pytest.raises(type(error), match=str(error)), open_archive(path):
            raise error


def test_a_damaged_or_foreign_member_is_named_wherever_it_is_read(tmp_path: Path):
    path = make_zip(tmp_path / "a.zip", good=b"fine" * 9, bad=bytes(range(256)) * 20)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"bad") + 20] ^= 0xFF
    path.write_bytes(bytes(raw))
    with open_archive(path) as archive:
        assert read_member(archive, "good") == b"fine" * 9
        with pytest.raises(InputError, match=r"a\.zip: member 'bad' is damaged"):
            read_member(archive, "bad")
    with pytest.raises(InputError, match=r"a\.zip: member 'bad' is damaged"):
        extract(path, tmp_path / "out")
    # Method 97 (WavPack) stands in both headers, at 8 after PK34 and 10 after PK12.
    path = make_zip(tmp_path / "b.zip", a=b"x")
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x03\x04") + 8] = raw[raw.index(b"PK\x01\x02") + 10] = 97
    path.write_bytes(bytes(raw))
    with open_archive(path) as archive, pytest.raises(InputError, match="'a' cannot be unpacked"):
        read_member(archive, "a")


def test_a_member_is_unpacked_piece_by_piece(tmp_path: Path):
    data = bytes(range(256)) * 12_000
    path = make_zip(tmp_path / "a.zip", big=data)
    with open_archive(path) as archive:
        assert read_member(archive, "big") == data
    extract(path, tmp_path / "out")
    assert (tmp_path / "out/big").read_bytes() == data
