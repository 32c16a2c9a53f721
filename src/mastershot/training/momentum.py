"""The queue of keys."""
# B batch, Q entries of the queue, P width of the projection, I ids of a query and its positives

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class KeyQueue(nn.Module):
    """The latest keys, each with the id of its scene and the step it is from."""

    keys: Tensor
    ids: Tensor
    steps: Tensor
    next_place: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(size, width))
        self.register_buffer("ids", torch.full((size,), -1))
        self.register_buffer("steps", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("next_place", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def push(self, keys: Tensor, ids: Tensor, step: int) -> None:
        size = len(self.ids)
        keys, ids = keys[-size:], ids[-size:]
        places = (self.next_place + torch.arange(len(ids), device=ids.device)) % size
        self.keys[places], self.ids[places] = keys, ids
        self.steps[places] = step
        self.next_place.copy_((self.next_place + len(ids)) % size)

    def mean_age(self, step: int) -> Tensor:
        filled = self.ids >= 0
        return (step - self.steps[filled].float()).mean() if filled.any() else torch.zeros(())


def info_nce(
    positives_B: Tensor, queries_BP: Tensor, queue: KeyQueue, own_ids: Tensor, temperature: float
) -> Tensor:
    negatives_BQ = queries_BP @ queue.keys.T
    banned = (own_ids[:, :, None] == queue.ids).any(1) | (queue.ids < 0)
    negatives_BQ = negatives_BQ.masked_fill(banned, -math.inf)
    logits = torch.cat([positives_B[:, None], negatives_BQ], 1) / temperature
    return cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.int64))


@torch.no_grad()
def update_momentum(slow: nn.Module, fast: nn.Module, momentum: float) -> None:
    torch._foreach_lerp_(list(slow.parameters()), list(fast.parameters()), 1 - momentum)
