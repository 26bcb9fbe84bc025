"""The console of every command line: one-line errors, exit codes, warnings, progress bars."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

from agri_core.files.errors import AgriError
from agri_core.threads import wait_passively

if TYPE_CHECKING:
    import typer

T = TypeVar("T")

USER_ERROR = 2
SKIPPED = 3
INTERRUPTED = 130


class Interrupted(BaseException):
    """Ctrl-C; typer would silently swallow a KeyboardInterrupt."""


class Bar(Protocol):
    """The part of a progress bar that callers use."""

    def update(self, n: int = 1) -> object:
        """Advance by `n` steps."""

    def close(self) -> None:
        """Leave the bar as it is."""


def run(app: typer.Typer) -> None:
    """Run a typer app; a user's mistake becomes one line on stderr and exit code 2, Ctrl-C 130.

    Where Ctrl-C is ignored, as in the background of a shell script, it stays so.
    """
    wait_passively()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _listen()
    try:
        app()
    except AgriError as error:
        sys.exit(_fail(str(error)))
    except OSError as error:
        sys.exit(_fail(_explain(error)))
    except MemoryError as error:
        sys.exit(_fail(f"not enough memory ({error}); ask for smaller pieces or fewer at once"))
    except Interrupted:
        sys.stderr.write("\ninterrupted; run the same command again to go on\n")
        sys.exit(INTERRUPTED)


def warn(message: str) -> None:
    """Write a warning to stderr."""
    sys.stderr.write(f"warning: {message}\n")
    sys.stderr.flush()


def echo(message: str = "") -> None:
    """Write a line of the result to stdout."""
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


def progress(items: Iterable[T], desc: str, total: int | None = None) -> Iterable[T]:
    """Wrap `items` in a progress bar on stderr; nothing is drawn when stderr is no terminal."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, desc=desc, total=total, disable=None, leave=False)
    return bar


def progress_bar(desc: str, total: int, unit: str = "it") -> Bar:
    """Return a progress bar on stderr that the caller advances with `update` and closes."""
    from tqdm import tqdm

    bar: Bar = tqdm(desc=desc, total=total, unit=unit, disable=None, leave=False)
    return bar


def _listen() -> None:
    own = os.getpid()

    def interrupt(number: int, frame: object) -> NoReturn:
        # A loader's forked worker inherits this handler and leaves quietly as it always did.
        if os.getpid() != own:
            raise KeyboardInterrupt
        # A second Ctrl-C must not tear apart what the first one is tidying up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise Interrupted

    signal.signal(signal.SIGINT, interrupt)


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return USER_ERROR


def _explain(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full{where}; nothing half-written was kept, free some space and rerun"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to read or write{where}; choose another folder or change its rights"
    return f"{error.strerror or error}{where}"
