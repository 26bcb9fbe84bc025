"""The pictures of an annotation file: found by name, and their size read from the header alone.

No path is ever made from a name in the file: names are looked up among what the folder holds.
"""

import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import walk

from agri_annotate.model.project import Problem

MAX_FILES = 1_000_000
MAX_PIXELS = 1_000_000_000
"""Of one picture: a mask takes a byte a pixel."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
WORLD = (".wld", ".pgw", ".pngw", ".jgw", ".jpgw", ".jpegw", ".bpw", ".gfw")
AUXILIARY = ".aux.xml"
"""Endings of files next to a picture that give its georeference."""

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2")
# The EXIF tag.
ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """Content of the header of a picture.

    Attributes:
        height: rows.
        width: columns.
        size_bytes: of the file.
        crs: as rasterio gives it, None where the picture is not georeferenced.
        transform: from (column, row) of a pixel corner to the CRS, None likewise.
        turned: whether a viewer shows it turned or mirrored (its EXIF orientation is not 1).
    """

    height: int
    width: int
    size_bytes: int
    crs: Any = None
    transform: Any = None
    turned: bool = False


@dataclass(slots=True)
class _Index:
    """The files of a folder: paths within it, by name, and by name without case and ending."""

    paths: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    stems: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def find_pictures(
    folder: Path, names: Iterable[str], skip: Path | None = None
) -> tuple[dict[str, Path], list[Problem]]:
    """Return the path of each picture of `names` below `folder`, and why others have none.

    A name finds a file by its whole path below the folder, else by its last part alone. What
    differs in case or extension is reported, not taken; two files of one name are no answer.
    Files below `skip`, an earlier output, are no pictures.

    Raises:
        MissingError: there is no such folder.
        InputError: it holds more than a million files.
    """
    if not folder.is_dir():
        raise MissingError(f"there is no folder of pictures {folder}")
    index = _index(folder, skip)
    found: dict[str, Path] = {}
    problems = []
    for name in dict.fromkeys(names):
        whole = index.paths.get(_same(name)) or index.paths.get(_plain(name))
        matches = [whole] if whole else index.names.get(_last(name), [])
        if len(matches) == 1:
            found[name] = folder / matches[0]
        else:
            problems.append(Problem(name or "(no name)", _why_not(name, folder, matches, index)))
    return found, problems


def count_pictures(folder: Path, skip: Path | None = None) -> int:
    """Count the files below `folder` that have the ending of a picture, but those below `skip`."""
    return sum(name.lower().endswith(ENDINGS) for _, name in _walk(folder, skip))


def header(path: Path) -> Header:
    """Read the header of a picture; no pixel is decoded.

    Raises:
        InputError: it is no picture, or holds more than `MAX_PIXELS` pixels.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"the picture cannot be read: {error.strerror}") from error
    georeference = [path.with_suffix(ending) for ending in WORLD] + [Path(f"{path}{AUXILIARY}")]
    placed = any(other.exists() for other in georeference)
    plain = _by_pillow(path, size)
    if placed or plain is None:
        # GDAL does not report how a viewer rotates the picture.
        result = replace(_by_rasterio(path, size), turned=plain is not None and plain.turned)
    else:
        result = plain
    if result.height * result.width > MAX_PIXELS:
        raise InputError(f"{result.width} x {result.height} pixels are over {MAX_PIXELS:,}")
    return result


def _by_pillow(path: Path, size: int) -> Header | None:
    """Return the header as Pillow reads it, None where rasterio should read it."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                turned = _orientation(image) not in (0, 1)
                return Header(image.height, image.width, size, turned=turned)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _orientation(image: Any) -> int:
    if image.format not in ("JPEG", "MPO", "WEBP"):
        return 0
    try:
        value = image.getexif().get(ORIENTATION, 0)
    except (OSError, ValueError, SyntaxError, KeyError):
        return 0
    return value if isinstance(value, int) and 1 <= value <= 8 else 0


def _by_rasterio(path: Path, size: int) -> Header:
    from agri_core.raster.opening import PICTURES, open_raster

    try:
        with open_raster(path, path.name, PICTURES) as image:
            # rasterio gives the identity where there is no georeference.
            place = None if image.transform.is_identity else image.transform
            crs = image.crs if place and image.crs else None
            return Header(image.height, image.width, size, crs, place)
    except InputError as error:
        raise InputError(f"it is not a picture that can be read: {error}") from error


def _index(folder: Path, skip: Path | None) -> _Index:
    index = _Index()
    for count, (parent, name) in enumerate(_walk(folder, skip)):
        if count >= MAX_FILES:
            raise InputError(f"{folder} holds over {MAX_FILES:,} files; name a smaller folder")
        path = f"{parent}/{name}" if parent else name
        index.paths[_same(path)] = path
        index.names[_same(name)].append(path)
        index.stems[_stem(name)].append(path)
    return index


def _walk(folder: Path, skip: Path | None) -> Iterator[tuple[str, str]]:
    """Yield folder and name of each file below `folder` whose name is Unicode.

    Junk is left out as `skip` is, and so is what an output being written holds: it is hidden.
    """
    for path in walk(folder, skip):
        if _is_text(path):
            place, _, name = path.rpartition("/")
            yield place, name


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _why_not(name: str, folder: Path, matches: list[str], index: _Index) -> str:
    if matches:
        names = ", ".join(repr(match) for match in matches[:3])
        return f"{len(matches)} pictures below {folder.name!r} have this name: {names}; keep one"
    near = index.stems.get(_stem(_last(name)), [])[:3]
    hint = f"; there is {', '.join(map(repr, near))}: give one of both the other's name"
    return f"no such picture below the folder {folder.name!r}{hint if near else ''}"


def _same(text: str) -> str:
    """Texts that look the same are the same: accents may be one character or two."""
    return unicodedata.normalize("NFC", text)


def _plain(name: str) -> str:
    """Return a path or an address with forward slashes and without what leads elsewhere."""
    if name.lower().startswith(("http://", "https://", "file://")):
        name = unquote(name.partition("://")[2].partition("?")[0].partition("#")[0])
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return _same("/".join(part for part in parts if part.strip("/") and part not in (".", "..")))


def _last(name: str) -> str:
    return _plain(name).rpartition("/")[2]


def _stem(name: str) -> str:
    stem, dot, _ = _same(name).rpartition(".")
    return (stem if dot and stem else _same(name)).casefold()
