"""The spec of the bundle that a run exports, and the fingerprint of what the run depends on."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import torch
from agri_core.bands import band_indices
from agri_core.files.console import warn
from agri_core.files.errors import InputError, MissingError
from agri_core.files.hashing import sha256_file, sha256_text
from agri_data.store.info import BandStats
from agri_data.store.store import ChipStore
from agri_map.bundle.spec import BundleSpec
from torch import nn

TILE = 256
"""Tile width of a segmentation model, unless its training chips are larger."""
SMALLEST = 16
"""Smallest patch width of a classifier: smaller ones vanish in its pooling layers."""
_AFTER_TRAINING = {
    "calibrate.py", "curves.py", "export.py", "progress.py", "report.py", "samples.py", "score.py",
}  # fmt: skip
"""Modules that do not affect the weights: after a change of these, a trained run is kept."""
_BASELINES = "baselines"
"""The sub-package of baselines, which are no part of a run."""

_DECISIVE = (
    "agri_data.augment.augment",
    "agri_data.augment.warp",
    "agri_data.augment.photometric",
    "agri_data.augment.downscale",
    "agri_data.augment.jpeg",
    "agri_map.bundle.preprocess",
)


def make_spec(
    store: ChipStore,
    bands: Sequence[str],
    task: Literal["segment", "classify"],
    name: str,
    arch: str,
) -> BundleSpec:
    """Build the spec: bands by name, normalisation from the statistics of the training split.

    Raises:
        MissingError: the store lacks a band or the statistics.
        InputError: the bands are in different units.
    """
    positions = band_indices(store.bands, bands, str(store.path))
    stats = [_stats(store, band) for band in bands]
    units = {store.info.bands[position].unit for position in positions}
    if len(units) != 1:
        raise InputError(
            f"The bands {', '.join(bands)} of {store.path} are in different units "
            f"({', '.join(sorted(units))}); a model takes one unit. Choose other bands."
        )
    side = max(store.info.chip_size, SMALLEST if task == "classify" else TILE)
    return BundleSpec(
        name=name,
        task=task,
        bands=tuple(bands),
        unit=units.pop(),
        mean=tuple(item.mean for item in stats),
        std=tuple(_scale(b, item) for b, item in zip(bands, stats, strict=True)),
        legend=store.legend,
        pixel_size=store.info.pixel_size,
        tile=side,
        overlap=side // 4 if task == "segment" else 0,
        dataset=store.fingerprint,
        split=store.split_fingerprint,
        licence=store.info.licence,
        arch=arch,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def run_fingerprint(net: nn.Module, spec: BundleSpec, parts: Mapping[str, Any]) -> str:
    """Return a hash of what a run depends on: data, split, normalisation, network, settings, code.

    Of the network it covers the names and shapes of its tensors and which are trainable, but not
    their values, so that a rerun finds its own checkpoint.
    """
    shapes = {name: list(tensor.shape) for name, tensor in net.state_dict().items()}
    trainable = [name for name, parameter in net.named_parameters() if parameter.requires_grad]
    content = {
        **parts,
        "code": code_fingerprint(net),
        "shapes": shapes,
        "trainable": trainable,
        "bands": spec.bands,
        "mean": spec.mean,
        "std": spec.std,
        "classes": spec.legend.names,
        "data": spec.dataset,
        "split": spec.split,
        "task": spec.task,
        "name": spec.name,
        "arch": spec.arch,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def code_fingerprint(net: nn.Module) -> str:
    """Return a hash of the source code that affects training: engine, augmentation, network.

    Without it, a run would be resumed by other code than it was started with.
    """
    names = {type(part).__module__ for part in net.modules()} | set(_DECISIVE)
    files = {Path(str(getattr(sys.modules[name], "__file__", ""))) for name in names}
    files |= {
        file
        for file in Path(__file__).parents[1].rglob("*.py")
        if file.name not in _AFTER_TRAINING and file.parent.name != _BASELINES
    }
    torch_home = Path(torch.__file__).parent
    kept = sorted(file for file in files if file.is_file() and torch_home not in file.parents)
    return sha256_text("\n".join(f"{file.name} {sha256_file(file)}" for file in kept))


def _stats(store: ChipStore, band: str) -> BandStats:
    if store.info.stats is None or band not in store.info.stats:
        raise MissingError(
            f"{store.path} has no statistics of band {band}, so it cannot be normalised. They are "
            f"measured on the training split when a store is split: `agri-data split {store.path}`."
        )
    return store.info.stats[band]


def _scale(band: str, stats: BandStats) -> float:
    if stats.std > 0:
        return stats.std
    warn(f"band {band} has the same value ({stats.mean:g}) in all training chips and adds nothing")
    return 1.0
