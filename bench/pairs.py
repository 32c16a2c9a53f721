"""Mining the scene pairs of two 1,000-shot films: ours, the literal method, and two quicker ways.

python bench/pairs.py [--shots N] [--runs N]

All take the same features, (N, 512) float32, from products of shots to the kept list. The literal
method is METHODS B4 as it is worded: every dot product of two shots, the mean of each 9x9 window,
all of them sorted, then walked; it runs once. The strided view takes the same means in one call.
The last rival takes them from a running sum over the dot products, sorts stably and walks the same
way. Printed are medians, and what 90,000 pairs of films would take of one core.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from mastershot.mining.pairs import mine_scene_pairs

WINDOW, KEEP, WIDTH = 9, 0.5, 512
NUM_PAIRS = 90_000
Floats = npt.NDArray[np.float32]
Pairs = list[tuple[int, int, float]]


def sorted_walk(scores: Floats, order: npt.NDArray[np.int64]) -> Pairs:
    num_rows, num_columns = scores.shape
    row_taken, column_taken = [False] * num_rows, [False] * num_columns
    pairs: Pairs = []
    for place in order.tolist():
        row, column = divmod(place, num_columns)
        if row_taken[row] or column_taken[column]:
            continue
        pairs.append((row, column, float(scores[row, column])))
        for near in range(max(row - WINDOW + 1, 0), min(row + WINDOW, num_rows)):
            row_taken[near] = True
        for near in range(max(column - WINDOW + 1, 0), min(column + WINDOW, num_columns)):
            column_taken[near] = True
    return pairs[: math.ceil(len(pairs) * KEEP)]


def literal(one: Floats, other: Floats) -> Pairs:
    products, k = one @ other.T, WINDOW
    num_rows, num_columns = len(one) - k + 1, len(other) - k + 1
    scores = np.empty((num_rows, num_columns), np.float32)
    for row in range(num_rows):
        for column in range(num_columns):
            scores[row, column] = products[row : row + k, column : column + k].mean()
    return sorted_walk(scores, np.argsort(-scores, axis=None, kind="stable"))


def by_strided_view(one: Floats, other: Floats) -> Pairs:
    scores = sliding_window_view(one @ other.T, (WINDOW, WINDOW)).mean(axis=(2, 3))
    return sorted_walk(scores, np.argsort(-scores, axis=None, kind="stable"))


def by_cumulative_sums(one: Floats, other: Floats) -> Pairs:
    sums = np.zeros((len(one) + 1, len(other) + 1))
    (one @ other.T).cumsum(axis=0, dtype=np.float64).cumsum(axis=1, out=sums[1:, 1:])
    k = WINDOW
    blocks = sums[k:, k:] - sums[:-k, k:] - sums[k:, :-k] + sums[:-k, :-k]
    scores = (blocks / k**2).astype(np.float32)
    return sorted_walk(scores, np.argsort(-scores, axis=None, kind="stable"))


def film(rng: np.random.Generator, num_shots: int, steadiness: float) -> Floats:
    """Return unit features whose neighbours resemble each other the more, the steadier."""
    noise = rng.standard_normal((num_shots, WIDTH))
    for shot in range(1, num_shots):
        noise[shot] += steadiness * (noise[shot - 1] - noise[shot])
    return (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)


def require_same(found: Pairs, due: Pairs) -> None:
    assert [pair[:2] for pair in found] == [pair[:2] for pair in due]
    assert np.allclose([pair[2] for pair in found], [pair[2] for pair in due], atol=1e-5)


def compare(one: Floats, other: Floats, runs: int) -> None:
    methods: dict[str, Callable[[Floats, Floats], Pairs]] = {
        "strided view": by_strided_view,
        "cumulative sums": by_cumulative_sums,
        "mine_scene_pairs": mine_scene_pairs,
    }
    started_s = time.perf_counter()
    due = literal(one, other)
    seconds = {"literal": [time.perf_counter() - started_s], **{name: [] for name in methods}}
    core_s = []
    for _ in range(runs):
        for name, method in methods.items():
            started_s, started_core_s = time.perf_counter(), time.process_time()
            found = method(one, other)
            seconds[name].append(time.perf_counter() - started_s)
            require_same(found, due)
        core_s.append(time.process_time() - started_core_s)
    ours_s = statistics.median(seconds["mine_scene_pairs"])
    for name, taken in seconds.items():
        took_s = statistics.median(taken)
        print(f"  {name:18} {took_s * 1e3:9.1f} ms  {took_s / ours_s:7.1f} x ours")
    hours = statistics.median(core_s) * NUM_PAIRS / 3600
    print(f"  the same {len(due)} pairs; {NUM_PAIRS:,} pairs of films: {hours:.2f} core-hours")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    for name, steadiness in (("independent shots", 0.0), ("shots like their neighbours", 0.9)):
        one, other = (film(rng, arguments.shots, steadiness) for _ in range(2))
        print(f"{arguments.shots} x {arguments.shots} {name}, D = {WIDTH}")
        compare(one, other, arguments.runs)


if __name__ == "__main__":
    main()
