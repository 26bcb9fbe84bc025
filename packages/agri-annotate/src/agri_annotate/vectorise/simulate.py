"""Simulated annotation from a true map, with border jitter.

For examples and end-to-end tests where there is no annotation yet. It simulates what polygons
lose: borders a little off, small pieces left out, nothing under a cloud. It never confuses two
classes, so a model learns more from it than from a real annotation.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import files_in
from agri_core.legend import Legend
from numpy.typing import NDArray

from agri_annotate.model.pictures import header
from agri_annotate.model.project import Attribute, Picture, Project, Region
from agri_annotate.model.shape import Points, Polygon
from agri_annotate.vectorise.polygonise import Outline, polygonise

ATTRIBUTE = "class"
ENDINGS = (".png", ".jpg", ".jpeg")
TRIES = 4


@dataclass(frozen=True, slots=True)
class Hand:
    """Settings of the simulated annotation.

    Attributes:
        jitter: standard deviation in pixels of a vertex about the true border.
        tolerance: pixels by which a drawn border cuts the corners of the true one.
        minimum: pieces of fewer pixels are not drawn; their neighbour is drawn over them.
        skip: classes that are not annotated, such as the background.
    """

    jitter: float = 0.5
    tolerance: float = 1.0
    minimum: int = 32
    skip: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.jitter <= 20:
            raise InputError(f"the jitter is in pixels, 0 to 20, got {self.jitter:g}")


def simulate(truth: Path, pictures: Path, legend: Legend, hand: Hand, seed: int) -> Project:
    """Draw every picture of a folder from the map of its scene.

    Args:
        truth: a folder of class maps `SCENE.tif`, values as the ids of `legend`, 255 = not known.
        pictures: georeferenced pictures `SCENE_....png`, each within the map of its scene.
        legend: names of the classes.
        hand: how exactly.
        seed: of the jitter; a picture is drawn the same whatever others there are.

    Raises:
        MissingError: there are no pictures, or no map for one.
        InputError: a picture has no georeference, or lies outside its map.
    """
    files = files_in(pictures, ENDINGS)
    if not files:
        raise MissingError(f"there are no pictures in {pictures}")
    maps = {path.stem: path for path in files_in(truth, (".tif",))}
    drawn = tuple(_draw(path, _map_of(path, maps, truth), legend, hand, seed) for path in files)
    options = {name: name for name in legend.names if name not in hand.skip}
    attribute = Attribute(ATTRIBUTE, "dropdown", options, description="simulated from the truth")
    return Project("via2-project", drawn, (attribute,), name="simulated drawing")


def draw_by_hand(
    mask: NDArray[np.uint8], legend: Legend, hand: Hand, rng: np.random.Generator
) -> tuple[Region, ...]:
    """Draw the map `(height, width)` of one picture, larger pieces first."""
    outlines = polygonise(
        mask, tolerance=hand.tolerance, minimum=hand.minimum, background="all"
    ).outlines
    skipped = {legend.index(name) for name in hand.skip}
    height, width = mask.shape
    # What lies inside a drawn piece must be drawn even if its class is not, or it would be lost.
    keep = [o for o in outlines if o.code not in skipped or _inside_another(o.points, outlines)]
    shapes = (Polygon(_jitter_border(o.points, hand.jitter, (height, width), rng)) for o in keep)
    pairs = enumerate(zip(keep, shapes, strict=True))
    return tuple(
        Region(polygon, {ATTRIBUTE: legend.names[outline.code]}, number)
        for number, (outline, polygon) in pairs
    )


def _draw(path: Path, truth: Path, legend: Legend, hand: Hand, seed: int) -> Picture:
    found = header(path)
    if found.transform is None:
        raise InputError(f"{path} has no georeference, so its place in {truth} is not known")
    mask = _read_window(truth, path, found)
    wrong = sorted(set(np.unique(mask).tolist()) - set(range(len(legend.classes))) - {255})
    if wrong:
        raise InputError(f"{truth} holds the values {wrong[:8]}, which the legend does not name")
    # The name joins the seed: a picture is drawn the same whatever others there are.
    rng = np.random.default_rng([seed, *path.stem.encode()])
    return Picture(path.name, found.size_bytes, draw_by_hand(mask, legend, hand, rng))


def _map_of(picture: Path, maps: Mapping[str, Path], folder: Path) -> Path:
    """The map with the longest name that the picture's name begins with."""
    names = [name for name in maps if picture.stem.startswith(name)]
    if not names:
        raise MissingError(
            f"{folder} has no map for {picture.name}: a .tif whose name the picture's begins with"
        )
    return maps[max(names, key=len)]


def _read_window(truth: Path, picture: Path, found: Any) -> NDArray[np.uint8]:
    from agri_core.raster.grid import to_ground
    from agri_core.raster.opening import open_raster
    from rasterio.windows import Window

    with open_raster(truth, formats=("GTiff",)) as source:
        col, row = to_ground(~source.transform, found.transform.c, found.transform.f)
        window = Window(round(col), round(row), found.width, found.height)
        inside = window.col_off >= 0 and window.row_off >= 0
        inside &= window.col_off + found.width <= source.width
        inside &= window.row_off + found.height <= source.height
        if source.crs != found.crs or not inside or source.dtypes[0] != "uint8":
            raise InputError(
                f"{picture} does not lie within {truth}, a map of bytes in the same CRS"
            )
        mask: NDArray[np.uint8] = source.read(1, window=window)
    return mask


def _inside_another(points: Points, outlines: Iterable[Outline]) -> bool:
    own = shapely.Polygon(points)
    others = (shapely.Polygon(other.points) for other in outlines)
    return any(
        other.area > own.area and other.contains(own.representative_point()) for other in others
    )


def _jitter_border(
    points: Points, jitter: float, shape: tuple[int, int], rng: np.random.Generator
) -> Points:
    """Move each vertex a little; those on the rim of the picture stay on it."""
    ring = np.array(points)
    limits = np.array([shape[1], shape[0]], float)
    rim = (ring <= 0) | (ring >= limits)
    for moved in _attempts(ring, jitter, rng):
        bent = np.where(rim, ring, np.clip(moved, 0, limits))
        if shapely.Polygon(bent).is_valid:
            return tuple((round(float(x), 2), round(float(y), 2)) for x, y in bent)
    return points


def _attempts(
    ring: NDArray[np.float64], jitter: float, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Ever smaller moves: a thin piece must not come to cross itself."""
    for attempt in range(TRIES):
        yield ring + rng.normal(0, jitter / 2**attempt, ring.shape)
