"""What sound costs: analysis of shots with and without it, and YAMNet alone.

python bench/sound.py [--runs 5] FILM ...
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from decode_shots import BARE_DECODE
from mastershot.encoders.detectors.sound import HOP_SAMPLES, WINDOW_SAMPLES, SoundClassifier
from timing import timed_in_turn


def measure(film: Path, runs: int, folder: str) -> None:
    fresh = ["sh", "-c", f'rm -rf "{folder}/out"; exec "$@"', "sh"]
    ours = [sys.executable, "-m", "mastershot", "analyze", str(film), "--quiet"]
    commands = {"bare decode": [sys.executable, "-c", BARE_DECODE, str(film)]}
    for steps in ("shots", "shots,sound"):
        commands[steps] = [*fresh, *ours, "--out", f"{folder}/out", "--steps", steps]
    seconds = timed_in_turn(commands, runs)
    bare = statistics.median(seconds["bare decode"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{film.name}: {name:12} {median:7.2f} s, {median / bare:.2f} x bare decode")


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
    with tempfile.TemporaryDirectory() as folder:
        for film in arguments.films:
            measure(film, arguments.runs, folder)


if __name__ == "__main__":
    main()
