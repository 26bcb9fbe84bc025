"""`agri-classify bands`: trains one network per set of bands."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.files.options import with_records, with_settings, words
from agri_core.files.params import params_option
from agri_train.config import TrainConfig

from agri_classify.training.commands import options


@with_settings(TrainConfig)
@with_records
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
    network: options.NetworkOptions,
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
    plan = Plan(model=model, name="bands", **asdict(network))
    cases = [
        Case(item.name, replace(plan, bands=item.bands), store, config)
        for item in band_sets(store.bands, words(kinds))
    ]
    found = study(cases, split, runs)
    title = f"Bands of {store.info.name}: {model}, {config.epochs} epochs, evaluated on {split}"
    conclude(found, out, title, draw_cases)
