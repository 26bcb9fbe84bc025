"""The table of `agri-cluster evaluate`, read for the report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agri_core.files.csvfile import read_rows

from agri_cluster.evaluation.comparison import SHOWN

TABLE = "table.csv"


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """A comparison of methods: headings, a row per method, and why some failed."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    troubles: tuple[str, ...]


def read_scoreboard(folder: Path) -> Scoreboard | None:
    """Read the table in `folder`; None where there is none. Columns without a figure are left out.

    Raises:
        InputError: it is no table.
    """
    if not (folder / TABLE).is_file():
        return None
    rows = read_rows(folder / TABLE)
    columns = [name for name in _shown(rows) if any(row.get(name) for row in rows)]
    return Scoreboard(
        header=("method", "K", *(_heading(name) for name in columns)),
        rows=tuple(
            (row["method"], row["clusters"], *(_cell(row, name) for name in columns))
            for row in rows
        ),
        troubles=tuple(f"{row['method']}: {row['trouble']}" for row in rows if row.get("trouble")),
    )


def _shown(rows: Sequence[Mapping[str, str]]) -> list[str]:
    spaces = [name for name in (rows[0] if rows else ())
              if name.startswith("silhouette_") and not name.endswith("_sd")]  # fmt: skip
    return [*SHOWN, *spaces]


def _heading(name: str) -> str:
    return SHOWN.get(name) or f"silhouette ({name.removeprefix('silhouette_')})"


def _cell(row: Mapping[str, str], name: str) -> str:
    text = row.get(name)
    if not text:
        return "n/a"
    value, deviation = float(text), float(row.get(f"{name}_sd") or 0)
    if name in ("used", "cpu"):
        return f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return f"{value:.3f}" + (f" ± {deviation:.3f}" if deviation >= 0.0005 else "")
