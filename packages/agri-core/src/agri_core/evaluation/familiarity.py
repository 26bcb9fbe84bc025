"""Whether the data of an evaluation also taught the model: what limits the scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agri_core.files.console import warn

FITTED = "train"
SELECTED = "the validation split also selected the epoch of the model; the test split was not used"
"""A note that a report has and the terminal has not, since it is always so."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where chips come from: fingerprints of a chip store and of its split; "" if unknown."""

    dataset: str
    split: str


@dataclass(frozen=True, slots=True)
class Familiarity:
    """What a model knows of the data that it is evaluated on.

    Attributes:
        fitted: whether the data taught the model; None if that cannot be told.
        same_split: whether training and evaluation have the same chips and split.
        notes: the reasons why the scores may be better than at new places.
    """

    fitted: bool | None
    same_split: bool
    notes: tuple[str, ...]


def compare_origins(
    model: Origin, data: Origin, split: str, noun: str = "chip", method: str = ""
) -> Familiarity:
    """Compare the store and split that a model was trained on with those of an evaluation.

    Args:
        model: what the bundle says.
        data: the chip store of the evaluation.
        split: the evaluated split: `train`, `val` or `test`; "" for a whole store.
        noun: what the store holds, in the singular.
        method: how the store was split; `random` is noted.

    Example:
        >>> own = Origin("d1", "s1")
        >>> compare_origins(own, own, "test").fitted
        False
        >>> compare_origins(own, Origin("d2", "s1"), "test").fitted is None
        True
    """
    nouns = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    notes, same_split = [], bool(model.dataset) and model == data
    fitted: bool | None = None
    if not model.dataset or model.dataset != data.dataset:
        notes.append(
            f"the {nouns} are of another store than the training {nouns}; whether they include "
            f"training {nouns} or places is unknown"
        )
    elif model.split != data.split:
        notes.append(
            f"the split differs from the one used in training, so these {nouns} may include "
            f"training {nouns}"
        )
    elif split in (FITTED, ""):
        fitted = True
        notes.append(
            f"fitted data: the model was trained on these {nouns}, so the scores are not a test"
        )
    else:
        fitted = False
    if method == "random":
        notes.append(
            f"the split is random, not by place: training {nouns} may be next to these {nouns}"
        )
    if split == "val" and same_split:
        notes.append(SELECTED)
    return Familiarity(fitted, same_split, tuple(notes))


def unrecorded(noun: str = "picture") -> Familiarity:
    """Return what is known of data without a record of where it comes from: nothing."""
    return Familiarity(
        None,
        False,
        (
            f"cannot tell whether these {noun}s taught the model: the bundle does not hold its "
            f"training {noun}s. The scores are a test only if they did not",
        ),
    )


def warn_of(notes: Iterable[str]) -> None:
    """Print the limits of the scores as warnings."""
    for note in notes:
        if note != SELECTED:
            warn(note)
