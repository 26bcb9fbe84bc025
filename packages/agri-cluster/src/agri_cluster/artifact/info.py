"""`cluster.json`: how a clustering was made, and what it came to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from agri_core.files.errors import InputError
from agri_core.files.records import Record, parse_json
from pydantic import ConfigDict, Field

Count = Annotated[int, Field(ge=0)]


class InfoFile(Record):
    """The keys that commands read; what else a method notes down is kept as it is."""

    model_config = ConfigDict(extra="allow")

    version: Literal[1] = Field(default=1, alias="schema")
    alpha: Annotated[float, Field(gt=0)] = 1.0
    settings: dict[str, Any] = Field(default={})
    seed: Count | None = None
    source: str = ""
    split: str | None = None
    bands: tuple[str, ...] = ()
    scaling: dict[str, Any] | None = None
    tiles: Count = 0
    used: Count = 0
    n_iter: Count = 0
    stop_reason: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float | None = None
    cpu: float | None = None


def read_info(path: Path) -> dict[str, Any]:
    """Return the content of a `cluster.json`, its values checked; only the keys it holds.

    Raises:
        InputError: it is not JSON, or a value is wrong.
    """
    found = parse_json(InfoFile, path.read_bytes(), str(path), _damaged)
    return found.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _damaged(message: str) -> InputError:
    return InputError(f"{message}; the clustering is damaged, fit again")
