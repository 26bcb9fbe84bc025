"""Pairing of images with masks by key, never by the order of a listing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import natural
from agri_core.files.junk import is_junk

from agri_data.sources.description.inside import check_inside, resolve_cell

IMAGES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2")
LABELS = (*IMAGES, ".geojson", ".json", ".gpkg", ".shp")
LISTED = 8

_WILD = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]")
# The wildcards as regular expressions; `**/` also matches no folder at all.
_GROUPS = {"**/": r"(?:(.*)/)?", "**": r"(.*)", "*": r"([^/]*)", "?": r"([^/])"}


@dataclass(frozen=True, slots=True)
class Pair:
    """An image, its label file (None where labels need none), and their key."""

    key: str
    image: Path
    mask: Path | None


def find_keyed(root: Path, pattern: str, suffix: str = "") -> dict[str, Path]:
    """Return the files that match `pattern` below `root` by key.

    The key is the text the wildcards match, without the file's ending: `Tile */images/*.jpg`
    gives "1/part_002". A folder stands for all image files in it, at any depth.

    Args:
        root: a folder.
        pattern: with `*`, `?`, `[...]`, and `**` for folders at any depth.
        suffix: stripped from the end of keys, such as "_mask".

    Raises:
        MissingError: nothing matches.
        InputError: two files have one key, or the pattern leads out of `root`.
    """
    base, rest = _anchor(root, check_inside(pattern, "a file pattern"))
    whole = not rest
    rest = rest or "**/*"
    expression = _compiled(rest)
    found: dict[str, Path] = {}
    for path in sorted(_matches(base, rest)):
        name = path.relative_to(base).as_posix()
        if is_junk(name) or (whole and path.suffix.lower() not in LABELS):
            continue
        key = key_of(name, expression, suffix)
        if key in found:
            raise InputError(
                f"two files have the key {key!r}: {found[key]} and {path}; make the pattern "
                f"{pattern!r} tell them apart, for example with a wildcard for their folder"
            )
        found[key] = path
    if not found:
        raise MissingError(f"no file matches {pattern!r} in {root}{_sight(base)}")
    return found


def key_expression(pattern: str) -> str:
    """Return a regular expression whose groups capture what the wildcards of `pattern` match.

    Example:
        >>> key_expression("images/*_rgb.png")
        'images/([^/]*)_rgb'
    """
    head, _, last = pattern.rpartition("/")
    stem = last.rpartition(".")[0] or last
    text, end, out = f"{head}/{stem}" if head else stem, 0, []
    for match in _WILD.finditer(text):
        wild = match.group()
        out.append(re.escape(text[end : match.start()]))
        out.append(_GROUPS.get(wild) or f"({wild.replace('[!', '[^')})")
        end = match.end()
    return "".join([*out, re.escape(text[end:])])


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(key_expression(pattern))
    except re.error as error:
        raise InputError(
            f"{pattern!r} is not a file pattern ({error}); ranges in brackets run upwards, as in "
            "[a-z]"
        ) from error


def key_of(name: str, expression: re.Pattern[str], suffix: str = "") -> str:
    """Return the key of a file path: its captured parts, or its stem without any wildcard."""
    path = PurePosixPath(name)
    match = expression.fullmatch(path.with_suffix("").as_posix())
    parts = [part for part in match.groups() if part] if match else []
    key = "/".join(parts) or path.stem
    return key.removesuffix(suffix) if suffix else key


def pair_up(images: Mapping[str, Path], masks: Mapping[str, Path]) -> tuple[list[Pair], list[str]]:
    """Return the pairs in key order, and a message per file without a partner."""
    pairs = [Pair(key, images[key], masks[key]) for key in natural(images) if key in masks]
    lonely = [f"{images[key]} has no mask" for key in natural(images) if key not in masks]
    lonely += [f"{masks[key]} has no image" for key in natural(masks) if key not in images]
    return pairs, lonely


def read_table(path: Path, masks: bool, root: Path) -> list[Pair]:
    """Read a CSV with the header `image,mask` (or `image`), paths relative to the file.

    Args:
        path: the table, somewhere in `root`.
        masks: whether it has the column `mask`.
        root: the folder that all paths must stay in.

    Raises:
        MissingError: the table, or a file it names, is not there; the message gives the row.
        InputError: the header is another one, a row is incomplete or repeated, or a path leads
            out of `root`.
    """
    if not path.is_file():
        raise MissingError(f"there is no table {path}")
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV table in UTF-8 ({error})") from error
    header = ["image", "mask"] if masks else ["image"]
    if not rows or [cell.strip() for cell in rows[0]] != header:
        got = ",".join(rows[0])[:80] if rows else "nothing"
        raise InputError(f"{path}: the header must be '{','.join(header)}', got '{got}'")
    pairs: dict[str, Pair] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        pair = _table_pair(path, row, len(header), root, f"{path} row {number}")
        if pair.key in pairs:
            raise InputError(f"{path} row {number}: {row[0]} has the key of an earlier row")
        pairs[pair.key] = pair
    if not pairs:
        raise InputError(f"{path} lists no images")
    return list(pairs.values())


def listing(lines: Iterable[str]) -> str:
    """Return the first few lines as one text, and how many more there are."""
    items = list(lines)
    more = f"; and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return "; ".join(items[:LISTED]) + more


def _table_pair(table: Path, row: list[str], columns: int, root: Path, where: str) -> Pair:
    cells = [cell.strip() for cell in row]
    if len(cells) != columns or not all(cells):
        raise InputError(f"{where} needs {columns} filled columns, got {','.join(row)[:80]!r}")
    paths = [resolve_cell(table, cell, root, where) for cell in cells]
    for path in paths:
        if not path.is_file():
            raise MissingError(f"{where}: there is no file {path}")
    key = PurePosixPath(cells[0]).with_suffix("").as_posix()
    return Pair(key, paths[0], paths[1] if columns > 1 else None)


def _anchor(root: Path, pattern: str) -> tuple[Path, str]:
    """Split a pattern into its folder without wildcards and the rest ("" for a whole folder)."""
    if not root.is_dir():
        raise MissingError(f"there is no folder {root}")
    if not pattern.strip():
        raise InputError(f"a pattern such as 'images/*.tif' is expected, got {pattern!r}")
    parts = PurePosixPath(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if _WILD.search(part)), len(parts))
    if fixed == len(parts):
        if (root / pattern).is_dir():
            return root / pattern, ""
        fixed -= 1
    return root.joinpath(*parts[:fixed]), "/".join(parts[fixed:])


def _matches(base: Path, pattern: str) -> list[Path]:
    try:
        return [path for path in base.glob(pattern) if path.is_file()]
    except (ValueError, re.error) as error:
        raise InputError(f"{pattern!r} is not a file pattern ({error})") from error


def _sight(base: Path) -> str:
    if not base.is_dir():
        return f"; there is no folder {base}"
    names = sorted(path.name for path in base.iterdir() if not is_junk(path.name))
    return f"; {base} holds {', '.join(names[:LISTED]) or 'nothing'}"
