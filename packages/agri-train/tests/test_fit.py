import copy
import csv
import json
import shutil
import signal
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from agri_core.files.console import Interrupted
from agri_core.files.errors import InputError
from agri_map.bundle.bundle import read_spec
from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import open_engine
from agri_train.bundle import record
from agri_train.bundle.export import ExportError
from agri_train.bundle.record import code_fingerprint
from agri_train.config import TrainConfig
from agri_train.data.datamodule import ChipDataModule
from agri_train.engine.accumulator import ConfusionAccumulator
from agri_train.engine.loss import build_loss
from agri_train.engine.module import DivergedError, TrainingModule
from agri_train.fit import fit
from agri_train.network.freeze import freeze
from agri_train.run.checkpoint import RunCheckpointIO, read_checkpoint
from agri_train.run.curves import curves_figure
from agri_train.run.history import COLUMNS, read_history
from agri_train.run.report import sample_rows

BANDS = ("B02", "B03", "B04", "B08")


def config(**kwargs) -> TrainConfig:
    base = {
        "epochs": 2,
        "batch_size": 5,
        "augment": False,
        "sample_rows": 0,
        "lr": 0.01,
        "patience": 0,
    }
    return TrainConfig(**{**base, "schedule": "constant", **kwargs})


def run(net, store, out, settings=None, **kwargs):
    options = {k: kwargs.pop(k) for k in ("head", "task", "name", "arch", "bands") if k in kwargs}
    options = {"head": "multiclass", "bands": BANDS, "name": "m", "arch": "tiny", **options}
    return fit(net, store, config=config(**kwargs), out=out, settings=settings, **options)


def losses(result) -> list[float]:
    return [row["train_loss"] for row in read_history(result.history)]


def test_a_run_leaves_what_it_promises(make_store, tiny, tmp_path, capsys):
    store, out = make_store(), tmp_path / "run"
    result = run(
        tiny(), store, out, epochs=3, sample_rows=2, augment=True, settings={"encoder": "none"}
    )
    names = sorted(str(p.relative_to(out)) for p in out.rglob("[!.]*") if p.is_file())
    assert names == [
        f"checkpoints/{result.checkpoint.name}", "checkpoints/last.ckpt", "config.json",
        "curves.png", "history.csv", "model.onnx",
        "samples/epoch-001.png", "samples/epoch-002.png", "samples/epoch-003.png",
    ]  # fmt: skip
    held = json.loads((out / "config.json").read_text())
    assert TrainConfig.from_dict(held["train"]).epochs == 3
    assert held["settings"] == {"encoder": "none"}
    assert held["loss"] == "ce"
    with result.history.open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    told = capsys.readouterr()
    assert told.out == ""
    assert "epoch   3/3" in told.err
    assert "(majority 0." in told.err
    assert "device cpu, precision" in told.err
    assert not list(tmp_path.rglob("lightning_logs"))
    assert result.throughput > 0


def test_the_bundle_is_what_was_trained(make_store, tiny, tmp_path):
    store, net = make_store(), tiny()
    result = run(net, store, tmp_path / "run", epochs=2, calibrate=False)
    spec = read_spec(result.bundle)
    assert spec == result.spec
    assert (spec.bands, spec.unit, spec.legend) == (BANDS, "dn", store.legend)
    assert spec.mean == tuple(store.info.stats[band].mean for band in BANDS)
    assert (spec.dataset, spec.split) == (store.fingerprint, store.split_fingerprint)
    assert spec.metrics["split"] == "val"
    low, high = spec.metrics["interval"]
    assert low <= spec.metrics["iou"] <= high
    assert spec.metrics["majority"] < spec.metrics["accuracy"]
    image = store.images(store.indices("val")[:2])
    batch = normalise(image, spec)
    with torch.no_grad():
        expected = net.eval()(torch.from_numpy(batch)).softmax(1).numpy()
    assert np.abs(open_engine(result.bundle).run(batch) - expected).max() < 1e-4


def test_a_binary_head_exports_two_channels(make_store, tiny, tmp_path):
    store = make_store(classes=2)
    result = run(tiny(channels=1), store, tmp_path / "run", head="binary", loss="bce+dice")
    out = open_engine(result.bundle).run(np.zeros((1, 4, 24, 40), np.float32))
    assert out.shape == (1, 2, 24, 40)
    assert np.allclose(out.sum(1), 1, atol=1e-6)


def test_patches_train_by_the_same_engine(make_store, tiny, tmp_path):
    store = make_store(patches=True, parts=(30, 12, 0))
    result = run(
        tiny(patches=True),
        store,
        tmp_path / "run",
        task="classify",
        epochs=12,
        sample_rows=2,
        lr=0.03,
    )
    assert result.spec.metrics["accuracy"] > 0.9
    assert open_engine(result.bundle).run(np.zeros((3, 4, 16, 16), np.float32)).shape == (3, 3)
    assert (tmp_path / "run/samples/epoch-012.png").stat().st_size > 0


def test_same_seed_same_trace(make_store, tiny, tmp_path):
    store = make_store()
    a = run(tiny(drop=0.3), store, tmp_path / "a", augment=True)
    torch.rand(7)  # chance used by others must not matter
    b = run(tiny(drop=0.3), store, tmp_path / "b", augment=True)
    c = run(tiny(drop=0.3), store, tmp_path / "c", augment=True, seed=7)
    assert losses(a) == losses(b)
    assert losses(a) != losses(c)


@pytest.mark.parametrize(("schedule", "half"), [("constant", 5), ("plateau", 3)])
def test_five_and_five_epochs_are_ten(make_store, tiny, tmp_path, capsys, schedule, half):
    store = make_store()
    kwargs = {"augment": True, "schedule": schedule, "plateau_patience": 1, "optimizer": "adam"}
    whole = run(tiny(drop=0.3), store, tmp_path / "whole", epochs=2 * half, **kwargs)
    run(tiny(drop=0.3), store, tmp_path / "parts", epochs=half, **kwargs)
    parts = run(tiny(drop=0.3, seed=99), store, tmp_path / "parts", epochs=2 * half, **kwargs)
    assert f"resuming after epoch {half}" in capsys.readouterr().err
    assert len(losses(parts)) == 2 * half
    for a, b in zip(read_history(whole.history), read_history(parts.history), strict=True):
        for column in set(COLUMNS) - {"seconds", "rate"}:
            assert b[column] == pytest.approx(a[column], abs=1e-6), column


def test_a_killed_run_goes_on(make_store, tiny, tmp_path, monkeypatch, capsys):
    store, out = make_store(), tmp_path / "run"
    handler, step = signal.getsignal(signal.SIGINT), TrainingModule.training_step

    def interrupted(self, batch, batch_idx):
        if self.current_epoch == 2 and batch_idx == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(), store, out, epochs=4, schedule="cosine")
    assert signal.getsignal(signal.SIGINT) is handler
    assert (out / "curves.png").exists()
    monkeypatch.setattr(TrainingModule, "training_step", step)
    result = run(tiny(), store, out, epochs=4, schedule="cosine")
    assert "resuming after epoch 2" in capsys.readouterr().err
    whole = run(tiny(), store, tmp_path / "whole", epochs=4, schedule="cosine")
    assert losses(result) == pytest.approx(losses(whole), abs=1e-6)


def test_an_interrupt_of_the_command_line_passes_through(make_store, tiny, tmp_path, monkeypatch):
    store, out, handler = make_store(), tmp_path / "run", signal.getsignal(signal.SIGINT)

    def interrupted(self, batch, batch_idx):
        raise Interrupted

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)
    with pytest.raises(Interrupted):
        run(tiny(), store, out, epochs=2)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_kill_between_log_and_checkpoint_leaves_one_row_an_epoch(
    make_store, tiny, tmp_path, monkeypatch
):
    store, out, save = make_store(), tmp_path / "run", RunCheckpointIO.save_checkpoint

    def killed(self, checkpoint, path, storage_options=None):
        if len(self.history.rows) == 2:
            raise KeyboardInterrupt
        save(self, checkpoint, path)

    monkeypatch.setattr(RunCheckpointIO, "save_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(), store, out, epochs=3)
    monkeypatch.setattr(RunCheckpointIO, "save_checkpoint", save)
    result = run(tiny(), store, out, epochs=3)
    assert [row["epoch"] for row in read_history(result.history)] == [1, 2, 3]
    assert result.checkpoint.is_file()


def test_a_finished_run_is_not_trained_again(make_store, tiny, tmp_path, monkeypatch, capsys):
    store, out = make_store(), tmp_path / "run"
    first = run(tiny(), store, out, sample_rows=1)
    rows = read_history(first.history)
    for path in (first.bundle, first.history, out / "curves.png", *(out / "samples").iterdir()):
        path.unlink()  # as a pipeline does before it runs a stage again

    def never(self, batch, batch_idx):
        raise AssertionError("trained again")

    monkeypatch.setattr(TrainingModule, "training_step", never)
    again = run(tiny(), store, out, sample_rows=1)
    assert "already trained for 2 epochs" in capsys.readouterr().err
    assert read_history(again.history) == rows
    assert again.spec.metrics == first.spec.metrics
    assert (again.throughput, again.epochs) == (0, 2)
    assert again.bundle.exists()
    assert (out / "curves.png").exists()
    assert [p.name for p in (out / "samples").glob("[!.]*")] == [
        f"epoch-{first.spec.metrics['epoch']:03d}.png"
    ]


@pytest.mark.parametrize("stop", [ExportError("refused."), KeyboardInterrupt()])
def test_what_was_trained_is_exported_later(make_store, tiny, tmp_path, monkeypatch, stop):
    store, out = make_store(), tmp_path / "run"
    whole = run(tiny(), store, tmp_path / "whole")

    def fail(*args, **kwargs):
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr(import_module("agri_train.fit"), "export_bundle", fail)
        with pytest.raises(type(stop)) as told:
            run(tiny(), store, out)
    if isinstance(stop, ExportError):
        assert str(told.value).startswith("refused. The trained weights are in ")
        assert "best-epoch-" in str(told.value)
    assert not (out / "model.onnx").exists()
    monkeypatch.setattr(TrainingModule, "training_step", None)
    late = run(tiny(), store, out)
    assert (late.throughput, late.epochs) == (0, 2)
    assert late.spec.metrics == whole.spec.metrics
    batch = np.random.default_rng(0).normal(size=(1, 4, 32, 32)).astype(np.float32)
    found = [open_engine(result.bundle).run(batch) for result in (late, whole)]
    assert np.array_equal(*found)


def test_code_that_only_exports_does_not_train_again(tiny, tmp_path, monkeypatch):
    shutil.copytree(Path(record.__file__).parent, tmp_path / "engine")
    monkeypatch.setattr(record, "__file__", str(tmp_path / "engine" / "record.py"))
    before = code_fingerprint(tiny())
    for name in ("export.py", "calibrate.py", "samples.py"):
        (tmp_path / "engine" / name).write_text("# mended")
    assert code_fingerprint(tiny()) == before
    (tmp_path / "engine" / "module.py").write_text("# another way to learn")
    assert code_fingerprint(tiny()) != before


def test_changed_code_starts_from_the_beginning(make_store, tiny, tmp_path, monkeypatch, capsys):
    run(tiny(), make_store(), tmp_path / "run")
    monkeypatch.setattr("agri_train.bundle.record.code_fingerprint", lambda net: "changed")
    run(tiny(), make_store("again"), tmp_path / "run")
    assert "training from the start" in capsys.readouterr().err


def test_the_code_that_counts_is_the_network_and_the_engine(tiny, tmp_path, monkeypatch):
    before = code_fingerprint(tiny())
    assert before == code_fingerprint(tiny(channels=1))
    assert before != code_fingerprint(torch.nn.Conv2d(1, 1, 1))


@pytest.mark.parametrize(
    "change", [{"lr": 0.02}, {"settings": {"weights": "imagenet"}}, {"arch": "tiny-resnet50"}]
)
def test_other_settings_start_from_the_beginning(make_store, tiny, tmp_path, capsys, change):
    store, out = make_store(), tmp_path / "run"
    old = run(tiny(), store, out, epochs=3)
    result = run(tiny(), store, out, **change)
    assert "training from the start" in capsys.readouterr().err
    assert len(losses(result)) == 2
    assert result.checkpoint == old.checkpoint or not old.checkpoint.exists()


def test_other_data_starts_from_the_beginning(make_store, tiny, tmp_path, capsys):
    run(tiny(), make_store("a"), tmp_path / "run")
    run(tiny(), make_store("b", seed=5), tmp_path / "run")
    assert "training from the start" in capsys.readouterr().err


def test_two_models_never_share_a_folder(make_store, tiny, tmp_path):
    store, out = make_store(), tmp_path / "run"
    run(tiny(), store, out)
    before = (out / "model.onnx").read_bytes()
    with pytest.raises(InputError, match=r"holds another model .family 'tiny', not 'deeplab'"):
        run(tiny(), store, out, arch="deeplab-resnet18")
    with pytest.raises(InputError, match=r"holds another model .name 'm', not 'other'"):
        run(tiny(), store, out, name="other")
    assert (out / "model.onnx").read_bytes() == before


def test_a_folder_of_something_else_is_left_alone(make_store, tiny, tmp_path):
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="not the folder of an earlier run"):
        run(tiny(), make_store(), out)
    assert [p.name for p in out.iterdir()] == ["holiday.jpg"]


def test_a_folder_without_its_outputs_is_ours(make_store, tiny, tmp_path):
    """DVC removes a stage's outputs, config.json among them, and leaves the rest."""
    store, out = make_store(), tmp_path / "run"
    run(tiny(), store, out, epochs=1)
    for path in out.iterdir():
        if path.is_file():
            path.unlink()
    (out / ".gitignore").write_text("/model.onnx")
    (out / ".partial-curves.png-a1_b2c3d").mkdir()  # the run before was killed while it drew
    (out / ".partial-holiday.png-a1_b2c3d").mkdir()
    with pytest.raises(InputError, match=r"holds .partial-holiday.png-a1_b2c3d and no config.json"):
        run(tiny(), store, out, epochs=1)
    (out / ".partial-holiday.png-a1_b2c3d").rmdir()
    run(tiny(), store, out, epochs=1)
    assert (out / "model.onnx").is_file()
    assert not (out / ".partial-curves.png-a1_b2c3d").exists()


def test_a_users_log_or_checkpoint_stays(make_store, tiny, tmp_path):
    store, out = make_store(), tmp_path / "run"
    out.mkdir()
    (out / "history.csv").write_text("year,king\n")
    with pytest.raises(InputError, match=r"history\.csv exists and was not written by"):
        run(tiny(), store, out, epochs=1)
    assert (out / "history.csv").read_text() == "year,king\n"
    (out / "history.csv").unlink()
    run(tiny(), store, out, epochs=1)
    (out / "checkpoints/mine.ckpt").write_text("mine")
    run(tiny(), store, out, epochs=2)
    assert (out / "checkpoints/mine.ckpt").read_text() == "mine"


def test_early_stopping_restores_the_best(make_store, tiny, tmp_path):
    # A far too high rate: the validation loss soon rises and never comes back.
    store, net = make_store(), tiny()
    result = run(
        net,
        store,
        tmp_path / "run",
        epochs=30,
        patience=3,
        lr=2.0,
        precision="32",
        optimizer="sgd",
        clip_grad_norm=0.0,
    )
    rows = read_history(result.history)
    values = [row["val_loss"] for row in rows]
    best = int(np.argmin(values))
    assert len(rows) == best + 1 + 3 < 30
    # The last epoch is far from the best, so its weights would be noticed.
    assert values[-1] > 2 * values[best]
    assert f"best-epoch-{best + 1:03d}_loss-" in result.checkpoint.name
    data = ChipDataModule(store, result.spec, config())
    total = ConfusionAccumulator(build_loss("auto", "multiclass", 3))
    with torch.no_grad():
        for image, truth in data.val_dataloader():
            logits = net.eval()(image)
            total.add(total.loss.sums(logits, truth), logits, truth)
    assert total.scores()["loss"] == pytest.approx(values[best], abs=1e-6)
    assert result.spec.metrics["loss"] == pytest.approx(values[best], abs=1e-6)


def test_the_moving_average_is_what_is_kept_and_exported(make_store, tiny, tmp_path):
    store, net = make_store(patches=True, parts=(30, 12, 0)), tiny(patches=True)
    options = {"task": "classify", "ema_decay": 0.9, "mix": "both", "label_smoothing": 0.1}
    result = run(net, store, tmp_path / "run", **options)
    state = read_checkpoint(result.checkpoint)["state_dict"]
    kept, last = state["ema.module.head.weight"], state["net.head.weight"]
    assert not torch.equal(kept, last)
    assert torch.equal(net.head.weight, kept)
    rows = read_history(result.history)
    best = min(row["val_loss"] for row in rows)
    assert result.spec.metrics["loss"] == pytest.approx(best, abs=1e-6)
    with pytest.raises(InputError, match="`mix` is for patches"):
        run(tiny(), make_store("maps"), tmp_path / "maps", mix="cutmix")


def test_the_moving_average_is_what_is_drawn(make_store, tiny, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "agri_train.run.report.predict",
        lambda logits, head: seen.append(logits) or logits.argmax(1),
    )
    store, net = make_store(patches=True, parts=(30, 12, 0)), tiny(patches=True)
    options = {"task": "classify", "ema_decay": 0.9, "sample_rows": 3, "epochs": 1, "lr": 0.1}
    result = run(net, store, tmp_path / "run", **options)
    data = ChipDataModule(store, result.spec, config(sample_rows=3), "classify")
    with torch.no_grad():
        # The network holds the average of the only epoch by now.
        judged = net.eval()(data.read(sample_rows(data))[0])
    torch.testing.assert_close(seen[0], judged)


def test_an_interrupted_run_with_a_moving_average_resumes(make_store, tiny, tmp_path):
    store = make_store(patches=True, parts=(30, 12, 0))
    options = {"task": "classify", "ema_decay": 0.9, "mix": "cutmix"}
    whole = run(tiny(patches=True), store, tmp_path / "whole", epochs=4, **options)
    run(tiny(patches=True), store, tmp_path / "parts", epochs=2, **options)
    parts = run(tiny(patches=True), store, tmp_path / "parts", epochs=4, **options)
    assert losses(parts) == losses(whole)
    assert parts.spec.metrics["loss"] == whole.spec.metrics["loss"]


def test_gradients_are_clipped_by_value(make_store, tiny, tmp_path, monkeypatch):
    largest, step = [], torch.optim.SGD.step

    def watch(self, closure=None):
        value = closure()
        grads = [p.grad.abs().max() for g in self.param_groups for p in g["params"]]
        largest.append(float(torch.stack(grads).max()))
        step(self)
        return value

    monkeypatch.setattr(torch.optim.SGD, "step", watch)
    run(
        tiny(),
        make_store(),
        tmp_path / "a",
        optimizer="sgd",
        clip_grad_norm=0.0,
        clip_grad_value=0.001,
    )
    # In float32 a limit of 0.001 is met to the last bit.
    assert max(largest) == pytest.approx(0.001)
    largest.clear()
    run(tiny(), make_store(), tmp_path / "b", optimizer="sgd", clip_grad_norm=0.0)
    assert max(largest) > 0.001


def test_checkpoint_names_are_legal_everywhere(make_store, tiny, tmp_path):
    run(tiny(), make_store(), tmp_path / "run", epochs=4, checkpoint_every=2)
    names = sorted(p.name for p in (tmp_path / "run/checkpoints").glob("[!.]*"))
    assert not any(set(name) & set('<>:"/\\|?* ') for name in names)
    assert [n[:15] for n in names if n.startswith("every")] == [
        "every-epoch-002",
        "every-epoch-004",
    ]
    for name in names:
        assert read_checkpoint(tmp_path / "run/checkpoints" / name)["agri"]["fingerprint"]


def test_curves_end_where_the_log_ends(make_store, tiny, tmp_path):
    rows = read_history(run(tiny(), make_store(), tmp_path / "run", epochs=3).history)
    lines = {ln.get_label(): ln for ax in curves_figure(rows, "m").axes for ln in ax.get_lines()}
    assert {"train_loss", "val_loss", "train_iou", "val_iou", "val_majority", "lr"} <= set(lines)
    for name, line in lines.items():
        assert (line.get_xdata()[-1], line.get_ydata()[-1]) == (3, rows[-1][name])


def test_the_rate_in_the_log_is_the_rate_used(make_store, tiny, tmp_path, monkeypatch):
    used, step = [], torch.optim.AdamW.step

    def watch(self, *args, **kwargs):
        used.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", watch)
    result = run(tiny(), make_store(), tmp_path / "run", epochs=3, schedule="cosine")
    logged = [row["lr"] for row in read_history(result.history)]
    assert logged == pytest.approx(used[::3])  # 12 chips in batches of 5: 3 steps an epoch
    assert logged[0] == 0.01
    assert logged[-1] == pytest.approx(0.0025, abs=1e-6)  # (1 + cos(2 pi / 3)) / 2 = 1/4


def test_gradients_are_clipped(make_store, tiny, tmp_path, monkeypatch):
    norms, step = [], torch.optim.SGD.step

    def watch(self, closure=None):
        value = closure()
        grads = [p.grad for g in self.param_groups for p in g["params"]]
        norms.append(float(torch.stack([g.norm() for g in grads]).norm()))
        step(self)
        return value

    monkeypatch.setattr(torch.optim.SGD, "step", watch)
    run(tiny(), make_store(), tmp_path / "a", optimizer="sgd", clip_grad_norm=0.01)
    assert max(norms) <= 0.01 * 1.001
    norms.clear()
    run(tiny(), make_store(), tmp_path / "b", optimizer="sgd", clip_grad_norm=0.0)
    assert max(norms) > 0.01


@pytest.mark.parametrize(("every", "trained"), [(1, True), (2, False)])
def test_a_frozen_encoder_is_unfrozen_after_so_many_epochs(
    make_store, tiny, tmp_path, every, trained
):
    net = tiny()
    freeze(net.encoder)
    before = copy.deepcopy(net.state_dict())
    # The first epoch is the head's alone; a second one trains the encoder when unfreeze_every is 1.
    run(
        net,
        make_store(),
        tmp_path / "run",
        epochs=2,
        unfreeze_every=every,
        monitor="loss",
        lr=0.001,
    )
    after = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["state_dict"]
    same = torch.equal(before["encoder.0.weight"], after["net.encoder.0.weight"])
    assert same != trained
    assert not torch.equal(before["head.weight"], after["net.head.weight"])


def test_unfreezing_needs_something_frozen(make_store, tiny, tmp_path):
    with pytest.raises(
        InputError, match=r"no stage of the network is frozen; received unfreeze_every=1"
    ):
        run(tiny(), make_store(), tmp_path / "run", unfreeze_every=1)


def test_a_frozen_encoder_stays_through_a_run(make_store, tiny, tmp_path):
    net = tiny()
    freeze(net.encoder)
    before = {k: v.clone() for k, v in net.encoder.state_dict().items()}
    head = net.head.weight.clone()
    run(net, make_store(), tmp_path / "run")
    assert all(torch.equal(before[k], v) for k, v in net.encoder.state_dict().items())
    assert not torch.equal(head, net.head.weight)


def test_a_loss_that_is_no_number_stops_with_its_place(make_store, tiny, tmp_path, monkeypatch):
    net, calls, forward = tiny(), [], torch.nn.Conv2d.forward

    def spoiled(self, x):
        if self is net.head and self.training:
            calls.append(1)
            if len(calls) == 5:
                return forward(self, x) * float("nan")
        return forward(self, x)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", spoiled)
    with pytest.raises(
        DivergedError, match=r"became nan in epoch 2, batch 2, at lr 0.01. Lower `lr`"
    ):
        run(net, make_store(), tmp_path / "run", epochs=3)


def test_a_validation_split_without_truth_is_refused(make_store, tiny, tmp_path):
    def edit(number, image, mask):
        if number >= 12:
            mask[:] = 255

    with pytest.raises(InputError, match="every pixel of the val split"):
        run(tiny(), make_store(edit=edit), tmp_path / "run")


def test_statistics_of_another_unit_are_noticed(make_store, tiny, tmp_path, capsys):
    from dataclasses import replace

    from agri_data.store.store import ChipStore, rewrite_table

    store = make_store()
    stats = {
        b: replace(s, mean=s.mean / 10000, std=s.std / 10000) for b, s in store.info.stats.items()
    }
    rewrite_table(store.path, store.table, split=store.info.split, stats=stats)
    run(tiny(), ChipStore.open(store.path), tmp_path / "run", epochs=1)
    assert "the statistics of the store do not fit its chips" in capsys.readouterr().err


def test_weights_help_the_rare_class(make_store, tiny, tmp_path):
    # One row in 16 is arable and hard to tell: its band is raised by half the noise only.
    def edit(number, image, mask):
        rng = np.random.default_rng(number)
        mask[:] = 0
        mask[number % 16] = 1
        image[:] = rng.normal(1000, 100, image.shape)
        image[..., 1] += (50 * (mask == 1)).astype(np.uint16)

    store, recalls = make_store(classes=2, edit=edit), {}
    for weights in ("none", "inverse"):
        result = run(
            tiny(channels=2),
            store,
            tmp_path / weights,
            class_weights=weights,
            epochs=6,
            calibrate=False,
        )
        rows = store.indices("val")
        found = open_engine(result.bundle).run(normalise(store.images(rows), result.spec)).argmax(1)
        truth = store.masks(rows)
        recalls[weights] = float((found[truth == 1] == 1).mean())
    assert recalls["inverse"] > recalls["none"] + 0.2


def test_more_workers_change_nothing(make_store, tiny, tmp_path):
    store = make_store()
    a = run(tiny(), store, tmp_path / "a", augment=True)
    b = run(tiny(), store, tmp_path / "b", augment=True, workers=1)
    assert losses(a) == losses(b)
