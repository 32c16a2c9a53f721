"""Which items a step sees: a shuffle by arithmetic, a pure function of the seed and the step."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mastershot.core.embeddings import IntArray

_ROUNDS = 6


def shuffled(places: IntArray, size: int, *seed: int) -> IntArray:
    """Return where a permutation of ``range(size)`` takes these places; no list of it is made.

    A Feistel network over the next even number of bits, walked on until it lands inside (Black and
    Rogaway, "Ciphers with arbitrary finite domains", 2002).
    """
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    keys = np.random.default_rng(seed).integers(0, 2**63, _ROUNDS, dtype=np.uint64)
    landed = _scrambled(places.astype(np.uint64), half_bits, keys)
    while (outside := landed >= size).any():
        landed[outside] = _scrambled(landed[outside], half_bits, keys)
    return landed.astype(np.int64)


def batch_places(
    step: int, *, batch_size: int, num_items: int, seed: int
) -> tuple[IntArray, IntArray]:
    """Return the items of a step, and the epoch each is from, shape (B,) both.

    Each epoch holds every item once, in an order of its own; a batch may reach into the next.
    """
    count = step * batch_size + np.arange(batch_size, dtype=np.int64)
    epochs, places = count // num_items, count % num_items
    items = np.empty_like(places)
    for epoch in np.unique(epochs).tolist():
        of_epoch = epochs == epoch
        items[of_epoch] = shuffled(places[of_epoch], num_items, seed, epoch)
    return items, epochs


def step_seed(seed: int, step: int) -> int:
    """Return what seeds the generators of a step: for seed 0 the step itself.

    torch's generator on a CPU reads the lower 32 bits of its seed alone, so both must be in them.
    """
    return (step + seed * 0x9E3779B1) % (1 << 32)


def shuffled_batches(
    num_items: int, *, batch_size: int, seed: int, first_step: int = 0
) -> Iterator[IntArray]:
    """Yield the items of each step without end, (B,); an epoch's last batch may be smaller.

    Each epoch has an order of its own, a function of seed and epoch.
    """
    epoch, batch = divmod(first_step, -(-num_items // batch_size))
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(num_items)
        yield from np.split(order, range(batch_size, num_items, batch_size))[batch:]
        epoch, batch = epoch + 1, 0


def _scrambled(
    values: NDArray[np.uint64], half_bits: int, keys: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    bits, mask = np.uint64(half_bits), np.uint64((1 << half_bits) - 1)
    left, right = values >> bits, values & mask
    for key in keys:
        mixed = (right + key) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        left, right = right, left ^ ((mixed >> np.uint64(32)) & mask)
    return (left << bits) | right
