"""Names of clusters: given by the user in a file or by flags, or taken from known labels.

Several clusters may share a name; a cluster without one is left out of what is chosen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.csvfile import read_rows
from agri_core.files.errors import InputError
from agri_core.files.records import parse_record
from agri_core.files.yamlfile import read_yaml
from numpy.typing import ArrayLike

from agri_cluster.data.tiles import Ints
from agri_cluster.data.truth import Truth
from agri_cluster.evaluation.metrics import contingency

Names = dict[int, str]

LONGEST = 100
_NUMBER = re.compile(r"\d{1,9}")
_PLAIN = re.compile(r"[A-Za-z][\w-]*( [\w-]+)*", re.ASCII)
_WORDS = {"true", "false", "null"}
"""What YAML would not read as text."""


@dataclass(frozen=True, slots=True)
class Majority:
    """What most labelled tiles of a cluster are.

    Attributes:
        name: of their class.
        share: of the cluster's labelled tiles, 0..1.
    """

    name: str
    share: float


def read_names(path: Path) -> Names:
    """Read names from YAML, `{4: arable, 32: arable}`, or CSV with the columns `cluster,name`.

    A cluster whose name is empty has none.

    Raises:
        MissingError: there is no such file.
        InputError: it is neither, or a cluster is no number or stands there twice.
    """
    if path.suffix.lower() == ".csv":
        return _collect(_csv_pairs(path), str(path))
    content = read_yaml(path)
    if content is not None and not isinstance(content, Mapping):
        raise InputError(f"{path}: names are a mapping such as '4: arable', got {content!r:.60}")
    given = ((key, value) for key, value in (content or {}).items() if value is not None)
    return _collect(given, str(path))


def parse_keep(texts: Sequence[str]) -> Names:
    """Read names from flags, each `4,32=arable`.

    Raises:
        InputError: one is not of that form, or a cluster has two names.
    """
    pairs: list[tuple[str, str]] = []
    for text in texts:
        numbers, equals, name = text.partition("=")
        if not equals:
            raise InputError(f"--keep is clusters and their name such as 4,32=arable, got {text!r}")
        pairs += [(number.strip(), name) for number in numbers.split(",")]
    return _collect(pairs, "--keep")


def check_names(names: Mapping[int, str], sizes: ArrayLike, where: str) -> None:
    """Refuse names for clusters that are not there or hold no tile.

    Args:
        names: by cluster.
        sizes: tiles of each cluster, `(K,)`.
        where: what the names come from, for the message.

    Raises:
        InputError: it names the first such cluster and those there are, or there is no name.
    """
    counts = np.asarray(sizes)
    if not names:
        raise InputError(f"{where} names no cluster; give at least one a name")
    for cluster in names:
        if cluster >= len(counts):
            raise InputError(
                f"{where} names cluster {cluster}, but clusters are 0 to {len(counts) - 1}"
            )
        if not counts[cluster]:
            raise InputError(
                f"{where} names cluster {cluster}, which holds no tile; the clusters with tiles "
                f"are {ranges(np.flatnonzero(counts).tolist())}"
            )


def name_by_truth(labels: Ints, truth: Truth) -> dict[int, Majority]:
    """Name each cluster by the class that most of its tiles with a known class are of.

    Of two equal ones it is the first in the legend; a cluster without labelled tiles has no name.

    Args:
        labels: the cluster of each tile, `(N,)`.
        truth: the class of each tile.
    """
    table = contingency(truth.classes, labels)
    return {
        int(cluster): Majority(
            truth.names[int(counts.argmax())], float(counts.max() / counts.sum())
        )
        for cluster, counts in enumerate(table)
        if counts.sum()
    }


def names_text(sizes: ArrayLike, found: Mapping[int, Majority], heading: str) -> str:
    """Return a names file as YAML: a line per cluster with tiles, to be filled in or corrected.

    Args:
        sizes: tiles of each cluster, `(K,)`.
        found: names that are known, with what speaks for them.
        heading: a line of comment at the top.
    """
    lines = [f"# {heading}"]
    for cluster, size in enumerate(np.asarray(sizes)):
        if size:
            lines.append(_line(cluster, int(size), found.get(cluster)))
    return "\n".join(lines) + "\n"


def ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers in short: "0 to 3, 5, 7 to 9"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _line(cluster: int, size: int, found: Majority | None) -> str:
    if found is None:
        return f"{cluster}:  # {size} tiles"
    name = found.name
    plain = _PLAIN.fullmatch(name) and name.lower() not in _WORDS
    written = name if plain else json.dumps(name, ensure_ascii=False)
    return f"{cluster}: {written}  # {size} tiles, {found.share:.0%} of the labelled"


def _csv_pairs(path: Path) -> list[tuple[str, str]]:
    rows = read_rows(path)
    if not rows or not {"cluster", "name"} <= set(rows[0]):
        raise InputError(f"{path}: a CSV with the columns cluster and name is expected")
    pairs = [((row["cluster"] or "").strip(), row["name"] or "") for row in rows]
    return [(cluster, name) for cluster, name in pairs if name.strip()]


def _collect(pairs: Iterable[tuple[Any, Any]], where: str) -> Names:
    names: Names = {}
    for key, value in pairs:
        cluster, name = _cluster(key, where), _name(value, where, key)
        if names.setdefault(cluster, name) != name:
            raise InputError(f"{where}: cluster {cluster} is named {names[cluster]} and {name}")
    return names


def _cluster(key: Any, where: str) -> int:
    if isinstance(key, bool) or not _NUMBER.fullmatch(str(key)):
        raise InputError(f"{where}: a cluster is a number from 0, got {str(key)[:40]!r}")
    return int(key)


def _name(value: Any, where: str, key: Any) -> str:
    name = parse_record(str, value, f"{where}: the name of cluster {key}").strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise InputError(
            f"{where}: the name of cluster {key} is 1 to {LONGEST} printable characters, "
            f"got {value!r:.60}"
        )
    return name
