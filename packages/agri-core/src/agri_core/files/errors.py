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


class SettingError(InputError):
    """A setting has a value that it cannot have; a command line names its flag or its file.

    Attributes:
        setting: its name.
        reason: what is wrong, the end of a sentence that the name begins.
    """

    def __init__(self, setting: str, reason: str) -> None:
        """Keep the parts of the message: "`epochs` must be ..."."""
        super().__init__(f"`{setting}` {reason}")
        self.setting, self.reason = setting, reason
