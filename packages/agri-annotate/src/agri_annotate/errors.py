"""The errors a user can cause; the command line prints each as one line."""


class AnnotateError(Exception):
    """Base of every error that is the user's to mend."""


class InputError(AnnotateError, ValueError):
    """A file or a value does not hold what was expected of it."""


class MissingError(AnnotateError, FileNotFoundError):
    """A file or a class that was asked for is not there."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""
