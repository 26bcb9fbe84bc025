"""The refinement of DEC: update the target over the full set, train towards it, repeat."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from agri_core.files.console import progress_bar, warn
from numpy.typing import NDArray

from agri_cluster.backend.checkpoint import (
    SAVE_SECONDS,
    Arrays,
    Timer,
    read_variables,
    write_variables,
)
from agri_cluster.backend.framework import keras
from agri_cluster.backend.resume import resume_run, save_run
from agri_cluster.data.distances import log_assignment
from agri_cluster.data.rows import RowFile
from agri_cluster.data.shares import perplexity, shares
from agri_cluster.data.tiles import Floats, Ints, Tiles
from agri_cluster.dec.assignment import READ, assign, confidence_and_kl, write_embedding
from agri_cluster.dec.guard import (
    Guard,
    collapsed,
    dead_clusters,
    dying,
    new_centres,
)
from agri_cluster.dec.network import Network
from agri_cluster.dec.schedule import TARGETS, Schedule
from agri_cluster.dec.state import RefineState
from agri_cluster.dec.target import Frequencies, MovingFrequencies, sharpened, smoothed
from agri_cluster.dec.warmup import learn_labels
from agri_cluster.dec.work import EMBEDDING, REFINE
from agri_cluster.encoders.draws import Draw

StopReason = Literal["converged", "max_iter", "budget", "collapse"]
OnUpdate = Callable[[int, Ints, RowFile], None]
WARMUP_INTERVAL = 100
"""Steps at least between two evaluations of the warm-up."""


class Refiner:
    """One refinement of a network on a set of tiles.

    Args:
        network: as `build_network` gives it; trained in place.
        tiles: the items without augmentation.
        labels: the initial clusters, `(N,)`.
        schedule: how long, and how often the target is updated.
        guard: limits against collapse.
        rng: draws order, views and new centres.
        folder: holds the embedding of the last update and the checkpoint.
        draw: gives the views to train on; targets always come from the items themselves.
        on_update: called with the number of a target update, the labels and the embedding.
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
        on_update: OnUpdate | None = None,
    ) -> None:
        self.network, self.tiles, self.schedule, self.guard = network, tiles, schedule, guard
        self.rng, self.folder, self.draw, self.on_update = rng, folder, draw, on_update
        self.clusters = network.head.clusters
        self.state = RefineState(labels, shares(labels, self.clusters))
        self._best: Arrays = {}
        self._began = time.monotonic()
        self._settings = f"{len(tiles)} items {tiles.shape}, {schedule}, {guard}, views: {draw}"

    @property
    def rows(self) -> RowFile:
        """The embedding at the last update, `(N, D)`."""
        return RowFile(self.folder / EMBEDDING, self.tiles.ids)

    def resume(self) -> bool:
        """Restore the checkpoint of an interrupted run; return whether there is one."""
        path = self.folder / REFINE
        found = resume_run(path, self.network.trainer, self.rng, self._settings)
        if found is None:
            return False
        arrays, facts = found
        self.state = RefineState.restored(arrays, facts)
        self._best = {name[1:]: array for name, array in arrays.items() if name.startswith("bv")}
        return True

    def warm_up(self) -> None:
        """Train towards the smoothed initial labels until embedding and centres reproduce them."""
        config, labels = self.schedule.warmup, self.state.labels
        network = self.network.with_optimizer(keras.optimizers.Adam(config.learning_rate))

        def step() -> None:
            rows = self._next_batch()
            network.step(self._items(rows), smoothed(labels[rows], self.clusters))

        def agreement() -> float:
            return float((self._embed_and_assign()[0] == labels).mean())

        # An evaluation embeds all tiles; at shorter intervals it would cost more than the steps.
        interval = max(self.schedule.steps(len(self.tiles)), WARMUP_INTERVAL)
        self.state.warmup = learn_labels(config, interval, step, agreement)

    def refine(self) -> StopReason:
        """Update the target and train until a stop rule holds; the last thing done is an update."""
        interval = self.schedule.steps(len(self.tiles))
        bar = progress_bar("refining", self.schedule.max_iter, "step")
        bar.update(self.state.iteration)
        timer = Timer(SAVE_SECONDS)
        # Update first: row 0 of the history is the assignment before any step. A checkpoint is
        # written between steps and update, so a resumed run begins with the same update.
        while not (reason := self._update()):
            steps = min(interval, self.schedule.max_iter - self.state.iteration)
            self._train(steps)
            bar.update(steps)
            if timer.due():
                self._save()
        bar.close()
        if reason == "collapse":
            self._restore_best()
        return reason

    def _update(self) -> StopReason | None:
        """Assign all tiles, record the result, and return the reason to stop, if any."""
        labels, frequencies, moved = self._reseed(*self._embed_and_assign())
        state, now = self.state, shares(labels, self.clusters)
        changed = float((labels != state.labels).mean())
        state.labels, self._frequencies = labels, frequencies
        self._record(changed, now, moved)
        if self.on_update is not None:
            self.on_update(len(state.history) - 1, labels, self.rows)
        trouble = self._trouble(now, moved)
        if trouble:
            warn(f"the clustering collapsed at step {state.iteration}: {trouble}")
            return "collapse"
        # Weights of the most even update so far. A collapse shows only after the fact, so the
        # state to return to is kept in advance.
        if perplexity(now) > state.best:
            state.best, self._best = perplexity(now), read_variables(self.network.trainer)
        return self._stop(changed)

    def _trouble(self, now: NDArray[np.float64], moved: int) -> str:
        trouble = collapsed(now, self.state.initial, self.guard)
        if trouble or moved or self.state.reseeds < self.guard.reseeds:
            return trouble
        return dying(now, self.state.initial, self.guard)

    def _stop(self, changed: float) -> StopReason | None:
        state, schedule = self.state, self.schedule
        # Not at iteration 0, where the labels are compared with the initial ones they come from.
        state.calm = state.calm + 1 if state.iteration and changed < schedule.tol else 0
        if state.calm >= schedule.patience:
            return "converged"
        if state.iteration >= schedule.max_iter:
            return "max_iter"
        if schedule.budget is not None and time.monotonic() - self._began > schedule.budget:
            return "budget"
        return None

    def _embed_and_assign(self) -> tuple[Ints, Frequencies]:
        path = self.folder / EMBEDDING
        write_embedding(self.network, self.tiles, path, self.state.iteration)
        return assign(self.network, self.rows)

    def _reseed(self, labels: Ints, frequencies: Frequencies) -> tuple[Ints, Frequencies, int]:
        """Move dead centres to the edge of the largest cluster, as often as the guard allows."""
        now = shares(labels, self.clusters)
        dead = dead_clusters(now, self.state.initial, self.guard)
        largest = np.flatnonzero(labels == now.argmax())
        spent = self.state.reseeds >= self.guard.reseeds
        if not len(dead) or spent or len(largest) <= len(dead):
            return labels, frequencies, 0
        # A sample bounds memory: the largest cluster of a collapse may hold all tiles.
        some = self.rng.permutation(largest)[: max(READ, len(dead))]
        centre = self.network.centres[int(now.argmax())]
        made, _ = new_centres(len(dead), self.rows.take(some), centre, self.rng)
        self.network.move_centres(dead, made)
        self.state.reseeds += 1
        return *assign(self.network, self.rows), len(dead)

    def _record(self, changed: float, now: NDArray[np.float64], moved: int) -> None:
        confidence, kl = confidence_and_kl(self.network, self.rows, self._frequencies)
        state = self.state
        state.history.append({
            "refresh": len(state.history), "iteration": state.iteration, "changed": changed,
            "used": int((now > 0).sum()), "largest": float(now.max()),
            "smallest": float(now.min()), "confidence": confidence, "kl": kl,
            "reconstruction": float(np.mean(state.errors)) if state.errors else None,
            "reseeded": moved,
        })  # fmt: skip
        state.errors = []

    def _train(self, steps: int) -> None:
        log_target = self._targets()
        for _ in range(steps):
            chosen = self._next_batch()
            error = self.network.step(self._items(chosen), np.exp(log_target(chosen)))
            if np.isfinite(error):
                self.state.errors.append(error)
            self.state.iteration += 1

    def _targets(self) -> Callable[[Ints], NDArray[np.float64]]:
        """Return the function from tiles to their log target, valid until the next update."""
        alpha, total = self.network.head.alpha, self._frequencies.total
        if self.schedule.target == "full":
            # Of the centres and the embedding at the update, not of those at the step.
            centres, rows = self.network.centres, self.rows
            return lambda chosen: sharpened(
                log_assignment(rows.take(chosen), centres, alpha), total
            )
        # Starts from the shares of all tiles, so that the first batches do not set the average
        # alone.
        moving = MovingFrequencies(total / len(self.tiles), TARGETS[self.schedule.target])

        def current(chosen: Ints) -> NDArray[np.float64]:
            z = self.network.embed(self.tiles.take(chosen))
            log_q = log_assignment(z, self.network.centres, alpha)
            return sharpened(log_q, moving.add(log_q))

        return current

    def _items(self, rows: Ints) -> Floats:
        return self.draw(rows, self.rng) if self.draw else self.tiles.take(rows)

    def _next_batch(self) -> Ints:
        state, size = self.state, min(self.schedule.batch_size, len(self.tiles))
        # A remainder smaller than a batch is dropped, so that all batches have one shape (no
        # retracing); the next permutation begins with all tiles again.
        if len(state.order) < size:
            state.order = self.rng.permutation(len(self.tiles))
        chosen, state.order = state.order[:size], state.order[size:]
        return chosen

    def _restore_best(self) -> None:
        if self._best:
            write_variables(self.network.trainer, self._best)
        self.state.labels, self._frequencies = self._embed_and_assign()

    def _save(self) -> None:
        arrays = self.state.arrays() | {f"b{name}": value for name, value in self._best.items()}
        model, facts = self.network.trainer, self.state.facts()
        save_run(self.folder / REFINE, model, self.rng, self._settings, facts, arrays)
