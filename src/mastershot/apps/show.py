"""What the terminal shows: progress, results and errors."""

import json
import os
import re
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from mastershot.core.errors import sentence
from mastershot.core.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress


def say(*lines: str) -> None:
    """Print lines of a result on stdout; nothing in them steers the terminal."""
    for line in lines:
        print(printable(line))


def say_json(value: Any) -> None:
    """Print a machine-readable result on stdout; it reads back the same, and steers nothing."""

    def visible(sign: re.Match[str]) -> str:
        return sign[0] if sign[0].isprintable() else json.dumps(sign[0])[1:-1]

    text = json.dumps(value, indent=1, ensure_ascii=False, default=os.fspath)
    print(re.sub(r"[^\n -~]", visible, text))


def say_result(
    value: Any, lines: Iterable[str], *, as_json: bool, problems: Iterable[str] = ()
) -> None:
    """Print a result on stdout, its value as JSON or its lines for people; then its problems.

    Raises:
        typer.Exit: With code 1, where there are problems.
    """
    if as_json:
        say_json(value)
    else:
        say(*lines)
    if problems := list(problems):
        complain(*problems)
        raise typer.Exit(1)


def note(*lines: str) -> None:
    """Print lines of a question, or of a traceback, on stderr."""
    for line in lines:
        print(printable(line), file=sys.stderr)


def complain(*texts: str) -> None:
    """Print each problem or note as one line on stderr."""
    note(*(f"mastershot: {text}" for text in texts))


def complain_of(error: Exception, *, debug: bool) -> None:
    """Print an error as one sentence on stderr; with ``debug``, its traceback before that."""
    if debug:
        note(*"".join(traceback.format_exception(error)).splitlines())
    complain(sentence(error))


class StageProgress:
    """Shows the progress of a film or a run: stage, speed or loss, time left."""

    def __init__(self, bars: "Progress", name: str) -> None:
        self._bars = bars
        self._task = bars.add_task(printable(name), total=None, stage="", speed="")
        self._stage, self._started_s, self._shown_s = "", 0.0, 0.0

    def __call__(
        self, stage: str, done: int, total: int | None, figures: Mapping[str, float] | None = None
    ) -> None:
        """Show progress, ten times a second at most; only runs of training give ``figures``."""
        now_s = time.monotonic()
        if stage != self._stage:
            self._stage, self._started_s = stage, now_s
            # The time left is estimated from the speed of this stage alone.
            self._bars.reset(self._task, total=total, completed=done)
        elif now_s - self._shown_s < 0.1 and done != total:
            return
        self._shown_s = now_s
        elapsed_s, speed = now_s - self._started_s, ""
        if figures is not None and "loss" in figures:
            speed = f"loss {figures['loss']:.3f}"
        elif figures is None and stage == "shots" and elapsed_s > 0:
            speed = f"{done / elapsed_s:,.0f} frames/s"
        self._bars.update(self._task, stage=stage, completed=done, total=total, speed=speed)


@contextmanager
def showing_progress(name: str, *, quiet: bool) -> Iterator[StageProgress]:
    """Yield a bar on stderr; none is drawn when quiet or when stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[stage]}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[speed]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bars:
        yield StageProgress(bars, name)
