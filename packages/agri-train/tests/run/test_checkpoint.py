"""Checkpoints: what a disk that fills leaves behind."""

import pickle
import resource
import signal
from pathlib import Path

import pytest
import torch
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from agri_train.run.checkpoint import read_checkpoint, write_checkpoint


@pytest.fixture
def small_disk():
    """No file grows beyond 100 kB, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def save(path, size):
    with replacing_file(path) as temporary:
        write_checkpoint({"agri": {"fingerprint": "f"}, "weights": torch.zeros(size)}, temporary)


def test_a_full_disk_is_told_as_such_and_keeps_the_checkpoint_before(tmp_path, small_disk):
    path = tmp_path / "best.ckpt"
    save(path, 10)  # 40 bytes of weights
    with pytest.raises(OSError, match=r"cannot write best\.ckpt, is the disk full"):
        save(path, 100_000)  # 400 kB
    assert len(read_checkpoint(path)["weights"]) == 10
    assert [item.name for item in tmp_path.glob("[!.]*")] == ["best.ckpt"]


@pytest.mark.parametrize(
    "content", [[1], {}, {"agri": 5}, {"agri": {}}, {"agri": {"rows": []}}, "text"]
)
def test_what_is_no_checkpoint_of_ours_is_named(tmp_path, content):
    torch.save(content, tmp_path / "last.ckpt")
    with pytest.raises(InputError, match=r"last.ckpt is damaged or not a checkpoint of agri-train"):
        read_checkpoint(tmp_path / "last.ckpt")


def test_no_code_of_a_checkpoint_is_run(tmp_path):
    (tmp_path / "last.ckpt").write_bytes(pickle.dumps({"agri": Path(), "other": print}))
    with pytest.raises(InputError, match="no code is run"):
        read_checkpoint(tmp_path / "last.ckpt")
