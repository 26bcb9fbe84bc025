"""`agri-classify map`: what covers the ground of a scene, patch by patch?"""

from __future__ import annotations

from typing import Annotated

import typer
from agri_map.commands.options import (
    BANDS,
    BandFiles,
    BandNames,
    Confidence,
    EngineChoice,
    MapFile,
    NoData,
    Probabilities,
    SceneFile,
    Threads,
)

from agri_classify.bundled import BOXED
from agri_classify.commands.model import Model


def map_patches(
    scene: SceneFile = None,
    *,
    out: MapFile,
    model: Model = BOXED,
    confidence: Confidence = None,
    probabilities: Probabilities = None,
    step: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Distance of patches, half a patch by default: neighbours are blended. A whole "
            "patch gives blocks, a smaller step costs more time.",
        ),
    ] = None,
    bands: BandNames = None,
    band: BandFiles = None,
    nodata: NoData = None,
    scale: Annotated[
        float | None,
        typer.Option(
            metavar="MAX",
            rich_help_panel=BANDS,
            help="Read values of 0 to MAX as 0 to 255, for a model that learned from 8-bit "
            "pictures. EuroSAT's were made with 2750 of top-of-atmosphere (L1C) scenes; "
            "bottom-of-atmosphere (L2A) ones look darker and less blue to it.",
        ),
    ] = None,
    engine: EngineChoice = "onnxruntime",
    threads: Threads = None,
) -> None:
    """Map a scene patch by patch: each pixel gets the class of the patches over it.

    The map has the scene's grid and is one for `agri-map area`, `polygons`, `score` and `show`.
    It is no finer than a patch: a class that fills less than half of one is seldom seen.

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
