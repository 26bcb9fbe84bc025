"""Ctrl-C: one line, exit code 130, nothing half written; where it is ignored, it stays so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.{handler})
from agri_data.cli import main
def hook(event, told):
    if event == "open" and str(told[0]).endswith({end!r}) and "w" in str(told[1]):
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
main()
"""
AGAIN = """
import atexit, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from agri_core.files.console import run
def app():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        sys.stdout.write("tidied")
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
run(app)
"""
FORKED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from agri_core.files.console import Interrupted, run
def app():
    child = os.fork()
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        os._exit(7 if child == 0 else 9)
    except Interrupted:
        sys.stdout.write(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
        raise
run(app)
"""

SWALLOWED = """
import os, signal, weakref
signal.signal(signal.SIGINT, signal.default_int_handler)
from agri_core.files.console import run
class Thing: pass
def app():
    thing = Thing()
    kept = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
    del thing
    for _ in range(10**9):
        pass
run(app)
"""
DISGUISED = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from agri_core.files.console import run
def app():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        raise ImportError("Error importing numpy")
run(app)
"""
EARLY = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[0] = "/usr/bin/agri-data"
import agri_core.interrupt
os.kill(os.getpid(), signal.SIGINT)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    done = run(tmp_path, "default_int_handler", "nothing", "synth", "--size", "96", "--places", "1")
    assert done.returncode == 0, done.stderr
    return tmp_path / "synth"


def run(
    desk: Path, handler: str, end: str, command: str, *more: str
) -> subprocess.CompletedProcess[str]:
    script = START.format(handler=handler, end=end)
    return subprocess.run(
        [sys.executable, "-c", script, command, *more, "--out", str(desk / command)],
        cwd=desk, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def content(desk: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(desk.rglob("*")) if path.is_file()}


def chips(scenes: Path, handler: str, end: str, size: int) -> subprocess.CompletedProcess[str]:
    return run(
        scenes.parent, handler, end, "chips", str(scenes / "source.yaml"), "--size", str(size)
    )


def assert_one_line(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 130, done.stderr
    assert done.stderr == "\ninterrupted; run the same command again to go on\n"
    assert done.stdout == ""


def test_an_interrupted_build_leaves_nothing(scenes: Path) -> None:
    before = content(scenes.parent)
    assert_one_line(chips(scenes, "default_int_handler", ".npy", 32))
    assert content(scenes.parent) == before
    assert sorted(path.name for path in scenes.parent.iterdir()) == ["synth"]


def test_an_interrupted_build_keeps_the_store_of_before(scenes: Path) -> None:
    assert chips(scenes, "default_int_handler", "nothing", 32).returncode == 0
    before = content(scenes.parent)
    assert_one_line(chips(scenes, "default_int_handler", "dataset.json", 16))
    assert content(scenes.parent) == before


def test_an_ignored_interrupt_stays_ignored(scenes: Path) -> None:
    done = chips(scenes, "SIG_IGN", ".npy", 32)
    assert (done.returncode, (scenes.parent / "chips" / "dataset.json").is_file()) == (0, True)


def test_a_second_one_disturbs_neither_the_tidying_nor_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AGAIN], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (130, "tidied")
    assert done.stderr == "\ninterrupted; run the same command again to go on\n"


@pytest.mark.parametrize("script", [SWALLOWED, DISGUISED, EARLY])
def test_one_that_a_library_swallows_or_renames_is_still_one(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert_one_line(done)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_worker_gets_the_keyboard_interrupt_it_expects() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (130, "7"), done.stderr
