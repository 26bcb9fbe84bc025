"""One run at a time makes an output; a killed one does not stand in the way."""

import subprocess
import sys
from pathlib import Path

import pytest
from agri_core.files.errors import InputError
from agri_core.files.locks import sole_run

HOLD = """
import sys
from pathlib import Path
from agri_core.files.locks import sole_run
with sole_run(Path(sys.argv[1])):
    print("begun", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX locks")


@pytest.mark.parametrize("killed", [False, True])
def test_a_second_run_is_refused_while_the_first_lives(tmp_path: Path, killed: bool) -> None:
    out = tmp_path / "models" / "unet"
    command = [sys.executable, "-c", HOLD, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None and run.stdout.readline() == "begun\n"
        with (
            pytest.raises(InputError, match=r"another run is writing .*/models/unet; wait"),
            sole_run(tmp_path / "models" / "x" / ".." / "unet"),
        ):
            pass
        with sole_run(tmp_path / "models" / "other"):
            pass
        if killed:
            run.kill()
        else:
            run.communicate()
    with sole_run(out):
        assert [item.name for item in out.parent.iterdir()] == [".unet.running"]
    assert list(out.parent.iterdir()) == []


def test_an_error_in_a_run_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), sole_run(tmp_path / "out"):
        raise KeyError
    with sole_run(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


WAITER = """
import sys, time
from pathlib import Path
from agri_core.files.locks import sole_run
for _ in range(20):
    with sole_run(Path(sys.argv[1]), wait=True):
        held = Path(sys.argv[1]) / "held"
        held.touch(exist_ok=False)
        time.sleep(0.005)
        held.unlink()
"""


def test_runs_that_wait_come_one_after_the_other(tmp_path: Path) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", WAITER, str(tmp_path)]) for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
