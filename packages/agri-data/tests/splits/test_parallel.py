"""`agri-data split` as other processes see it: none of them finds half a split."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from agri_data.store.store import ChipStore

CALL = [sys.executable, "-c", "from agri_data.cli import main; main()", "split"]
IMAGES = np.arange(16 * 8 * 8 * 3, dtype=np.uint16).reshape(16, 8, 8, 3)
HOW = ["--method", "random", "--val", "0.25", "--test", "0.25"]


def test_splits_at_the_same_time_leave_one_of_them(make_store) -> None:
    path = make_store(IMAGES, masks=np.zeros((16, 8, 8), np.uint8)).path
    runs = [
        subprocess.Popen([*CALL, path, *HOW, "--seed", str(seed)], stdout=subprocess.DEVNULL)
        for seed in (1, 2, 3)
    ]
    assert [run.wait(120) for run in runs] == [0, 0, 0]
    last = ChipStore.open(path)
    assert last.info.split is not None and last.info.split["seed"] in (1, 2, 3)
    assert last.info.stats
    assert sorted(name.name for name in Path(path).parent.glob(".*")) == []


def test_a_reader_that_stops_listening_stops_no_split(make_store) -> None:
    path = make_store(IMAGES, masks=np.zeros((16, 8, 8), np.uint8)).path
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*CALL, path, *HOW], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert b"Traceback" not in done.stderr
    found = ChipStore.open(path)
    assert found.info.split and found.info.stats and (found.table["split"] == "test").any()
