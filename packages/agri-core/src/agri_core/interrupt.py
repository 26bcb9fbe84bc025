"""Ctrl-C at any moment of a command: one line, exit code 130.

A command line imports this module before all others, since those take a tenth of a second and
more to load. Where Ctrl-C is ignored, as in the background of a shell script, it stays so.
"""

from __future__ import annotations

import os
import signal
import sys

EXIT = 130
LINE = "\ninterrupted; run the same command again to go on\n"
SCRIPTS = "agri-"
"""How the names of our console scripts begin; another program's Ctrl-C is left alone."""
AGAIN = 0.01
"""Seconds after which an interruption that a callback has lost is raised again."""

_seen: list[int] = []
"""Signals since `listen`; an interruption may surface as another error, such as numpy's own."""


class Interrupted(BaseException):
    """Ctrl-C; typer would silently swallow a KeyboardInterrupt."""


def listen_early() -> None:
    """Leave at once on Ctrl-C while a command line is being imported: nothing is written yet."""
    script = os.path.basename(sys.argv[0] if sys.argv else "")  # noqa: PTH119 (pathlib is slow)
    if script.startswith(SCRIPTS) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def listen() -> None:
    """Raise `Interrupted` on Ctrl-C from now on, in this process only."""
    if signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, _leave):
        return
    own = os.getpid()
    _seen.clear()

    def interrupt(number: int, frame: object) -> None:
        # A loader's forked worker inherits this handler and leaves quietly as it always did.
        if os.getpid() != own:
            raise KeyboardInterrupt
        # A second Ctrl-C must not tear apart what the first one is tidying up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _seen.append(number)
        raise Interrupted

    signal.signal(signal.SIGINT, interrupt)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _raise_again


def happened() -> bool:
    """Whether this run was interrupted, whatever error came of it."""
    return bool(_seen)


def stop_listening() -> None:
    """Let Ctrl-C end a process whose command is done, for example while threads still close."""
    if signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None):
        signal.signal(signal.SIGINT, _leave)


def _leave(number: int, frame: object) -> None:
    os.write(2, LINE.encode())
    os._exit(EXIT)


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Raise an interruption again that fell into a callback, where Python drops exceptions."""
    if not issubclass(lost.exc_type, Interrupted) or not hasattr(signal, "setitimer"):
        sys.__unraisablehook__(lost)
        return

    def interrupt(number: int, frame: object) -> None:
        raise Interrupted

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, AGAIN)


listen_early()
