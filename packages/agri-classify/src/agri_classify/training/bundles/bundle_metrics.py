"""Adds metrics to the metadata of an exported bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
from agri_core.files.atomic import replacing_file
from agri_map.bundle.bundle import metadata, read_spec
from agri_map.bundle.spec import BundleSpec


def add_metrics(bundle: Path, found: Mapping[str, Any]) -> BundleSpec:
    """Add metrics to a bundle, replacing those of the same name.

    Returns:
        The new spec.
    """
    spec = read_spec(bundle)
    spec = replace(spec, metrics={**spec.metrics, **found})
    graph = onnx.load(bundle)
    del graph.metadata_props[:]
    onnx.helper.set_model_props(graph, metadata(spec))
    with replacing_file(bundle) as temporary:
        onnx.save(graph, temporary)
    return spec
