"""The one place that builds Lightning's Trainer.

Three things are ours. Lightning's save moves a file from the temporary folder, which to another
disk is a copy that a kill leaves half done: `_AtomicCheckpointIO` writes beside the place.
`ModelCheckpoint` does not save where a run ends between two multiples: `_EachStep` does. Its
Trainer exits the process after Ctrl-C; here it interrupts.
"""

import ctypes
import logging
import math
import platform
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from torch.optim.lr_scheduler import LambdaLR, StepLR
from torch.utils.data import DataLoader

from mastershot.core.errors import MastershotError, OutputError
from mastershot.training.engine.distributed import is_rank_zero, world_size

CHECKPOINT = "last.ckpt"
_VERSION = "pytorch-lightning_version"
OnStep = Callable[[int, dict[str, float]], None]
"""Called after every step: steps done, the figures of that step."""

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
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
        # The others are what Lightning asks for first.
        return int(saved["global_step"]) if saved["state_dict"] and saved[_VERSION] else 0
    except (OSError, EOFError, RuntimeError, UnpicklingError, KeyError, TypeError) as error:
        raise OutputError(
            f"{checkpoint} is not a checkpoint that can be read; remove it to begin again"
        ) from error


def fit(
    module: LightningModule,
    batches: DataLoader[Any] | LightningDataModule,
    *,
    folder: Path,
    steps: int,
    save_every: int,
    on_step: OnStep,
    callbacks: Iterable[Callback] = (),
    **options: Any,
) -> None:
    """Train from the checkpoint in the folder, if there is one, to the last of so many steps.

    The batches are an endless stream that begins at `steps_done`. Afterwards the folder holds a
    checkpoint of the last step, an earlier one if the module or a callback sets
    ``trainer.should_stop``. Of several processes that torchrun started, each trains on a device of
    its own, the module adds up what they compute, and the first one reports and saves.

    Args:
        callbacks: Lightning's, called before a step is saved; a ``ModelCheckpoint`` needs
            ``enable_checkpointing=True`` too.
        options: Of Lightning's Trainer: logger, precision, accumulate_grad_batches, or strategy
            "ddp" with devices and num_nodes to have Lightning average gradients.

    Raises:
        KeyboardInterrupt: The run was stopped (SIGINT, SIGTERM); the last checkpoint stays.
    """
    checkpoint = folder / CHECKPOINT
    quiet = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False
    )
    device = _own_device() if "strategy" not in options else {}
    with _contained_lightning():
        trainer = Trainer(
            default_root_dir=folder,
            max_steps=steps,
            max_epochs=-1,
            callbacks=[*callbacks, _EachStep(checkpoint, save_every, on_step)],
            plugins=_AtomicCheckpointIO(),
            **{**quiet, **device, **options},
        )
        if trainer.strategy.root_device.type == "cpu":
            keep_freed_memory()
        resumed = checkpoint if checkpoint.is_file() else None
        trainer.fit(module, batches, ckpt_path=resumed, weights_only=True)


def require_finite(step: int, figures: Mapping[str, float]) -> None:
    """Raise `MastershotError` unless a step's loss is finite; the last checkpoint stays."""
    loss = figures["loss"]
    if not math.isfinite(loss):
        raise MastershotError(
            f"the loss of step {step} is {loss}: its inputs hold features that are not "
            "finite numbers, or the learning rate is too high; begin again in another folder"
        )


def adamw_with_cosine(
    parameters: Iterable[torch.nn.Parameter],
    *,
    learning_rate: float,
    weight_decay: float,
    steps: int,
    warmup_steps: float,
) -> dict[str, Any]:
    """Return AdamW for `configure_optimizers`, warmed up linearly, then cooled along a cosine."""
    optimizer = torch.optim.AdamW(
        parameters, lr=learning_rate, weight_decay=weight_decay, fused=True
    )

    # From the step alone: LinearLR and CosineAnnealingLR multiply the last rate, and so differ.
    def rate(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        done = (step - warmup_steps) / max(1, steps - warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    scheduler = {"scheduler": LambdaLR(optimizer, rate), "interval": "step"}
    return {"optimizer": optimizer, "lr_scheduler": scheduler}


def adamw_with_halving(
    parameters: Iterable[torch.nn.Parameter],
    *,
    learning_rate: float,
    weight_decay: float,
    every: int,
) -> dict[str, Any]:
    """Return AdamW for `configure_optimizers`, its learning rate halved every so many steps."""
    optimizer = torch.optim.AdamW(
        parameters, lr=learning_rate, weight_decay=weight_decay, fused=True
    )
    scheduler = {"scheduler": StepLR(optimizer, every, 0.5), "interval": "step"}
    return {"optimizer": optimizer, "lr_scheduler": scheduler}


def seed_dropout(seed: int) -> None:
    """Seed what dropout draws from.

    Where there is no accelerator, `torch.manual_seed` writes down the stack at every call, for
    each kind that may come later: memory that grows, and milliseconds.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(seed)


def keep_freed_memory() -> None:
    """Have the C library keep freed memory for reuse, for the rest of this process.

    By default glibc returns a step's activations to the kernel and asks for them again at once: a
    step of 32 views cost 16,000 page faults and nearly twice the computing time.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
        mallopt(option, 2**31 - 1)
    mallopt(_M_TOP_PAD, 500_000_000)


def _own_device() -> dict[str, Any]:
    """Return a Trainer's device; of several processes each has its own."""
    if world_size() > 1 and torch.cuda.is_available():
        return {"accelerator": "cuda", "devices": [torch.cuda.current_device()]}
    return {"accelerator": "cpu" if world_size() > 1 else "auto", "devices": 1}


class _EachStep(Callback):
    """Reports each optimiser step, and saves the last checkpoint."""

    def __init__(self, path: Path, every: int, on_step: OnStep) -> None:
        self._path, self._every, self._on_step = path, every, on_step
        self._step = self._saved = 0

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        self._step = self._saved = trainer.global_step

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        if trainer.global_step == self._step:  # Gradients of several batches make a step.
            return
        self._step = trainer.global_step
        if is_rank_zero():
            metrics = trainer.callback_metrics
            self._on_step(self._step, {name: float(value) for name, value in metrics.items()})
        ends = self._step == trainer.max_steps or trainer.should_stop
        if ends or self._step % self._every == 0:
            self._save(trainer)

    def on_train_end(self, trainer: Trainer, *_: object) -> None:
        if self._saved != trainer.global_step:  # Something else ended the run.
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self._path)
        self._saved = trainer.global_step


class _AtomicCheckpointIO(TorchCheckpointIO):
    """Writes checkpoints whole or not at all, in the first process alone."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        if not is_rank_zero():
            return
        partial = Path(path).with_suffix(".part")
        partial.parent.mkdir(parents=True, exist_ok=True)
        torch.save(checkpoint, partial)
        partial.replace(path)


@contextmanager
def _contained_lightning() -> Iterator[None]:
    """Silence what Lightning announces, and turn its exit after a signal into an interruption."""
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("pytorch", "fabric")]
    levels, handler = [logger.level for logger in loggers], signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            # How many processes make batches is a setting of each story; most need none.
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            # A run directory holds more than checkpoints.
            warnings.filterwarnings("ignore", message="Checkpoint directory .* is not empty")
            # Lightning 2.6 on a newer torch.
            warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\).*")
            for logger in loggers:
                logger.setLevel(logging.WARNING)
            yield
    except SystemExit:
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
