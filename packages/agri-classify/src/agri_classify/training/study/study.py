"""A study: several training runs that differ in one setting, evaluated on the same split.

The results of finished runs are kept, so that an interrupted study resumes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import agri_data
import agri_map
import agri_train
from agri_core.files.atomic import write_json
from agri_core.files.console import echo
from agri_core.files.errors import InputError, MissingError, SettingError
from agri_core.files.hashing import sha256_file, sha256_text
from agri_core.files.ownership import check_file, remove_folder
from agri_core.files.records import load_json, parse_json
from agri_data.store.store import ChipStore
from agri_map.inference.engine import open_engine
from agri_train.baselines.patches import score_baselines
from agri_train.config import TrainConfig
from agri_train.network.weights import weights_fingerprint

import agri_classify
from agri_classify.choices import Evaluated
from agri_classify.evaluation.evaluate import evaluate, metrics
from agri_classify.patches.labelled import Labelled
from agri_classify.training.train import Plan, fit_plan

MAX_BYTES = 1_000_000
JUDGED: tuple[str, ...] = get_args(Evaluated)
Known = dict[tuple[object, ...], Mapping[str, float]]
"""Baselines by what they depend on: patches, split, labels, bands and seed."""


@dataclass(frozen=True, slots=True)
class Case:
    """One training run of a study: its name and all its settings."""

    name: str
    plan: Plan
    store: ChipStore
    config: TrainConfig


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a case on the evaluated split.

    Attributes:
        name: of the case.
        bands: of the network.
        train: number of training patches.
        val: number of validation patches, which selected epoch and temperature.
        split: the evaluated split.
        judged: number of evaluated patches.
        accuracy: on these patches.
        interval: 95 % CI by bootstrap over places, or over patches without places; None for one
            place.
        f1: of each class; None for a class that occurs neither in truth nor in prediction.
        baselines: accuracy of the baselines with the same bands and patches.
    """

    name: str
    bands: tuple[str, ...]
    train: int
    val: int
    split: str
    judged: int
    accuracy: float
    interval: tuple[float | None, float | None]
    f1: Mapping[str, float | None]
    baselines: Mapping[str, float]


def study(cases: Sequence[Case], split: str, runs: Path) -> list[Outcome]:
    """Train and evaluate every case; those that are finished in `runs` are not run again.

    Raises:
        InputError: there is no case, two have the same name, or `runs` holds a record that another
            command wrote.
        MissingError: a store has no patch in the split `split`.
        AgriError: a case cannot be trained.
    """
    names = [case.name for case in cases]
    if not names or len(set(names)) != len(names):
        raise InputError(
            f"a study needs cases with different names; got {', '.join(names) or 'none'}"
        )
    if split not in JUDGED:
        raise SettingError("split", f"must be {' or '.join(JUDGED)}, got {split!r}")
    for case in cases:
        if len(case.store.indices(split)) == 0:
            raise MissingError(
                f"no patch of {case.store.path} is in the {split} split; split the store again, or "
                "choose another split with --split"
            )
    found = []
    simple: Known = {}
    records = [_Kept(case, split, runs) for case in cases]
    for kept in records:
        check_file(kept.path)
    for number, (case, kept) in enumerate(zip(cases, records, strict=True), start=1):
        outcome = kept.read()
        if outcome is None:
            echo(f"{number}/{len(cases)} {case.name}")
            outcome = _run(case, split, kept.folder, simple)
            kept.write(outcome)
        echo(f"{number}/{len(cases)} {case.name}: {outcome.accuracy:.4f}")
        found.append(outcome)
    return found


def _run(case: Case, split: str, folder: Path, known: Known) -> Outcome:
    """Train and evaluate one case; cases with the same patches and bands share baselines."""
    _, result = fit_plan(case.plan, case.store, case.config, folder)
    spec = result.spec
    engine = open_engine(result.bundle, threads=case.config.threads or None)
    found = metrics(evaluate(engine, Labelled(case.store, spec, split)))
    store, seed = case.store, case.config.seed
    same = (store.fingerprint, store.split_fingerprint, store.label_fingerprint, spec.bands, seed)
    if same not in known:
        scored = score_baselines(store, spec, split, seed=seed)
        known[same] = {item.name: item.accuracy for item in scored}
    return Outcome(
        case.name, spec.bands, len(case.store.indices("train")), len(case.store.indices("val")),
        split, found["patches"], found["accuracy"], tuple(found["interval"]),
        {row["class"]: row["f1"] for row in found["classes"]},
        known[same],
    )  # fmt: skip


class _Kept:
    """The record of a finished case, valid only for the same case, data and code."""

    def __init__(self, case: Case, split: str, runs: Path) -> None:
        slug = re.sub(r"\W+", "-", case.name.lower()).strip("-")
        self.folder, self.path = runs / slug, runs / f"{slug}.json"
        told = {
            "plan": asdict(case.plan), "config": case.config.to_dict(), "evaluated_on": split,
            "data": case.store.fingerprint, "split": case.store.split_fingerprint,
            "labels": case.store.label_fingerprint,
            "weights": weights_fingerprint(case.plan.weights), "code": _code(),
        }  # fmt: skip
        self.key = sha256_text(json.dumps(told, sort_keys=True))

    def read(self) -> Outcome | None:
        if not self.path.is_file() or self.path.stat().st_size > MAX_BYTES:
            return None
        text = self.path.read_bytes()
        try:
            if load_json(text, str(self.path))["key"] != self.key:
                return None
            return parse_json(Outcome, text, str(self.path))
        except (InputError, LookupError, TypeError):
            return None

    def write(self, outcome: Outcome) -> None:
        """Write the result and remove the checkpoints, gigabytes in a large study."""
        write_json(self.path, {"key": self.key, **asdict(outcome)})
        remove_folder(self.folder)


def _code() -> str:
    """Return the hash of the training and evaluation code; results of other code do not count."""
    packages = (agri_classify, agri_data, agri_map, agri_train)
    homes = [Path(str(package.__file__)).parent for package in packages]
    files = sorted(file for home in homes for file in home.rglob("*.py"))
    return sha256_text("\n".join(f"{file.name} {sha256_file(file)}" for file in files))
