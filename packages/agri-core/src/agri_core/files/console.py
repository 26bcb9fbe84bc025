"""The console of every command line: one-line errors, exit codes, warnings, progress bars."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Protocol, TextIO, TypeVar

from agri_core import interrupt
from agri_core.files.errors import AgriError
from agri_core.files.text import legible
from agri_core.interrupt import Interrupted
from agri_core.threads import wait_passively

T = TypeVar("T")

USER_ERROR = 2
SKIPPED = 3
INTERRUPTED = interrupt.EXIT
UNREAD = 141
"""As of a process that SIGPIPE ends: nobody reads what it writes."""
LONGEST = 2000
"""Characters of a message; longer ones repeat what a file holds."""


class Bar(Protocol):
    """The part of a progress bar that callers use."""

    def update(self, n: int = 1) -> object:
        """Advance by `n` steps."""

    def close(self) -> None:
        """Leave the bar as it is."""


def run(app: Callable[[], object]) -> None:
    """Run a command line; a user's mistake becomes one line on stderr and exit code 2, Ctrl-C 130.

    Where Ctrl-C is ignored, as in the background of a shell script, it stays so.
    """
    wait_passively()
    interrupt.listen()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal of few characters gets escapes of the others.
            stream.reconfigure(errors="backslashreplace")
    try:
        with _third_parties():
            app()
    except BaseException as error:
        code = _exit_code(error)
        if code is None:
            raise
        sys.exit(code)
    finally:
        interrupt.stop_listening()


def warn(message: str) -> None:
    """Write a warning to stderr, as one line."""
    _put(sys.stderr, f"warning: {_line(message)}\n")


def fail(message: str) -> None:
    """Write an error to stderr, as one line."""
    _put(sys.stderr, f"error: {_line(message)}\n")


def tell(message: str) -> None:
    """Write a line about the work to stderr."""
    _put(sys.stderr, f"{_line(message)}\n")


def echo(message: str = "") -> None:
    """Write a line of the result, or several, to stdout."""
    _put(sys.stdout, "".join(f"{legible(line)}\n" for line in message.split("\n")))


def progress(items: Iterable[T], desc: str, total: int | None = None) -> Iterable[T]:
    """Wrap `items` in a progress bar on stderr; nothing is drawn when stderr is no terminal."""
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, desc=_line(desc), total=total, disable=None, leave=False)
    return bar


def progress_bar(desc: str, total: int, unit: str = "it") -> Bar:
    """Return a progress bar on stderr that the caller advances with `update` and closes."""
    from tqdm import tqdm

    bar: Bar = tqdm(desc=_line(desc), total=total, unit=unit, disable=None, leave=False)
    return bar


def _line(message: str) -> str:
    """Return a message as one line without control characters; of a long one the beginning."""
    text = legible(message)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def _put(stream: TextIO | None, text: str) -> None:
    """Write text; where nobody reads on, as behind `head`, the work goes on without it."""
    if stream is None:  # closed by whoever started the command
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _drop(stream)


def _drop(stream: TextIO) -> None:
    """Let the rest of a stream, and what Python still holds of it, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def _third_parties() -> Iterator[None]:
    """Write what libraries warn of and log as our own warnings are: names of files are in it."""
    import logging
    import warnings

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warn(record.getMessage())

    before, logging.lastResort = logging.lastResort, Handler(logging.WARNING)
    shown = warnings.showwarning
    warnings.showwarning = lambda message, *_, **__: warn(str(message))
    try:
        yield
    finally:
        warnings.showwarning, logging.lastResort = shown, before


def _exit_code(error: BaseException) -> int | None:
    """Tell the user of an error; None if it is our own fault, or already an exit."""
    if isinstance(error, Interrupted) or interrupt.happened():
        _put(sys.stderr, interrupt.LINE)
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        for stream in (sys.stdout, sys.stderr):
            _drop(stream)
        return UNREAD
    if isinstance(error, AgriError):
        fail(str(error))
    elif isinstance(error, OSError):
        fail(_explain(error))
    elif isinstance(error, MemoryError):
        fail(f"not enough memory ({error}); ask for smaller pieces or fewer at once")
    else:
        return None
    return USER_ERROR


def _explain(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full{where}; nothing half-written was kept, free some space and rerun"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to read or write{where}; choose another folder or change its rights"
    return f"{error.strerror or error}{where}"
