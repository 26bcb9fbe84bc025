"""Trains a network on a chip store and exports its best epoch as a model bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agri_core.files.locks import sole_run
from agri_data.store.store import ChipStore
from agri_map.bundle.spec import BundleSpec
from torch import nn

from agri_train.bundle.calibrate import collect_logits, fit_temperature
from agri_train.bundle.export import ExportError, export_bundle
from agri_train.bundle.record import make_spec, run_fingerprint
from agri_train.config import TrainConfig
from agri_train.data.class_weights import class_weights
from agri_train.data.datamodule import ChipDataModule
from agri_train.data.dataset import Task
from agri_train.data.mix import check_mix
from agri_train.device.hardware import Hardware, choose
from agri_train.engine.loss import Head, build_loss
from agri_train.engine.module import TrainingModule
from agri_train.engine.seed import seed_all
from agri_train.network.freeze import check_unfreeze
from agri_train.run.checkpoint import RunFacts
from agri_train.run.curves import draw_curves
from agri_train.run.folder import RunFolder, family
from agri_train.run.history import mean_rate
from agri_train.run.report import EpochReport, note
from agri_train.run.score import score
from agri_train.run.state import RunState
from agri_train.run.trainer import train


@dataclass(frozen=True, slots=True)
class FitResult:
    """The outputs of a run.

    Attributes:
        bundle: the exported model.
        checkpoint: the weights of the best epoch.
        history: the metrics of every epoch.
        spec: of the bundle.
        throughput: training images per second over the epochs of this call; 0 without any.
        epochs: all epochs of the run, those of earlier calls included.
        parity: largest difference in probability between the bundle and torch.
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
    task: Task = "segment",
    head: Head,
    config: TrainConfig,
    out: Path,
    name: str,
    arch: str,
    settings: Mapping[str, Any] | None = None,
) -> FitResult:
    """Train `net` and write all outputs of the run into `out`.

    Afterwards `net` holds the best weights. A run with the same settings and data resumes after
    the last finished epoch, or only exports the best epoch when none is left to train; with other
    settings or data it starts from the beginning with a message. Call
    `agri_train.engine.seed.seed_all(config.seed)` before building `net`.

    Args:
        net: gives logits `(N, K or 1, H, W)`, or `(N, K or 1)` for patches.
        store: chips with training and validation splits and statistics.
        bands: names, in the order of the network's channels.
        task: `segment` (pixels) or `classify` (patches).
        head: `binary` (one logit) or `multiclass` (one per class).
        config: settings.
        out: the folder of this run alone.
        name: of the model, for the bundle.
        arch: architecture name, for the bundle.
        settings: the caller's own (encoder, weights, ...); recorded, and compared before a run is
            resumed.

    Raises:
        AgriError: the data, the settings and the network do not fit together, `out` holds
            something else or another run is writing it, or the loss is no longer finite.
        ExportError: the bundle does not compute what the network computes; the checkpoints stay.
    """
    spec = make_spec(store, bands, task, name, arch)
    data = ChipDataModule(store, spec, config, task)
    module, weights = _module(net, head, data)
    described = _describe(module, data, head, dict(settings or {}))
    with sole_run(out):
        return _resume(module, data, RunFolder(out), described, weights)


def _resume(
    module: TrainingModule,
    data: ChipDataModule,
    folder: RunFolder,
    described: dict[str, Any],
    weights: tuple[float, ...] | None,
) -> FitResult:
    """Run from the checkpoint in the folder, if it is one of the same run, or from the start."""
    config = data.config
    identity = {"name": described["name"], "family": family(described["arch"])}
    earlier = folder.has_checkpoint()
    checkpoint = folder.open(identity, described["fingerprint"])
    hardware = choose(config)
    facts = RunFacts(described["fingerprint"], data.spec.bands, hardware.threads)
    folder.write_config({**described, "class_weights": weights, "hardware": asdict(hardware)})
    state = RunState(folder, config, facts)
    if checkpoint is not None:
        state.resume(checkpoint)
    _announce(hardware, earlier, state)
    return _run(module, data, hardware, state)


def _module(
    net: nn.Module, head: Head, data: ChipDataModule
) -> tuple[TrainingModule, tuple[float, ...] | None]:
    """Check settings, data and network against each other before anything is written."""
    config, legend = data.config, data.spec.legend
    rows, _ = data.rows("train"), data.rows("val")
    weights = class_weights(config, data.store, rows, data.task)
    check_mix(config, data.task)
    check_unfreeze(config, net)
    loss = build_loss(
        config.loss, head, len(legend), weights=weights, label_smoothing=config.label_smoothing
    )
    return TrainingModule(net, data.task, legend, loss, config), weights


def _describe(
    module: TrainingModule, data: ChipDataModule, head: Head, settings: dict[str, Any]
) -> dict[str, Any]:
    """Return the resolved settings, with the fingerprint of all that the weights depend on."""
    config, spec = data.config, data.spec
    decisive: dict[str, Any] = {
        "config": config.fingerprint(),
        "head": head,
        "settings": settings,
    }
    if data.task == "classify":
        decisive["labels"] = data.store.label_fingerprint
    return {
        "name": spec.name,
        "arch": spec.arch,
        "task": data.task,
        "head": head,
        "bands": list(spec.bands),
        "loss": module.loss.name,
        "settings": settings,
        "train": config.to_dict(),
        "fingerprint": run_fingerprint(module.net, spec, decisive),
        "dataset": spec.dataset,
        "split": spec.split,
    }


def _announce(hardware: Hardware, earlier: bool, state: RunState) -> None:
    epochs = len(state.history.rows)
    if state.threads not in (None, hardware.threads):
        note(
            f"the {epochs} epochs of the earlier run were computed by {state.threads} threads, not "
            f"{hardware.threads}: a run of one thread count would differ in the last digits"
        )
    if state.done:
        note(f"already trained for {epochs} epochs with these settings and data")
        return
    if epochs:
        note(f"resuming after epoch {epochs} of an earlier run")
    elif earlier:
        note(
            "settings, data, network or code changed since the earlier run: training from the start"
        )
    note(
        f"device {hardware.device}, precision {hardware.precision}, "
        f"memory format {hardware.memory_format} ({hardware.reason})"
    )


def _run(
    module: TrainingModule, data: ChipDataModule, hardware: Hardware, state: RunState
) -> FitResult:
    """Train the epochs that are left, then export the best one."""
    seed_all(data.config.seed)
    rows, before = state.history.rows, len(state.history.rows)
    report = EpochReport(state.folder, data, state.history)
    try:
        if not state.done:
            train(module, data, hardware, state, report)
    finally:
        state.history.save()
        if rows:
            draw_curves(rows, state.folder.curves, data.spec.name)
    best, epoch = state.restore_best(module.net)
    module.ema = module.cuda_graphs = None  # the network itself holds the best weights now
    spec = _score(module, data, epoch, hardware)
    if not state.folder.sample(epoch).exists():
        report.draw(module, epoch)
    parity = _export(module, data, spec, state.folder.bundle, best)
    rate = mean_rate(rows[before:])
    return FitResult(state.folder.bundle, best, state.folder.history, spec, rate, len(rows), parity)


def _score(
    module: TrainingModule, data: ChipDataModule, epoch: int, hardware: Hardware
) -> BundleSpec:
    """Score the best weights on the validation split and fit the temperature."""
    config = data.config
    module.eval().to("cuda" if hardware.device == "gpu" else "cpu")
    metrics = {"split": "val", "epoch": epoch, **score(module, data)}
    temperature = 1.0
    if config.calibrate:
        loader = data.val_dataloader()
        logits, truth = collect_logits(module, loader, len(loader), config.seed)
        temperature = fit_temperature(logits, truth, module.loss.head)
    return replace(data.spec, metrics=metrics, temperature=temperature)


def _export(
    module: TrainingModule, data: ChipDataModule, spec: BundleSpec, bundle: Path, best: Path
) -> float:
    examples, _ = data.read(data.rows("val")[:2])
    try:
        return export_bundle(module.net, spec, module.loss.head, bundle, examples=examples)
    except ExportError as error:
        raise ExportError(
            f"{error} The trained weights are in {best}; the same command exports them again "
            "without training."
        ) from error
