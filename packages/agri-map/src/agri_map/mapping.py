"""Map a scene with a bundle: open and check both, run, write, record how the map was made."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from agri_core.files.console import progress_bar, warn
from agri_core.files.errors import InputError
from agri_core.files.hashing import sha256_file
from agri_core.legend import Legend
from agri_core.raster.pixel_area import measure_pixel_area
from numpy.typing import NDArray

from agri_map import __version__
from agri_map.analysis.area import AreaAccumulator
from agri_map.bundle.bundle import read_spec
from agri_map.bundle.spec import BundleSpec, check_tiling
from agri_map.choices import EngineName, Precision
from agri_map.inference.agreement import measure_agreement
from agri_map.inference.engine import Engine, cores, open_engine
from agri_map.inference.patches import Patches, patch_axes
from agri_map.inference.predict import predict
from agri_map.inference.tiles import Axis
from agri_map.maps.write import Kind, Layout, Sink, check_raster, raster_sink
from agri_map.scene.scene import Scene
from agri_map.scene.unit import check_scene

# Four tiles of 256 pixels; bounds the memory of a batch.
BATCH_PIXELS = 2**18
# GDAL's cache in addition to a row of the scene's blocks: blocks of the maps, of aligned bands.
SPARE_CACHE_BYTES = 16 * 2**20
# A scene stored in huge blocks is decoded more often rather than filling the memory.
MAX_CACHE_BYTES = 384 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a scene is mapped.

    Attributes:
        tile: Side of a tile, that of the bundle when None.
        overlap: Overlap of tiles, that of the bundle when None.
        batch: Tiles per run of the engine; None gives it a quarter of a million pixels, more
            costs memory and gains nothing.
        threads: Threads of the engine, all cores when None.
        engine: `onnxruntime` or `openvino`.
        precision: `f32` or `bf16`.
        exact: Probabilities and confidence as float32 instead of percent.
        note: A text that the outputs carry as the tag AGRI_NOTE.
        step: Distance of patches, half a patch when None; for a bundle that classifies, whose
            tile is the patch.
    """

    tile: int | None = None
    overlap: int | None = None
    batch: int | None = None
    threads: int | None = None
    engine: EngineName = "onnxruntime"
    precision: Precision = "f32"
    exact: bool = False
    note: str = ""
    step: int | None = None

    def __post_init__(self) -> None:
        if self.batch is not None and self.batch < 1:
            raise InputError(f"batch must be 1 or more, got {self.batch}")


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the results go; the map always is written."""

    map: Path
    probabilities: Path | None = None
    confidence: Path | None = None

    def items(self, legend: Legend, exact: bool) -> list[tuple[Path, Layout]]:
        """Return each file with its layout.

        The map comes first: files are closed from the last to the first, so the map appears
        when all others are in place.
        """
        wanted: tuple[tuple[Kind, Path | None], ...] = (
            ("probabilities", self.probabilities),
            ("confidence", self.confidence),
        )
        found = [(path, Layout(kind, legend, exact)) for kind, path in wanted if path is not None]
        for path, _ in [(self.map, None), *found]:
            if path.suffix.lower() not in (".tif", ".tiff"):
                raise InputError(
                    f"outputs are GeoTIFFs; expected a name ending in .tif, got {path}"
                )
        paths = [path.resolve() for path, _ in found] + [self.map.resolve()]
        if len(set(paths)) != len(paths):
            raise InputError("the map, its probabilities and its confidence need different files")
        return [(self.map, Layout("classes", legend)), *found]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did.

    Attributes:
        path: The map.
        legend: Its classes.
        area: Pixels and area of each value of the map.
        tiles: Tiles (or patches) run through the engine.
        skipped: Tiles without any data.
        seconds: Wall time, everything included.
        agreement: Share of sampled pixels where bf16 and f32 give the same class, None in f32.
    """

    path: Path
    legend: Legend
    area: AreaAccumulator
    tiles: int
    skipped: int
    seconds: float
    agreement: float | None


def map_scene(
    scene: Scene,
    bundle: Path,
    outputs: Outputs,
    options: Options,
    spec: BundleSpec | None = None,
) -> Result:
    """Map a scene with a bundle and write the results.

    A bundle that classifies gives a map of patches, see `agri_map.inference.patches`.

    Args:
        scene: The scene, with the bands of the bundle.
        bundle: The bundle's file.
        outputs: Where the results go.
        options: How it is mapped.
        spec: The bundle's own, where it has been read already.

    Raises:
        InputError: The scene does not suit the bundle, or holds no data at all.
        OSError: A result cannot be written whole.
    """
    began = time.perf_counter()
    spec = spec or read_spec(bundle)
    engine = _open(bundle, spec, options, options.precision)
    axes = make_axes(scene, spec, options)
    check_scene(scene, spec)
    if scene.grid.crs is None:
        warn(f"{scene.path} has no CRS: the map has none either, and no hectares")
    files = outputs.items(spec.legend, options.exact)
    _check_paths(scene, bundle, files)
    agreement = None
    if options.precision != "f32":
        agreement = measure_agreement(scene, engine, _open(bundle, spec, options, "f32"), axes)
    tags = make_tags(scene, bundle, spec, axes, options, agreement)
    # rasterio takes bytes here, where GDAL's own setting takes small numbers as megabytes.
    cache = min(scene.block_row_bytes + SPARE_CACHE_BYTES, MAX_CACHE_BYTES)
    with rasterio.Env(GDAL_CACHEMAX=cache):
        area, run = _write(scene, engine, axes, files, tags, options)
    total = len(axes[0].starts()) * len(axes[1].starts())
    seconds = time.perf_counter() - began
    return Result(outputs.map, spec.legend, area, run, total - run, seconds, agreement)


def make_axes(scene: Scene, spec: BundleSpec, options: Options) -> tuple[Axis, Axis]:
    """Lay out the tiles along rows and columns.

    A tile chosen without an overlap gets the bundle's, at most half of the tile.

    Raises:
        InputError: Sizes out of range, or of the other kind of bundle.
    """
    if spec.task == "classify":
        if options.tile is not None or options.overlap is not None:
            raise InputError(
                f"the bundle {spec.name} takes patches of {spec.tile} pixels: choose a step, "
                "not a tile or an overlap"
            )
        return patch_axes(scene.grid, spec, options.step)
    if options.step is not None:
        raise InputError(f"a step is for patches; the bundle {spec.name} takes an overlap")
    tile = spec.tile if options.tile is None else options.tile
    overlap = min(spec.overlap, tile // 2) if options.overlap is None else options.overlap
    check_tiling(tile, overlap)
    return Axis(scene.grid.height, tile, overlap), Axis(scene.grid.width, tile, overlap)


def make_tags(
    scene: Scene,
    bundle: Path,
    spec: BundleSpec,
    axes: tuple[Axis, Axis],
    options: Options,
    agreement: float | None,
) -> dict[str, str]:
    """Return the tags that record in a map how it was made."""
    tags = {
        "AGRI_BUNDLE": spec.name,
        "AGRI_BUNDLE_VERSION": spec.version,
        "AGRI_BUNDLE_SHA256": sha256_file(bundle),
        "AGRI_TASK": spec.task,
        "AGRI_ENGINE": options.engine,
        "AGRI_PRECISION": options.precision,
        "AGRI_TILE": str(axes[0].tile),
        "AGRI_OVERLAP": str(axes[0].overlap),
        "AGRI_SCENE": scene.path.name,
        "AGRI_BANDS": ",".join(scene.bands),
        "AGRI_MAP_VERSION": __version__,
    }
    if scene.scale is not None:
        tags["AGRI_SCALE"] = f"0 to {scene.scale:.15g} became 0 to 255"
    if options.note:
        tags["AGRI_NOTE"] = options.note
    if agreement is not None:
        tags["AGRI_AGREEMENT_WITH_F32"] = f"{agreement:.6f}"
    return tags


def _open(bundle: Path, spec: BundleSpec, options: Options, precision: Precision) -> Engine:
    engine = open_engine(bundle, options.engine, precision, options.threads, spec)
    return Patches(engine) if spec.task == "classify" else engine


def _check_paths(scene: Scene, bundle: Path, files: Sequence[tuple[Path, Layout]]) -> None:
    taken = {scene.path.resolve(), bundle.resolve()}
    for path, layout in files:
        if path.resolve() in taken:
            raise InputError(f"{path} is the scene or the bundle itself; choose another output")
        check_raster(path, layout)


@contextmanager
def _behind(
    sinks: Sequence[Sink], area: AreaAccumulator
) -> Iterator[Callable[[int, NDArray[np.float32], NDArray[np.bool_]], None]]:
    """Return a function that writes a strip in the background, at most one strip behind.

    It adds what the first sink wrote to `area`; what went wrong with a strip is raised with the
    next one, or at the end.
    """
    waiting: list[Future[None]] = []

    def write(top: int, probabilities: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
        blocks = [sink.put(top, probabilities, valid) for sink in sinks]
        area.add(top, blocks[0][0])

    with ThreadPoolExecutor(1, "write") as writer:

        def put(top: int, probabilities: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
            # The blender is about to reuse the rows of the strip before; its error is raised here.
            while waiting:
                waiting.pop().result()
            waiting.append(writer.submit(write, top, probabilities, valid))

        yield put
        while waiting:
            waiting.pop().result()


def _write(
    scene: Scene,
    engine: Engine,
    axes: tuple[Axis, Axis],
    files: Sequence[tuple[Path, Layout]],
    tags: Mapping[str, str],
    options: Options,
) -> tuple[AreaAccumulator, int]:
    threads = options.threads or cores()
    area = AreaAccumulator(None if scene.grid.crs is None else measure_pixel_area(scene.grid))
    run = 0
    with ExitStack() as stack:
        words = ("patches", "patch") if engine.spec.task == "classify" else ("tiles", "tile")
        bar = progress_bar(words[0], len(axes[0].starts()) * len(axes[1].starts()), words[1])
        stack.callback(bar.close)
        sinks = [
            stack.enter_context(raster_sink(path, scene.grid, layout, tags, threads))
            for path, layout in files
        ]
        batch = options.batch or max(1, BATCH_PIXELS // axes[0].tile ** 2)
        put = stack.enter_context(_behind(sinks, area))
        # Closed here, not by the garbage collector: its reader must stop before the scene closes.
        strips = stack.enter_context(closing(predict(scene, engine, axes, batch, bar)))
        for top, probabilities, valid, tiles in strips:
            put(top, probabilities, valid)
            run += tiles
        if not run:
            raise InputError(
                f"{scene.path} holds no valid pixel: every pixel is no-data or not finite in one "
                "of the bands, so there is nothing to map"
            )
    return area, run
