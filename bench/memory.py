"""Peak memory of an analysis: a 40-minute film against a 2-minute one, whole processes.

python bench/memory.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from films import film_of

MEASURE = """
import resource, sys
from mastershot.apps.cli import app
try:
    app(["analyze", sys.argv[1], "--out", sys.argv[2], "--steps", "shots,scenes", "--quiet"])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mb(film: Path) -> int:
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-c", MEASURE, str(film), out]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1])


def main() -> None:
    short, long = (peak_mb(film_of(minutes, 320, 180)) for minutes in (2, 40))
    print(f"2 minutes {short} MB, 40 minutes {long} MB: {long - short} MB more")


if __name__ == "__main__":
    main()
