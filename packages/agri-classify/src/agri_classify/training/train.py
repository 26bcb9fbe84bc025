"""Trains a classifier on a chip store whose chips have one label each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.bands import band_indices
from agri_core.files.atomic import write_json
from agri_core.files.console import warn
from agri_core.files.errors import AgriError, InputError, SettingError
from agri_data.store.store import ChipStore
from agri_map.inference.engine import open_engine
from agri_train.baselines.patches import BaselineScore, score_baselines
from agri_train.bundle.record import SMALLEST
from agri_train.config import TrainConfig
from agri_train.engine.seed import seed_all
from agri_train.fit import FitResult, fit
from agri_train.network.weights import weights_fingerprint
from torch import nn

from agri_classify.evaluation.evaluate import evaluate, metrics
from agri_classify.patches.labelled import Labelled
from agri_classify.patches.quality import KEY
from agri_classify.training.bundles.bundle_metrics import add_metrics
from agri_classify.training.bundles.half_precision import to_half_precision
from agri_classify.training.bundles.jpeg_robustness import jpeg_accuracy
from agri_classify.training.calibration.conformal import NOMINAL, least_probability
from agri_classify.training.calibration.crossfit import crossfit
from agri_classify.training.networks.networks import DROPOUT, HIDDEN, build, parameters
from agri_classify.training.networks.views import Views


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a training that are not the engine's.

    Attributes:
        model: network, see `agri_classify.training.networks.networks`.
        name: of the model in its bundle.
        bands: names, in channel order; all bands of the store when empty.
        weights: `none`, `imagenet` or a file, for the body.
        frozen: train only the head.
        hidden: width of the head's inner layer; 0 for none.
        dropout: in the head.
        views: mirrored and rotated views averaged at inference: 1, 2, 4 or 8.
        coverage: nominal coverage of the conformal sets.
        half: store the weights of the bundle in half precision, which halves the file.
    """

    model: str
    name: str
    bands: tuple[str, ...] = ()
    weights: str = "none"
    frozen: bool = False
    hidden: int = HIDDEN
    dropout: float = DROPOUT
    views: int = 1
    coverage: float = NOMINAL
    half: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """The results of a training.

    Attributes:
        result: of the engine; its bundle now also holds the conformal threshold.
        scores: of the bundle on the validation split, as in metrics.json.
        baselines: on the same split.
    """

    result: FitResult
    scores: dict[str, Any]
    baselines: Sequence[BaselineScore]

    @property
    def best_baseline(self) -> BaselineScore:
        """The baseline with the highest accuracy."""
        return max(self.baselines, key=lambda item: item.accuracy)

    def check(self) -> None:
        """Check that the network is better than every baseline.

        Raises:
            BeatenError: a baseline is as good, unless both have an accuracy of 1.
        """
        best, own = self.best_baseline, self.scores["accuracy"]
        if own < best.accuracy or own == best.accuracy < 1:
            raise BeatenError(
                f"the network has a validation accuracy of {own:.4f}, the baseline '{best.name}' "
                f"{best.accuracy:.4f}: it is no better than a simple method. Train longer, with "
                "another learning rate, or with more patches"
            )


class BeatenError(AgriError, RuntimeError):
    """The network is no better than a baseline."""


def train(plan: Plan, store: ChipStore, config: TrainConfig, out: Path) -> Trained:
    """Train, export the bundle with its conformal threshold, and score it and the baselines.

    Writes the outputs of `agri_train.fit` and metrics.json into `out`. The conformal threshold is
    fitted on the validation split, which also selected the epoch and the temperature.

    Raises:
        AgriError: the plan, the store and the settings do not fit together.
    """
    net, result = fit_plan(plan, store, config, out)
    if plan.half:
        to_half_precision(result.bundle)
    scores = _judge(plan, result, store, config)
    simple = score_baselines(store, result.spec, seed=config.seed)
    facts = {
        "arch": plan.model, "parameters": parameters(net), "epochs": result.epochs,
        "baselines": {item.name: item.accuracy for item in simple},
    }  # fmt: skip
    write_json(out / "metrics.json", {**scores, **facts})
    return Trained(result, scores, simple)


def fit_plan(
    plan: Plan, store: ChipStore, config: TrainConfig, out: Path
) -> tuple[nn.Module, FitResult]:
    """Train a network; return it with its best weights, and the outputs of `agri_train.fit`.

    Raises:
        AgriError: the plan, the store and the settings do not fit together.
    """
    bands = plan.bands or store.bands
    _check(plan, store, bands)
    seed_all(config.seed)
    net = build(
        plan.model, bands, len(store.legend), weights=plan.weights, frozen=plan.frozen,
        hidden=plan.hidden, dropout=plan.dropout,
    )  # fmt: skip
    if plan.views != 1:
        net = Views(net, plan.views)
    apart = ("name", "bands", "coverage", "half")
    settings = {key: value for key, value in asdict(plan).items() if key not in apart}
    settings["weights_content"] = weights_fingerprint(plan.weights)
    return net, fit(
        net, store, bands=bands, task="classify", head="multiclass", config=config, out=out,
        name=plan.name, arch=plan.model, settings=settings,
    )  # fmt: skip


def _judge(plan: Plan, result: FitResult, store: ChipStore, config: TrainConfig) -> dict[str, Any]:
    """Score the bundle on the validation split, and add conformal threshold and JPEG accuracy."""
    engine = open_engine(result.bundle, threads=config.threads or None)
    found = evaluate(engine, Labelled(store, engine.spec, "val"))
    least = least_probability(found.probabilities, found.truth, plan.coverage)
    sets = {"threshold": least, "nominal": plan.coverage, "part": "val"}
    saved = jpeg_accuracy(engine, store, "val")
    coarse = {KEY: saved} if saved else {}
    spec = add_metrics(result.bundle, {"conformal": sets, **coarse})
    held = crossfit(
        found.probabilities, found.truth, found.place_of, plan.coverage, seed=config.seed
    )
    return {**metrics(replace(found, spec=spec)), "crossfit": held, **coarse}


def _check(plan: Plan, store: ChipStore, bands: Sequence[str]) -> None:
    if store.info.chip_size < SMALLEST:
        raise InputError(
            f"the patches in {store.path} are {store.info.chip_size} pixels wide; a classifier "
            f"needs {SMALLEST} or more"
        )
    band_indices(store.bands, bands, str(store.path))
    if len(set(bands)) != len(bands):
        raise InputError(f"a band is named twice in {', '.join(bands)}")
    if not 0 < plan.coverage < 1:
        raise SettingError("coverage", f"must be between 0 and 1, got {plan.coverage}")
    _check_labels(store)
    if plan.frozen and plan.weights == "none":
        warn("the body is frozen at random weights; give --weights imagenet or a file")


def _check_labels(store: ChipStore) -> None:
    """Raise for chips without a label, and for a training split of one class."""
    bare = np.flatnonzero((store.table["label"] == "").to_numpy())
    if len(bare):
        chip = store.table["chip_id"].iloc[int(bare[0])]
        raise InputError(
            f"{len(bare)} of the {len(store)} chips in {store.path} have no label, such as {chip}; "
            "a classifier needs chips of one class each. Use `agri-segment train` for masks."
        )
    found = np.unique(store.labels(store.indices("train")))
    if len(found) == 1:
        raise InputError(
            f"all training chips in {store.path} are {store.legend.names[int(found[0])]}; a "
            "classifier needs two classes or more"
        )
