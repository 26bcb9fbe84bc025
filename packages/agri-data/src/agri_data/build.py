"""Building a chip store from a source, and the report of what was kept and left out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from agri_core.files.atomic import scratch_dir, sibling_path
from agri_core.files.console import progress
from agri_core.files.errors import AgriError, InputError, MissingError
from agri_core.legend import IGNORE

from agri_data.sources.description.description import Description, EurosatDescription
from agri_data.sources.patches import PatchSource
from agri_data.sources.readers.archive import extract
from agri_data.sources.skips import Losses
from agri_data.sources.source import DEFAULT_CUT, Source, describe, open_source
from agri_data.sources.windows import Cut
from agri_data.store.info import StoreInfo
from agri_data.store.writer import Mask, StoreWriter

NO_LABEL = "no label"


@dataclass(frozen=True, slots=True)
class Report:
    """What a build wrote.

    Attributes:
        path: the store.
        chips: how many chips it holds.
        classes: chips per class (patch labels) or pixels per class (masks), legend order.
        unit: what `classes` counts, "chips" or "pixels"; "" without labels.
        skipped: a message per file that was skipped.
        dropped: chips left out by rule, per reason.
        notes: remarks of the source.
        size: bytes on disk.
        seconds: time it took.
    """

    path: Path
    chips: int
    classes: Mapping[str, int]
    unit: str
    skipped: Sequence[str]
    dropped: Mapping[str, int]
    notes: Sequence[str]
    size: int
    seconds: float


@dataclass(slots=True)
class _Counts:
    labels: Counter[str] = field(default_factory=Counter)
    pixels: np.ndarray[tuple[int], np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros(256, np.int64)
    )

    def add(self, label: str, mask: Mask | None) -> None:
        self.labels[label] += bool(label)
        if mask is not None:
            self.pixels += np.bincount(mask.ravel(), minlength=256)

    def classes(self, info: StoreInfo) -> tuple[dict[str, int], str]:
        if info.legend is None:
            return {}, ""
        if self.pixels.any():
            found = {name: int(self.pixels[i]) for i, name in enumerate(info.legend.names)}
            return {**found, NO_LABEL: int(self.pixels[IGNORE])}, "pixels"
        return {name: self.labels[name] for name in info.legend.names}, "chips"


def build(
    source: Path,
    out: Path,
    *,
    cut: Cut = DEFAULT_CUT,
    root: Path | None = None,
    skip: bool = False,
    share: float | None = None,
) -> Report:
    """Write the chips of `source` to the store `out`; on any error `out` is as it was.

    Args:
        source: a description, or a EuroSAT archive or folder.
        out: the store.
        cut: chip size and overlap.
        root: the folder of the data, in place of the description's own `root`.
        skip: skip and list unreadable files instead of refusing at the first.
        share: write labelled patches: chips that one class covers to that share, without masks.

    Raises:
        AgriError: the source, or a file of it, is not as it must be.
    """
    begun = time.monotonic()
    description = describe(source, root)
    losses = Losses(skip)
    with unpacked(description, out, losses) as ready:
        opened: Source = open_source(ready, cut, losses)
        if share is not None:
            opened = PatchSource(opened, share)
        chips, counts = _write(opened, out)
    classes, unit = counts.classes(opened.info)
    return Report(
        path=out,
        chips=chips,
        classes=classes,
        unit=unit,
        skipped=tuple(losses.skipped),
        dropped=dict(losses.dropped),
        notes=tuple(opened.notes()),
        size=sum(path.stat().st_size for path in out.iterdir()),
        seconds=time.monotonic() - begun,
    )


def summary(report: Report) -> Iterator[str]:
    """Yield the lines that tell what was built."""
    yield (
        f"{report.path}: {report.chips} chips, {report.size / 1e6:.1f} MB, {report.seconds:.1f} s"
    )
    total = max(sum(report.classes.values()), 1)
    for name, count in report.classes.items():
        yield f"  {name}: {count} {report.unit} ({100 * count / total:.1f} %)"
    for reason, count in report.dropped.items():
        yield f"left out, {reason}: {count} chips"
    yield from (f"note: {note}" for note in report.notes)
    if report.skipped:
        yield f"skipped: {len(report.skipped)}"


def _write(source: Source, out: Path) -> tuple[int, _Counts]:
    counts = _Counts()
    with StoreWriter(out, source.info) as writer:
        for record, image, mask in progress(source, "chips", source.expected):
            writer.add(record, image, mask)
            counts.add(record.label, mask)
        if not len(writer):
            raise InputError(_why_nothing(source.losses))
    return len(writer), counts


def _why_nothing(losses: Losses) -> str:
    reasons = [f"{reason}: {count} chips" for reason, count in losses.dropped.items()]
    reasons += losses.skipped[:8]
    return f"no chip is left to write; {'; '.join(reasons) or 'the source is empty'}"


@contextmanager
def unpacked(description: Description, out: Path, losses: Losses) -> Iterator[Description]:
    """Unpack a zip that is the root of pairs or scenes next to `out`, and remove it at the end.

    Messages name the zip, not the folder that is gone. EuroSAT archives are read in place.
    """
    root = description.root
    if isinstance(description, EurosatDescription) or root.suffix.lower() != ".zip":
        yield description
        return
    if not root.is_file():
        raise MissingError(f"there is no file {root}")
    with scratch_dir(sibling_path(out, "zip")) as folder:
        try:
            extract(root, folder)
            yield replace(description, root=folder)
        except AgriError as error:
            raise type(error)(str(error).replace(str(folder), str(root))) from error
        finally:
            losses.skipped[:] = [text.replace(str(folder), str(root)) for text in losses.skipped]
