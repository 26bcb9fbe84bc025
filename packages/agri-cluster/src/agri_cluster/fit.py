"""Fit a clustering to a chip store or a folder of pictures and write it to a folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import replacing_dir, write_json
from agri_core.files.errors import InputError

from agri_cluster.artifact.save import Grouping, save
from agri_cluster.artifact.series import Series
from agri_cluster.data.rows import RowFile
from agri_cluster.data.sources import open_tiles
from agri_cluster.data.tiles import Tiles
from agri_cluster.dec.estimator import embed_all
from agri_cluster.encoders.registry import scale_of
from agri_cluster.settings import FitSettings, deepcluster, estimator

STARTED, ROWS, FEATURES = "started.json", "rows.npy", "features.npy"


@dataclass(frozen=True, slots=True)
class Source:
    """What is clustered: a folder, bands by name (all when empty), and the part (all = None)."""

    path: Path
    bands: tuple[str, ...] = ()
    split: str | None = None

    def open(self, encoder: str) -> Tiles:
        """Open the tiles on the scale that `encoder` takes.

        Raises:
            AgriError: they are not there, or not as they must be.
        """
        bands, scale = self.bands or None, scale_of(encoder)
        return open_tiles(self.path, bands=bands, split=self.split, scale=scale)


def fit(
    source: Source, out: Path, settings: FitSettings, seed: int, resume: bool
) -> dict[str, Any]:
    """Fit, write the clustering to `out`, and return its cluster.json.

    The state of the run lies in a folder beside `out` until it is done; with `resume` a stopped
    run goes on there.

    Raises:
        AgriError: the source or a setting is not as it must be, or the stopped run had others.
    """
    tiles = source.open(settings.encoder)
    work = out.with_name(f".{out.name}.fitting")
    _begin(work, source, settings, seed, resume)
    fitting = _deepcluster if settings.objective == "deepcluster" else _embedded
    made = fitting(tiles, settings, seed, work, resume)
    info = {
        "settings": settings.to_json(), "seed": seed, "source": source.path.name,
        "split": source.split, "bands": list(tiles.bands),
        "scaling": getattr(tiles, "scaling", None), "tiles": len(tiles),
    }  # fmt: skip
    with replacing_dir(out) as folder:
        save(folder, made, info)
        if (work / FEATURES).is_file():
            shutil.copyfile(work / FEATURES, folder / FEATURES)
    shutil.rmtree(work)
    return info | dict(made.facts)


def _begin(work: Path, source: Source, settings: FitSettings, seed: int, resume: bool) -> None:
    """Make the folder of the run's state, or see that the one there is of the same run."""
    wanted = {
        "source": str(source.path.resolve()), "bands": list(source.bands), "split": source.split,
        "seed": seed, "settings": settings.to_json(),
    }  # fmt: skip
    mark = work / STARTED
    if resume and mark.is_file():
        found = json.loads(mark.read_text(encoding="utf-8"))
        if found != wanted:
            raise InputError(
                f"the stopped run in {work} had other settings or tiles; run without --resume to "
                "start afresh"
            )
        return
    if work.exists() and not mark.is_file() and any(work.iterdir()):
        raise InputError(f"{work} is in the way and was not left by a fit; move it elsewhere")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_json(mark, wanted)


def _embedded(tiles: Tiles, settings: FitSettings, seed: int, work: Path, resume: bool) -> Grouping:
    found = estimator(settings, seed, work).fit(tiles, resume=resume)
    facts = {
        "scale": found.scale_, "n_iter": found.n_iter_, "converged": found.converged_,
        "stop_reason": found.stop_reason_, "used": found.n_clusters_used_,
        "contrast": found.contrast_, "warnings": found.warnings_,
        "starts": {"inertias": list(found.start_.inertias), "agreement": found.start_.agreement},
        "warmup": found.warmup_,
    }  # fmt: skip
    rows = RowFile(work / ROWS, tiles.ids)
    return Grouping(
        found.model_, rows, found.cluster_centers_, found.alpha_, found.start_.labels,
        found.history_, found.pretrain_, found.series_, facts,
    )  # fmt: skip


def _deepcluster(
    tiles: Tiles, settings: FitSettings, seed: int, work: Path, resume: bool
) -> Grouping:
    found = deepcluster(settings, seed, tiles.shape, tiles.bands)
    found.fit(tiles, state=work / "deepcluster.npz")
    centres = found.cluster_centers_
    history = [
        {
            "refresh": turn.epoch, "iteration": turn.epoch, "used": turn.used,
            "largest": turn.largest, "reseeded": turn.splits,
            "changed": None if turn.nmi is None else 1.0 - turn.nmi,
        }
        for turn in found.history_
    ]  # fmt: skip
    losses = [turn.loss for turn in found.history_ if turn.loss is not None]
    facts = {
        "scale": 1.0, "n_iter": found.n_iter_, "converged": False, "stop_reason": "max_iter",
        "used": len(np.unique(found.labels_)),
        "warnings": ["changed is 1 - NMI with the grouping before, for deepcluster"],
    }  # fmt: skip
    rows = embed_all(found.model_, tiles, work / ROWS, centres.shape[1])
    series = Series(np.zeros(0, np.int64))
    alpha = max(1.0, centres.shape[1] - 1.0)
    return Grouping(found.model_, rows, centres, alpha, None, history, losses, series, facts)
