"""Evaluates a bundle on a split of a chip store: the exported model itself is scored."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.confusion import mean_iou, shares_of_truth
from agri_core.evaluation.evaluation import Evaluation, rounded
from agri_core.evaluation.familiarity import Familiarity, Origin, compare_origins
from agri_core.evaluation.interval import ENOUGH
from agri_core.files.atomic import adding_files, write_json, write_text
from agri_core.files.csvfile import csv_text
from agri_core.files.errors import InputError
from agri_data.figures.confusion import draw_confusion
from agri_data.splits.resample import find_places
from agri_data.store.store import ChipStore
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray

from agri_segment.evaluation import report
from agri_segment.evaluation.gallery import draw_gallery
from agri_segment.evaluation.score import Predictor, Scored, run_chips, soft_iou

WORST = 6
MARKER = "confusion-normalised.csv"


@dataclass(frozen=True)
class ChipEvaluation(Evaluation):
    """The evaluation of one predictor on the chips of a split.

    Attributes:
        name: of the predictor.
        scored: the counts of each chip.
        familiarity: whether the chips taught the predictor.
    """

    name: str
    scored: Scored
    familiarity: Familiarity

    @property
    def notes(self) -> tuple[str, ...]:
        """Limitations of the scores."""
        return (*self.familiarity.notes, *_notes_on_places(len(self.places), self.unit))

    @property
    def chip_iou(self) -> NDArray[np.float64]:
        """Mean IoU of each chip, NaN for a chip without labelled pixels."""
        return np.array([mean_iou(cm) for cm in self.scored.matrices])


def evaluate(
    predictor: Predictor, store: ChipStore, split: str = "val", batch_size: int = 8
) -> ChipEvaluation:
    """Run a predictor on the chips of a split.

    Raises:
        InputError: The split is empty, or the model and the store do not fit together.
    """
    rows = store.indices(split)
    if len(rows) == 0:
        raise InputError(
            f"{store.path} has no chip in the {split} split; split it with `agri-data split`"
        )
    spec = predictor.spec
    scored = run_chips(predictor, store, rows, batch_size, f"{spec.name} on {split}")
    if not scored.matrices.any():
        raise InputError(f"no pixel of the {split} split of {store.path} has a label to score")
    places = find_places(store)
    matrices = places.sum_by_place(rows, scored.matrices)
    return ChipEvaluation(
        legend=spec.legend,
        split=split,
        places=matrices,
        unit=places.kind,
        name=spec.name,
        scored=scored,
        familiarity=familiarity(spec, store, split),
    )


def familiarity(spec: BundleSpec, store: ChipStore, split: str) -> Familiarity:
    """Return whether the chips of a split taught the model."""
    return compare_origins(
        Origin(spec.dataset, spec.split),
        Origin(store.fingerprint, store.split_fingerprint),
        split,
        method=str((store.info.split or {}).get("method", "")),
    )


def _notes_on_places(count: int, kind: str) -> tuple[str, ...]:
    if count >= ENOUGH:
        return ()
    unit = kind.partition(" ")[0]
    return (f"the 95 % CI is unreliable: it is based on only {count} {unit}{'s' * (count != 1)}",)


def write_evaluation(
    evaluation: ChipEvaluation, predictor: Predictor, store: ChipStore, out: Path
) -> str:
    """Write the report of an evaluation into `out`, atomically, and return its text.

    Files: metrics.json, report.md, confusion.csv and .png, confusion-normalised.csv, places.csv,
    worst.csv and .png.

    Raises:
        InputError: `out` holds such a file that an earlier evaluation did not write.
    """
    with adding_files(out) as folder:
        return _write_files(evaluation, predictor, store, folder)


def _write_files(
    evaluation: ChipEvaluation, predictor: Predictor, store: ChipStore, out: Path
) -> str:
    text = _report(evaluation)
    matrix, legend = evaluation.matrix, evaluation.legend
    write_json(out / "metrics.json", metrics(evaluation))
    write_text(out / "report.md", text + "\n")
    write_text(out / "confusion.csv", report.matrix_csv(matrix, legend))
    shares = np.round(shares_of_truth(matrix), 6)
    write_text(out / "confusion-normalised.csv", report.matrix_csv(shares, legend))
    title = f"{evaluation.name}, {evaluation.split} split"
    draw_confusion(matrix, legend, out / "confusion.png", title)
    write_text(out / "places.csv", _places_csv(evaluation))
    worst = worst_chips(evaluation)
    write_text(out / "worst.csv", _worst_csv(evaluation, store, worst))
    draw_gallery(
        [predictor],
        store,
        evaluation.scored.rows[worst],
        out / "worst.png",
        f"{title}: the chips with the lowest mean IoU",
    )
    return text


def metrics(evaluation: ChipEvaluation) -> dict[str, Any]:
    """Return all scores as plain values."""
    soft = soft_iou(evaluation.scored.soft)
    return {
        "model": evaluation.name,
        "split": evaluation.split,
        "fitted_data": evaluation.familiarity.fitted,
        "same_split": evaluation.familiarity.same_split,
        **evaluation.scores,
        "soft_miou": rounded(float(np.nanmean(soft))) if np.isfinite(soft).any() else None,
        "milliseconds_per_chip": rounded(evaluation.scored.milliseconds),
        "chips": len(evaluation.scored.rows),
        "notes": list(evaluation.notes),
    }


def worst_chips(evaluation: ChipEvaluation, count: int = WORST) -> NDArray[np.int64]:
    """Return the positions in `evaluation.scored.rows` of the worst chips, worst first."""
    scores = evaluation.chip_iou
    order = np.argsort(scores, kind="stable")
    return order[np.isfinite(scores[order])][:count]


def _report(evaluation: ChipEvaluation) -> str:
    scores = evaluation.scores
    lines = [
        f"# {evaluation.name} on the {evaluation.split} split",
        "",
        report.headline(scores, evaluation.split),
        "",
        report.class_table(scores, evaluation.matrix, evaluation.legend),
        "",
        f"IoU and F1 are of hard classes, pooled over pixels; a place is a {evaluation.unit}.",
        "",
        "Most frequent confusions:",
        "",
        report.confusions(evaluation.matrix, evaluation.legend),
    ]
    if evaluation.notes:
        lines += ["", *(f"- {note}" for note in evaluation.notes)]
    return "\n".join(lines)


def _places_csv(evaluation: ChipEvaluation) -> str:
    names = evaluation.legend.names
    pairs = [f"{true}>{found}" for true in names for found in names]
    rows = [
        [place, rounded(mean_iou(cm)), *cm.ravel().tolist()]
        for place, cm in enumerate(evaluation.places)
    ]
    return csv_text(["place", "miou", *pairs], rows)


def _worst_csv(evaluation: ChipEvaluation, store: ChipStore, worst: NDArray[np.int64]) -> str:
    rows = []
    for position in worst:
        chip = store.table.iloc[int(evaluation.scored.rows[position])]
        wrong = evaluation.scored.matrices[position].copy()
        np.fill_diagonal(wrong, 0)
        true, found = np.unravel_index(int(wrong.argmax()), wrong.shape)
        rows.append(
            [
                chip["chip_id"],
                chip["source"],
                rounded(float(evaluation.chip_iou[position])),
                evaluation.legend.names[true],
                evaluation.legend.names[found],
                int(wrong[true, found]),
            ]
        )
    return csv_text(["chip", "source", "miou", "truth", "predicted", "pixels"], rows)
