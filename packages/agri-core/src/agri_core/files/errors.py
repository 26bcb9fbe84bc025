"""The errors a user can cause; every package's user errors descend from `AgriError`."""

from __future__ import annotations


class AgriError(Exception):
    """Base of every error that the user can correct; the command line prints it as one line."""


class InputError(AgriError, ValueError):
    """A file, an array or a value does not hold what was expected of it."""


class MissingError(AgriError, FileNotFoundError):
    """A file, a band or a class that was asked for is not there."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StoreError(AgriError, ValueError):
    """A chip store is damaged, incomplete, or not a chip store."""
