"""The report of an evaluation: figures, tables and metrics."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agri_core.files.atomic import replacing_dir, write_json, write_text
from agri_core.files.csvfile import csv_text
from agri_data.figures.confusion import draw_confusion

from agri_classify.evaluation import figures
from agri_classify.evaluation.evaluate import PatchEvaluation, metrics

MARK = "predictions.csv"


def write_evaluation(result: PatchEvaluation, out: Path) -> str:
    """Write metrics.json, table.md, predictions.csv and the figures; return the table.

    An earlier evaluation in `out` is replaced.
    """
    found = metrics(result)
    spec, text = result.spec, table(found)
    told = f"{spec.name} on {result.split}"
    title = f"{told}: accuracy {found['accuracy']:.4f}"
    with replacing_dir(out) as folder:
        write_json(folder / "metrics.json", found)
        write_text(folder / "table.md", text)
        write_text(folder / MARK, csv_text(_header(result), _rows(result)))
        draw_confusion(result.matrix, spec.legend, folder / "confusion.png", title)
        figures.draw_reliability(
            result.calibration, result.uncalibrated, folder / "reliability.png", title
        )
        if result.mistakes:
            figures.draw_mistakes(
                result.mistakes, spec.bands, spec.legend, folder / "mistakes.png",
                f"{told}: most confident misclassifications",
            )  # fmt: skip
    return text


def table(found: dict[str, Any]) -> str:
    """Return the scores as a headline and a Markdown table."""
    low, high = (_number(end) for end in found["interval"])
    lines = [
        f"{found['patches']:,} patches of {found['part']}: accuracy {found['accuracy']:.4f} "
        f"({low}..{high}), majority class {found['majority']:.4f}, mean F1 "
        f"{found['mean_f1']:.4f}, ECE {found['ece']:.4f} ({found['ece_before']:.4f} before "
        f"scaling), {found['rate']:,.0f} patches/s",
        "",
        "| class | precision | recall | F1 | patches |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in found["classes"]:
        cells = [_number(row[name]) for name in ("precision", "recall", "f1")]
        lines.append(f"| {row['class']} | {' | '.join(cells)} | {row['patches']:,} |")
    if found["notes"]:
        lines += ["", *(f"- {note}" for note in found["notes"])]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.4f}"


def _header(result: PatchEvaluation) -> list[str]:
    return ["patch", "truth", "predicted", *result.spec.legend.names]


def _rows(result: PatchEvaluation) -> Iterable[list[object]]:
    names = result.spec.legend.names
    parts = zip(result.names, result.truth, result.found, result.probabilities, strict=True)
    for name, truth, found, row in parts:
        yield [name, names[truth], names[found], *(f"{value:.6f}" for value in row)]
