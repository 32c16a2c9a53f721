"""What the terminal shows: progress, results and errors."""

import json
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mastershot.core.errors import sentence
from mastershot.core.text import printable
from mastershot.core.time import format_clock

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from mastershot.core.labels import LabelScore
    from mastershot.core.timeline import Timeline

_REFRESH_S = 0.1


def say(text: str) -> None:
    """Print a line of a result on stdout; nothing in it steers the terminal."""
    print(printable(text))


def say_lines(text: str) -> None:
    """Print a text of several lines on stdout."""
    for line in text.splitlines():
        say(line)


def complain(text: str) -> None:
    """Print a problem or a note as one line on stderr."""
    print(f"mastershot: {printable(text)}", file=sys.stderr)


def complain_of(error: Exception, *, debug: bool) -> None:
    """Print an error as one sentence on stderr; with ``debug``, where it arose before that."""
    if debug:
        for line in "".join(traceback.format_exception(error)).splitlines():
            print(printable(line), file=sys.stderr)
    complain(sentence(error))


def ask(text: str) -> None:
    """Print part of a question as one line on stderr."""
    print(printable(text), file=sys.stderr)


def say_json(value: Any) -> None:
    """Print a machine-readable result on stdout; it reads back the same, and steers nothing."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    print("\n".join(map(_escaped_json, text.split("\n"))))


def _escaped_json(line: str) -> str:
    """Return a line of JSON with an escape for each sign that cannot be seen."""
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in line)


def timeline_lines(timeline: "Timeline") -> Iterator[str]:
    """Yield a timeline as lines for people: each scene, then its shots."""
    for index, shot in enumerate(timeline.shots):
        scene = timeline.scene_of(index)
        if scene is not None and scene.first_shot == index:
            yield f"scene {scene.id.rpartition('/s')[2]}  {_label_words(scene.labels)}"
        start, end = format_clock(shot.span.start_s), format_clock(shot.span.end_s)
        frames = f"{shot.span.first_frame}-{shot.span.end_frame}"
        yield f"  {index:5}  {start} - {end}  {frames:>15}  {_label_words(shot.labels)}"


def _label_words(labels: "tuple[LabelScore, ...] | None") -> str:
    if not labels:
        return ""
    sure = [label for label in labels if not label.unsure]
    if not sure:
        return f"unsure ({labels[0].name} {labels[0].score:.2f})"
    return ", ".join(f"{label.name} {label.score:.2f}" for label in sure)


class FilmProgress:
    """Shows one film's progress: stage, frames, frames a second, time left."""

    def __init__(self, bars: "Bars", task: "TaskID") -> None:
        self._bars = bars
        self._task = task
        self._stage = ""
        self._started_s = 0.0
        self._shown_s = 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take note of progress; the terminal is touched ten times a second at most."""
        now_s = time.monotonic()
        if stage != self._stage:
            self._stage, self._started_s = stage, now_s
        elif now_s - self._shown_s < _REFRESH_S and done != total:
            return
        self._shown_s = now_s
        elapsed_s = now_s - self._started_s
        speed = f"{done / elapsed_s:,.0f} frames/s" if stage == "shots" and elapsed_s > 0 else ""
        self._bars.update(self._task, stage=stage, completed=done, total=total, speed=speed)


@contextmanager
def showing_progress(*, quiet: bool) -> "Iterator[Bars]":
    """Yield bars on stderr; none are drawn when quiet or when stderr is no terminal."""
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
        yield bars
