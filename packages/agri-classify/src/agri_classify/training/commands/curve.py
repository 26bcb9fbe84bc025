"""`agri-classify curve`: trains one network per number of labels."""

from __future__ import annotations

from dataclasses import asdict, replace
from math import ceil
from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.files.options import with_records, with_settings, words
from agri_core.files.params import params_option
from agri_train.config import TrainConfig

from agri_classify.training.commands import options

STEPS = 32


@with_settings(TrainConfig)
@with_records
def curve(
    *,
    chips: options.Chips,
    out: options.Report,
    runs: options.Runs,
    params: Annotated[Path | None, params_option("classify")] = None,
    sizes: Annotated[
        str, typer.Option(help="How many labels: a number per class, a share, or all.")
    ] = "10,50,0.2,all",
    split: options.Judged = "test",
    model: options.Network = "compact",
    bands: options.Bands = "",
    network: options.NetworkOptions,
    settings: dict[str, Any],
) -> None:
    """Draw a learning curve: the same training with fewer and fewer labels.

    Training and validation split are subsampled by class, and smaller samples are subsets of larger
    ones. Few patches are repeated within an epoch, so that it has at least 32 steps.

    Example: agri-classify curve --chips data/eurosat --sizes 10,100,0.2,all --epochs 30
    --runs data/labels --out reports/labels
    """
    from agri_data.store.store import ChipStore

    from agri_classify.training.study.study import Case, study
    from agri_classify.training.study.study_figures import draw_curve
    from agri_classify.training.study.study_report import conclude
    from agri_classify.training.study.subset import Size, subset
    from agri_classify.training.train import Plan

    store, config = ChipStore.open(chips), TrainConfig.from_dict(settings)
    plan = Plan(model=model, name="curve", bands=words(bands), **asdict(network))
    chosen_sizes = [Size.parse(word) for word in words(sizes)]
    cases = []
    for size in chosen_sizes:
        smaller = subset(store, size, config.seed)
        least = ceil(STEPS * config.batch_size / len(smaller.indices("train")))
        repeats = max(config.repeats, least)
        cases.append(Case(str(size), plan, smaller, replace(config, repeats=repeats)))
    found = study(cases, split, runs)
    title = f"Labels of {store.info.name}: {model}, {config.epochs} epochs, evaluated on {split}"
    conclude(found, out, title, draw_curve)
