"""Shots-only analysis against the decode limit and against the ``scenedetect`` command.

Whole processes, in turn: bare PyAV decoding with two threads, ``mastershot analyze --steps
shots`` (which also hashes the file and writes pictures, report, CSV and JSON), and ``scenedetect
detect-content list-scenes`` with its OpenCV and its PyAV backend.

    python bench/decode_shots.py [--runs 5] [FILM ...]
    python bench/decode_shots.py --footage FILM    # real, at 1080p, repeated for 5.5 minutes
    python bench/decode_shots.py --against DIR     # another checkout in the place of scenedetect
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from films import film_720p, film_1080p, repeated
from mastershot.media.video import open_video
from timing import median_ratio, timed_in_turn

BARE_DECODE = """
import sys, av
with av.open(sys.argv[1]) as container:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    for frame in container.decode(stream):
        pass
"""


def measure(film: Path, runs: int, folder: str, against: Path | None) -> None:
    python, path = sys.executable, str(film)
    commands = {
        "bare decode": [python, "-c", BARE_DECODE, path],
        "mastershot": [
            python, "-m", "mastershot", "analyze", path, "--steps", "shots", "--quiet",
            "--out", f"{folder}/out",
        ],
        "scenedetect": [
            python, "-m", "scenedetect", "-q", "-i", path, "-o", folder,
            "detect-content", "list-scenes",
        ],
        "scenedetect pyav": [
            python, "-m", "scenedetect", "-q", "-b", "pyav", "-i", path, "-o", folder,
            "detect-content", "list-scenes",
        ],
    }  # fmt: skip
    # A finished analysis would not be made again: each run writes to a folder of its own.
    fresh = ["sh", "-c", f'rm -rf "{folder}/out"; exec "$@"', "sh"]
    ours = commands["mastershot"]
    commands["mastershot"] = [*fresh, *ours]
    if against is not None:
        del commands["scenedetect"], commands["scenedetect pyav"]
        commands["other checkout"] = [*fresh, "env", f"PYTHONPATH={against / 'src'}", *ours]
    seconds = timed_in_turn(commands, runs)
    frames = sum(1 for _ in open_video(film).frames())
    print(f"{film.name}: {frames} frames, {film.stat().st_size / 1e6:.0f} MB, {runs} runs")
    for name, values in seconds.items():
        median_s = statistics.median(values)
        ratio = median_ratio(values, seconds["bare decode"])
        print(
            f"  {name:17} {median_s:6.2f} s  {frames / median_s:6.0f} frames/s  "
            f"{ratio:5.2f} x bare decode"
        )
    for peer in set(commands) - {"bare decode", "mastershot"}:
        ratio = median_ratio(seconds[peer], seconds["mastershot"])
        print(f"  mastershot is {ratio:.2f} x as fast as {peer}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--footage", type=Path)
    parser.add_argument("--against", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    films = arguments.films
    if arguments.footage:
        films = [*films, repeated(arguments.footage, 5.5, 1920, 1080)]
    for film in films or [film_720p(), film_1080p()]:
        with tempfile.TemporaryDirectory() as folder:
            measure(film, arguments.runs, folder, arguments.against)


if __name__ == "__main__":
    main()
