"""Predictions for files, in batches; an unreadable file does not stop the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from agri_core.bands import band_indices
from agri_core.files.console import progress_bar
from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import files_below
from agri_map.bundle.preprocess import normalise

from agri_classify.patches.patch import ENDINGS, Patch
from agri_classify.patches.quality import doubt
from agri_classify.patches.reading import BATCH_SIZE, read_batches
from agri_classify.prediction.answer import Answer, answers

if TYPE_CHECKING:
    from agri_map.bundle.spec import BundleSpec
    from agri_map.inference.engine import Engine


@dataclass(frozen=True, slots=True)
class Row:
    """The result for one file.

    Attributes:
        path: of the file.
        answer: None if the file is unreadable.
        error: the reason.
        note: how the picture was adapted to the model, and the effect of its compression.
        model: name of the bundle that was used.
    """

    path: Path
    answer: Answer | None
    error: str = ""
    note: str = ""
    model: str = ""


def predict(
    paths: Sequence[Path],
    engine: Engine,
    *,
    coarse: Engine | None = None,
    bands: tuple[str, ...] = (),
    batch_size: int = BATCH_SIZE,
) -> Iterator[Row]:
    """Yield one row per file, in order.

    Args:
        paths: of the files.
        engine: a loaded bundle that classifies.
        coarse: another bundle with the same input, for pictures without fine texture.
        bands: see `read_patch`.
        batch_size: patches predicted at once.

    Raises:
        InputError: a bundle does not classify patches, or the two differ in bands or classes.
        MissingError: `bands` lacks a band of the model.
    """
    check_task(engine.spec)
    if bands:
        # The names cannot fit any GeoTIFF if they lack a band of the model.
        band_indices(bands, engine.spec.bands, "--bands")
    if coarse is not None:
        _check_pair(engine.spec, coarse.spec)
    bar, done = progress_bar("patches", len(paths), "patch"), 0
    for found in read_batches(paths, engine.spec, bands, batch_size):
        files = paths[done : done + len(found)]
        yield from _rows(files, found, engine, engine if coarse is None else coarse)
        done += len(found)
        bar.update(len(found))
    bar.close()


def check_task(spec: BundleSpec) -> None:
    """Raise for a bundle of a segmentation network."""
    if spec.task != "classify":
        raise InputError(
            f"the bundle {spec.name} is for segmentation; use `agri-map predict`, or a bundle of "
            "`agri-classify train`"
        )


def find_files(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """Return the pictures among files and folders, and how many other files lie in the folders.

    Folders are searched recursively, without hidden files and junk. A file given by its own path
    is read whatever its suffix.

    Raises:
        MissingError: a path does not exist, or no picture is found.
    """
    found, others = [], 0
    for path in paths:
        if path.is_dir():
            inside = files_below(path)
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


def _rows(
    files: Sequence[Path], found: Sequence[Patch | str], engine: Engine, coarse: Engine
) -> list[Row]:
    rows = {}
    for wanted, chosen in ((False, engine), (True, coarse)):
        some = [
            (position, item)
            for position, item in enumerate(found)
            if isinstance(item, Patch) and item.coarse is wanted
        ]
        answered = _run([patch for _, patch in some], chosen)
        for (position, patch), answer in zip(some, answered, strict=True):
            notes = (doubt(patch.quality, chosen.spec), patch.note)
            note = "; ".join(text for text in notes if text)
            rows[position] = Row(files[position], answer, note=note, model=chosen.spec.name)
    return [
        rows[position] if position in rows else Row(files[position], None, error=str(item))
        for position, item in enumerate(found)
    ]


def _check_pair(fine: BundleSpec, coarse: BundleSpec) -> None:
    check_task(coarse)
    for what in ("bands", "unit", "tile", "legend"):
        one, other = getattr(fine, what), getattr(coarse, what)
        if one != other:
            raise InputError(
                f"the bundles {fine.name} and {coarse.name} differ in {what}: {one} and {other}; "
                "they must have the same input and classes"
            )


def _run(patches: Sequence[Patch], engine: Engine) -> list[Answer]:
    if not patches:
        return []
    images = np.stack([patch.image for patch in patches])
    valid = np.stack([patch.valid for patch in patches])
    return answers(engine.run(normalise(images, engine.spec, valid)), engine.spec)
