"""Resuming: whatever moment a run is killed at, wherever its folder lies then."""

import shutil

import pytest
from agri_train.config import TrainConfig
from agri_train.engine.module import TrainingModule
from agri_train.fit import fit
from agri_train.run.checkpoint import LAST, RunCheckpointIO
from agri_train.run.history import read_history

BANDS = ("B02", "B03", "B04", "B08")
MEASURED = ("seconds", "rate")


def run(net, store, out, **settings):
    base = {"batch_size": 5, "sample_rows": 0, "lr": 0.01, "patience": 0, "schedule": "constant"}
    return fit(
        net, store, bands=BANDS, head="multiclass", config=TrainConfig(**{**base, **settings}),
        out=out, name="m", arch="tiny",
    )  # fmt: skip


def rows(result):
    found = read_history(result.history)
    return [{name: row[name] for name in row if name not in MEASURED} for row in found]


def checkpoints(out):
    return sorted(path.name for path in (out / "checkpoints").glob("[!.]*"))


def kill_at(monkeypatch, epoch, wanted):
    """Raise before the checkpoint of an epoch whose name is `wanted` is written."""
    save = RunCheckpointIO.save_checkpoint

    def killed(self, checkpoint, path, storage_options=None):
        if len(self.history.rows) == epoch and wanted in str(path):
            raise KeyboardInterrupt
        save(self, checkpoint, path)

    monkeypatch.setattr(RunCheckpointIO, "save_checkpoint", killed)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_kill_between_best_and_last_resumes_bit_for_bit(
    make_store, tiny, tmp_path, monkeypatch, schedule
):
    store, out = make_store(), tmp_path / "run"
    kwargs = {"epochs": 4, "schedule": schedule, "plateau_patience": 1}
    whole = run(tiny(drop=0.3), store, tmp_path / "whole", **kwargs)
    with monkeypatch.context() as patch:
        kill_at(patch, 3, LAST)
        with pytest.raises(KeyboardInterrupt):
            run(tiny(drop=0.3), store, out, **kwargs)
    # The former best is what `last.ckpt` of epoch 2 refers to, so it must still be there.
    assert [name[:14] for name in checkpoints(out)] == ["best-epoch-002", "best-epoch-003", LAST]
    result = run(tiny(drop=0.3, seed=9), store, out, **kwargs)
    assert rows(result) == rows(whole)
    assert result.spec.metrics == whole.spec.metrics
    assert checkpoints(out) == checkpoints(tmp_path / "whole")


def test_a_folder_that_was_moved_resumes_with_its_best_epoch(make_store, tiny, tmp_path):
    store = make_store()
    kwargs = {"lr": 0.2, "optimizer": "sgd", "clip_grad_norm": 0.0}
    whole = run(tiny(), store, tmp_path / "whole", epochs=6, **kwargs)
    run(tiny(), store, tmp_path / "first", epochs=3, **kwargs)
    shutil.move(tmp_path / "first", tmp_path / "moved")
    result = run(tiny(), store, tmp_path / "moved", epochs=6, **kwargs)
    assert rows(result) == rows(whole)
    assert result.checkpoint == tmp_path / "moved/checkpoints" / whole.checkpoint.name
    assert checkpoints(tmp_path / "moved") == checkpoints(tmp_path / "whole")
    assert not (tmp_path / "first").exists()


def test_a_run_that_stopped_early_is_not_trained_again(
    make_store, tiny, tmp_path, monkeypatch, capsys
):
    store, out = make_store(), tmp_path / "run"
    # The accuracy soon reaches 1 and cannot improve any more.
    kwargs = {"epochs": 30, "patience": 2, "lr": 0.2, "optimizer": "sgd", "clip_grad_norm": 0.0}
    first = run(tiny(), store, out, monitor="accuracy", **kwargs)
    assert first.epochs < 30
    monkeypatch.setattr(TrainingModule, "training_step", None)
    again = run(tiny(), store, out, monitor="accuracy", **kwargs)
    assert f"already trained for {first.epochs} epochs" in capsys.readouterr().err
    assert rows(again) == rows(first)
    assert again.spec.metrics == first.spec.metrics
