"""Output that is there whole or not at all, and what a killed run leaves behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from agri_annotate.atomic import replacing_dir, replacing_file, write_text

HOLD = """
import sys, time
from pathlib import Path
from agri_annotate.atomic import replacing_dir
with replacing_dir(Path(sys.argv[1]), "marker") as new:
    (new / "marker").write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX locks and signals")


def begin(out: Path) -> subprocess.Popen[str]:
    """Start a run that has begun to write `out` and goes on for long."""
    run = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None and run.stdout.readline() == "begun\n"
    return run


def build(out: Path) -> None:
    with replacing_dir(out, "marker") as new:
        (new / "marker").write_text("whole")


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_the_next_run_sweeps_up_after_a_killed_one(tmp_path: Path) -> None:
    with begin(tmp_path / "out") as run:
        run.send_signal(signal.SIGKILL)
    assert [name[:13] for name in names(tmp_path)] == [".partial-out-"]
    build(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "marker").read_text() == "whole"


def test_a_file_sweeps_up_too(tmp_path: Path) -> None:
    left = tmp_path / ".partial-a.json-0a_9zzzz"
    left.mkdir()
    (left / "a.json").write_text("{")
    write_text(tmp_path / "a.json", "{}")
    assert names(tmp_path) == ["a.json"]


def test_what_a_running_process_owns_stays(tmp_path: Path) -> None:
    with begin(tmp_path / "out") as run:
        build(tmp_path / "out")
        (held,) = [name for name in names(tmp_path) if name != "out"]
        assert (tmp_path / held / "new" / "marker").read_text() == "half"
        run.kill()
    build(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_what_is_no_leftover_of_this_output_stays(tmp_path: Path) -> None:
    kept = [".partial-out-notes", ".partial-out-2-abcdefgh", ".replaced-out-abcdefgh"]
    for name in kept:
        (tmp_path / name).mkdir()
    (tmp_path / ".partial-out-abcdefgh").write_text("a person's file")
    (tmp_path / "real").mkdir()
    (tmp_path / ".partial-out-aaaaaaaa").symlink_to(tmp_path / "real")
    before = names(tmp_path)
    build(tmp_path / "out")
    assert names(tmp_path) == sorted([*before, "out"])


def test_an_error_leaves_the_old_output_and_nothing_else(tmp_path: Path) -> None:
    build(tmp_path / "out")
    write_text(tmp_path / "a.json", "old")
    with pytest.raises(KeyError), replacing_dir(tmp_path / "out", "marker") as new:
        (new / "marker").write_text("half")
        raise KeyError
    with pytest.raises(KeyError), replacing_file(tmp_path / "a.json") as path:
        path.write_text("half")
        raise KeyError
    assert names(tmp_path) == ["a.json", "out"]
    assert (tmp_path / "out" / "marker").read_text() == "whole"
    assert (tmp_path / "a.json").read_text() == "old"


def test_an_interrupted_swap_puts_the_old_output_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path / "out")
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "marker").read_text() == "whole"
