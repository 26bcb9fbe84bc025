"""Fit a clustering to a chip store or a folder of pictures and write it to a folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import replacing_dir, write_json
from agri_core.files.console import warn
from agri_core.files.errors import InputError, SettingError
from agri_core.files.locks import sole_run
from agri_core.files.records import parse_json
from agri_data.augment.augment import Augment

from agri_cluster.artifact.balance import Balance
from agri_cluster.artifact.save import FitOutput, save
from agri_cluster.artifact.series import Series
from agri_cluster.backend.framework import set_seed
from agri_cluster.backend.threads import thread_counts
from agri_cluster.data.content import tiles_fingerprint, weights_fingerprint
from agri_cluster.data.folder import FolderTiles
from agri_cluster.data.rows import RowFile
from agri_cluster.data.sources import StoreTiles, open_tiles
from agri_cluster.data.tiles import Ints
from agri_cluster.dec.estimator import DeepEmbeddedClustering
from agri_cluster.dec.inputs import encoder_of
from agri_cluster.dec.settings import FitSettings, whole_numbers
from agri_cluster.dec.steps import embed_all
from agri_cluster.deepcluster.deepcluster import DeepCluster, DeepClusterConfig
from agri_cluster.encoders.registry import build_encoder, scale_of
from agri_cluster.encoders.views import Views

STARTED, ROWS, FEATURES = "started.json", "rows.npy", "features.npy"
CONTENT = {"tiles": "the content of the tiles", "weights": "the content of the weights file"}
"""What a message says of fingerprints, whose digits tell nobody anything."""

CROP = 0.3
"""Largest share of a tile's side that DeepCluster's views cut away."""


FitTiles = StoreTiles | FolderTiles


@dataclass(frozen=True, slots=True)
class TileSource:
    """The tiles to cluster: a folder, bands by name (all when empty), and a split (None = all)."""

    path: Path
    bands: tuple[str, ...] = ()
    split: str | None = None

    def open(self, encoder: str) -> FitTiles:
        """Open the tiles on the scale that `encoder` takes.

        Raises:
            AgriError: they are missing or invalid.
        """
        bands, scale = self.bands or None, scale_of(encoder)
        return open_tiles(self.path, bands=bands, split=self.split, scale=scale)


def fit(
    source: TileSource, out: Path, settings: FitSettings, seed: int, resume: bool
) -> dict[str, Any]:
    """Fit, write the clustering to `out`, and return its cluster.json.

    Checkpoints are kept in a folder next to `out` until the fit is done; with `resume` an
    interrupted run continues from there.

    Raises:
        AgriError: the source or a setting is invalid, the interrupted run had others, or another
            run is writing `out`.
    """
    settings.check()
    if settings.n_clusters < 2:
        raise SettingError("n_clusters", f"is 2 or more, got {settings.n_clusters}")
    tiles = source.open(settings.encoder)
    with sole_run(out):
        return _fit(source, tiles, out, settings, seed, resume)


def _fit(
    source: TileSource, tiles: FitTiles, out: Path, settings: FitSettings, seed: int, resume: bool
) -> dict[str, Any]:
    work = out.with_name(f".{out.name}.fitting")
    _begin(work, source, tiles, settings, seed, resume)
    method = _fit_deepcluster if settings.objective == "deepcluster" else _fit_embedded
    output = method(tiles, settings, seed, work, resume)
    info = {
        "settings": settings.to_json() | {"encoder": encoder_of(settings, tiles)}, "seed": seed,
        "source": source.path.name, "split": source.split, "bands": list(tiles.bands),
        "scaling": getattr(tiles, "scaling", None), "tiles": len(tiles),
        "threads": thread_counts(),
    }  # fmt: skip
    with replacing_dir(out) as folder:
        save(folder, output, info)
        if (work / FEATURES).is_file():
            shutil.copyfile(work / FEATURES, folder / FEATURES)
    shutil.rmtree(work)
    return info | dict(output.facts)


def _begin(
    work: Path, source: TileSource, tiles: FitTiles, settings: FitSettings, seed: int, resume: bool
) -> None:
    """Make the folder of the checkpoints, or check that an existing one is of the same run."""
    wanted = {
        "tiles": tiles_fingerprint(tiles), "weights": weights_fingerprint(settings.weights),
        "bands": list(source.bands), "split": source.split, "seed": seed,
        "threads": thread_counts(), "settings": settings.to_json(),
    }  # fmt: skip
    mark = work / STARTED
    if resume and mark.is_file():
        _compare(parse_json(dict[str, Any], mark.read_bytes(), str(mark)), wanted, work)
        return
    if work.exists() and not mark.is_file() and any(work.iterdir()):
        raise InputError(f"{work} is in the way and was not left by a fit; move it elsewhere")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_json(mark, wanted)


def _compare(found: Mapping[str, Any], wanted: Mapping[str, Any], work: Path) -> None:
    """Refuse to go on with another run; other threads are allowed, and said."""
    before, now = (_flat(record) for record in (found, wanted))
    changed = [
        CONTENT.get(name) or f"{name} (was {before.get(name)!r}, now {value!r})"
        for name, value in now.items()
        if name != "threads" and before.get(name, ...) != value
    ]
    if changed:
        raise InputError(
            f"the interrupted run in {work} was another one; changed since: {', '.join(changed)}; "
            "restore that, or run without --resume to start again"
        )
    if before.get("threads") != now["threads"]:
        warn(
            f"the interrupted run computed with the threads {before.get('threads')}, this one has "
            f"{now['threads']}: the result may differ in its last digits from either alone"
        )


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    settings = record.get("settings")
    return {
        **{name: value for name, value in record.items() if name != "settings"},
        **(
            {f"--{name.replace('_', '-')}": value for name, value in settings.items()}
            if isinstance(settings, Mapping)
            else {}
        ),
    }


def _fit_embedded(
    tiles: FitTiles, settings: FitSettings, seed: int, work: Path, resume: bool
) -> FitOutput:
    model = DeepEmbeddedClustering(**settings.to_json(), random_state=seed, folder=work)
    model.fit(tiles, resume=resume)
    initial = model.initial_
    facts = {
        "scale": model.scale_, "n_iter": model.n_iter_, "converged": model.converged_,
        "stop_reason": model.stop_reason_, "used": model.n_clusters_used_,
        "contrast": model.contrast_,
        **_spread(model.labels_, settings.n_clusters, model.warnings_),
        "starts": {"inertias": list(initial.inertias), "agreement": initial.agreement},
        "warmup": model.warmup_,
    }  # fmt: skip
    rows = RowFile(work / ROWS, tiles.ids)
    return FitOutput(
        model.model_, rows, model.cluster_centers_, model.alpha_, initial.labels, model.history_,
        model.pretrain_, model.series_, facts,
    )  # fmt: skip


def _fit_deepcluster(
    tiles: FitTiles, settings: FitSettings, seed: int, work: Path, resume: bool
) -> FitOutput:
    model = _deepcluster(settings, seed, tiles)
    model.fit(tiles, state=work / "deepcluster.npz")
    centres = model.cluster_centers_
    history = [
        {
            "refresh": epoch.epoch, "iteration": epoch.epoch, "used": epoch.used,
            "largest": epoch.largest, "reseeded": epoch.splits,
            "changed": None if epoch.nmi is None else 1.0 - epoch.nmi,
        }
        for epoch in model.history_
    ]  # fmt: skip
    losses = [epoch.loss for epoch in model.history_ if epoch.loss is not None]
    facts = {
        "scale": 1.0, "n_iter": model.n_iter_, "converged": False, "stop_reason": "max_iter",
        "used": len(np.unique(model.labels_)),
        **_spread(
            model.labels_, settings.n_clusters,
            ["for deepcluster, changed is 1 - NMI with the previous clustering"],
        ),
    }  # fmt: skip
    rows = embed_all(model.model_, tiles, work / ROWS, centres.shape[1])
    series = Series(np.zeros(0, np.int64))
    alpha = max(1.0, centres.shape[1] - 1.0)
    return FitOutput(model.model_, rows, centres, alpha, None, history, losses, series, facts)


def _spread(labels: Ints, clusters: int, notes: Sequence[str]) -> dict[str, Any]:
    """Return the facts `balance` and `warnings`; a dominated clustering is also said now."""
    balance = Balance.of(labels, clusters)
    if balance.warning:
        warn(balance.warning)
    return {
        "balance": balance.to_json(),
        "warnings": [*notes, *([balance.warning] if balance.warning else [])],
    }


def _deepcluster(settings: FitSettings, seed: int, tiles: FitTiles) -> DeepCluster:
    # Keras draws the encoder's initial weights.
    set_seed(seed)
    config = DeepClusterConfig(
        epochs=settings.epochs, batch_size=settings.batch_size, precision=settings.precision,
        views=Views(Augment(crop=CROP)) if len(tiles.shape) == 3 else None,
    )  # fmt: skip
    return DeepCluster(settings.n_clusters, _encoder(settings, tiles), config, seed)


def _encoder(settings: FitSettings, tiles: FitTiles) -> Any:
    return build_encoder(
        encoder_of(settings, tiles), tiles.shape, width=settings.embedding_dim,
        weights=settings.weights, bands=tiles.bands,
        widths=whole_numbers(settings.hidden, "hidden"),
    ).model  # fmt: skip
