"""Reads many files as patches, in order and in parallel; a reason for each unreadable one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agri_core.files.errors import AgriError
from agri_data.sources.readers.parallel import in_order

from agri_classify.patches.patch import Patch, read_patch

if TYPE_CHECKING:
    from agri_map.bundle.spec import BundleSpec

BATCH_SIZE = 64


def read_batches(
    paths: Sequence[Path], spec: BundleSpec, bands: tuple[str, ...] = (), size: int = BATCH_SIZE
) -> Iterator[list[Patch | str]]:
    """Yield lists of `size` patches, the last one shorter; text is the reason for a failure."""
    futures = in_order(lambda path: read_patch(path, spec, bands), paths, ahead=size)
    while chunk := list(islice(futures, size)):
        yield [_outcome(future) for future in chunk]


def _outcome(future: Future[Patch]) -> Patch | str:
    try:
        return future.result()
    except (AgriError, OSError) as error:
        return str(error)
