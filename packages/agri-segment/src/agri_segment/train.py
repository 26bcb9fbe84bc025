"""Trains one architecture on a chip store and scores the exported bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agri_core.bands import band_indices
from agri_core.files.atomic import write_json, write_text
from agri_core.files.console import warn
from agri_core.files.errors import InputError
from agri_data.store.store import ChipStore
from agri_map.inference.engine import open_engine
from agri_train.config import TrainConfig
from agri_train.engine.seed import seed_all
from agri_train.fit import FitResult, fit
from agri_train.network.weights import weights_fingerprint
from agri_train.run.history import mean_rate, read_history

from agri_segment.evaluation.evaluate import ChipEvaluation, evaluate
from agri_segment.evaluation.evaluate import metrics as all_metrics
from agri_segment.networks.archs import Segmenter, build
from agri_segment.networks.summary import describe
from agri_segment.networks.unet import parameter_count


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a training that are not the engine's.

    Attributes:
        arch: architecture, see `agri_segment.networks.archs`.
        name: of the model.
        bands: names, in channel order; all bands of the store when empty.
        encoder: of the architecture; None takes its first.
        weights: `none`, `imagenet` or a file, for the encoder.
        frozen: freeze the encoder.
        options: further options of the architecture.
    """

    arch: str
    name: str
    bands: tuple[str, ...] = ()
    encoder: str | None = None
    weights: str = "none"
    frozen: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def train(plan: Plan, store: ChipStore, config: TrainConfig, out: Path) -> ChipEvaluation:
    """Train, write all outputs into `out` and return the bundle's scores on the validation split.

    In addition to the outputs of `agri_train.fit` (model.onnx, history.csv, curves.png, samples/,
    config.json, checkpoints/) this writes summary.txt and metrics.json.

    Raises:
        AgriError: The plan, the store and the settings do not fit together.
    """
    bands = check_bands(plan.bands or store.bands, store)
    if plan.frozen and plan.weights == "none":
        warn("the encoder is frozen at random weights; give --weights imagenet or a file")
    seed_all(config.seed)
    net = build(
        plan.arch,
        bands=bands,
        classes=len(store.legend),
        encoder=plan.encoder,
        weights=plan.weights,
        frozen=plan.frozen,
        **plan.options,
    )
    _check_batch(net, store, config)
    text = describe(net, len(bands), store.info.chip_size)
    result = fit(
        net,
        store,
        bands=bands,
        task="segment",
        head=net.head,
        config=config,
        out=out,
        name=plan.name,
        arch=plan.arch if net.encoder_name is None else f"{plan.arch}-{net.encoder_name}",
        settings={
            "encoder": net.encoder_name,
            "weights": plan.weights,
            "weights_content": weights_fingerprint(plan.weights),
            "frozen": plan.frozen,
            **plan.options,
        },
    )
    write_text(out / "summary.txt", text)
    return _score(net, result, store, config, out)


def check_bands(bands: Sequence[str], store: ChipStore) -> tuple[str, ...]:
    """Check that the store has these bands and none is named twice."""
    band_indices(store.bands, bands, str(store.path))
    if len(set(bands)) != len(bands):
        raise InputError(f"a band is named twice in {', '.join(bands)}")
    return tuple(bands)


def _check_batch(net: Segmenter, store: ChipStore, config: TrainConfig) -> None:
    if config.batch_size == 1 and store.info.chip_size <= net.stride:
        raise InputError(
            f"with one chip of {store.info.chip_size} px per batch, the deepest map of "
            f"'{net.arch}' is a single value and batch norm cannot train on it; use "
            "--batch-size 2 or more"
        )


def _score(
    net: Segmenter, result: FitResult, store: ChipStore, config: TrainConfig, out: Path
) -> ChipEvaluation:
    engine = open_engine(result.bundle, threads=config.threads or None)
    evaluation = evaluate(engine, store, "val", config.batch_size)
    history = read_history(result.history)
    seconds = sum(row["seconds"] for row in history)
    write_json(
        out / "metrics.json",
        {
            **all_metrics(evaluation),
            "arch": net.arch,
            "encoder": net.encoder_name,
            "bands": len(result.spec.bands),
            "parameters": parameter_count(net),
            "epochs": len(history),
            "seconds": round(seconds, 1),
            "images_per_second": round(mean_rate(history), 2),
        },
    )
    return evaluation
