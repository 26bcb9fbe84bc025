"""The clustering loop of DEC: refresh the target over the full set, train towards it, repeat."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from agri_core.files.console import progress_bar, warn
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.backend.checkpoint import Arrays, Clock, read_variables, write_variables
from agri_cluster.backend.framework import keras
from agri_cluster.backend.resume import go_on, keep
from agri_cluster.data.distances import log_assignment
from agri_cluster.data.rows import RowFile, RowWriter
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches
from agri_cluster.dec.guard import (
    Guard,
    collapsed,
    dead_clusters,
    dying,
    new_centres,
    perplexity,
    shares,
)
from agri_cluster.dec.network import Network
from agri_cluster.dec.schedule import TARGETS, Schedule
from agri_cluster.dec.target import Frequencies, MovingFrequencies, divergence, sharpened, smoothed
from agri_cluster.dec.warmup import learn_start
from agri_cluster.encoders.draws import Draw
from agri_cluster.pretrain.autoencoder import PATIENCE

StopReason = Literal["converged", "max_iter", "budget", "collapse"]
OnRefresh = Callable[[int, Ints, RowFile], None]
RIM = 4096
WARM = 100
"""Steps at least between two looks of the warm-up."""
COUNTS = ("iteration", "calm", "reseeds", "best", "errors", "warmup", "history")


@dataclass(slots=True)
class Run:
    """What a run has come to; everything a resumed one needs beside the network's weights."""

    labels: Ints
    start: NDArray[np.float64]
    iteration: int = 0
    calm: int = 0
    reseeds: int = 0
    best: float = 0.0
    order: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    errors: list[float] = field(default_factory=list)
    warmup: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)


class Refiner:
    """One refinement of a network on a set of tiles.

    Args:
        network: as `build_network` gives it; trained in place.
        tiles: the clean items.
        labels: the start's groups, `(N,)`.
        schedule: how long and how often.
        guard: against collapse.
        rng: draws order, views and new centres.
        folder: holds the embedding of the last refresh and the state to resume from.
        draw: gives the views to learn from; targets always come from the clean items.
        on_refresh: told the refresh's number, labels and embedding.
    """

    def __init__(
        self,
        network: Network,
        tiles: Tiles,
        labels: Ints,
        schedule: Schedule,
        guard: Guard,
        rng: np.random.Generator,
        folder: Path,
        draw: Draw | None = None,
        on_refresh: OnRefresh | None = None,
    ) -> None:
        self.network, self.tiles, self.schedule, self.guard = network, tiles, schedule, guard
        self.rng, self.folder, self.draw, self.on_refresh = rng, folder, draw, on_refresh
        self.clusters = network.head.clusters
        self.run = Run(labels, shares(labels, self.clusters))
        self._best: Arrays = {}
        self._began = time.monotonic()
        self._state = folder / "refine.npz"
        self._settings = f"{len(tiles)} items {tiles.shape}, {schedule}, {guard}, views: {draw}"

    @property
    def rows(self) -> RowFile:
        """The embedding at the last refresh, `(N, D)`."""
        return RowFile(self.folder / "rows.npy", self.tiles.ids)

    def warm_up(self) -> None:
        """Train towards the start's labels, smoothed, until embedding and centres give them."""
        how, labels = self.schedule.warmup, self.run.labels
        network = self.network.beside(keras.optimizers.Adam(how.lr))

        def step() -> None:
            rows = self._next_batch()
            network.step(self._items(rows), smoothed(labels[rows], self.clusters))

        def agreement() -> float:
            self._embed()
            return float((self._assign()[0] == labels).mean())

        interval = max(self.schedule.steps(len(self.tiles)), WARM)
        self.run.warmup = learn_start(how, interval, step, agreement)

    def resume(self) -> bool:
        """Go back to the state that a stopped run left; return whether there is one."""
        found = go_on(self._state, self.network.trainer, self.rng, self._settings)
        if found is None:
            return False
        arrays, facts = found
        run = Run(arrays["labels"], arrays["start"], order=arrays["order"])
        for name in COUNTS:
            setattr(run, name, facts[name])
        self._best = {name[1:]: array for name, array in arrays.items() if name.startswith("b")}
        self.run = run
        return True

    def refine(self) -> StopReason:
        """Refresh and train until one of the stop rules holds; the last thing done is a refresh."""
        interval = self.schedule.steps(len(self.tiles))
        bar = progress_bar("refining", self.schedule.limit, "step")
        bar.update(self.run.iteration)
        clock = Clock(PATIENCE)
        while not (reason := self._refresh()):
            steps = min(interval, self.schedule.limit - self.run.iteration)
            self._train(steps)
            bar.update(steps)
            if clock.due():
                self._save()
        bar.close()
        if reason == "collapse":
            self._restore()
        return reason

    def _refresh(self) -> StopReason | None:
        self._embed()
        labels, frequencies = self._assign()
        labels, frequencies, moved = self._reseed(labels, frequencies)
        run, now = self.run, shares(labels, self.clusters)
        changed = float((labels != run.labels).mean())
        run.labels, self._frequencies = labels, frequencies
        self._record(changed, now, moved)
        if self.on_refresh is not None:
            self.on_refresh(len(run.history) - 1, labels, self.rows)
        trouble = collapsed(now, run.start, self.guard)
        if not trouble and not moved and run.reseeds >= self.guard.reseeds:
            trouble = dying(now, run.start, self.guard)
        if trouble:
            warn(f"the clustering collapsed at step {run.iteration}: {trouble}")
            return "collapse"
        if perplexity(now) > run.best:
            run.best, self._best = perplexity(now), read_variables(self.network.trainer)
        return self._stop(changed)

    def _stop(self, changed: float) -> StopReason | None:
        run, schedule = self.run, self.schedule
        run.calm = run.calm + 1 if run.iteration and changed < schedule.tol else 0
        if run.calm >= schedule.patience:
            return "converged"
        if run.iteration >= schedule.limit:
            return "max_iter"
        if schedule.budget is not None and time.monotonic() - self._began > schedule.budget:
            return "budget"
        return None

    def _embed(self) -> None:
        width = self.network.embedder.output_shape[-1]
        with RowWriter(self.folder / "rows.npy", len(self.tiles), width) as writer:
            for _, items in batches(self.tiles):
                z = self.network.embed(items)
                if not np.isfinite(z).all():
                    raise InputError(
                        f"the embedding is no longer finite at step {self.run.iteration}; lower "
                        "the learning rate"
                    )
                writer.add(z)

    def _assign(self) -> tuple[Ints, Frequencies]:
        frequencies, labels = Frequencies(self.clusters), []
        for log_q in self._log_q():
            frequencies.add(log_q)
            labels.append(log_q.argmax(axis=1))
        return np.concatenate(labels).astype(np.int64), frequencies

    def _log_q(self) -> Any:
        centres, alpha = self.network.centres, self.network.head.alpha
        return (log_assignment(z, centres, alpha) for _, z in batches(self.rows, RIM))

    def _reseed(self, labels: Ints, frequencies: Frequencies) -> tuple[Ints, Frequencies, int]:
        now = shares(labels, self.clusters)
        dead = dead_clusters(now, self.run.start, self.guard)
        largest = np.flatnonzero(labels == now.argmax())
        if not len(dead) or self.run.reseeds >= self.guard.reseeds or len(largest) <= len(dead):
            return labels, frequencies, 0
        some = self.rng.permutation(largest)[: max(RIM, len(dead))]
        centre = self.network.centres[int(now.argmax())]
        made, _ = new_centres(len(dead), self.rows.take(some), centre, self.rng)
        self.network.move_centres(dead, made)
        self.run.reseeds += 1
        return *self._assign(), len(dead)

    def _record(self, changed: float, now: NDArray[np.float64], moved: int) -> None:
        sure = gap = 0.0
        for log_q in self._log_q():
            sure += float(np.exp(log_q.max(axis=1)).sum())
            gap += float(divergence(sharpened(log_q, self._frequencies.total), log_q).sum())
        run, count = self.run, len(self.tiles)
        run.history.append({
            "refresh": len(run.history), "iteration": run.iteration, "changed": changed,
            "used": int((now > 0).sum()), "largest": float(now.max()),
            "smallest": float(now.min()), "confidence": sure / count, "kl": gap / count,
            "reconstruction": float(np.mean(run.errors)) if run.errors else None,
            "reseeded": moved,
        })  # fmt: skip
        run.errors = []

    def _train(self, steps: int) -> None:
        log_target = self._targets()
        for _ in range(steps):
            chosen = self._next_batch()
            self._step(chosen, np.exp(log_target(chosen)))
            self.run.iteration += 1

    def _targets(self) -> Callable[[Ints], NDArray[np.float64]]:
        """Return what gives the log target of chosen tiles until the next refresh."""
        alpha, total = self.network.head.alpha, self._frequencies.total
        if self.schedule.target == "full":
            # Of the centres and the embedding at the refresh, not of those at the step.
            centres, rows = self.network.centres, self.rows
            return lambda chosen: sharpened(
                log_assignment(rows.take(chosen), centres, alpha), total
            )
        moving = MovingFrequencies(total / len(self.tiles), TARGETS[self.schedule.target])

        def now(chosen: Ints) -> NDArray[np.float64]:
            z = self.network.embed(self.tiles.take(chosen))
            log_q = log_assignment(z, self.network.centres, alpha)
            return sharpened(log_q, moving.add(log_q))

        return now

    def _step(self, rows: Ints, target: NDArray[np.float64]) -> None:
        error = self.network.step(self._items(rows), target)
        if np.isfinite(error):
            self.run.errors.append(error)

    def _items(self, rows: Ints) -> Floats:
        return self.draw(rows, self.rng) if self.draw else self.tiles.take(rows)

    def _next_batch(self) -> Ints:
        run, size = self.run, min(self.schedule.batch, len(self.tiles))
        if len(run.order) < size:
            run.order = self.rng.permutation(len(self.tiles))
        chosen, run.order = run.order[:size], run.order[size:]
        return chosen

    def _restore(self) -> None:
        if self._best:
            write_variables(self.network.trainer, self._best)
        self._embed()
        self.run.labels, self._frequencies = self._assign()

    def _save(self) -> None:
        run = self.run
        arrays = {"labels": run.labels, "start": run.start, "order": run.order}
        arrays |= {f"b{name}": value for name, value in self._best.items()}
        facts = {name: getattr(run, name) for name in COUNTS}
        keep(self._state, self.network.trainer, self.rng, self._settings, facts, arrays)
