"""What each lane of an analysis costs: all of them, each left out, and bare decoding.

python bench/perception.py [--runs 5] [--against DIR] FILM ...

The films of the claim have 720 and 1080 lines and last a minute or longer: what is loaded at the
start counts in every run. With ``--against``, all lanes of another checkout are timed too.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from decode_shots import BARE_DECODE
from mastershot.pipeline.analysis.plan import STEPS
from timing import median_ratio, timed_in_turn

BEFORE = ("shots", "labels", "scenes", "scale")
"""The steps of an analysis that neither looks for people nor listens."""
LANES = ("people", "headings", "sound")


def steps_compared() -> dict[str, Sequence[str]]:
    """Return the steps of each analysis by what it is called."""
    without = {f"without {lane}": [step for step in STEPS if step != lane] for lane in LANES}
    return {"shots": ["shots"], "before": BEFORE, **without, "all lanes": STEPS}


def measure(
    film: Path, steps: dict[str, Sequence[str]], runs: int, against: Path | None = None
) -> dict[str, list[float]]:
    """Print how long a film takes to decode, and to analyse with each list of steps."""
    processor_s: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        fresh = ["sh", "-c", f'rm -rf "{folder}/out"; exec "$@"', "sh"]
        ours = [*fresh, sys.executable, "-m", "mastershot", "analyze", str(film), "--quiet"]
        commands = {"bare decode": [sys.executable, "-c", BARE_DECODE, str(film)]}
        for name, chosen in steps.items():
            commands[name] = [*ours, "--out", f"{folder}/out", "--steps", ",".join(chosen)]
        if against is not None:
            other = ["env", f"PYTHONPATH={against.resolve() / 'src'}", *commands["all lanes"]]
            commands["other checkout"] = other
        seconds = timed_in_turn(commands, runs, processor_s)
    for name, values in seconds.items():
        times = median_ratio(values, seconds["bare decode"])
        median = statistics.median(values)
        used_s = statistics.median(processor_s[name])
        used = median_ratio(processor_s[name], processor_s["bare decode"])
        print(
            f"{film.name}: {name:16} {median:7.2f} s, {times:.2f} x bare decode; "
            f"of processor time {used_s:.2f} s, {used:.2f} x"
        )
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", type=Path, metavar="DIR")
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM")
    arguments = parser.parse_args()
    for film in arguments.films:
        seconds = measure(film, steps_compared(), arguments.runs, arguments.against)
        whole = seconds["all lanes"]
        print(f"{film.name}: all lanes {median_ratio(whole, seconds['before']):.2f} x before")
        for lane in LANES:
            pairs = zip(whole, seconds[f"without {lane}"], strict=True)
            share = statistics.median((all_s - less_s) / all_s for all_s, less_s in pairs)
            print(f"{film.name}: {lane} takes {share:.1%}")


if __name__ == "__main__":
    main()
