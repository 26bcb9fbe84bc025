"""Runs Lightning's Trainer over the epochs that are left."""

import logging
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback, LearningRateMonitor

from agri_train.data.datamodule import ChipDataModule
from agri_train.device.cuda_graph import CudaGraphs
from agri_train.device.hardware import Hardware
from agri_train.engine.module import TrainingModule
from agri_train.run.progress import ProgressBar
from agri_train.run.report import EpochReport
from agri_train.run.state import RunState


def train(
    module: TrainingModule,
    data: ChipDataModule,
    hardware: Hardware,
    state: RunState,
    report: EpochReport,
) -> None:
    """Train the epochs that are left.

    Raises:
        KeyboardInterrupt: Ctrl-C; the run resumes from the last finished epoch.
    """
    config, handler = data.config, signal.getsignal(signal.SIGINT)
    if config.threads:
        torch.set_num_threads(config.threads)
    _prepare(module, hardware)
    with _quiet():
        trainer = _trainer(data, hardware, state, report)
        try:
            trainer.fit(module, datamodule=data, ckpt_path=state.last, weights_only=True)
        except SystemExit as error:
            # Lightning turns Ctrl-C into exit code 1 and leaves the signal ignored.
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from error


def _prepare(module: TrainingModule, hardware: Hardware) -> None:
    module.train()
    module.channels_last = hardware.memory_format == "channels_last"
    if module.channels_last:
        module.eval_net.to(memory_format=torch.channels_last)
        module.net.to(memory_format=torch.channels_last)
    if hardware.device == "gpu" and module.config.cuda_graphs:
        module.cuda_graphs = CudaGraphs(module.net)


def _trainer(
    data: ChipDataModule, hardware: Hardware, state: RunState, report: EpochReport
) -> Trainer:
    terminal = sys.stderr.isatty()
    bars: list[Callback] = [ProgressBar()] if terminal else []
    monitor = LearningRateMonitor(logging_interval="epoch")
    return Trainer(
        accelerator=hardware.device,
        devices=1,
        precision=hardware.lightning,
        max_epochs=data.config.epochs,
        callbacks=[*bars, monitor, report, *state.callbacks()],
        logger=state.history,
        plugins=[state.checkpoint_io],
        benchmark=hardware.device == "gpu",
        enable_progress_bar=terminal,
        # The callers write a summary of their own, and `fit` has checked data, loss and network.
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's messages about itself, which a user cannot act on."""
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
