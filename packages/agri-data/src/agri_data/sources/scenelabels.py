"""The labels of one scene, read window by window on its grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError
from agri_core.legend import Legend
from agri_core.raster.align import align
from agri_core.raster.facts import Facts, facts_of
from agri_core.raster.grid import Grid, shifted
from agri_core.raster.opening import open_raster
from numpy.typing import NDArray

from agri_data.sources.description.description import Scene, ScenesDescription
from agri_data.sources.description.label import check_nodata, encode
from agri_data.sources.readers.align import check_alignable
from agri_data.sources.readers.masks import LOSSY, encode_file
from agri_data.sources.readers.vector import read_polygons
from agri_data.sources.readers.watch import LabelWatch
from agri_data.sources.scenefiles import SceneFacts
from agri_data.store.writer import Mask

ReadLabels = Callable[[int, int, int, NDArray[Any] | None], Mask | None]
"""`(row, col, size, label band)` to class ids `(H, W)`, None for unlabelled imagery."""


@contextmanager
def open_labels(
    scene: Scene, description: ScenesDescription, facts: SceneFacts, watch: LabelWatch
) -> Iterator[ReadLabels]:
    """Yield a function that reads the labels of a window.

    Raises:
        AgriError: the label file is missing, or does not fit the scene.
    """
    spec, legend = description.label, description.legend
    if legend is None or spec.kind == "none":
        yield lambda row, col, size, band: None
    elif spec.kind == "band":
        where = f"{facts.whole.name} band {spec.band}"
        yield lambda row, col, size, band: _band(band, description, legend, where)
    elif spec.kind == "vector":
        yield _vector(_label_path(scene, description), description, legend, facts, watch)
    else:
        with _raster(_label_path(scene, description), description, legend, facts, watch) as read:
            yield read


def _label_path(scene: Scene, description: ScenesDescription) -> Path:
    path = scene.label or description.label.file
    if not path:
        raise InputError(f"scene {scene.name} has no label file; name one under 'label'")
    return description.root / path


def _band(
    band: NDArray[Any] | None, description: ScenesDescription, legend: Legend, where: str
) -> Mask:
    assert band is not None
    return encode(band, description.label, legend, where)


def _vector(
    path: Path,
    description: ScenesDescription,
    legend: Legend,
    facts: SceneFacts,
    watch: LabelWatch,
) -> ReadLabels:
    if facts.whole.transform is None or not facts.grid.crs:
        raise InputError(
            f"{facts.whole.name} has no coordinate reference system, so polygons cannot be laid on "
            "it; georeference it first"
        )
    polygons = read_polygons(path, facts.grid.crs, description.label, legend)
    watch.note(polygons.notes)
    transform = facts.grid.transform
    return lambda row, col, size, band: polygons.burn((size, size), shifted(transform, row, col))


@contextmanager
def _raster(
    path: Path,
    description: ScenesDescription,
    legend: Legend,
    facts: SceneFacts,
    watch: LabelWatch,
) -> Iterator[ReadLabels]:
    spec = description.label
    with open_raster(path) as dataset, ExitStack() as stack:
        own = facts_of(dataset, str(path))
        if own.driver == "JPEG":
            raise InputError(f"{path} is a JPEG, whose compression invents labels: {LOSSY}")
        if own.count != 1:
            raise InputError(f"{path} has {own.count} bands; a label raster has one")
        check_nodata(own.nodata, spec, legend, str(path))
        grid = _grid_of_label(own, facts)
        check_alignable(facts.grid, grid, description.align == "warp", str(path))
        aligned = align(
            dataset,
            grid,
            facts.grid,
            stack,
            masking=own.masking,
            nodata=own.nodata,
            # Class ids must not be interpolated.
            resampling="nearest",
        )

        def read(row: int, col: int, size: int, band: NDArray[Any] | None) -> Mask:
            del band
            values, valid = aligned.read(row, col, (size, size), [0])
            return encode_file(values[..., 0], valid, own.nodata, spec, legend, watch, str(path))

        yield read


def _grid_of_label(own: Facts, facts: SceneFacts) -> Grid:
    """Return the grid of a label raster; without a georeference, that of a scene of its size."""
    if own.transform is not None and facts.whole.transform is not None:
        return Grid(own.crs, own.transform, *own.shape)
    if own.shape != facts.grid.shape:
        raise InputError(
            f"{own.name} is {own.shape[0]}x{own.shape[1]} pixels, its scene is "
            f"{facts.grid.shape[0]}x{facts.grid.shape[1]}; without a georeference they must be "
            "equal"
        )
    return facts.grid
