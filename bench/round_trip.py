"""Do shots, transitions and notes come back from editors' formats on the frames they left?

Random films (`tests/factories/edited.py`): 12 constant rates in four time bases, three kinds of
variable rate, start offsets, time codes in drop-frame and not, past midnight too, up to 3 hours.
Every fifth lies in two to four reels, the joins anywhere, with time codes of their own or none.
Each is written in every format that can be read back, and read.

    python bench/round_trip.py [--cases 10000] [--hours 3] [--shots 40] [--formats edl,otio]
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from mastershot.exports.formats.catalogue import FORMATS

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.factories.edited import KINDS, differences, in_reels, make_case

SHORTEST_S = 2.0


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--cases", type=int, default=10_000)
    arguments.add_argument("--hours", type=float, default=3.0)
    arguments.add_argument("--shots", type=int, default=40, help="the most cuts of a film")
    arguments.add_argument("--formats", help="by default all that can be read back")
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    formats = [one for one in FORMATS if one.read is not None]
    if given.formats is not None:
        formats = [one for one in formats if one.name in given.formats.split(",")]
    cases, wrong, longest_s = Counter[str](), Counter[str](), 0.0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.cases):
            random = Random(f"{given.seed}/{number}")
            kind = list(KINDS)[number % len(KINDS)]
            seconds = SHORTEST_S * (given.hours * 3600 / SHORTEST_S) ** random.random()
            case = make_case(random, kind, seconds=seconds, num_shots=random.randrange(given.shots))
            if number % 5 == 4:
                case = in_reels(case, random)
            longest_s = max(longest_s, case.timeline.movie.duration_s)
            for known in formats:
                cases[known.name] += 1
                if problems := differences(case, known, Path(folder)):
                    wrong[known.name] += 1
                    if sum(wrong.values()) <= 20:
                        print(f"case {number} ({kind}):", *problems, sep="\n  ", flush=True)
    for name, count in cases.items():
        print(f"{name:8} {count:>7,} cases, {wrong[name]} came back otherwise")
    print(f"the longest film {longest_s / 3600:.2f} h, {time.monotonic() - started:.0f} s in all")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
