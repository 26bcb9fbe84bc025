"""Compares models and two baselines on one split; the best model is selected on another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.choices import Split
from agri_core.confusion import mean_iou
from agri_core.evaluation.evaluation import rounded
from agri_core.evaluation.interval import metric_interval
from agri_core.files.errors import InputError, MissingError
from agri_core.files.records import load_json
from agri_core.files.values import shown
from agri_data.store.store import ChipStore
from agri_map.choices import EngineName, Precision
from agri_map.inference.engine import Engine, open_engine
from agri_train.baselines.pixels import fit_pixel_logistic, fit_pixel_majority
from numpy.typing import NDArray

from agri_segment.evaluation.evaluate import ChipEvaluation, evaluate
from agri_segment.evaluation.score import Predictor

BUNDLE = "model.onnx"
LOGISTIC = "logistic"
TAKEN = ("majority", LOGISTIC, "best", "select", "split", "second", "over_second", "over_logistic")
"""Keys of a comparison's metrics that are not models."""

FACTS = ("parameters", "epochs", "seconds", "images_per_second")
"""What a comparison takes from the metrics of a training."""

MAX_FACTS = 1_000_000
"""Largest metrics.json in bytes."""

MOST = 1e15
"""Above any such number."""

LABELLED = 0.5
"""Chips with a smaller labelled share are not shown as best or worst."""


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: name, bundle, loaded engine and the `FACTS` of its training."""

    name: str
    path: Path
    engine: Engine
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scores of models and baselines on one split.

    Attributes:
        models: the models.
        chosen_on: their scores on the split that selects the best model.
        shown: scores of models and baselines on the reported split, by name.
    """

    models: tuple[Model, ...]
    chosen_on: Mapping[str, ChipEvaluation]
    shown: Mapping[str, ChipEvaluation]

    @property
    def ranking(self) -> list[str]:
        """Model names by mean IoU on the selecting split, best first."""
        scores = {name: item.scores["miou"] or 0.0 for name, item in self.chosen_on.items()}
        return sorted(scores, key=lambda name: -scores[name])

    def model(self, name: str) -> Model | None:
        """Return the model of that name; None for a baseline."""
        return next((model for model in self.models if model.name == name), None)

    @property
    def split(self) -> str:
        """The reported split."""
        return next(iter(self.shown.values())).split

    @property
    def select(self) -> str:
        """The split that selected the best model."""
        return next(iter(self.chosen_on.values())).split

    @property
    def best(self) -> Model:
        """The model with the highest mean IoU on the selecting split."""
        return next(model for model in self.models if model.name == self.ranking[0])


def load_models(
    paths: Sequence[Path],
    engine: EngineName = "onnxruntime",
    precision: Precision = "f32",
    threads: int = 0,
) -> list[Model]:
    """Open bundles, folders of a model, or folders of several such folders.

    A model is named after its folder, a single bundle after its file.

    Raises:
        MissingError: A path has no bundle.
        InputError: Two models have the same name, or there is none.
    """
    bundles = [bundle for path in paths for bundle in _bundles(path)]
    if not bundles:
        raise InputError("a comparison needs one model or more, got none")
    models = [load_model(bundle, engine, precision, threads) for bundle in bundles]
    names = [model.name for model in models]
    taken = {name for name in names if names.count(name) > 1 or name in TAKEN}
    if taken:
        raise InputError(
            f"two models have the name {', '.join(sorted(taken))}; rename the folder or file of one"
        )
    return models


def load_model(
    path: Path,
    engine: EngineName = "onnxruntime",
    precision: Precision = "f32",
    threads: int = 0,
) -> Model:
    """Open one bundle, or the folder of one model; see `load_models`."""
    bundle = path / BUNDLE if path.is_dir() else path
    if not bundle.is_file():
        raise MissingError(f"there is no model {bundle}; train one with `agri-segment train`")
    named = bundle.name == BUNDLE
    return Model(
        name=bundle.resolve().parent.name if named else bundle.stem,
        path=bundle,
        engine=open_engine(bundle, engine, precision, threads or None),
        facts=_facts(bundle.parent / "metrics.json") if named else {},
    )


def _bundles(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = [] if (path / BUNDLE).is_file() else sorted(path.glob(f"*/{BUNDLE}"))
    return inside or [path / BUNDLE]


def compare(
    models: Sequence[Model],
    store: ChipStore,
    *,
    select: Split = "val",
    split: Split = "val",
    batch_size: int = 8,
    seed: int = 0,
) -> Comparison:
    """Score the models, and baselines fitted on the training split.

    Raises:
        InputError: The best model would be selected on the test split or on fitted data.
    """
    if select in ("test", "train"):
        raise InputError(
            f"the best model must be selected on val (--select val), got {select!r}: test is for "
            "reporting, and train is fitted data"
        )
    chosen_on = {model.name: evaluate(model.engine, store, select, batch_size) for model in models}
    if split == select:
        shown = dict(chosen_on)
    else:
        shown = {model.name: evaluate(model.engine, store, split, batch_size) for model in models}
    baselines: list[Predictor] = [fit_pixel_majority(store), fit_pixel_logistic(store, seed)]
    for baseline in baselines:
        shown[baseline.spec.name] = evaluate(baseline, store, split, batch_size)
    return Comparison(tuple(models), chosen_on, shown)


def difference(first: ChipEvaluation, second: ChipEvaluation) -> dict[str, float | None]:
    """Return the difference in mean IoU with its 95 % CI, by bootstrap over the same places."""
    pairs = np.stack([first.places, second.places], axis=1)

    def gap(cms: NDArray[np.int64]) -> float:
        return mean_iou(cms[0]) - mean_iou(cms[1])

    low, high = metric_interval(pairs, gap)
    return {"miou": rounded(gap(pairs.sum(axis=0))), "low": rounded(low), "high": rounded(high)}


def examples(comparison: Comparison) -> dict[str, int]:
    """Return the best, median and worst chip by the average IoU of the models.

    Returns:
        The position of each chip in the store, by title.
    """
    evaluations = [comparison.shown[model.name] for model in comparison.models]
    scored = evaluations[0].scored
    pixels = scored.matrices.sum(axis=(1, 2))
    scores = np.mean([item.chip_iou for item in evaluations], axis=0)
    full = np.isfinite(scores) & (pixels >= LABELLED * pixels.max())
    order = np.flatnonzero(full)[np.argsort(scores[full], kind="stable")]
    picks = {"best": order[-1], "median": order[len(order) // 2], "worst": order[0]}
    return {title: int(scored.rows[position]) for title, position in picks.items()}


def _facts(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    where = f"{path} (train the model again)"
    if path.stat().st_size > MAX_FACTS:
        raise InputError(f"{where} has {path.stat().st_size:,} bytes; ours have a few thousand")
    content = load_json(path.read_bytes(), where)
    if not isinstance(content, dict):
        raise InputError(f"{where} must be a JSON object, got {shown(content)}")
    facts = {key: content[key] for key in FACTS if key in content}
    for key, value in facts.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
            raise InputError(f"{where}: '{key}' must be a number >= 0, got {shown(value)}")
    return facts
