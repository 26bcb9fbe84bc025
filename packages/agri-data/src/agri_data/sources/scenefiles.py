"""The files of one scene, opened together and read on one grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from agri_core.files.errors import InputError, MissingError
from agri_core.raster.align import Aligned, align
from agri_core.raster.facts import Facts, read_facts
from agri_core.raster.grid import Grid
from agri_core.raster.opening import open_raster
from numpy.typing import NDArray

from agri_data.sources.description.description import Scene, ScenesDescription
from agri_data.sources.readers.align import check_alignable, common_grid, place
from agri_data.sources.readers.imagery import Layout

MULTI = ""
"""The key of a scene's only file when that file holds all bands."""


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """The grid of a scene, and the scene described as if it were one file on that grid."""

    grid: Grid
    files: Mapping[str, Facts]
    grids: Mapping[str, Grid]
    whole: Facts


def scene_facts(scene: Scene, description: ScenesDescription) -> SceneFacts:
    """Read the headers of a scene's files and choose its grid.

    Raises:
        AgriError: a file is missing or damaged, or the files do not fit together.
    """
    order = description.imagery.bands
    if set(order) != set(scene.files):
        order = tuple(scene.files)
    try:
        files = {
            band: read_facts(description.root / scene.files[band], _names(band, description))
            for band in order
        }
    except MissingError as error:
        raise MissingError(f"scene {scene.name}: {error}; correct its 'image'") from error
    for band, facts in files.items():
        if band != MULTI and facts.count != 1:
            raise InputError(
                f"{facts.name} has {facts.count} bands; where a scene is listed band by band, each "
                "file has one"
            )
    grids = place(files)
    try:
        grid = common_grid(grids, description.resolution)
    except InputError as error:
        raise InputError(f"scene {scene.name}: {error}") from error
    for band, own in grids.items():
        check_alignable(grid, own, description.align == "warp", files[band].name)
    return SceneFacts(grid, files, grids, _whole(scene, files, grid, description))


class OpenScene:
    """The open files of a scene; windows have the store's bands in the store's order."""

    def __init__(self, layout: Layout, facts: SceneFacts, readers: Mapping[str, Aligned]) -> None:
        """Read from `readers`, one per file, in the order of `facts.files`."""
        self._layout, self._facts, self._readers = layout, facts, list(readers.values())
        self._positions, self._label = layout.positions(facts.whole)
        self._multi = MULTI in readers

    def read(
        self, row: int, col: int, size: int
    ) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[Any] | None]:
        """Return a window's image `(H, W, C)`, validity `(H, W)` and label band (or None)."""
        wanted = self._positions if self._label is None else [*self._positions, self._label]
        parts, covered = self._parts(row, col, (size, size), wanted)
        label = None if self._label is None else parts[..., -1]
        image, valid = self._layout.clean(
            parts[..., : len(self._positions)], covered, self._facts.whole
        )
        return image, valid, label

    def _parts(
        self, row: int, col: int, shape: tuple[int, int], wanted: list[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        if self._multi:
            return self._readers[0].read(row, col, shape, wanted)
        reads = [self._readers[i].read(row, col, shape, [0]) for i in wanted]
        covered = np.logical_and.reduce([where for _, where in reads])
        return np.concatenate([values for values, _ in reads], axis=-1), covered


@contextmanager
def open_scene(
    scene: Scene, description: ScenesDescription, layout: Layout, facts: SceneFacts
) -> Iterator[OpenScene]:
    """Open the files of a scene for reading on its grid; a label band is never interpolated."""
    declared = description.imagery.nodata
    with ExitStack() as stack:
        readers = {}
        for band, own in facts.files.items():
            dataset = stack.enter_context(open_raster(description.root / scene.files[band]))
            nodata = declared if declared is not None else own.nodata
            method = "nearest" if band and band == layout.label else description.resampling
            readers[band] = align(
                dataset,
                facts.grids[band],
                facts.grid,
                stack,
                masking=own.masking,
                nodata=nodata,
                resampling=method,
            )
        yield OpenScene(layout, facts, readers)


def _names(band: str, description: ScenesDescription) -> tuple[str, ...]:
    return description.imagery.bands if band == MULTI else (band,)


def _whole(
    scene: Scene, files: Mapping[str, Facts], grid: Grid, description: ScenesDescription
) -> Facts:
    first = next(iter(files.values()))
    placed: dict[str, Any] = {"shape": grid.shape, "crs": grid.crs}
    placed["transform"] = grid.transform if first.transform else None
    if MULTI in files:
        return replace(first, **placed)
    _check_alike(f"scene {scene.name}", list(files.values()), description.imagery.nodata)
    return replace(
        first, name=f"scene {scene.name}", count=len(files), names=tuple(files), **placed
    )


def _check_alike(where: str, files: list[Facts], declared: float | None) -> None:
    kinds = sorted({facts.dtype for facts in files})
    if len(kinds) > 1:
        raise InputError(f"{where}: its files hold {', '.join(kinds)}; convert them to one type")
    empties = sorted({str(facts.nodata) for facts in files})
    if len(empties) > 1 and declared is None:
        raise InputError(
            f"{where}: its files declare different 'no data' values ({', '.join(empties)}); write "
            "'nodata' in the description"
        )
