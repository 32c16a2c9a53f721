"""Several processes of one run, as torchrun starts them; alone, nothing here does anything.

Every process has the same batch, computes its share of the rows, and adds its part to the others':
the step is that of one process. Lightning's DDP averages over equal shares at each backward pass;
here shares may differ by a row, and a step of several passes adds up once.
"""
# B rows of a batch

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from mastershot.core.errors import MastershotError, SettingError

_TIMEOUT = timedelta(days=7)  # The first may read films for days while the others wait.

Made = TypeVar("Made")


@contextmanager
def process_group(*, shared: bool) -> Iterator[None]:
    """Join the processes that torchrun started, if it did, each with a device of its own.

    Raises:
        SettingError: The work cannot be shared, or this machine has more processes than GPUs.
    """
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        yield
        return
    if not shared:
        raise SettingError("this recipe runs in one process; start it without torchrun")
    backend = "gloo"
    if torch.cuda.is_available():
        local_rank, num_gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local_rank >= num_gpus:
            raise SettingError(
                f"process {local_rank + 1} on this machine finds {num_gpus} GPUs; start one a GPU"
            )
        torch.cuda.set_device(local_rank)
        backend = "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, timeout=_TIMEOUT)
    yield
    # Not after an error: what the others wait for then never comes, and the process ends instead.
    distributed.destroy_process_group()


def world_size() -> int:
    """Return the number of processes of this run."""
    started = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if started else 1


def is_rank_zero() -> bool:
    """Return whether this process is the one that writes."""
    return world_size() == 1 or distributed.get_rank() == 0


def barrier() -> None:
    """Wait until every process has come as far."""
    _all_reduce(torch.zeros(1))


def rank_zero_first(work: Callable[[], Made]) -> Made:
    """Return what the work makes; the other processes call it after the first, to find it made.

    The work must not wait for another process.
    """
    if not is_rank_zero():
        barrier()
    made = work()
    if is_rank_zero():
        barrier()
    return made


def own_share() -> tuple[int, int]:
    """Return this process's rank, and how many there are."""
    size = world_size()
    return (distributed.get_rank() if size > 1 else 0), size


def own_rows(num_rows: int, share: tuple[int, int] | None = None) -> slice:
    """Return the rows of a batch that are this process's.

    ``share`` is what `own_share` returned; workers of a loader, which know of no other process,
    need it.
    """
    rank, size = own_share() if share is None else share
    return slice(num_rows * rank // size, num_rows * (rank + 1) // size)


def gather_objects(own: Made) -> list[Made]:
    """Return what each process has, in the order of their ranks."""
    if world_size() == 1:
        return [own]
    gathered: list[Any] = [None] * world_size()
    distributed.all_gather_object(gathered, own)
    return gathered


def average_buffers(network: nn.Module) -> None:
    """Give each process the mean of all processes' statistics, such as batch normalisation's."""
    if world_size() > 1:
        for buffer in network.buffers():
            if buffer.is_floating_point():
                _all_reduce(buffer).div_(world_size())


def gather_rows(own: Tensor, num_rows: int) -> Tensor:
    """Return all rows (B, …) from each process's share of them.

    This process's own rows carry their gradient. So if all compute the same loss of all rows, the
    sum of their gradients is the loss's.
    """
    if world_size() == 1:
        return own
    rows = own.new_zeros(num_rows, *own.shape[1:])
    rows[own_rows(num_rows)] = own.detach()
    _all_reduce(rows)
    rows[own_rows(num_rows)] = own
    return rows


def all_reduce_sum(part: Tensor) -> Tensor:
    """Return the sum of a figure's parts, without gradient."""
    return _all_reduce(part.detach().clone())


def sum_gradients(network: nn.Module) -> None:
    """Give each parameter the sum of the processes' gradients."""
    if world_size() == 1:
        return
    gradients = [own.grad for own in network.parameters() if own.grad is not None]
    flat = _all_reduce(torch.cat([gradient.flatten() for gradient in gradients]))
    totals = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, total in zip(gradients, totals, strict=True):
        gradient.copy_(total.view_as(gradient))


def _all_reduce(tensor: Tensor) -> Tensor:
    """Put the sum over all processes in place of each one's tensor, and return it."""
    if world_size() > 1:
        try:
            distributed.all_reduce(tensor)
        except RuntimeError as error:
            problem = "another process of this run ended, so this one ends too"
            raise MastershotError(problem) from error
    return tensor
