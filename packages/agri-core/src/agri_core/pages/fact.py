"""One key figure at the head of a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure as it is shown, what it counts, and whether it calls for attention."""

    value: str
    label: str
    alert: bool = False
