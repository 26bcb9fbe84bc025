"""Pairing of maps with pictures: by a table, by file name, or by georeference."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import files_in

from agri_annotate.formats.readers.decode import parse_csv, read_text
from agri_annotate.model.pictures import find_pictures, header
from agri_annotate.model.project import Problem
from agri_annotate.vectorise.classmap import SUFFIXES, is_placed

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
ENDING = "_mask"
"""What the name of a map may have more than that of its picture."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture and the file that holds its map."""

    picture: Path
    map: Path


def pair(maps: Path, pictures: Path) -> tuple[list[Pair], list[Problem]]:
    """Pair maps with pictures.

    Args:
        maps: a CSV with the header `image,mask`; a folder of maps, each named as its picture; or
            one map: of the picture of its name, else of all georeferenced pictures.
        pictures: a folder, or the picture of the one map.

    Raises:
        MissingError: one of both is not there.
        InputError: no map belongs to a picture.
    """
    for path in (maps, pictures):
        if not path.exists():
            raise MissingError(f"there is no {path}")
    if pictures.is_file():
        if not maps.is_file() or maps.suffix.lower() == ".csv":
            raise InputError(f"{pictures} is one picture, so one map is needed, not {maps}")
        return [Pair(pictures, maps)], []
    if maps.is_dir():
        found, problems = _by_name(files_in(maps, SUFFIXES), pictures)
    elif maps.suffix.lower() == ".csv":
        found, problems = _by_table(maps, pictures)
    else:
        found, problems = _one(maps, pictures)
    if not found:
        why = f" ({problems[0]})" if problems else ""
        raise InputError(f"no map of {maps} belongs to a picture in {pictures}{why}")
    return found, problems


def by_picture(maps: Path, pairs: Sequence[Pair]) -> Mapping[Path, Path]:
    """Return the file of `maps`, a folder or one file, for each picture or, failing, each map."""
    if not maps.exists():
        raise MissingError(f"there is no {maps}")
    if maps.is_file():
        return {each.picture: maps for each in pairs}
    stems = {path.stem: path for path in reversed(files_in(maps, SUFFIXES))}
    found = {
        each.picture: stems.get(each.picture.stem) or stems.get(each.map.stem) for each in pairs
    }
    return {picture: path for picture, path in found.items() if path is not None}


def _by_name(maps: Sequence[Path], folder: Path) -> tuple[list[Pair], list[Problem]]:
    stems: dict[str, list[Path]] = defaultdict(list)
    for path in files_in(folder, PICTURES):
        stems[path.stem].append(path)
    found: dict[Path, Pair] = {}
    problems = []
    for path in maps:
        same = stems.get(path.stem) or stems.get(path.stem.removesuffix(ENDING)) or []
        others = [other for other in same if other.resolve() != path.resolve()]
        taken = found.get(others[0]) if len(others) == 1 else None
        if len(others) == 1 and taken is None:
            found[others[0]] = Pair(others[0], path)
        elif others or not same:
            problems.append(Problem(path.name, _why_not(path, others, taken, folder)))
    paired = {each.map.resolve() for each in found.values()} | {path.resolve() for path in maps}
    problems += [
        Problem(path.name, "no map has its name, so it is left out", "note")
        for path in files_in(folder, PICTURES)
        if path not in found and path.resolve() not in paired
    ]
    return list(found.values()), problems


def _why_not(path: Path, others: Sequence[Path], taken: Pair | None, folder: Path) -> str:
    if taken is not None:
        return f"{taken.map.name} is a map of {taken.picture.name} already; keep one of both"
    if others:
        names = ", ".join(other.name for other in others[:3])
        return f"{len(others)} pictures have its name: {names}; pair them in a CSV image,mask"
    return f"no picture in {folder.name} is called {path.stem}"


def _by_table(table: Path, folder: Path) -> tuple[list[Pair], list[Problem]]:
    rows = [row for _, row in parse_csv(read_text(table)) if any(row)]
    head = [cell.strip() for cell in rows[0]] if rows else []
    if not {"image", "mask"} <= set(head) or len(rows) < 2:
        raise InputError(f"{table} must have the header image,mask and a row for each picture")
    first, second = head.index("image"), head.index("mask")
    long = [row + [""] * len(head) for row in rows[1:]]
    named = [(row[first], row[second]) for row in long]
    pictures, problems = find_pictures(folder, [image for image, _ in named])
    maps, missing = find_pictures(table.parent, [mask for _, mask in named])
    found: dict[Path, Pair] = {}
    for image, mask in named:
        if image not in pictures or mask not in maps:
            continue
        if pictures[image] in found:
            problems.append(Problem(image, f"{table.name} has it twice; the first row counts"))
            continue
        found[pictures[image]] = Pair(pictures[image], maps[mask])
    return list(found.values()), problems + missing


def _one(path: Path, folder: Path) -> tuple[list[Pair], list[Problem]]:
    """Pair one map with the picture of its name, else with every georeferenced picture."""
    files = [file for file in files_in(folder, PICTURES) if file.resolve() != path.resolve()]
    same = [file for file in files if file.stem in (path.stem, path.stem.removesuffix(ENDING))]
    if same:
        return _by_name([path], folder)[0], []
    if not is_placed(header(path)):
        raise InputError(
            f"no picture in {folder} is called {path.stem}, and {path.name} has no georeference by "
            "which to find its pictures"
        )
    found, problems = [], []
    for file in files:
        try:
            placed = is_placed(header(file))
        except InputError as error:
            problems.append(Problem(file.name, str(error)))
            continue
        if placed:
            found.append(Pair(file, path))
        else:
            problems.append(Problem(file.name, "no georeference, so its map is unknown", "note"))
    return found, problems
