"""The report of a study: Markdown and CSV table, metrics and figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from agri_core.evaluation.familiarity import SELECTED
from agri_core.files.atomic import replacing_dir, write_json, write_text
from agri_core.files.console import echo
from agri_core.files.csvfile import csv_text

from agri_classify.training.study.study import Outcome

MARK = "study.png"
Draw = Callable[[Sequence[Outcome], Path, str], Path]


def conclude(outcomes: Sequence[Outcome], out: Path, title: str, draw: Draw) -> None:
    """Write the report of a study and print its table."""
    echo(f"\n{write_study(outcomes, out, title, draw)}")
    echo(f"report: {out}")


def write_study(outcomes: Sequence[Outcome], out: Path, title: str, draw: Draw) -> str:
    """Write table.md, table.csv, metrics.json and study.png; return the table.

    An earlier study in `out` is replaced.
    """
    text = table(outcomes, title)
    with replacing_dir(out) as folder:
        write_json(folder / "metrics.json", metrics(outcomes))
        write_text(folder / "table.md", text)
        write_text(folder / "table.csv", csv_text(_header(outcomes), _rows(outcomes)))
        draw(outcomes, folder / MARK, title)
    return text


def metrics(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the metrics for JSON: accuracy and best baseline of each case, and the split."""
    cases = {
        item.name: {"accuracy": item.accuracy, "baseline": max(item.baselines.values())}
        for item in outcomes
    }
    return {"part": outcomes[0].split, "cases": cases}


def table(outcomes: Sequence[Outcome], title: str) -> str:
    """Return a Markdown table with one row per case, network and baselines."""
    ways = list(outcomes[0].baselines)
    heads = ["", "train", "val", "judged", "accuracy", "95 % CI", *ways]
    lines = [title, "", _line(heads), _line("---" for _ in heads)]
    for item in outcomes:
        simple = [f"{item.baselines[way]:.4f}" for way in ways]
        ends = " .. ".join("n/a" if end is None else f"{end:.4f}" for end in item.interval)
        counts = [f"{item.train:,}", f"{item.val:,}", f"{item.judged:,}"]
        lines.append(_line([item.name, *counts, f"{item.accuracy:.4f}", ends, *simple]))
    if outcomes[0].split == "val":
        lines += ["", f"- {SELECTED}"]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _header(outcomes: Sequence[Outcome]) -> list[str]:
    first = outcomes[0]
    fixed = ["case", "bands", "train", "val", "judged", "accuracy", "low", "high"]
    return [*fixed, *first.baselines, *(f"F1 {name}" for name in first.f1)]


def _rows(outcomes: Sequence[Outcome]) -> Iterable[list[object]]:
    for item in outcomes:
        numbers = [item.accuracy, *item.interval, *item.baselines.values(), *item.f1.values()]
        cells = ["" if value is None else f"{value:.6f}" for value in numbers]
        yield [item.name, " ".join(item.bands), item.train, item.val, item.judged, *cells]
