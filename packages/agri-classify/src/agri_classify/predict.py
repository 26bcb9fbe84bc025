"""Files to answers, a batch at a time; a file that cannot be read costs that file only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from agri_data.console import progress
from agri_data.errors import AgriError, InputError, MissingError
from agri_data.sources.parallel import in_order
from agri_map.preprocess import normalise

from agri_classify.answer import Answer, answers
from agri_classify.patch import ENDINGS, Patch, read_patch

if TYPE_CHECKING:
    from agri_map.engine import Engine

BATCH = 64


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a file.

    Attributes:
        path: of the file.
        answer: None where it could not be read.
        error: why not.
        note: what was done to make it fit.
    """

    path: Path
    answer: Answer | None
    error: str = ""
    note: str = ""


def predict(
    paths: Sequence[Path], engine: Engine, *, bands: tuple[str, ...] = (), batch: int = BATCH
) -> Iterator[Row]:
    """Yield a row per file, in order.

    Args:
        paths: of the files.
        engine: a loaded bundle that classifies.
        bands: see `read_patch`.
        batch: patches that are predicted at once.

    Raises:
        InputError: the bundle does not classify patches.
    """
    check_task(engine)

    def read(path: Path) -> Patch:
        return read_patch(path, engine.spec, bands)

    waiting: list[tuple[Path, Future[Patch]]] = []
    files = in_order(read, paths, ahead=batch)
    for path, future in zip(paths, progress(files, "patches", len(paths)), strict=True):
        waiting.append((path, future))
        if len(waiting) == batch:
            yield from _answered(waiting, engine)
            waiting = []
    if waiting:
        yield from _answered(waiting, engine)


def check_task(engine: Engine) -> None:
    """Refuse a bundle that makes maps of pixels."""
    if engine.spec.task != "classify":
        raise InputError(
            f"the bundle {engine.spec.name} is for maps of pixels; use `agri-map predict` with it, "
            "or give a bundle of `agri-classify train`"
        )


def find_files(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """Return the pictures among files and folders, and how many other files lie in the folders.

    Folders are searched with their subfolders; hidden files are left out. A file that is named
    itself is taken whatever its ending.

    Raises:
        MissingError: a path is not there, or no picture is found.
    """
    found, others = [], 0
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
            pictures = [p for p in inside if p.suffix.lower() in ENDINGS]
            found += pictures
            others += len(inside) - len(pictures)
        elif path.exists():
            found.append(path)
        else:
            raise MissingError(f"there is no file or folder {path}")
    if not found:
        raise MissingError(f"no picture found; expected files ending in {', '.join(ENDINGS)}")
    return found, others


def _answered(waiting: Sequence[tuple[Path, Future[Patch]]], engine: Engine) -> Iterator[Row]:
    patches: dict[int, Patch] = {}
    errors: dict[int, str] = {}
    for number, (_, future) in enumerate(waiting):
        try:
            patches[number] = future.result()
        except (AgriError, OSError) as error:
            errors[number] = str(error)
    given = iter(_run(list(patches.values()), engine))
    for number, (path, _) in enumerate(waiting):
        if number in errors:
            yield Row(path, None, errors[number])
        else:
            yield Row(path, next(given), note=patches[number].note)


def _run(patches: Sequence[Patch], engine: Engine) -> list[Answer]:
    if not patches:
        return []
    images = np.stack([patch.image for patch in patches])
    valid = np.stack([patch.valid for patch in patches])
    return answers(engine.run(normalise(images, engine.spec, valid)), engine.spec)
