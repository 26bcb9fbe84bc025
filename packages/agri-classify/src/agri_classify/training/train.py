"""Train a classifier on a chip store whose chips have one label each."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from agri_data.bands import band_indices
from agri_data.console import warn
from agri_data.errors import InputError
from agri_data.store import ChipStore
from agri_train.config import TrainConfig
from agri_train.fit import FitResult, fit
from agri_train.seed import seed_all

from agri_classify.training.networks import DROPOUT, HIDDEN, build


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train.

    Attributes:
        model: network, see `agri_classify.training.networks`.
        name: of the model in its bundle.
        bands: names, in channel order; all bands of the store when empty.
        weights: `none`, `imagenet` or a file, for the body.
        frozen: train the head alone.
        hidden: width of the head's inner layer; 0 for none.
        dropout: in the head.
    """

    model: str
    name: str
    bands: tuple[str, ...] = ()
    weights: str = "none"
    frozen: bool = False
    hidden: int = HIDDEN
    dropout: float = DROPOUT


def train(plan: Plan, store: ChipStore, config: TrainConfig, out: Path) -> FitResult:
    """Train and leave what `agri_train.fit` leaves in `out`, the bundle model.onnx among it.

    Raises:
        AgriError: the plan, the store and the settings do not go together.
    """
    bands = plan.bands or store.bands
    band_indices(store.bands, bands, str(store.path))
    if len(set(bands)) != len(bands):
        raise InputError(f"a band is named twice in {', '.join(bands)}")
    _check_labels(store)
    if plan.frozen and plan.weights == "none":
        warn("the body is frozen at random weights; give --weights imagenet or a file")
    seed_all(config.seed)
    net = build(
        plan.model, bands, len(store.legend), weights=plan.weights, frozen=plan.frozen,
        hidden=plan.hidden, dropout=plan.dropout,
    )  # fmt: skip
    settings = {key: value for key, value in asdict(plan).items() if key not in ("name", "bands")}
    return fit(
        net, store, bands=bands, task="classify", head="multiclass", config=config, out=out,
        name=plan.name, arch=plan.model, settings=settings,
    )  # fmt: skip


def _check_labels(store: ChipStore) -> None:
    """Refuse chips without a label, and a training part of one class."""
    bare = np.flatnonzero((store.table["label"] == "").to_numpy())
    if len(bare):
        chip = store.table["chip_id"].iloc[int(bare[0])]
        raise InputError(
            f"{len(bare)} of the {len(store)} chips in {store.path} have no label, such as {chip}; "
            "a classifier learns from chips of one class each. Maps are for `agri-segment train`."
        )
    found = np.unique(store.labels(store.indices("train")))
    if len(found) == 1:
        raise InputError(
            f"all training chips in {store.path} are {store.legend.names[int(found[0])]}; a "
            "classifier needs two classes or more"
        )
