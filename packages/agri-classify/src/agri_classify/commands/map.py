"""`agri-classify map`: maps a scene with a patch classifier."""

from __future__ import annotations

from typing import Annotated

import typer
from agri_map.commands import options
from agri_map.commands.options import BANDS

from agri_classify.bundled import BUNDLED
from agri_classify.commands.model import Model


def map_patches(
    scene: options.SceneFile = None,
    *,
    out: options.MapFile,
    model: Model = BUNDLED,
    confidence: options.Confidence = None,
    probabilities: options.Probabilities = None,
    step: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Stride in pixels, half a patch by default: neighbouring patches are blended. A "
            "whole patch gives blocks; a smaller stride takes longer.",
        ),
    ] = None,
    bands: options.BandNames = None,
    band: options.BandFiles = None,
    nodata: options.NoData = None,
    scale: Annotated[
        float | None,
        typer.Option(
            metavar="MAX",
            rich_help_panel=BANDS,
            help="Rescale values of 0 to MAX to 0 to 255, for a model trained on 8-bit pictures. "
            "EuroSAT uses 2750 for top-of-atmosphere (L1C) scenes; bottom-of-atmosphere (L2A) "
            "scenes look darker and less blue to the model.",
        ),
    ] = None,
    engine: options.EngineChoice = "onnxruntime",
    threads: options.Threads = None,
) -> None:
    """Map a scene with a sliding window: each pixel gets the class of the patches that cover it.

    The map has the grid of the scene; `agri-map area`, `polygons`, `score` and `show` read it. Its
    resolution is that of a patch: a class that covers less than half of one is rarely found.

    Example: agri-classify map scene.tif --scale 2750 --out maps/scene.tif
    --confidence maps/confidence.tif
    """
    from agri_map.bundle.bundle import read_spec
    from agri_map.commands.predict import read_bands, report
    from agri_map.mapping import Options, Outputs, map_scene
    from agri_map.scene.scene import open_scene

    from agri_classify.prediction.predict import check_task

    spec = read_spec(model)
    check_task(spec)
    names, files = read_bands(scene, bands, band)
    options = Options(step=step, engine=engine, threads=threads or None)
    outputs = Outputs(out, probabilities, confidence)
    with open_scene(
        scene, spec.bands, names=names, files=files, nodata=nodata, scale=scale
    ) as source:
        result = map_scene(source, model, outputs, options, spec)
    report(result, "patches")
