"""Write an evaluation: metrics, table, composition of the clusters, merged groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import adding_files, write_json, write_text
from agri_core.files.csvfile import csv_text

from agri_cluster.evaluation.comparison import Method, table_csv, table_text
from agri_cluster.evaluation.evaluation import Evaluation
from agri_cluster.evaluation.merge import draw_dendrogram, linkage
from agri_cluster.evaluation.metrics import contingency

METRICS = "metrics.json"
HEADLINE = ("nmi", "heldout")
RANKED = ("acc", "nmi", "ami", "ari", "heldout")


def write_evaluation(found: Evaluation, out: Path) -> str:
    """Write the evaluation into `out`, all of it or none, and return its table.

    Files: metrics.json, table.csv, table.md, runs.csv; composition.csv where classes are known;
    groups.csv and dendrogram.png where clusters were merged.

    Raises:
        InputError: `out` holds such a file that is not of an earlier evaluation.
    """
    text = describe(found)
    with adding_files(out) as folder:
        write_text(folder / "table.csv", table_csv(found.methods))
        write_text(folder / "table.md", text + "\n")
        write_text(folder / "runs.csv", _runs(found.methods))
        if found.truth is not None:
            write_text(folder / "composition.csv", _composition(found))
        if found.group is not None:
            _write_groups(found, folder)
        write_json(folder / METRICS, _metrics(found))
    return text


def describe(found: Evaluation) -> str:
    """Return the table with notes on how to read it."""
    lines = [table_text(found.methods), ""]
    if found.truth is None:
        lines.append("No classes are known: only metrics that need none are given.")
    else:
        known = int((found.truth.classes >= 0).sum())
        lines.append(
            f"Classes: {found.truth.source}, of {known} tiles; used to score, never to cluster. "
            "ACC is given only where there are as many clusters as classes."
        )
    lines.append(
        "Held-out purity: majority classes of one half, scored on the other; its control is the "
        "same after the labels are shuffled. Silhouettes are comparable within one column only."
    )
    return "\n".join(lines)


def _metrics(found: Evaluation) -> dict[str, Any]:
    """The headline metrics, for `dvc metrics`; all metrics of all methods are in table.csv."""
    own = found.methods[0]
    means = _means(found.methods)
    ranked = {name: means[name] for name in RANKED if len(means[name]) > 1}
    return {
        "tiles": len(found.fitted),
        "clusters": found.fitted.clusters,
        "classes": None if found.truth is None else found.truth.source,
        "stop_reason": found.fitted.info.get("stop_reason"),
        "best": {name: max(each, key=each.__getitem__) for name, each in ranked.items()},
        **{name: means[name] for name in HEADLINE},
        "scores": own.scores[0].to_json(),
    }


def _means(methods: Sequence[Method]) -> dict[str, dict[str, float]]:
    """The mean of each ranked metric over the runs, by method; methods without are left out."""
    figures = [(item.name, item.figures()) for item in methods]
    return {
        name: {method: round(pair[0], 6) for method, each in figures if (pair := each.get(name))}
        for name in RANKED
    }


def _runs(methods: Sequence[Method]) -> str:
    columns = ("acc", "nmi", "ami", "ari", "purity", "heldout", "used", "largest")
    rows = []
    for item in methods:
        scores = iter(item.scores)
        for run in item.runs:
            figures = None if run.labels is None else next(scores).to_json()
            values = [None if figures is None else figures[name] for name in columns]
            rows.append([item.name, run.seed, *values, run.seconds, run.cpu, run.trouble])
    return csv_text(["method", "seed", *columns, "seconds", "cpu", "trouble"], rows)


def _composition(found: Evaluation) -> str:
    """A row per cluster: tiles, majority class and its share of the labelled tiles."""
    truth, labels = found.truth, found.fitted.labels
    assert truth is not None
    sizes = np.bincount(labels, minlength=found.fitted.clusters)
    counts = np.zeros((len(sizes), len(truth.names)), np.int64)
    table = contingency(truth.classes, labels)
    counts[: len(table), : table.shape[1]] = table
    rows = []
    for cluster, (size, row) in enumerate(zip(sizes, counts, strict=True)):
        best = int(row.argmax())
        known = int(row.sum())
        majority = (truth.names[best], round(row[best] / known, 4)) if known else (None, None)
        rows.append([cluster, int(size), *majority, *row.tolist()])
    return csv_text(["cluster", "tiles", "majority", "share", *truth.names], rows)


def _write_groups(found: Evaluation, folder: Path) -> None:
    assert found.group is not None
    sizes = np.bincount(found.fitted.labels, minlength=found.fitted.clusters)
    rows = [[k, int(found.group[k]), int(size)] for k, size in enumerate(sizes)]
    write_text(folder / "groups.csv", csv_text(["cluster", "group", "tiles"], rows))
    full = np.flatnonzero(sizes)
    if len(full) < 2:
        return
    names = [f"{k} ({sizes[k]})" for k in full]
    joins = linkage(found.fitted.centres[full], sizes[full])
    draw_dendrogram(joins, names, folder / "dendrogram.png", int(found.group.max()) + 1)
