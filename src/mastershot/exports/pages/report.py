"""A timeline as one HTML page that needs nothing else: no network, no other file.

Pictures are inlined and nearly all of its size: 2,000 shots with labels and pictures of 10 KB make
29 MB, of which 0.85 KB a shot is not picture. A browser decodes only the cards in view.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from mastershot.core.lanes import Interval, Lane, Mark, MarkKind, ShotSound
from mastershot.core.movie import SCALE_NAMES, Movie, Shot
from mastershot.core.time import format_clock
from mastershot.core.timeline import Timeline
from mastershot.evaluation.cutting import CuttingStatistics, cutting_statistics
from mastershot.exports.drawings import draw_film
from mastershot.exports.pages.moderation import moderation_part
from mastershot.exports.pages.templates import count_text, duration_text, file_name, write_page
from mastershot.labelling.moderation.intervals import EVIDENCE_FOLDER

_SETTING_NAMES = {
    "INT": "indoors",
    "EXT": "outdoors",
    "INT/EXT": "indoors and outdoors",
    "DAY": "day",
    "NIGHT": "night",
}
_MARK_NAMES: Mapping[str, str] = {
    "black": "black",
    "bars": "colour bars",
    "slate": "a slate",
    "credits": "credits",
    "static": "a static picture",
}


def write_report(
    timeline: Timeline,
    path: Path,
    *,
    thumbs: Path,
    notes: tuple[str, ...] = (),
    lanes: tuple[Lane, ...] | None = None,
    evidence: Path | None = None,
) -> None:
    """Write the timeline as one HTML page.

    Args:
        timeline: What to show.
        path: The page.
        thumbs: Folder of the shots' JPEG pictures. Only the file name of `Shot.thumb` is used,
            so that a timeline from elsewhere cannot pull other files into the page.
        notes: Sentences for the reader, such as why there are no labels; where none is given,
            the page itself says that there are no labels.
        lanes: What to show beside the film and in tables, each interval with the shot it starts in;
            None takes the timeline's own, such as a script that was aligned.
        evidence: Folder of the pictures of evidence of moderation; None takes the one beside
            ``thumbs``.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    movie, statistics = timeline.movie, cutting_statistics(timeline)
    shown_aspect = float(movie.width_px * movie.sample_aspect_ratio / movie.height_px)

    def picture(shot: Shot) -> bytes | None:
        with suppress(OSError, ValueError):  # A name with a zero byte is a ValueError.
            return (thumbs / Path(shot.thumb).name).read_bytes() if shot.thumb else None
        return None

    shown = timeline.lanes if lanes is None else lanes
    write_page(
        "report.html",
        path,
        script="report.js",
        title=file_name(movie.path),
        facts=_facts(timeline),
        notes=_notes(timeline, thumbs, notes),
        timeline=timeline,
        movie=movie,
        statistics=statistics,
        film=draw_film(timeline, median_s=statistics.median_shot_s),
        has_pictures=any(shot.thumb for shot in timeline.shots),
        picture=picture,
        # Of a card's picture; upright films are kept from towering.
        aspect=round(min(max(shown_aspect, 0.8), 2.4), 4),
        scale_names=SCALE_NAMES,
        scale_shares=_scale_shares(timeline),
        setting_names=_SETTING_NAMES,
        setting=_setting_text,
        heard=heard_text,
        lanes=[(lane, _placed(lane.intervals, timeline)) for lane in shown],
        marks=_mark_rows(timeline) if lanes is None else [],
        mark_kinds=get_args(MarkKind),
        left_out=_left_out(statistics),
        moderation=moderation_part(timeline, evidence or thumbs.parent / EVIDENCE_FOLDER, picture),
    )


@dataclass(frozen=True)
class _Placed:
    """An interval with the shot it starts in, and its place over the film in percent."""

    interval: Interval
    shot: int
    left: float
    width: float


def _mark_rows(timeline: Timeline) -> list[tuple[str, list[_Placed]]]:
    """Return the marks in two rows, of the picture and of silence, which may lie over it."""
    rows: dict[str, list[Mark]] = {"Marks": [], "Silence": []}
    for mark in timeline.marks or ():
        rows["Silence" if mark.kind == "silence" else "Marks"].append(mark)
    return [
        (name, _placed([Interval(mark.span, mark.kind) for mark in marks], timeline))
        for name, marks in rows.items()
        if marks
    ]


def _left_out(statistics: CuttingStatistics) -> str:
    """Return a sentence on the shots that do not count because of marks; empty if all do."""
    counts = statistics.marked_left_out
    if not counts:
        return ""
    kinds = ", ".join(f"{count:,} in {_MARK_NAMES[kind]}" for kind, count in counts.items())
    total = sum(counts.values())
    return (
        f"{count_text(total, 'shot')} {'does' if total == 1 else 'do'} not count in lengths and "
        f"cuts a minute: {kinds}."
    )


def _placed(intervals: Sequence[Interval], timeline: Timeline) -> list[_Placed]:
    starts = [shot.span.first_frame for shot in timeline.shots]
    first, duration_s = timeline.shots[0].span.start_s, max(timeline.movie.duration_s, 1e-9)
    return [
        _Placed(
            one,
            bisect_right(starts, one.span.first_frame) - 1,
            100 * (one.span.start_s - first) / duration_s,
            100 * one.span.duration_s / duration_s,
        )
        for one in intervals
    ]


def _notes(timeline: Timeline, thumbs: Path, given: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{note[0].upper()}{note[1:]}." for note in timeline.notes)
    yield from given
    if not given and all(shot.labels is None for shot in timeline.shots):
        yield "The shots have no labels: the step that finds them did not run."
    names = [Path(shot.thumb).name for shot in timeline.shots if shot.thumb is not None]
    if missing := sum(not (thumbs / name).is_file() for name in names):
        yield f"{missing:,} of {len(names):,} pictures are not in their folder."


def _scale_shares(timeline: Timeline) -> tuple[tuple[str, int], ...]:
    """Return how many shots there are of each scale, then of none; nothing where none is known."""
    counts = Counter(shot.likeliest_scale for shot in timeline.shots)
    if counts[None] == len(timeline.shots):
        return ()
    known = tuple((name, counts[scale]) for scale, name in SCALE_NAMES.items())
    return (*known, ("unknown", counts[None]))


def _facts(timeline: Timeline) -> tuple[str, ...]:
    movie = timeline.movie
    facts = [duration_text(movie.duration_s), count_text(len(timeline.shots), "shot")]
    if timeline.scenes is not None:
        facts.append(count_text(len(timeline.scenes), "scene"))
    size = f"{movie.width_px} \u00d7 {movie.height_px}"
    if movie.sample_aspect_ratio != 1:
        size += f", shown {round(movie.width_px * movie.sample_aspect_ratio)} px wide"
    facts += [size, _rate_text(movie), "sound" if movie.has_audio else "no sound"]
    if movie.start_pts:
        start_s = float(movie.start_pts * movie.time_base)
        facts.append(f"starts at {format_clock(start_s)} on the file\u2019s clock")
    return tuple(facts)


def _rate_text(movie: Movie) -> str:
    rate = movie.frame_rate
    number = f"{float(rate):.3f}".rstrip("0").rstrip(".")
    if movie.variable_frame_rate:
        return f"variable frame rate, {number} fps on average"
    exact = "" if rate.denominator == 1 else f" ({rate.numerator}/{rate.denominator})"
    return f"{number} fps{exact}"


def heard_text(sound: ShotSound) -> str:
    """Return what is heard in a shot in some words, such as *speech 45 %, −21.7 dB*."""
    shares = (("speech", sound.speech), ("music", sound.music), ("silence", sound.silence))
    parts = [f"{name} {100 * share:.0f} %" for name, share in shares if share >= 0.005]
    if sound.peak_s is not None:
        parts.append(f"{sound.loudness_db:.1f} dB".replace("-", "\N{MINUS SIGN}"))
    return ", ".join(parts)


def _setting_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
