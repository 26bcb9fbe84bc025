"""Handling of files that cannot be read: refused at first, or skipped, counted and listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from agri_core.files.errors import AgriError

T = TypeVar("T")


@dataclass(slots=True)
class Losses:
    """Files and chips that a source left out.

    Attributes:
        allow: skip a bad file instead of refusing the whole run.
        skipped: a message per file that was skipped; the command then exits with code 3.
        dropped: chips left out by rule (without data, without labels), per reason.
    """

    allow: bool = False
    skipped: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)

    def attempt(self, function: Callable[[], T]) -> T | None:
        """Return `function()`; None where a bad file makes it fail and skipping is allowed.

        Raises:
            AgriError, OSError: the file is bad and skipping is not allowed.
        """
        try:
            return function()
        except (AgriError, OSError) as error:
            if not self.allow:
                raise
            self.skipped.append(str(error))
            return None

    def stream(self, items: Iterator[T]) -> Iterator[T]:
        """Yield `items` until a bad file makes one fail; earlier items are kept.

        Raises:
            AgriError, OSError: the file is bad and skipping is not allowed.
        """
        try:
            yield from items
        except (AgriError, OSError) as error:
            if not self.allow:
                raise
            self.skipped.append(str(error))

    def drop(self, reason: str) -> None:
        """Count one chip left out by rule."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
