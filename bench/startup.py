"""What a start costs: a default analysis of a 2-second film, beside the imports it rests on.

    python bench/startup.py [--runs 9]

Whole processes, taken in turn; medians of wall time and of CPU time, which a busy machine changes
less.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from films import film_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    film = film_of(2 / 60, 640, 360)
    with tempfile.TemporaryDirectory() as folder:
        analyze = ["-m", "mastershot", "analyze", str(film), "--quiet", "--out"]
        commands = {
            "import torch": ["-c", "import torch"],
            "mastershot --help": ["-m", "mastershot", "--help"],
            "analyze": [*analyze, "{out}"],
            "analyze, all words anew": ["-c", WITHOUT_SHIPPED, *analyze[2:], "{out}"],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for turn in range(options.runs):
            for name, words in commands.items():
                out = str(Path(folder) / f"{name[:9]}-{turn}-{len(name)}")
                taken[name].append(seconds([word.replace("{out}", out) for word in words]))
    for name, runs in taken.items():
        wall, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:26} {wall:6.2f} s wall {cpu:6.2f} s CPU")


WITHOUT_SHIPPED = """
from mastershot.encoders import text
text.installed_weights_hash = lambda: None
from mastershot.apps.cli import main
main()
"""


def seconds(words: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a Python process."""
    before, started_s = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    wall_s, after = time.perf_counter() - started_s, os.times()
    cpu_s = after.children_user + after.children_system
    return wall_s, cpu_s - before.children_user - before.children_system


if __name__ == "__main__":
    main()
