import logging
import platform
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from mastershot.core.errors import OutputError
from mastershot.training.engine.trainer import fit, steps_done

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
    """Learns one number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.register_buffer("steps", torch.tensor(0))
        self.seen: list[float] = []

    def training_step(self, batch: Tensor, _: int) -> Tensor:
        self.seen.append(float(batch))
        self.steps += 1
        loss = (self.weight - batch).square().sum()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Numbers(IterableDataset[Tensor]):
    """All numbers from the first on."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __iter__(self) -> Iterator[Tensor]:
        return (torch.tensor(float(number)) for number in count(self._first))


def train(
    folder: Path, steps: int, *, save_every: int = 100, enough: int | None = None
) -> tuple[Line, list[int]]:
    """Return the module after training on 0, 1, 2 and so on, and the steps that were told."""
    module, told = Line(), []
    fit(
        module,
        DataLoader(Numbers(steps_done(folder)), batch_size=None),
        folder=folder,
        steps=steps,
        save_every=save_every,
        on_step=lambda step, figures: told.append(step) if "loss" in figures else None,
        is_finished=lambda: enough is not None and float(module.steps) >= enough,
    )
    return module, told


def test_every_step_is_told_and_the_last_is_kept(tmp_path: Path) -> None:
    module, told = train(tmp_path, 7, save_every=5)
    assert told == [1, 2, 3, 4, 5, 6, 7]
    assert module.seen == [0, 1, 2, 3, 4, 5, 6]
    assert steps_done(tmp_path) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_training_goes_on_where_it_was_to_the_same_end(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole, _ = train(tmp_path / "whole", 9)
    train(tmp_path / "parts", 4)
    rest, told = train(tmp_path / "parts", 9)
    assert told == [5, 6, 7, 8, 9]
    assert rest.seen == [4, 5, 6, 7, 8]
    assert torch.equal(rest.weight, whole.weight)


def test_training_that_is_done_takes_no_step(tmp_path: Path) -> None:
    done, _ = train(tmp_path, 3)
    again, told = train(tmp_path, 3)
    assert told == again.seen == []
    assert torch.equal(again.weight, done.weight)


def test_training_that_is_finished_stops_there_and_keeps_that_step(tmp_path: Path) -> None:
    module, told = train(tmp_path, 9, enough=4)
    assert told == [1, 2, 3, 4]
    assert steps_done(tmp_path) == 4
    again, told = train(tmp_path, 9, enough=4)
    assert told == again.seen == []
    assert torch.equal(again.weight, module.weight)
    rest, told = train(tmp_path, 9)
    assert told == [5, 6, 7, 8, 9]
    assert rest.seen == [4, 5, 6, 7, 8]


def test_loggers_speak_afterwards_as_before(tmp_path: Path) -> None:
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    train(tmp_path, 1)
    assert logger.level == level


def test_a_new_folder_has_no_step_done_and_a_damaged_one_is_said(tmp_path: Path) -> None:
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
