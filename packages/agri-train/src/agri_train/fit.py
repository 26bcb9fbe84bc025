"""Train a network on a chip store and leave a model bundle."""

import logging
import signal
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from agri_data.store.store import ChipStore
from agri_map.bundle.spec import BundleSpec
from lightning import Trainer
from torch import nn

from agri_train.bundle.calibrate import collect_logits, fit_temperature
from agri_train.bundle.export import ExportError, export_bundle
from agri_train.bundle.record import make_spec, run_fingerprint
from agri_train.config import TrainConfig
from agri_train.data.balance import class_weights
from agri_train.data.data import ChipDataModule
from agri_train.data.mix import check_mix
from agri_train.device.graph import Graphs
from agri_train.device.hardware import Setting, choose
from agri_train.engine.loss import Head, build_loss
from agri_train.engine.seed import seed_all
from agri_train.engine.task import Task
from agri_train.network.freeze import check_thaw
from agri_train.run.checkpoint import Keeper
from agri_train.run.folder import RunFolder, family
from agri_train.run.report import Report, say
from agri_train.run.score import score


@dataclass(frozen=True, slots=True)
class FitResult:
    """What a run leaves: paths, the spec of the bundle, and speed.

    `throughput` is training images a second over the epochs of this call (0 when there was
    nothing left to train); `epochs` is how many the run has seen in all; `parity` is the largest
    difference between the bundle and torch.
    """

    bundle: Path
    checkpoint: Path
    history: Path
    spec: BundleSpec
    throughput: float
    epochs: int
    parity: float


def fit(
    net: nn.Module,
    store: ChipStore,
    *,
    bands: Sequence[str],
    task: Literal["segment", "classify"] = "segment",
    head: Head,
    config: TrainConfig,
    out: Path,
    name: str,
    arch: str,
    settings: Mapping[str, Any] | None = None,
) -> FitResult:
    """Train `net` and write everything the run leaves into `out`.

    The best weights are back in `net` afterwards. A rerun with the same settings and data goes on
    from the last finished epoch, or exports the best one again when none is left to train; with
    others it starts afresh and says so. Call `engine.seed.seed_all(config.seed)` before building
    `net`.

    Args:
        net: gives logits `(N, K or 1, H, W)`, or `(N, K or 1)` for patches.
        store: chips with train and val parts and statistics.
        bands: names, in the order of the network's channels.
        task: `segment` (pixels) or `classify` (patches).
        head: `binary` (one logit) or `multiclass` (one a class).
        config: settings.
        out: the run's own folder.
        name: of the model, for the bundle.
        arch: architecture name, for the bundle.
        settings: the caller's own (encoder, weights, ...); recorded, and part of what decides
            whether a stopped run may go on.

    Raises:
        AgriError: the data, the settings and the network do not go together, `out` holds
            something else, or the loss is no longer a number.
        ExportError: the bundle does not give what the network gives; the checkpoints stay.
    """
    spec = make_spec(store, bands, task, name, arch)
    data = ChipDataModule(store, spec, config, task)
    train, _ = data.rows("train"), data.rows("val")
    weights = class_weights(config, store, train, task)
    check_mix(config, task)
    check_thaw(config, net)
    loss = build_loss(config.loss, head, len(spec.legend), weights=weights, smooth=config.smooth)
    parts = {"config": config.fingerprint(), "head": head, "settings": dict(settings or {})}
    if task == "classify":
        parts["labels"] = store.label_fingerprint
    fingerprint = run_fingerprint(net, spec, parts)
    folder = RunFolder(out)
    again = folder.stale()
    checkpoint = folder.open({"name": name, "family": family(arch)}, fingerprint)
    setting = choose(config)
    folder.write_config(
        {
            "name": name,
            "arch": arch,
            "task": task,
            "head": head,
            "bands": list(bands),
            "loss": loss.name,
            "weights": weights,
            "settings": dict(settings or {}),
            "train": config.to_dict(),
            "hardware": asdict(setting),
            "fingerprint": fingerprint,
            "dataset": spec.dataset,
            "split": spec.split,
        }
    )
    keeper = Keeper(folder.checkpoints, config, fingerprint)
    if checkpoint is not None:
        keeper.resume(checkpoint)
    _announce(setting, again, keeper)
    seed_all(config.seed)
    module = Task(net, task, spec.legend, loss, config)
    report = Report(folder, data, keeper)
    try:
        if not keeper.done:
            _train(module, data, [report, keeper], setting, keeper.last if checkpoint else None)
    finally:
        report.close()
    best = keeper.restore(net)
    module.average = module.graphs = None
    spec = _finish(module, data, spec, keeper, setting)
    if not folder.sample(keeper.epoch).exists():
        report.draw(module, keeper.epoch)
    examples, _ = data.read(data.rows("val")[:2])
    try:
        parity = export_bundle(net, spec, head, folder.bundle, examples=examples)
    except ExportError as error:
        raise ExportError(
            f"{error} The trained weights are in {best}; the same command exports them again "
            "without training."
        ) from error
    rate = report.images / report.seconds if report.seconds else 0.0
    return FitResult(folder.bundle, best, folder.history, spec, rate, len(keeper.rows), parity)


def _announce(setting: Setting, again: bool, keeper: Keeper) -> None:
    if keeper.done:
        say(f"already trained for {len(keeper.rows)} epochs with these settings and data")
        return
    if keeper.rows:
        say(f"going on after epoch {len(keeper.rows)} of an earlier run")
    elif again:
        say("settings, data, network or code changed since the earlier run: starting afresh")
    say(
        f"device {setting.device}, precision {setting.precision}, layout {setting.layout} "
        f"({setting.reason})"
    )


def _train(
    module: Task, data: ChipDataModule, callbacks: list[Any], setting: Setting, last: Path | None
) -> None:
    """Run the epochs that are still to be run."""
    config, handler = data.config, signal.getsignal(signal.SIGINT)
    if config.threads:
        torch.set_num_threads(config.threads)
    module.train()
    module.channels_last = setting.layout == "channels_last"
    if module.channels_last:
        module.judged.to(memory_format=torch.channels_last)
        module.net.to(memory_format=torch.channels_last)
    if setting.device == "gpu" and config.graphs:
        module.graphs = Graphs(module.net)
    with _quiet():
        trainer = Trainer(
            accelerator=setting.device,
            devices=1,
            precision=setting.lightning,
            max_epochs=config.epochs,
            callbacks=callbacks,
            benchmark=setting.device == "gpu",
            logger=False,
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        try:
            trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
        except SystemExit as error:
            # Lightning turns Ctrl-C into exit code 1 and leaves the signal ignored.
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from error


def _finish(
    module: Task, data: ChipDataModule, spec: BundleSpec, keeper: Keeper, setting: Setting
) -> BundleSpec:
    """Score the best weights on the validation part and fit the temperature."""
    config = data.config
    module.eval().to("cuda" if setting.device == "gpu" else "cpu")
    metrics = {"split": "val", "epoch": keeper.epoch, **score(module, data)}
    temperature = 1.0
    if config.calibrate:
        loader = data.val_dataloader()
        logits, truth = collect_logits(module, loader, len(loader), config.seed)
        temperature = fit_temperature(logits, truth, module.loss.head)
    return replace(spec, metrics=metrics, temperature=temperature)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Lightning says of itself; a user can do nothing about it."""
    loggers = [logging.getLogger(n) for n in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
