"""Contrastive learning: loss, queue of keys, momentum encoder of the keys (METHODS B1, B5).

One step, in this order: `follow`; queries with gradient, keys without; `info_nce` with
`KeyQueue.penalties`; backward; `KeyQueue.put`. All vectors have length 1.
"""
# B batch, D width, K keys in the queue, M ids

import copy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mastershot.core.errors import SettingError

TEMPERATURE = 0.07  # of MoCo (He et al. 2020, section 4) and Movies2Scenes (supplement)
QUEUE_LENGTH = 65_536
_EMPTY = -1  # the id of a place without a key
# Makes a key's weight exactly 0, and unlike infinity no NaN where every key is penalised.
_PENALTY = -1e9

Network = TypeVar("Network", bound=nn.Module)


class KeyQueue(nn.Module):
    """The latest keys and their ids, all in the state_dict so that a run can resume."""

    vectors: Tensor
    ids: Tensor
    next_place: Tensor

    def __init__(self, length: int, width: int) -> None:
        """Make an empty queue; SettingError if it has no room."""
        super().__init__()
        if length < 1 or width < 1:
            raise SettingError(f"a queue of {length} keys of width {width} holds nothing")
        self.register_buffer("vectors", torch.zeros(length, width))
        self.register_buffer("ids", torch.full((length,), _EMPTY))
        self.register_buffer("next_place", torch.zeros((), dtype=torch.long))

    def penalties(self, ids_M: Tensor) -> Tensor:
        """Return what to add to each key's logit, shape (K,): 0, or -1e9 to exclude it.

        Excluded are empty places and keys of the ids given; with the ids of a batch's queries and
        of their partners, the queue holds no positive of that batch (METHODS B5).
        """
        out = torch.isin(self.ids, ids_M) | (self.ids == _EMPTY)
        return self.vectors.new_zeros(len(out)).masked_fill_(out, _PENALTY)

    @torch.no_grad()
    def put(self, keys_BD: Tensor, ids_B: Tensor) -> None:
        """Replace the oldest keys; of more than the queue holds, the last stay. Ids are 0 or more.

        Only after backward: the gradient reads the queue.
        """
        length = len(self.ids)
        keys_BD, ids_B = keys_BD[-length:], ids_B[-length:]
        places_B = torch.arange(len(ids_B), device=self.ids.device)
        places_B = (places_B + self.next_place).remainder_(length)
        self.vectors.index_copy_(0, places_B, keys_BD.to(self.vectors.dtype))
        self.ids.index_copy_(0, places_B, ids_B)
        self.next_place.add_(len(ids_B)).remainder_(length)


def info_nce(
    queries_BD: Tensor,
    positives_B: Tensor,
    queue: KeyQueue,
    penalties_K: Tensor,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Return the mean InfoNCE loss of queries, their positive against the keys of a queue.

    He et al. 2020, equation 1. It is computed in float32 under autocast too: at this temperature
    half precision would round the logits to tenths. ``positives_B`` is each query's similarity to
    its positive, from `similarities` or `nearer`; ``penalties_K`` the batch's `KeyQueue.penalties`.
    """
    with torch.autocast(queries_BD.device.type, enabled=False):
        scaled = queries_BD.float() / temperature
        negatives_BK = torch.addmm(penalties_K, scaled, queue.vectors.T)
        positives = positives_B.float() / temperature
        return (torch.logaddexp(negatives_BK.logsumexp(1), positives) - positives).mean()


def similarities(queries_BD: Tensor, keys_BD: Tensor) -> Tensor:
    """Return each query's dot product with its own key, shape (B,)."""
    return (queries_BD.float() * keys_BD.float()).sum(-1)


def nearer(before_B: Tensor, after_B: Tensor, exists_B2: Tensor) -> Tensor:
    """Return the greater of a shot's similarities to its neighbours before and after, shape (B,).

    Movies2Scenes equation 1 (METHODS B1): max(q·k of the shot two before, of the shot two after).
    At a movie's ends one of the two exists.

    Raises:
        SettingError: A shot has neither.
    """
    if not exists_B2.any(1).all():
        raise SettingError("a shot without a neighbour on either side cannot be a query")
    both_B2 = torch.stack([before_B, after_B], 1)
    return both_B2.masked_fill(~exists_B2, -torch.inf).amax(1)


def nt_xent(one_BD: Tensor, other_BD: Tensor, temperature: float = 0.1) -> Tensor:
    """Return SimCLR's loss of two views of each item, the rest of the batch as negatives.

    Chen et al. 2020, equation 1; its temperature is the best of their table 5.

    Raises:
        SettingError: The batch holds one item, so there is no negative.
    """
    batch = len(one_BD)
    if batch < 2:
        raise SettingError(f"a batch of {batch} has no negatives; 2 or more are needed")
    with torch.autocast(one_BD.device.type, enabled=False):
        vectors = torch.cat([one_BD, other_BD]).float()
        logits = vectors @ vectors.T / temperature
        logits.fill_diagonal_(-torch.inf)
        partners = torch.arange(2 * batch, device=vectors.device).roll(batch)
        return cross_entropy(logits, partners)


def follower(network: Network) -> Network:
    """Return a copy of a network without gradient: MoCo's key encoder."""
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def follow(keys: nn.Module, queries: nn.Module, momentum: float) -> None:
    """Move the key encoder's parameters to the query encoder's by 1 - momentum (MoCo, eq. 2)."""
    torch._foreach_lerp_(list(keys.parameters()), list(queries.parameters()), 1 - momentum)


@dataclass(frozen=True)
class QueueLength:
    """How long a queue is.

    Attributes:
        length: In keys.
        reason: Why, for a log.
    """

    length: int
    reason: str


def queue_length(num_key_scenes: int, wanted: int = QUEUE_LENGTH) -> QueueLength:
    """Return the length wanted, or a quarter of a small library's distinct key scenes (METHODS B5).

    Raises:
        SettingError: A queue of one key needs more scenes than there are.
    """
    if wanted < 1:
        raise SettingError(f"a queue of {wanted} keys was asked for; it must be 1 or more")
    if num_key_scenes < 4:
        raise SettingError(
            f"{num_key_scenes} distinct key scenes are too few for a queue; 4 or more are needed"
        )
    length, why = min(wanted, num_key_scenes // 4), "as asked"
    if length < wanted:
        why = f"a quarter of {num_key_scenes:,} distinct key scenes, instead of {wanted:,}"
    return QueueLength(length, f"the queue holds {length:,} keys, {why}")


def alignment(one_BD: Tensor, other_BD: Tensor) -> Tensor:
    """Return the mean squared distance of pairs, 0 if all coincide (Wang & Isola 2020, α = 2)."""
    return (one_BD - other_BD).square().sum(-1).mean()


def uniformity(vectors_BD: Tensor) -> Tensor:
    """Return the log mean Gaussian potential of distinct pairs (Wang & Isola 2020, t = 2).

    From 0, all vectors the same, to about -4, evenly spread.

    Raises:
        SettingError: There is no pair.
    """
    if len(vectors_BD) < 2:
        raise SettingError(f"uniformity of {len(vectors_BD)} vectors means nothing; 2 are needed")
    return torch.pdist(vectors_BD).square().mul(-2).exp().mean().log()
