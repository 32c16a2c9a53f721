"""How long another threshold takes over the kept scores of a film of two hours.

    python bench/tuning.py

Scores are drawn: 2,000 cuts of any probability and 300 gradual transitions in 172,800 frames.
"""

import statistics
import time

import numpy as np

from mastershot.shots.transitions import film_transitions

FRAMES, CUTS, GRADUAL, LENGTH = 172_800, 2000, 300, 24


def main() -> None:
    rng = np.random.default_rng(0)
    rows = np.zeros((FRAMES, 5), np.float32)
    rows[rng.integers(1, FRAMES, CUTS), 0] = rng.random(CUTS)
    for start in rng.integers(0, FRAMES - LENGTH, GRADUAL):
        rows[start : start + LENGTH, 1 + rng.integers(3)] = rng.uniform(0.3, 1)
    light = rng.random(FRAMES).astype(np.float32)
    taken = []
    for threshold in np.linspace(0.2, 0.9, 15):
        started = time.perf_counter()
        _, found = film_transitions(rows, light, float(threshold), 4)
        taken.append(time.perf_counter() - started)
    median, most = 1000 * statistics.median(taken), 1000 * max(taken)
    print(f"{FRAMES:,} frames, {len(found)} transitions at the last threshold")
    print(f"median {median:.1f} ms, most {most:.1f} ms")


if __name__ == "__main__":
    main()
