"""WebVTT: chapters, and beside them the lanes as metadata cues that read back to the frame."""

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from mastershot.core.errors import EditsError
from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane
from mastershot.core.text import printable
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.lanes import Export, role_of
from mastershot.exports.formats.players.chapters import chapters_of
from mastershot.exports.formats.players.clock import PlayerClock, clock_of, player_clock
from mastershot.exports.formats.players.subtitles import Cue, cues_of, subtitle_lane, timing_text
from mastershot.exports.formats.texts import read_text

_FILM = re.compile(r"^NOTE film ([0-9a-f]{16})\b", re.MULTILINE)


def write_webvtt(export: Export, path: Path) -> tuple[str, ...]:
    """Write the chapters, and the lanes as metadata cues into ``<name>.metadata.vtt`` beside them.

    Raises:
        OutputError: A file cannot be written.
    """
    clock = player_clock(export.timeline.movie, export.times, export.film)
    chapters = (
        (one.span.first_frame, one.span.end_frame, f"chapter {number}", escape(one.title, False))
        for number, one in enumerate(chapters_of(export), start=1)
    )
    metadata = path.with_name(f"{path.stem}.metadata.vtt")
    _write(path, export.timeline, clock, chapters)
    _write(metadata, export.timeline, clock, _payloads(export.lanes))
    return (f"{path} holds the chapters, {metadata.name} the lanes as metadata cues", *clock.notes)


_Cues = Iterable[tuple[int, int, str, str]]


def _write(path: Path, timeline: Timeline, clock: PlayerClock, cues: _Cues) -> None:
    with written_whole(path) as file:
        file.write(f"WEBVTT\n\nNOTE film {timeline.movie.id}\n")
        for first, end, name, text in cues:
            start_ms = clock.units_at(first)
            end_ms = max(start_ms + 1, clock.units_at(end))
            file.write(f"\n{name}\n{timing_text(start_ms, end_ms)}\n{text}\n")


def _payloads(lanes: Iterable[Lane]) -> Iterator[tuple[int, int, str, str]]:
    """Yield the cues of all lanes by start, each with what is known of it as JSON."""
    placed = [(one.span.first_frame, lane, one) for lane in lanes for one in lane.intervals]
    for number, (_, lane, one) in enumerate(sorted(placed, key=lambda row: row[0]), start=1):
        span = one.span
        known = {
            "lane": lane.name,
            "role": lane.role,
            "text": one.text,
            "score": one.score,
            "first_frame": span.first_frame,
            "end_frame": span.end_frame,
            "start_pts": span.start_pts,
            "end_pts": span.end_pts,
        }
        payload = {key: value for key, value in known.items() if value is not None}
        # "-->" would end the cue.
        text = json.dumps(payload).replace(">", "\\u003e")
        yield span.first_frame, span.end_frame, f"lane {number}", text


def read_webvtt(path: Path, timeline: Timeline, times: FrameTimes) -> tuple[Lane, ...]:
    """Return the lanes of a file that `write_webvtt` wrote, or a lane of subtitles.

    Where the times of one of our cues were not changed its frames are as they were, else the
    nearest to its times.

    Raises:
        EditsError: The file cannot be read, is no WebVTT, or of another film.
    """
    text, encoding = read_text(path)
    if not text.lstrip("\ufeff").startswith("WEBVTT"):
        raise EditsError(f"{path} is no WebVTT file: it does not start with WEBVTT")
    film = _FILM.search(text)
    if film and film[1] != timeline.movie.id:
        raise EditsError(
            f"{path} was written for film {film[1]}, and this timeline is of {timeline.movie.id} "
            f"({timeline.movie.path}); without its line NOTE film it is read by its times alone"
        )
    clock, cues = clock_of(timeline, times), cues_of(path, text)
    payloads = [_payload(cue) for cue in cues]
    if any(payloads):
        return tuple(_lanes(path, clock, cues, payloads))
    name = "chapters" if all(re.match(r"chapter \d+$", cue.name) for cue in cues) else "subtitles"
    return (subtitle_lane(path, cues, clock, name=name, encoding=encoding),)


def _payload(cue: Cue) -> dict[str, Any] | None:
    if not cue.raw.startswith("{"):
        return None
    try:
        found = json.loads(cue.raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("lane"), str) else None


def _lanes(
    path: Path, clock: PlayerClock, cues: list[Cue], payloads: list[dict[str, Any] | None]
) -> Iterator[Lane]:
    lanes: dict[str, list[Interval]] = {}
    roles: dict[str, Any] = {}
    for cue, payload in zip(cues, payloads, strict=True):
        if payload is None:
            raise EditsError(
                f"{path}, cue at {cue.where}: {printable(cue.raw[:60])!r} is no JSON with a lane, "
                "as the other cues of the file are"
            )
        interval = _interval(path, clock, cue, payload)
        lanes.setdefault(payload["lane"], []).append(interval)
        roles[payload["lane"]] = payload.get("role")
    for name, intervals in lanes.items():
        yield Lane(name or "notes", role_of(roles[name]), path.name, tuple(intervals))


def _interval(path: Path, clock: PlayerClock, cue: Cue, payload: dict[str, Any]) -> Interval:
    text, score = payload.get("text", ""), payload.get("score")
    is_score = isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
    if not isinstance(text, str) or not (score is None or is_score):
        raise EditsError(
            f"{path}, cue at {cue.where}: a text is a string and a score a number from 0 to 1"
        )
    span = clock.times.span(*frames) if (frames := _frames(clock, cue, payload)) else None
    cue.require_within(path, clock)
    return Interval(
        span or clock.span(cue.start_ms, cue.end_ms), text, None if score is None else float(score)
    )


def _frames(clock: PlayerClock, cue: Cue, payload: dict[str, Any]) -> tuple[int, int] | None:
    """Return the frames that a payload names, if they are at the cue's times."""
    first, end = payload.get("first_frame"), payload.get("end_frame")
    if not (type(first) is type(end) is int and 0 <= first < end <= clock.times.num_frames):
        return None
    start_ms = clock.units_at(first)
    written = (start_ms, max(start_ms + 1, clock.units_at(end)))
    return (first, end) if written == (cue.start_ms, cue.end_ms) else None
