"""Fixtures: tiny bundles made with onnx.helper (no torch) and tiny scenes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import rasterio
from agri_core.legend import Legend
from agri_map.bundle.bundle import metadata
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from rasterio.transform import from_origin

BANDS = ("B02", "B03", "B04", "B08")
EQUAL_AREA = "EPSG:3035"
"""Lambert's equal-area projection: a pixel of 10 m covers 0.01 ha, so hectares can be literal."""

PLACE = from_origin(4_500_000, 3_000_000, 10, 10)

SpecMaker = Callable[..., BundleSpec]
SceneWriter = Callable[..., Path]
ModelWriter = Callable[..., Path]


@pytest.fixture
def legend() -> Legend:
    return Legend.of({"other": "#c8c8c8", "arable": "#e8c547", "water": "#2a7fba"})


@pytest.fixture
def make_spec(legend: Legend) -> SpecMaker:
    def make(**changes: Any) -> BundleSpec:
        bands = changes.pop("bands", BANDS)
        facts: dict[str, Any] = {
            "name": "tiny",
            "task": "segment",
            "bands": bands,
            "unit": "dn",
            "mean": tuple(1500.0 + 10 * i for i in range(len(bands))),
            "std": tuple(400.0 + i for i in range(len(bands))),
            "legend": legend,
            "pixel_size": 10.0,
            "tile": 64,
            "overlap": 16,
            "licence": "MIT",
        }
        return BundleSpec(**facts | changes)

    return make


@pytest.fixture
def save_model(tmp_path: Path, make_spec: SpecMaker) -> ModelWriter:
    """Write a bundle: `pointwise` (1x1), `conv` (3x3), `wide` (9x9 mean) or `constant`.

    One that classifies takes the mean of the logits over the patch.
    """

    def save(
        kind: str = "pointwise",
        name: str = "model.onnx",
        spec: BundleSpec | None = None,
        inputs: int | None = None,
        outputs: int | None = None,
    ) -> Path:
        spec = spec or make_spec()
        bands, classes = inputs or len(spec.bands), outputs or len(spec.legend)
        side = {"pointwise": 1, "constant": 1, "conv": 3, "wide": 9}[kind]
        rng = np.random.default_rng(3)
        weight = rng.normal(size=(classes, bands, 1, 1)) * np.ones((1, 1, side, side)) / side**2
        if kind == "conv":
            weight = rng.normal(size=(classes, bands, 3, 3)) / 3
        bias = np.zeros(classes)
        if kind == "constant":
            weight, bias = np.zeros_like(weight), np.log(np.arange(1.0, classes + 1))
        pad = side // 2
        sizes: list[Any] = ["n", classes, "h", "w"]
        nodes = [
            helper.make_node("Conv", ["image", "weight", "bias"], ["logits"], pads=[pad] * 4),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        if spec.task == "classify":
            sizes = sizes[:2]
            nodes[1:] = [
                helper.make_node("GlobalAveragePool", ["logits"], ["means"]),
                helper.make_node("Flatten", ["means"], ["flat"]),
                helper.make_node("Softmax", ["flat"], ["probabilities"], axis=1),
            ]
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", bands, "h", "w"])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, sizes)],
            [
                numpy_helper.from_array(weight.astype(np.float32), "weight"),
                numpy_helper.from_array(bias.astype(np.float32), "bias"),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, metadata(spec))
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return save


@pytest.fixture
def smooth() -> Callable[..., NDArray[np.uint16]]:
    """Make a smooth scene `(C, H, W)` of digital numbers about 1500."""

    def make(height: int, width: int, bands: int = 4, noise: int = 20) -> NDArray[np.uint16]:
        rows, cols = np.mgrid[:height, :width]
        rng = np.random.default_rng(1)
        planes = [
            1500 + 400 * np.sin(cols / 19 + i) + 300 * np.cos(rows / 23 - 2 * i)
            for i in range(bands)
        ]
        return (np.stack(planes) + rng.integers(0, noise + 1, (bands, height, width))).astype(
            np.uint16
        )

    return make


@pytest.fixture
def write_scene(tmp_path: Path) -> SceneWriter:
    """Write `(C, H, W)` as a GeoTIFF with band descriptions."""

    def write(
        image: NDArray[Any],
        name: str = "scene.tif",
        bands: Sequence[str] | None = BANDS,
        nodata: float | None = None,
        crs: str | None = EQUAL_AREA,
        transform: Any = PLACE,
        **profile: Any,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            dtype=image.dtype,
            count=len(image),
            height=image.shape[1],
            width=image.shape[2],
            crs=crs,
            transform=transform,
            nodata=nodata,
            **profile,
        ) as dataset:
            dataset.write(image)
            for number, band in enumerate(bands or (), start=1):
                dataset.set_band_description(number, band)
        return path

    return write


@pytest.fixture
def write_map(tmp_path: Path, legend: Legend) -> SceneWriter:
    """Write `(H, W)` class codes as a map of ours."""
    from agri_core.raster.grid import Grid
    from agri_map.maps.write import Layout, raster_sink

    def write(
        codes: NDArray[np.uint8],
        name: str = "map.tif",
        crs: str | None = EQUAL_AREA,
        transform: Any = PLACE,
    ) -> Path:
        path = tmp_path / name
        grid = Grid(rasterio.CRS.from_user_input(crs) if crs else None, transform, *codes.shape)
        one_hot = (codes == np.arange(len(legend), dtype=np.uint8)[:, None, None]).astype(
            np.float32
        )
        with raster_sink(path, grid, Layout("classes", legend), {}) as sink:
            sink.put(0, one_hot, codes != 255)
        return path

    return write
