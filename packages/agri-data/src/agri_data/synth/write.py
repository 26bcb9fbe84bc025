"""Write a set of synthetic scenes: rasters, polygons, sums and the source description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import rasterio
from agri_core.files.atomic import replacing_dir
from agri_core.files.console import progress
from agri_core.legend import IGNORE, Legend
from agri_core.vector.crs import LONLAT, parse_crs
from agri_core.vector.writer import Part, to_lonlat, write_features
from rasterio.errors import RasterioError
from ruamel.yaml import YAML

from agri_data.synth import truth as truths
from agri_data.synth.layout.frame import PIXEL
from agri_data.synth.scene import MAP, NODATA, Place, Scene, names, observe_place, place
from agri_data.synth.spectra.bandset import TEN, band_set

LICENCE = "CC0-1.0 (synthetic)"
MARKER = "source.yaml"
TILE = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make: places of `size` pixels for training, and one more place to be mapped.

    `clouds` hides that share of the second date of every other training place; `wedge` leaves
    that share of the second date of the first training place and of the map without data.
    `bands` is 10 or 13, see `bandset`.
    """

    seed: int = 7
    size: int = 512
    places: int = 3
    target: str = "cover"
    clouds: float = 0.03
    wedge: float = 0.02
    bands: int = len(TEN.names)

    def make(self, spare: bool = True) -> Iterator[Place]:
        """Yield the training places, then, if `spare`, the place to be mapped."""
        for number, name in enumerate(names(self.places)):
            clouds = self.clouds if number % 2 == 0 else 0.0
            wedge = self.wedge if number == 0 else 0.0
            yield place(name, number, self.seed, self.size, clouds, wedge)
        if spare:
            yield place(MAP, self.places, self.seed, self.size, 0.0, self.wedge)

    def settings(self) -> dict[str, Any]:
        """Return the plan as JSON; ten bands, the default, are left out."""
        values = asdict(self)
        if self.bands == len(TEN.names):
            del values["bands"]
        return values


def write_synth(out: Path, plan: Plan, *, spare: bool = True) -> dict[str, Any]:
    """Write everything into `out` at once or not at all; return what `truth.json` holds.

    Without `spare` the place to be mapped is left out.

    Raises:
        InputError: the plan is impossible, or `out` is a folder that this command does not own.
    """
    truths.legend_of(plan.target)
    band_set(plan.bands)
    with replacing_dir(out) as folder, _naming(out):
        (folder / "truth").mkdir()
        summary: dict[str, Any] = {"unit": "ha", **plan.settings(), "scenes": {}, "changes": {}}
        training: list[dict[str, Any]] = []
        for spot in progress(plan.make(spare), "scenes", plan.places + spare):
            _write_place(folder, spot, plan, summary)
            if spot.name != MAP:
                training.extend(_entry(spot, index) for index in (0, 1))
        (folder / "truth" / "truth.json").write_text(json.dumps(summary, indent=2) + "\n")
        _write_source(folder / MARKER, plan, training)
    return summary


@contextmanager
def _naming(out: Path) -> Iterator[None]:
    """Name the folder that cannot be written, which the errors of GDAL do not."""
    try:
        yield
    except RasterioError as error:
        raise OSError(
            f"cannot write {out}, is the disk full? ({error.__cause__ or error})"
        ) from error


def _write_place(folder: Path, spot: Place, plan: Plan, summary: dict[str, Any]) -> None:
    for scene in observe_place(spot, plan.target, band_set(plan.bands)):
        _write_image(folder / f"{scene.name}.tif", scene)
        _write_truth(folder / "truth" / f"{scene.name}.tif", scene, truths.legend_of(plan.target))
        part = truths.polygons(spot.land, scene.index, plan.target)
        _write_polygons(folder / "truth" / f"{scene.name}.geojson", part, spot)
        summary["scenes"][scene.name] = {
            "date": scene.date.iso,
            "hectares": truths.hectares(spot.land.features, scene.index, plan.target),
            "visible": truths.visible(scene.truth, plan.target),
        }
    changed = truths.changes(spot.land)
    _write_polygons(folder / "truth" / f"change-{spot.name}.geojson", changed, spot)
    summary["changes"][spot.name] = truths.change_hectares(spot.land.features)


def _profile(scene: Scene) -> dict[str, Any]:
    frame = scene.place.land.frame
    return {
        "driver": "GTiff",
        "height": frame.size,
        "width": frame.size,
        "crs": f"EPSG:{frame.epsg}",
        "transform": frame.transform(),
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "compress": "deflate",
    }


def _write_image(path: Path, scene: Scene) -> None:
    shape = {"count": len(scene.bands), "dtype": "uint16", "nodata": NODATA, "predictor": 2}
    with rasterio.open(path, "w", **_profile(scene), **shape, interleave="band") as sink:
        sink.write(scene.image.transpose(2, 0, 1))
        sink.descriptions = scene.bands
        sink.update_tags(date=scene.date.iso, unit="dn", quantification="10000", origin="synthetic")


def _write_truth(path: Path, scene: Scene, legend: Legend) -> None:
    with rasterio.open(path, "w", **_profile(scene), count=1, dtype="uint8", nodata=IGNORE) as sink:
        sink.write(scene.truth, 1)
        colours = {i: (*(int(v) for v in rgb), 255) for i, rgb in enumerate(legend.rgb)}
        sink.write_colormap(1, {**colours, IGNORE: (230, 230, 230, 0)})
        sink.update_tags(1, **{f"class_{item.id}": item.name for item in legend.classes})


def _write_polygons(path: Path, part: Part, spot: Place) -> None:
    """Write polygons in degrees; nine decimals keep the areas that are written with them."""
    shapes = to_lonlat(part.geometries, parse_crs(f"EPSG:{spot.land.frame.epsg}"))
    write_features(path, [replace(part, geometries=shapes)], LONLAT, digits=9)


def _entry(spot: Place, index: int) -> dict[str, Any]:
    name = f"{spot.name}-{spot.dates[index].year}.tif"
    return {"image": name, "label": f"truth/{name}", "group": spot.name}


def _write_source(path: Path, plan: Plan, training: list[dict[str, Any]]) -> None:
    description = {
        "name": "synthetic-fields",
        "kind": "scenes",
        "licence": LICENCE,
        "bands": list(band_set(plan.bands).names),
        "unit": "dn",
        "legend": truths.legend_of(plan.target).to_list(),
        "pixel": PIXEL,
        "nodata": NODATA,
        "label": {"kind": "raster"},
        "scenes": training,
    }
    yaml = YAML()
    yaml.default_flow_style = False
    with path.open("w", encoding="utf-8") as sink:
        yaml.dump(description, sink)
