import logging
import math
import platform
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from mastershot.core.errors import MastershotError, OutputError
from mastershot.training.engine.trainer import adamw_with_cosine, fit, require_finite, steps_done

FAULTS = """
import resource, torch
from mastershot.training.engine.trainer import keep_freed_memory

def count():
    torch.ones(16 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.ones(16 << 20)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

count()
keep_freed_memory()
count()
"""


class Line(LightningModule):
    """Fits one number."""

    def __init__(self, enough: int | None = None) -> None:
        super().__init__()
        self.enough = enough
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.register_buffer("steps", torch.tensor(0))
        self.seen: list[float] = []

    def on_train_start(self) -> None:
        self.trainer.should_stop = self.enough is not None and int(self.steps) >= self.enough

    def training_step(self, batch: Tensor, _: int) -> Tensor:
        self.seen.append(float(batch))
        self.steps += 1
        self.on_train_start()
        loss = (self.weight - batch).square().sum()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class StopAtThree(Callback):
    """Stops early, as Lightning's own callbacks do."""

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        trainer.should_stop = trainer.global_step == 3


class Numbers(IterableDataset[Tensor]):
    """All numbers from the first on."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __iter__(self) -> Iterator[Tensor]:
        return (torch.tensor(float(number)) for number in count(self._first))


def train(
    folder: Path, steps: int, *, save_every: int = 100, enough: int | None = None, **options: Any
) -> tuple[Line, list[int]]:
    """Return the module after training on 0, 1, 2 and so on, and the steps that were reported."""
    module, reported = Line(enough), []
    fit(
        module,
        DataLoader(Numbers(steps_done(folder)), batch_size=None),
        folder=folder,
        steps=steps,
        save_every=save_every,
        on_step=lambda step, figures: reported.append(step) if "loss" in figures else None,
        **options,
    )
    return module, reported


def test_every_step_is_reported_and_the_last_is_kept(tmp_path: Path) -> None:
    module, reported = train(tmp_path, 7, save_every=5)
    assert reported == [1, 2, 3, 4, 5, 6, 7]
    assert module.seen == [0, 1, 2, 3, 4, 5, 6]
    assert steps_done(tmp_path) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_training_resumes_where_it_was_to_the_same_end(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole, _ = train(tmp_path / "whole", 9)
    train(tmp_path / "parts", 4)
    rest, reported = train(tmp_path / "parts", 9)
    assert reported == [5, 6, 7, 8, 9]
    assert rest.seen == [4, 5, 6, 7, 8]
    assert torch.equal(rest.weight, whole.weight)


def test_training_that_is_done_takes_no_step(tmp_path: Path) -> None:
    done, _ = train(tmp_path, 3)
    again, reported = train(tmp_path, 3)
    assert reported == again.seen == []
    assert torch.equal(again.weight, done.weight)


def test_training_that_is_finished_stops_there_and_keeps_that_step(tmp_path: Path) -> None:
    module, reported = train(tmp_path, 9, enough=4)
    assert reported == [1, 2, 3, 4]
    assert steps_done(tmp_path) == 4
    again, reported = train(tmp_path, 9, enough=4)
    assert reported == again.seen == []
    assert torch.equal(again.weight, module.weight)
    rest, reported = train(tmp_path, 9)
    assert reported == [5, 6, 7, 8, 9]
    assert rest.seen == [4, 5, 6, 7, 8]


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path, 2)

    def half_a_save(checkpoint: object, path: Path) -> None:
        path.write_bytes(b"half a checkpoint")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half_a_save)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, 4)
    monkeypatch.undo()
    assert steps_done(tmp_path) == 2
    rest, _ = train(tmp_path, 4)
    assert rest.seen == [2, 3]


def test_lightnings_own_arguments_and_callbacks_go_through(tmp_path: Path) -> None:
    best = ModelCheckpoint(
        tmp_path, "best", monitor="loss", mode="max", every_n_train_steps=1,
        enable_version_counter=False,
    )  # fmt: skip
    module, reported = train(
        tmp_path, 9, save_every=2, callbacks=[best, StopAtThree()], enable_checkpointing=True,
        logger=CSVLogger(tmp_path, "", ""), log_every_n_steps=1, accumulate_grad_batches=2,
    )  # fmt: skip
    assert reported == [1, 2, 3]
    assert module.seen == [0, 1, 2, 3, 4, 5]
    assert steps_done(tmp_path) == 3
    assert torch.load(tmp_path / "best.ckpt", weights_only=True)["global_step"] == 3
    assert {path.name for path in tmp_path.iterdir()} == {"best.ckpt", "last.ckpt", "metrics.csv"}
    assert (tmp_path / "metrics.csv").read_text().count("\n") == 4


def test_the_rate_rises_and_then_falls_along_a_cosine_to_nothing() -> None:
    made = adamw_with_cosine(
        [torch.nn.Parameter(torch.zeros(1))],
        learning_rate=2.0, weight_decay=0.1, steps=10, warmup_steps=4,
    )  # fmt: skip
    optimizer, rates = made["optimizer"], []
    assert optimizer.defaults["weight_decay"] == 0.1
    for _ in range(12):
        rates.append(optimizer.param_groups[0]["lr"] / 2)
        optimizer.step()
        made["lr_scheduler"]["scheduler"].step()
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    expected = [0.5 * (1 + math.cos(math.pi * done / 6)) for done in range(7)]
    assert rates[4:] == pytest.approx([*expected, 0.0])


def test_loggers_speak_afterwards_as_before(tmp_path: Path) -> None:
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    train(tmp_path, 1)
    assert logger.level == level


def test_a_new_folder_has_no_step_done_and_a_damaged_one_is_reported(tmp_path: Path) -> None:
    assert steps_done(tmp_path) == 0
    for content in (b"", b"half a checkpoint", b"PK\x03\x04"):
        (tmp_path / "last.ckpt").write_bytes(content)
        with pytest.raises(OutputError, match=r"last\.ckpt is not a checkpoint that can be read"):
            steps_done(tmp_path)
    torch.save({"something": "else"}, tmp_path / "last.ckpt")
    with pytest.raises(OutputError, match="remove it to begin again"):
        steps_done(tmp_path)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a C library other than glibc")
def test_freed_memory_is_used_again_without_a_page_fault() -> None:
    returned, kept = map(int, subprocess.check_output([sys.executable, "-c", FAULTS]).split())
    # Alignment may cost one fresh block before the rest are used again.
    assert kept < 0.3 * returned


def test_a_loss_that_is_no_number_says_its_step() -> None:
    require_finite(3, {"loss": 0.5, "queue_age": math.nan})
    for loss in (math.nan, math.inf, -math.inf):
        with pytest.raises(
            MastershotError, match=rf"the loss of step 3 is {loss}: its inputs hold"
        ):
            require_finite(3, {"loss": loss})
