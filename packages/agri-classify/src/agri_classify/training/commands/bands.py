"""`agri-classify bands`: trains one network per set of bands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.files.params import params_option, with_settings
from agri_train.config import TrainConfig

from agri_classify.training.commands import options
from agri_classify.training.commands.options import words


@with_settings(TrainConfig)
def bands(
    *,
    chips: options.Chips,
    out: options.Report,
    runs: options.Runs,
    params: Annotated[Path | None, params_option("classify", "bands")] = None,
    kinds: Annotated[
        str, typer.Option(help="Kinds of band sets: single, composite, all, without.")
    ] = "single,composite,all,without",
    split: options.Judged = "test",
    model: options.Network = "compact",
    weights: options.Weights = "none",
    frozen: options.Frozen = False,
    hidden: options.Hidden = 256,
    dropout: options.Dropout = 0.5,
    views: options.Seen = 1,
    settings: dict[str, Any],
) -> None:
    """Compare sets of bands: one training per set, on the same split.

    Each band alone (copied to three channels), red-green-blue, colour-infrared, short-wave
    infrared, all bands, and all but one.

    Example: agri-classify bands --chips data/patches --epochs 12 --runs data/bands-study
    --out reports/bands-study
    """
    from agri_data.store.store import ChipStore

    from agri_classify.training.study.bands import band_sets
    from agri_classify.training.study.study import Case, study
    from agri_classify.training.study.study_figures import draw_cases
    from agri_classify.training.study.study_report import conclude
    from agri_classify.training.train import Plan

    store, config = ChipStore.open(chips), TrainConfig.from_dict(settings)
    plan = Plan(
        model=model,
        name="bands",
        weights=weights,
        frozen=frozen,
        hidden=hidden,
        dropout=dropout,
        views=views,
    )
    cases = [
        Case(item.name, replace(plan, bands=item.bands), store, config)
        for item in band_sets(store.bands, words(kinds))
    ]
    found = study(cases, split, runs)
    title = f"Bands of {store.info.name}: {model}, {config.epochs} epochs, evaluated on {split}"
    conclude(found, out, title, draw_cases)
