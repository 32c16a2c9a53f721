"""The one place that builds a Trainer: what every training run here has in common."""

import ctypes
import logging
import platform
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from mastershot.core.errors import OutputError
from mastershot.training.engine import distributed

CHECKPOINT = "last.ckpt"
OnStep = Callable[[int, dict[str, float]], None]
"""Told after every step: steps done, the figures of that step."""
IsFinished = Callable[[], bool]
"""Asked after every step, and when a run goes on: whether to train no further."""

# Of mallopt in glibc's malloc.h: where memory freed is given back to the kernel.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def steps_done(folder: Path) -> int:
    """Return how far the run in this folder has come.

    Raises:
        OutputError: Its checkpoint cannot be read.
    """
    checkpoint = folder / CHECKPOINT
    if not checkpoint.is_file():
        return 0
    try:
        return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])
    except (OSError, EOFError, RuntimeError, UnpicklingError, KeyError, TypeError) as error:
        raise OutputError(
            f"{checkpoint} is not a checkpoint that can be read; remove it to begin again"
        ) from error


def never() -> bool:
    """Train every step."""
    return False


def _untold(step: int, figures: dict[str, float]) -> None:
    """Take no note of a step."""


def fit(
    module: LightningModule,
    batches: DataLoader[Any],
    *,
    folder: Path,
    steps: int,
    save_every: int,
    on_step: OnStep,
    is_finished: IsFinished = never,
) -> None:
    """Train until so many steps are done or it is finished before.

    It goes on from the checkpoint in the folder if there is one.

    The batches are an endless stream that begins where the checkpoint ends, at `steps_done`.
    Afterwards the module holds what was learnt, and the folder a checkpoint of the last step.
    Of several processes each trains on a device of its own; the first one tells and saves, and it
    is the module that makes their steps one.

    Raises:
        KeyboardInterrupt: Someone stopped it (SIGINT, SIGTERM); the last checkpoint stays.
    """
    checkpoint = folder / CHECKPOINT
    callbacks: list[Callback] = [
        _EachStep(on_step if distributed.is_rank_zero() else _untold, is_finished)
    ]
    if distributed.is_rank_zero():
        callbacks.append(_Saver(checkpoint, save_every))
    with _quiet_lightning():
        trainer = Trainer(
            default_root_dir=folder,
            max_steps=steps,
            max_epochs=-1,
            **_device(),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
        )
        if trainer.strategy.root_device.type == "cpu":
            keep_freed_memory()
        resumed = checkpoint if checkpoint.is_file() else None
        with _interruptible():
            trainer.fit(module, batches, ckpt_path=resumed, weights_only=True)


def _device() -> dict[str, Any]:
    """Return a Trainer's device; of several processes each has its own."""
    if distributed.world_size() == 1:
        return {"accelerator": "auto", "devices": 1}
    if torch.cuda.is_available():
        return {"accelerator": "cuda", "devices": [torch.cuda.current_device()]}
    return {"accelerator": "cpu", "devices": 1}


class _EachStep(Callback):
    def __init__(self, on_step: OnStep, is_finished: IsFinished) -> None:
        self._on_step, self._is_finished = on_step, is_finished

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        trainer.should_stop = self._is_finished()

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self._on_step(trainer.global_step, figures)
        trainer.should_stop = trainer.should_stop or self._is_finished()


class _Saver(Callback):
    """Keeps one checkpoint, which is there whole or not at all."""

    def __init__(self, path: Path, every: int) -> None:
        self._path, self._every = path, every

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        step = trainer.global_step
        if step % self._every == 0 or step == trainer.max_steps or trainer.should_stop:
            partial = self._path.with_suffix(".part")
            trainer.save_checkpoint(partial)
            partial.replace(self._path)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Batches are made in this process on purpose: the teacher lives here.
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            # Lightning 2.6 on a newer torch.
            warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\).*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn a Trainer's exit, after Ctrl-C or a polite kill, back into an interruption."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def keep_freed_memory() -> None:
    """Have the C library keep freed memory for reuse, for the rest of this process.

    A step's activations are freed and asked for again at once; by default glibc hands each back to
    the kernel, and a step of 32 views cost 16,000 page faults and nearly twice the computing time.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
        mallopt(option, 2**31 - 1)
    mallopt(_M_TOP_PAD, 500_000_000)
