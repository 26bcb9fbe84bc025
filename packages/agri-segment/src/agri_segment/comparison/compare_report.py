"""Writes the report of a comparison: tables, figures and the best model."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.evaluation.evaluation import rounded
from agri_core.files.atomic import adding_files, replacing_file, write_json, write_text
from agri_core.files.csvfile import csv_text
from agri_core.files.ownership import check_file
from agri_data.store.store import ChipStore

from agri_segment.comparison.bars import draw_bars
from agri_segment.comparison.compare import LOGISTIC, Comparison, Model, difference, examples
from agri_segment.evaluation import report
from agri_segment.evaluation.evaluate import ChipEvaluation
from agri_segment.evaluation.gallery import draw_gallery

NOT_WORTH = (
    "the best model is no better than the per-pixel logistic regression on this split: "
    "train longer, or use the logistic regression"
)
BEST = "best.json"
LEFT_OUT = ("precision", "recall")
"""Scores per class left out here for readability; `agri-segment evaluate` reports them."""


def write_comparison(
    comparison: Comparison, store: ChipStore, out: Path, best: Path | None = None
) -> str:
    """Write the report of a comparison into `out`, atomically, and return its text.

    Files: metrics.json, table.csv, table.md, classes.csv and .png, pictures.png, best.json; and
    a copy of the best bundle at `best`.

    Raises:
        InputError: `best`, or such a file in `out`, was not written by an earlier comparison.
    """
    if best is not None:
        check_file(best)
    with adding_files(out) as folder:
        text = _write_files(comparison, store, folder)
        _write_best(comparison, folder, out, best)
    return text


def _write_files(comparison: Comparison, store: ChipStore, out: Path) -> str:
    legend = next(iter(comparison.shown.values())).legend
    rows = [_row(name, item, comparison.model(name)) for name, item in comparison.shown.items()]
    text = _report(comparison, rows)
    write_json(out / "metrics.json", _metrics(comparison))
    write_text(out / "table.csv", csv_text(list(rows[0]), [list(r.values()) for r in rows]))
    write_text(out / "table.md", text + "\n")
    classes = {name: list(item.scores["iou"].values()) for name, item in comparison.shown.items()}
    lines = [
        [name, label, value]
        for name, values in classes.items()
        for label, value in zip(legend.names, values, strict=True)
    ]
    write_text(out / "classes.csv", csv_text(["model", "class", "iou"], lines))
    draw_bars(classes, legend, out / "classes.png", f"IoU of each class, {comparison.split} split")
    _draw_pictures(comparison, store, out / "pictures.png")
    return text


def _draw_pictures(comparison: Comparison, store: ChipStore, path: Path) -> None:
    shown = examples(comparison)
    draw_gallery(
        [model.engine for model in comparison.models],
        store,
        np.array(list(shown.values())),
        path,
        f"Best, median and worst chip of the {comparison.split} split",
        names=list(shown),
        titles=[model.name for model in comparison.models],
    )


def _row(name: str, item: ChipEvaluation, model: Model | None) -> dict[str, Any]:
    scores = item.scores
    facts = model.facts if model else {}
    return {
        "model": name,
        "arch": model.engine.spec.arch if model else "baseline",
        "bands": len(model.engine.spec.bands) if model else None,
        "parameters": facts.get("parameters"),
        "train_seconds": facts.get("seconds"),
        "train_images_per_second": facts.get("images_per_second"),
        "milliseconds_per_chip": rounded(item.scored.milliseconds),
        **{key: scores[key] for key in ("miou", "miou_low", "miou_high", "mf1", "accuracy")},
        "majority_accuracy": scores["majority_accuracy"],
        "kappa": scores["kappa"],
        **{f"iou_{label}": value for label, value in scores["iou"].items()},
        **{f"f1_{label}": value for label, value in scores["f1"].items()},
    }


def _report(comparison: Comparison, rows: Sequence[Mapping[str, Any]]) -> str:
    any_item = next(iter(comparison.shown.values()))
    labels = any_item.legend.names
    header = ["model", "parameters", "train s", "train images/s", "ms per chip", "mean IoU",
              "95 % CI", "mean F1", "accuracy", "kappa"]  # fmt: skip
    body = [
        [
            *(row[key] for key in ("model", "parameters", "train_seconds")),
            *(row[key] for key in ("train_images_per_second", "milliseconds_per_chip", "miou")),
            report.interval(row["miou_low"], row["miou_high"]),
            *(row[key] for key in ("mf1", "accuracy", "kappa")),
        ]
        for row in rows
    ]
    per_class = [
        [row["model"], *(f"{report.show(row[f'iou_{x}'])} / {report.show(row[f'f1_{x}'])}"
                         for x in labels)]
        for row in rows
    ]  # fmt: skip
    lines = [
        f"# Comparison on the {comparison.split} split",
        "",
        report.table(header, body),
        "",
        f"{any_item.scores['pixels']:,} pixels in {any_item.scores['places']} places (a place is "
        f"a {any_item.unit}); the CI is a bootstrap over places. Times per chip are of this "
        f"machine with {comparison.best.engine.name}, {comparison.best.engine.precision}.",
        "",
        "IoU / F1 of each class:",
        "",
        report.table(["model", *labels], per_class),
        "",
        f"Best: {comparison.best.name}, by mean IoU on the {comparison.select} split.",
        *_versus(comparison),
        "",
        *(f"- {note}" for note in _notes(comparison)),
    ]
    return "\n".join(lines)


def _versus(comparison: Comparison) -> list[str]:
    lines = []
    for other, gap in _gaps(comparison).items():
        span = report.interval(gap["low"], gap["high"])
        clear = gap["low"] is not None and (gap["low"] > 0 or (gap["high"] or 0) < 0)
        verdict = "" if clear else "; the difference is not significant"
        lines.append(
            f"{comparison.best.name} - {other}: {report.show(gap['miou'])} mean IoU "
            f"(95 % CI {span}{verdict})."
        )
    return lines


def _gaps(comparison: Comparison) -> dict[str, dict[str, float | None]]:
    """Compare the best model with the second and with the logistic regression."""
    others = [*comparison.ranking[1:2], LOGISTIC]
    best = comparison.shown[comparison.best.name]
    return {name: difference(best, comparison.shown[name]) for name in others}


def _notes(comparison: Comparison) -> list[str]:
    found = {note for m in comparison.models for note in comparison.shown[m.name].notes}
    best, line = (comparison.shown[name].scores for name in (comparison.best.name, LOGISTIC))
    if (best["miou"] or 0) <= (line["miou"] or 0):
        found.add(NOT_WORTH)
    return sorted(found)


def _metrics(comparison: Comparison) -> dict[str, Any]:
    content: dict[str, Any] = {
        "best": comparison.best.name,
        "select": comparison.select,
        "split": comparison.split,
    }
    for name, item in comparison.shown.items():
        model = comparison.model(name)
        facts = model.facts if model else {}
        scores = {key: value for key, value in item.scores.items() if key not in LEFT_OUT}
        content[name] = {**scores, **facts}
    gaps = _gaps(comparison)
    content["over_logistic"] = gaps.pop(LOGISTIC)
    for name, gap in gaps.items():
        content |= {"second": name, "over_second": gap}
    return content


def _write_best(comparison: Comparison, folder: Path, out: Path, copy: Path | None) -> None:
    """Write best.json into `folder`, which becomes `out`, and copy the best bundle."""
    model = comparison.best
    if copy is not None:
        with replacing_file(copy) as temporary:
            shutil.copyfile(model.path, temporary)
    target = copy or model.path
    chosen_on = {name: item.scores["miou"] for name, item in comparison.chosen_on.items()}
    write_json(
        folder / BEST,
        {
            "name": model.name,
            "arch": model.engine.spec.arch,
            "path": Path(os.path.relpath(target, out)).as_posix(),
            "select": comparison.select,
            "miou": chosen_on[model.name],
            "others": {name: miou for name, miou in chosen_on.items() if name != model.name},
        },
    )
