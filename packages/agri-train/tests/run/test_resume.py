"""Resuming: whatever moment a run is killed at, wherever its folder lies then."""

import json
import shutil

import pytest
from agri_core.files.errors import InputError, MissingError
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


def test_another_thread_count_is_told(make_store, tiny, tmp_path, capsys):
    store, out = make_store(), tmp_path / "run"
    run(tiny(), store, out, epochs=1, threads=1)
    assert json.loads((out / "config.json").read_text())["hardware"]["threads"] == 1
    run(tiny(), store, out, epochs=2, threads=1)
    assert "threads" not in capsys.readouterr().err
    run(tiny(), store, out, epochs=2, threads=2)
    told = capsys.readouterr().err
    assert "the 2 epochs of the earlier run were computed by 1 threads, not 2" in told
    assert "already trained for 2 epochs" in told


def of_another_run(run, path):
    """Put the checkpoint of the same name, or the other best one, of a run with another seed."""
    other = run(path.parents[2] / "other", seed=5)
    replacement = other.checkpoint if path.name != LAST else other.checkpoint.with_name(LAST)
    shutil.copyfile(replacement, path)


def torn(run, path):
    path.write_bytes(path.read_bytes()[:500])


def emptied(run, path):
    path.write_bytes(b"")


@pytest.mark.parametrize("change", [of_another_run, torn, emptied])
@pytest.mark.parametrize("which", ["last", "best"])
def test_a_checkpoint_is_used_only_as_it_was_left(make_store, tiny, tmp_path, change, which):
    store = make_store()

    def train(out, seed=42):
        return run(tiny(), store, out, epochs=1, seed=seed)

    best = train(tmp_path / "run").checkpoint
    path = best if which == "best" else best.with_name(LAST)
    change(train, path)
    with pytest.raises(InputError, match=rf"{which}\S*\.ckpt was changed since"):
        train(tmp_path / "run")


def test_a_best_epoch_that_is_gone_is_named(make_store, tiny, tmp_path):
    store, out = make_store(), tmp_path / "run"
    run(tiny(), store, out, epochs=1).checkpoint.unlink()
    with pytest.raises(MissingError, match=r"best-\S*\.ckpt, the best epoch of this run, is gone"):
        run(tiny(), store, out, epochs=1)


@pytest.mark.parametrize("content", ["[1]", '"m"', "[" * 100_000, "{", "\udc00", " " * 1_000_001])
def test_settings_of_something_else_are_refused(make_store, tiny, tmp_path, content):
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.json").write_bytes(content.encode(errors="surrogatepass"))
    with pytest.raises(InputError, match=r"config\.json.*choose another folder"):
        run(tiny(), make_store(), out, epochs=1)
    assert [path.name for path in out.iterdir()] == ["config.json"]
