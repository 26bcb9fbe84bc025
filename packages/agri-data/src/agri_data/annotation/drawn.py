"""The description of annotated pieces: their images, and the masks of the annotation."""

from __future__ import annotations

import io
import os
from pathlib import Path

from agri_core.files.atomic import write_text
from agri_core.files.csvfile import csv_text, read_rows
from agri_core.files.errors import InputError, MissingError
from agri_core.files.records import parse_json
from agri_core.legend import Legend

from agri_data.annotation.imageryfile import ImageryFile
from agri_data.annotation.pieces import CLASSES, IMAGERY, IMAGES


def describe_drawn(selected: Path, masks: Path, out: Path) -> int:
    """Write the description `out` of the pieces that were drawn on; return how many they are.

    Args:
        selected: a folder of `select_pieces`.
        masks: a folder with `masks.csv` (header `image,mask`) and `classes.json`, the masks named
            for pictures of `selected`.
        out: a `.yaml`; the table of pairs is written next to it.

    Raises:
        MissingError: a file is not there, or a mask belongs to no selected piece.
        InputError: a file is not what it should be.
    """
    from ruamel.yaml import YAML

    imagery = _imagery(selected / IMAGERY)
    legend = Legend.read(masks / CLASSES)
    pairs = _pairs(selected, masks)
    table = out.with_suffix(".csv")
    root = Path(os.path.commonpath([p.resolve() for p in (selected, masks, out.parent)]))
    rows = [[_relative(file, out.parent) for file in pair] for pair in pairs]
    write_text(table, csv_text(["image", "mask"], rows))
    content = {
        **imagery.model_dump(mode="json", exclude_unset=True),
        "kind": "pairs",
        "root": _relative(root, out.parent),
        "table": _relative(table, root),
        "legend": legend.to_list(),
        "label": {"kind": "raster"},
    }
    text = io.StringIO()
    YAML().dump(content, text)
    write_text(out, text.getvalue())
    return len(pairs)


def _pairs(selected: Path, masks: Path) -> list[tuple[Path, Path]]:
    table, found = masks / "masks.csv", []
    for number, row in enumerate(read_rows(table), start=2):
        image, mask = row.get("image") or "", row.get("mask") or ""
        piece = selected / IMAGES / f"{Path(image).stem}.tif"
        if not piece.is_file():
            raise MissingError(f"{table} row {number}: {image!r} is no selected piece ({piece})")
        file = masks / Path(mask).parent.name / Path(mask).name
        if not file.is_file():
            raise MissingError(f"{table} row {number}: there is no mask {file}")
        found.append((piece, file))
    if not found:
        raise InputError(f"{table} lists no mask, so nothing was drawn")
    return found


def _imagery(path: Path) -> ImageryFile:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    return parse_json(ImageryFile, path.read_bytes(), str(path))


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()
