"""Gather what a picture of a map needs: image, map, confidence, truth, errors, hectares."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from agri_core.bands import band_indices
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, IGNORE_COLOUR, Legend
from agri_core.raster.grid import Grid
from agri_core.raster.opening import SCENES, open_raster
from agri_core.raster.pixel_area import measure_pixel_area
from agri_core.raster.validity import masking_of, valid_pixels
from agri_data.figures.picture import colourise, composite, composite_title, picture_bands
from agri_data.figures.sheet import Panel
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from agri_map.analysis.area import CAVEAT, measure
from agri_map.analysis.score import score_map
from agri_map.figures.page import Block, Entry, Page
from agri_map.maps.mapfile import count_pixels, open_map, read_codes, read_legend
from agri_map.scene.layers import band_names

PIXELS = 1400
"""Longest side of a panel's image; larger rasters are thinned."""

RIGHT, WRONG = "#dfe7dc", "#d7191c"
# Mean radius in metres (IUGG): for the shape of a pixel on the page, not for hectares.
EARTH = 6_371_008.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to show next to a map; all on the map's grid."""

    map: Path
    scene: Path | None = None
    bands: Sequence[str] | None = None
    confidence: Path | None = None
    truth: Path | None = None
    title: str | None = None
    pixel: float | None = None


def make_page(request: Request) -> Page:
    """Read everything, thinned to what a page can show.

    Raises:
        MissingError: A file or a band is not there.
        InputError: A file is not on the grid of the map, or is not what it should be.
    """
    with open_map(request.map) as dataset:
        grid, legend, tags = Grid.of(dataset), read_legend(dataset), dataset.tags()
        shape = _thin(dataset.shape)
        codes = read_codes(dataset, shape=shape)
    panels, blocks = [], [_area_block(request, legend)]
    if request.scene is not None:
        panels.append(_scene_panel(request, grid, shape))
    panels.append(Panel(colourise(codes, legend), "map", tags.get("AGRI_BUNDLE", "")))
    if request.truth is not None:
        truth_panels, block = _truth(request, grid, shape, codes, legend)
        panels += truth_panels
        blocks.append(block)
    if request.confidence is not None:
        panel, block = _confidence(request.confidence, grid, shape, len(legend))
        panels.append(panel)
        blocks.append(block)
    return Page(
        request.title or f"Land map of {Path(tags.get('AGRI_SCENE', request.map.name)).stem}",
        _subtitle(grid, request.pixel),
        tuple(panels),
        tuple(blocks),
        _footer(grid, tags),
        *_ground(grid, shape, request.pixel),
    )


def _thin(shape: tuple[int, int]) -> tuple[int, int]:
    step = max(1.0, max(shape) / PIXELS)
    return max(1, round(shape[0] / step)), max(1, round(shape[1] / step))


def _read(
    dataset: DatasetReader, numbers: list[int], shape: tuple[int, int], how: Resampling
) -> NDArray[np.generic]:
    return np.asarray(dataset.read(numbers, out_shape=(len(numbers), *shape), resampling=how))


def _same_grid(dataset: DatasetReader, grid: Grid) -> None:
    found = Grid.of(dataset)
    if not found.same_as(grid):
        raise InputError(
            f"{dataset.name} is not on the grid of the map "
            f"({found.width} x {found.height} pixels in {found.crs}, the map has "
            f"{grid.width} x {grid.height} in {grid.crs}); warp it first"
        )


def _scene_panel(request: Request, grid: Grid, shape: tuple[int, int]) -> Panel:
    assert request.scene is not None
    with open_raster(request.scene, formats=SCENES) as dataset:
        _same_grid(dataset, grid)
        have = band_names(dataset, request.scene, request.bands)
        names = picture_bands([name for name in have if name])
        numbers = [place + 1 for place in band_indices(have, names, str(request.scene))]
        image = np.moveaxis(_read(dataset, numbers, shape, Resampling.average), 0, -1)
        valid = _validity(dataset, request.bands or (), numbers, shape)
    rgb = composite(image, names, names)
    rgb[~valid] = _rgb(IGNORE_COLOUR)
    return Panel(rgb, composite_title(names))


def _validity(
    dataset: DatasetReader, names: Sequence[str], numbers: list[int], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Read where a scene holds data; the nearest pixel, as means next to no data prove nothing."""
    values = np.moveaxis(_read(dataset, numbers, shape, Resampling.nearest), 0, -1)
    valid = valid_pixels(values, dataset.nodata)
    unmasked = masking_of(dataset, names).read(dataset, shape=shape)
    return valid if unmasked is None else valid & unmasked


def _confidence(
    path: Path, grid: Grid, shape: tuple[int, int], classes: int
) -> tuple[Panel, Block]:
    from matplotlib import colormaps

    with open_raster(path, formats=SCENES) as dataset:
        _same_grid(dataset, grid)
        values = _read(dataset, [1], shape, Resampling.nearest)[0].astype(np.float64)
        if dataset.dtypes[0] == "uint8":
            # Bytes hold percent.
            values = np.where(values == IGNORE, np.nan, values / 100)
    # The most probable of K classes has 1 / K at least, so the ramp begins there.
    low = 1 / classes
    ramp = colormaps["viridis"]
    scaled = np.clip((np.nan_to_num(values, nan=low) - low) / (1 - low), 0, 1)
    image = (ramp(scaled)[..., :3] * 255).astype(np.uint8)
    image[np.isnan(values)] = _rgb(IGNORE_COLOUR)
    legend = (ramp(np.linspace(0, 1, 256))[None, :, :3] * 255).astype(np.uint8)
    known = values[np.isfinite(values)]
    note = f"mean {100 * known.mean():.0f} %" if known.size else ""
    block = Block("Confidence", ramp=legend, ends=(f"{100 * low:.0f} % (chance)", "100 %"))
    return Panel(image, "confidence", note), block


def _truth(
    request: Request, grid: Grid, shape: tuple[int, int], codes: NDArray[np.generic], legend: Legend
) -> tuple[list[Panel], Block]:
    assert request.truth is not None
    with open_map(request.truth) as dataset:
        _same_grid(dataset, grid)
        truth = read_codes(dataset, shape=shape)
    score = score_map(request.map, request.truth).scores
    known = (truth != IGNORE) & (codes != IGNORE)
    errors = np.full((*shape, 3), _rgb(IGNORE_COLOUR), np.uint8)
    errors[known & (truth == codes)] = _rgb(RIGHT)
    errors[known & (truth != codes)] = _rgb(WRONG)
    wrong = f"{100 * (1 - score['accuracy']):.1f} % wrong"
    panels = [Panel(colourise(truth, legend), "truth"), Panel(errors, "errors", wrong)]
    guess = f"all {score['majority_class']}"
    block = Block(
        "Agreement with the truth",
        (
            Entry(RIGHT, "same class", f"{100 * score['accuracy']:.1f} %"),
            Entry(WRONG, "other class", f"{100 * (1 - score['accuracy']):.1f} %"),
            Entry("", "mean IoU", f"{score['miou']:.3f}"),
            Entry("", guess, f"{100 * score['majority_accuracy']:.1f} %", "baseline"),
        ),
    )
    return panels, block


def _area_block(request: Request, legend: Legend) -> Block:
    with open_map(request.map) as dataset:
        known = dataset.crs is not None or request.pixel is not None
    if not known:
        counts = count_pixels(request.map)
        total = max(1, int(counts[:IGNORE].sum()))
        entries = [
            Entry(
                item.colour, item.name, f"{counts[item.id]:,} px", _percent(counts[item.id] / total)
            )
            for item in legend.classes
        ]
        return Block("Mapped pixels", tuple(entries))
    table, _ = measure(request.map, request.pixel)
    entries = [
        Entry(
            legend.classes[row.class_id].colour if row.class_id < len(legend) else "#000000",
            row.name,
            _hectares(row.hectares, table.total),
            _percent(row.share),
        )
        for row in table.rows[:-1]
    ]
    missing = table.rows[-1]
    if missing.pixels:
        entries.append(Entry(IGNORE_COLOUR, "no data", _hectares(missing.hectares, table.total)))
    entries.append(Entry("", "total", _hectares(table.total, table.total)))
    return Block("Mapped area", tuple(entries))


def _hectares(area: float, total: float) -> str:
    return f"{area:,.0f} ha" if total > 1000 else f"{area:,.2f} ha"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _subtitle(grid: Grid, pixel: float | None) -> str:
    size = f"{grid.width:,} x {grid.height:,} pixels"
    if grid.crs is None and pixel is None:
        return f"{size}, not georeferenced"
    pixel_area = measure_pixel_area(grid, pixel)
    area = pixel_area.rows.sum() * grid.width / 1e6
    return f"{size} of about {math.sqrt(pixel_area.mean):.3g} m, {area:,.4g} km²"


def _footer(grid: Grid, tags: dict[str, str]) -> str:
    crs = "no CRS" if grid.crs is None else _crs_text(grid)
    parts = [crs]
    if "AGRI_BUNDLE" in tags:
        parts.append(
            f"model {tags['AGRI_BUNDLE']} {tags.get('AGRI_BUNDLE_VERSION', '')} "
            f"({tags.get('AGRI_BUNDLE_SHA256', '')[:12]}), "
            f"{tags.get('AGRI_ENGINE', '')} {tags.get('AGRI_PRECISION', '')}"
        )
    return "  ·  ".join(parts) + f"\n{CAVEAT[0].upper()}{CAVEAT[1:]}."


def _crs_text(grid: Grid) -> str:
    from pyproj import CRS

    assert grid.crs is not None
    code = grid.crs.to_epsg()
    name = CRS.from_wkt(grid.crs.to_wkt()).name
    return f"{name} (EPSG:{code})" if code else name


def _ground(
    grid: Grid, shape: tuple[int, int], pixel: float | None
) -> tuple[float | None, float, float | None]:
    """Return metres across a panel's pixel, its height over width, and where north is."""
    step = grid.width / shape[1]
    if grid.crs is None:
        return (None if pixel is None else pixel * step), 1.0, None
    pixel_area = measure_pixel_area(grid, pixel)
    a, b, _, d, e, _ = grid.transform[:6]
    # The pixel step (column, row) that moves straight to grid north.
    column, row = -b * math.copysign(1, a * e - b * d), a * math.copysign(1, a * e - b * d)
    north = math.degrees(math.atan2(column, -row))
    if not grid.crs.is_geographic:
        return math.sqrt(pixel_area.mean) * step, 1.0, north
    high = abs(e) * grid.crs.units_factor[1] * EARTH
    wide = pixel_area.mean / high
    return wide * step, high / wide, north


def _rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour[1:]))
