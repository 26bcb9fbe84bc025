"""Reading of untrusted zip archives: no path leaves the folder, no archive fills the disk."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agri_core.files.errors import InputError
from agri_core.files.junk import is_junk

from agri_data.sources.description.inside import leads_out

GIGABYTE = 1024**3
# Bytes at a time, so that no member is in memory whole.
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits on the unpacked size of an archive and of its members.

    `ratio` (unpacked to packed bytes) holds for members of more than `small` bytes: imagery
    packs 1 to 20 times, a bomb a thousand times.
    """

    member: int = 8 * GIGABYTE
    total: int = 256 * GIGABYTE
    count: int = 2_000_000
    ratio: int = 200
    small: int = 16 * 1024 * 1024


CAPS = Caps()


@contextmanager
def open_archive(path: Path, caps: Caps = CAPS) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive after checking every member against `caps`.

    Raises:
        InputError: it is not a zip, or a member is unsafe; nothing was unpacked.
    """
    with _open(path) as archive:
        _check(archive, path, caps)
        yield archive


def members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, without folders and junk (`agri_core.files.junk`)."""
    return [info for info in archive.infolist() if not info.is_dir() and not is_junk(info.filename)]


def extract(path: Path, folder: Path, caps: Caps = CAPS) -> None:
    """Unpack an archive inside `folder`, counting the bytes that are actually unpacked.

    Raises:
        InputError: a member is unsafe, damaged, or larger than it declared.
    """
    with open_archive(path, caps) as archive:
        for info in members(archive):
            target = folder / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as sink:
                sink.writelines(pieces(archive, info.filename))
            if target.stat().st_size != info.file_size:
                raise InputError(f"{path}: member {info.filename!r} is not of its declared size")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the unpacked content of a member; for small members, which `Caps` can enforce.

    Raises:
        InputError: the member is damaged.
    """
    return b"".join(pieces(archive, name))


def pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the unpacked content of a member, a megabyte at a time.

    Raises:
        InputError: the member is damaged, or packed in a way this Python cannot read.
    """
    with _told(archive, name):
        stream = archive.open(name)
    with stream:
        while True:
            with _told(archive, name):
                piece = stream.read(_CHUNK)
            if not piece:
                return
            yield piece


def _open(path: Path) -> zipfile.ZipFile:
    # NotImplementedError: zipfile's own, for an archive of a version it does not know.
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(
            f"{path} is damaged or not a zip archive ({error}); get it again"
        ) from error


@contextmanager
def _told(archive: zipfile.ZipFile, name: str) -> Iterator[None]:
    """Convert errors of `zipfile` to `InputError` that names archive and member.

    NotImplementedError is what it raises for a way of packing that it cannot undo.
    """
    try:
        yield
    except NotImplementedError as error:
        raise InputError(
            f"{archive.filename}: member {name!r} cannot be unpacked ({error}); unpack the archive "
            "yourself and name the folder"
        ) from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise InputError(
            f"{archive.filename}: member {name!r} is damaged ({error}); get it again"
        ) from error


def _check(archive: zipfile.ZipFile, path: Path, caps: Caps) -> None:
    infos = archive.infolist()
    if len(infos) > caps.count:
        raise InputError(f"{path} holds {len(infos)} members, more than the {caps.count} allowed")
    total, seen = 0, set()
    for info in infos:
        where = f"{path}: member {info.filename[:200]!r}"
        _check_name(info, where)
        _check_size(info, where, caps)
        total += info.file_size
        if info.filename in seen:
            raise InputError(f"{where} occurs twice; make the archive again")
        seen.add(info.filename)
    if total > caps.total:
        raise InputError(f"{path} unpacks to {total} bytes, more than the {caps.total} allowed")


def _check_name(info: zipfile.ZipInfo, where: str) -> None:
    if leads_out(info.filename):
        raise InputError(f"{where} would be unpacked outside its folder; this archive is not safe")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(f"{where} is a link or a device, not a file; this archive is not safe")
    if info.flag_bits & 0x1:
        raise InputError(f"{where} is encrypted; unpack the archive yourself and name the folder")


def _check_size(info: zipfile.ZipInfo, where: str, caps: Caps) -> None:
    if info.file_size > caps.member:
        raise InputError(
            f"{where} unpacks to {info.file_size} bytes, more than the {caps.member} allowed; "
            "unpack the archive yourself if you trust it and name the folder"
        )
    if info.file_size > caps.small and info.file_size > caps.ratio * max(info.compress_size, 1):
        raise InputError(
            f"{where} unpacks to more than {caps.ratio} times its size, as a zip bomb does; "
            "unpack the archive yourself if you trust it and name the folder"
        )
