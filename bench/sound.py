"""What sound costs: analysis of shots with and without it, and YAMNet alone.

python bench/sound.py [--runs 5] FILM ...
"""

import argparse
import time
from pathlib import Path

import numpy as np

from mastershot.encoders.detectors.sound import HOP_SAMPLES, WINDOW_SAMPLES, SoundClassifier
from perception import measure


def measure_network(num_windows: int = 200) -> None:
    windows = np.random.default_rng(0).normal(0, 0.1, (num_windows, WINDOW_SAMPLES))
    classifier = SoundClassifier()
    classifier.scores(windows[:1].astype(np.float32))
    start = time.perf_counter()
    classifier.scores(windows.astype(np.float32))
    each = (time.perf_counter() - start) / num_windows
    print(
        f"YAMNet: {1000 * each:.2f} ms a window, "
        f"{1000 * each * 16_000 / HOP_SAMPLES:.1f} ms a second of sound"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM")
    arguments = parser.parse_args()
    measure_network()
    for film in arguments.films:
        measure(film, {"shots": ["shots"], "shots, sound": ["shots", "sound"]}, arguments.runs)


if __name__ == "__main__":
    main()
