"""Whole processes timed in turn, so that a drift of the machine touches all of them alike."""

import resource
import statistics
import subprocess
import sys
import time


def timed_in_turn(
    commands: dict[str, list[str]], runs: int, processor_s: dict[str, list[float]] | None = None
) -> dict[str, list[float]]:
    """Return the seconds each command took, run after run: A B C, A B C, …

    The seconds of processor time, which other processes change less, go to ``processor_s``.
    """
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs):
        for name, command in commands.items():
            print(f"\r{name} {turn + 1}/{runs}   ", end="", file=sys.stderr, flush=True)
            started_s, used_s = time.perf_counter(), _used_by_children_s()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - started_s)
            if processor_s is not None:
                processor_s.setdefault(name, []).append(_used_by_children_s() - used_s)
    print(file=sys.stderr)
    return seconds


def _used_by_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def median_ratio(over: list[float], under: list[float]) -> float:
    """Return the median of the ratios of runs made side by side."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))
