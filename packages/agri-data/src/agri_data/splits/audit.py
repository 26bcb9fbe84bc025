"""The checks of a chip store behind `agri-data check`, as data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from agri_core.legend import IGNORE

from agri_data.choices import Near
from agri_data.splits.leaks import Leak, find_leaks
from agri_data.store.contradictions import contradictions
from agri_data.store.table import SPLITS

if TYPE_CHECKING:
    from agri_data.store.store import ChipStore

Level = Literal["fail", "warn"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a check found: `fail` means the store must not be used as it is."""

    level: Level
    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The outcome of all checks.

    Attributes:
        findings: what was found, but for leaks.
        leaks: what the splits share.
        near: what near duplicates count as.
    """

    findings: tuple[Finding, ...]
    leaks: tuple[Leak, ...]
    near: Near

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        leaked = any(self.level(leak) == "fail" for leak in self.leaks)
        return not leaked and all(item.level != "fail" for item in self.findings)

    @property
    def leak_counts(self) -> dict[str, int]:
        """Leaks per kind."""
        counts = Counter(leak.kind for leak in self.leaks)
        return {kind: counts[kind] for kind in ("overlap", "group", "exact", "near")}

    def level(self, leak: Leak) -> Level:
        """Return what a leak counts as."""
        return "warn" if leak.kind == "near" and self.near != "fail" else "fail"

    def to_dict(self, store: ChipStore) -> dict[str, Any]:
        """Return the report for JSON."""
        counts = store.table["split"].value_counts()
        return {
            "name": store.info.name,
            "passed": self.passed,
            "chips": len(store),
            "parts": {split: int(counts.get(split, 0)) for split in SPLITS},
            "fingerprint": store.fingerprint,
            "split_fingerprint": store.split_fingerprint,
            "leaks": self.leak_counts,
            "findings": [_as_dict(item) for item in self.findings],
            "pairs": [_as_dict(leak) | {"level": self.level(leak)} for leak in self.leaks],
        }


def audit(store: ChipStore, near: Near = "warn") -> Audit:
    """Check a store: checksums, class ids, labels, values, the split, its statistics, leaks."""
    findings = [Finding("fail", "checksum", line) for line in store.verify()]
    findings += _check_classes(store)
    findings += [Finding("fail", *item) for item in contradictions(store)]
    findings += _check_split(store)
    leaks = find_leaks(store, near=near != "off") if (store.table["split"] != "").any() else []
    return Audit(tuple(findings), tuple(leaks), near)


def _check_classes(store: ChipStore) -> list[Finding]:
    found = []
    labels = set(store.table["label"]) - {""}
    unknown = sorted(labels - set(store.info.legend.names if store.info.legend else ()))
    if unknown:
        found.append(Finding("fail", "label", f"labels {unknown} are not in the legend"))
    if labels and (store.table["label"] == "").any():
        count = int((store.table["label"] == "").sum())
        found.append(Finding("warn", "label", f"{count} chips have no label, the others do"))
    if store.has_masks:
        found += _check_masks(store)
    return found


def _check_masks(store: ChipStore) -> list[Finding]:
    allowed = np.zeros(256, bool)
    allowed[: len(store.legend)] = True
    allowed[IGNORE] = True
    found, every, empty, step = [], store.indices(), 0, store.info.batch
    for start in range(0, len(store), step):
        masks = store.masks(every[start : start + step])
        wrong = ~allowed[masks]
        empty += int((masks == IGNORE).all(axis=(1, 2)).sum())
        for chip in np.flatnonzero(wrong.any(axis=(1, 2))):
            values = np.unique(masks[chip][wrong[chip]]).tolist()
            name = store.table["chip_id"].iloc[start + int(chip)]
            found.append(Finding("fail", "mask", f"{name}: values {values} are not in the legend"))
    if empty:
        found.append(Finding("warn", "mask", f"{empty} chips have no labelled pixel at all"))
    return found


def _check_split(store: ChipStore) -> list[Finding]:
    splits = store.table["split"]
    if (splits == "").all():
        return [Finding("warn", "split", "the chips are not split yet; run `agri-data split`")]
    found = []
    for split in SPLITS:
        if not (splits == split).any():
            found.append(Finding("warn", "split", f"no chip is in {split}"))
    if store.info.split and store.info.split.get("method") == "random":
        detail = "chips were dealt at random, so scores will be optimistic"
        found.append(Finding("warn", "split", detail))
    if store.info.stats is None:
        detail = "the bands of train are not measured; run `agri-data stats`"
        found.append(Finding("warn", "statistics", detail))
    return found


def _as_dict(item: Finding | Leak) -> dict[str, str]:
    return {name: getattr(item, name) for name in item.__slots__}
