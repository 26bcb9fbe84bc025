"""Inventory of a user's own imagery, from which the pipeline starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agri_core.files.atomic import replacing_dir
from agri_core.files.console import progress
from agri_core.files.csvfile import csv_text
from agri_core.files.folders import files_below
from agri_core.files.hashing import sha256_file
from agri_core.files.ownership import add_input
from agri_core.files.yamlfile import read_yaml
from ruamel.yaml import YAML

from agri_data.sources.description.parse import check_root, parse_description

SOURCE_FILE = "source.yaml"
INVENTORY_FILE = "inventory.csv"


def adopt(path: Path, out: Path, root: Path | None = None) -> int:
    """Write `out/source.yaml`, the description `path` made to work from there, and an inventory.

    The imagery stays where it is. `out/inventory.csv` lists every data file below the description's
    root with its size and SHA-256, so that equal inputs of two runs can be recognised.

    Args:
        path: a source description.
        out: the folder to write; an earlier one is replaced.
        root: a folder or zip to use instead of the root that the description names.

    Returns:
        The number of files listed.

    Raises:
        AgriError: the description is wrong, or its root is not there.
    """
    content: dict[str, Any] = read_yaml(path)
    base = parse_description(content, path, root).root
    add_input(path)
    check_root(base, path, root is not None)
    files = _data_files(base, out)
    with replacing_dir(out) as folder:
        rows = list(_inventory(base, files))
        _write_inventory(folder / INVENTORY_FILE, rows)
        _write_description(folder / SOURCE_FILE, {**content, "root": os.path.relpath(base, out)})
    return len(rows)


def _data_files(base: Path, out: Path) -> list[Path]:
    """List the files of the imagery, without an earlier inventory that lies among them.

    What else lies in `out` is imagery, and makes `out` an input, which is not replaced.
    """
    if base.is_file():
        return [base]
    earlier = {(out / name).resolve() for name in (SOURCE_FILE, INVENTORY_FILE)}
    files = [file for file in files_below(base) if file.resolve() not in earlier]
    for file in files:
        add_input(file)
    return files


def _inventory(base: Path, files: list[Path]) -> Iterator[tuple[str, int, str]]:
    for file in progress(files, "inventory", len(files)):
        name = file.name if base.is_file() else file.relative_to(base).as_posix()
        yield name, file.stat().st_size, sha256_file(file)


def _write_inventory(path: Path, rows: list[tuple[str, int, str]]) -> None:
    path.write_text(csv_text(["file", "bytes", "sha256"], rows), encoding="utf-8")


def _write_description(path: Path, content: dict[str, Any]) -> None:
    yaml = YAML()
    yaml.default_flow_style = False
    with path.open("w", encoding="utf-8") as sink:
        yaml.dump(content, sink)
