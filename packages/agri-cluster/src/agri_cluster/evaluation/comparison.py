"""Methods in one table: mean, standard deviation and stability over their runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from agri_core.files.csvfile import csv_text

from agri_cluster.data.tiles import Ints, Tiles
from agri_cluster.evaluation import metrics
from agri_cluster.evaluation.baselines import MethodRun
from agri_cluster.evaluation.scores import Scores, score

FIGURES = (
    "acc", "nmi", "ami", "ari", "purity", "permuted", "heldout", "heldout_permuted",
    "homogeneity", "completeness", "used", "largest", "holding",
)  # fmt: skip
SHOWN = {
    "acc": "ACC", "nmi": "NMI", "ami": "AMI", "ari": "ARI", "purity": "purity",
    "heldout": "held-out purity", "heldout_permuted": "its control", "used": "used",
    "largest": "largest share", "stability": "stability", "cpu": "CPU s",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Method:
    """One clustering method, its runs and the scores of those that succeeded.

    Attributes:
        name: unique in a comparison.
        space: description of the rows it clusters.
        clusters: K, the number of clusters asked for.
        runs: one per seed.
        scores: of each run with labels, in order.
    """

    name: str
    space: str
    clusters: int
    runs: tuple[MethodRun, ...]
    scores: tuple[Scores, ...]

    @property
    def trouble(self) -> str:
        """Why runs failed, "" where none did."""
        failed = [run for run in self.runs if run.labels is None]
        if not failed:
            return ""
        whole = len(failed) == len(self.runs)
        return failed[0].trouble if whole else f"{len(failed)} runs failed: {failed[0].trouble}"

    def figures(self) -> dict[str, tuple[float, float] | None]:
        """Return mean and standard deviation over the runs of every metric, None where absent."""
        found = {name: _spread([getattr(s, name) for s in self.scores]) for name in FIGURES}
        for space in self.scores[0].silhouette if self.scores else ():
            values = [s.silhouette[space] for s in self.scores]
            found[f"silhouette_{space}"] = _spread(values)
        agreement = metrics.stability([run.labels for run in self.runs if run.labels is not None])
        found["stability"] = None if math.isnan(agreement) else (agreement, 0.0)
        for name in ("seconds", "cpu"):
            found[name] = _spread([getattr(r, name) for r in self.runs if r.labels is not None])
        return found


def method(
    name: str,
    space: str,
    clusters: int,
    runs: Sequence[MethodRun],
    *,
    truth: Ints | None = None,
    spaces: Mapping[str, Tiles] | None = None,
) -> Method:
    """Score the runs of a method; `truth` and `spaces` as in `scores.score`."""
    scores = [
        score(run.labels, clusters, truth=truth, spaces=spaces)
        for run in runs
        if run.labels is not None
    ]
    return Method(name, space, clusters, tuple(runs), tuple(scores))


def table_csv(methods: Sequence[Method]) -> str:
    """Return a row per method: name, space, K, runs, mean and `_sd` of each figure, trouble."""
    figures = [item.figures() for item in methods]
    names = list(dict.fromkeys(name for found in figures for name in found))
    header = ["method", "space", "clusters", "runs"]
    header += [column for name in names for column in (name, f"{name}_sd")]
    rows = [
        [item.name, item.space, item.clusters, len(item.scores)]
        + [value for name in names for value in _cells(found.get(name))]
        + [item.trouble]
        for item, found in zip(methods, figures, strict=True)
    ]
    return csv_text([*header, "trouble"], rows)


def table_text(methods: Sequence[Method]) -> str:
    """Return the table as Markdown, columns without any figure left out, troubles below."""
    figures = [item.figures() for item in methods]
    shown = SHOWN | {
        name: f"silhouette ({name.removeprefix('silhouette_')})"
        for found in figures
        for name in found
        if name.startswith("silhouette_")
    }
    columns = [name for name in shown if any(found.get(name) for found in figures)]
    header = ["method", "K", *(shown[name] for name in columns)]
    rows = [
        [item.name, str(item.clusters), *(_text(name, found.get(name)) for name in columns)]
        for item, found in zip(methods, figures, strict=True)
    ]
    lines = [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
    failed = [f"- {item.name}: {item.trouble}" for item in methods if item.trouble]
    return "\n".join([*lines, *([""] if failed else []), *failed])


def _spread(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (float(np.mean(known)), float(np.std(known))) if known else None


def _cells(pair: tuple[float, float] | None) -> tuple[float | None, float | None]:
    return (None, None) if pair is None else (round(pair[0], 6), round(pair[1], 6))


def _text(name: str, pair: tuple[float, float] | None) -> str:
    if pair is None:
        return "n/a"
    if name in ("used", "cpu"):
        return f"{pair[0]:.3g}" if pair[0] < 100 else f"{pair[0]:.0f}"
    return f"{pair[0]:.3f}" + (f" ± {pair[1]:.3f}" if pair[1] >= 0.0005 else "")
