"""What every command shares: one-line errors, exit codes, progress bars.

This package stands alone, so these few lines exist here too.
"""

import errno
import signal
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn, TypeVar

from agri_annotate.errors import AnnotateError

if TYPE_CHECKING:
    import typer

T = TypeVar("T")

USER_ERROR = 2
SKIPPED = 3
INTERRUPTED = 130


class Interrupted(BaseException):
    """Ctrl-C; a KeyboardInterrupt would be swallowed by typer without a word."""


def run(app: "typer.Typer") -> None:
    """Run a typer app; a user's mistake becomes a line on stderr and exit code 2, Ctrl-C 130.

    Where Ctrl-C is ignored, as in the background of a shell script, it stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        app()
    except (AnnotateError, OSError) as error:
        text = _explain(error) if type(error).__module__ == "builtins" else str(error)
        sys.stderr.write(f"error: {text}\n")
        sys.exit(USER_ERROR)
    except MemoryError:
        sys.stderr.write("error: not enough memory; give fewer pictures or regions at once\n")
        sys.exit(USER_ERROR)
    except Interrupted:
        sys.stderr.write("\ninterrupted, nothing half-written was kept; run the command again\n")
        sys.exit(INTERRUPTED)


def say(message: str = "") -> None:
    """Write a line of the result to stdout."""
    sys.stdout.write(f"{message}\n")


def warn(message: str) -> None:
    """Write a warning to stderr."""
    sys.stderr.write(f"warning: {message}\n")


def progress(items: Iterable[T], desc: str, total: int | None = None) -> Iterable[T]:
    """Wrap `items` in a progress bar on stderr; nothing is drawn when stderr is no terminal."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, desc=desc, total=total, disable=None, leave=False)
    return bar


def _interrupt(number: int, frame: object) -> NoReturn:
    # A second Ctrl-C must not tear apart what the first one is tidying up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Interrupted


def _explain(error: BaseException) -> str:
    if not isinstance(error, OSError):
        return str(error)
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full{where}; nothing half-written was kept, free some space and rerun"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to read or write{where}; choose another folder or change its rights"
    return f"{error.strerror or error}{where}"
