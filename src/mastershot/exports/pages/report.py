"""A timeline as one HTML page that needs nothing else: no network, no other file.

Pictures are inlined and are nearly all of its size: measured, 132 shots with labels and pictures
of 10 KB make 2.2 MB, 2,000 make 29 MB, of which 0.85 KB a shot is not picture. The page is written
as it is rendered, one picture in memory at a time; a browser lays out and decodes only the cards
in view.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from mastershot.core.movie import SCALE_NAMES, Movie, Shot
from mastershot.core.time import format_clock
from mastershot.core.timeline import Timeline
from mastershot.evaluation.cutting import cutting_statistics
from mastershot.exports.drawing import draw_film
from mastershot.exports.pages.templates import file_name, jpeg_source, page_template, template_text
from mastershot.exports.tables import open_whole


def write_report(
    timeline: Timeline, path: Path, *, thumbs: Path, notes: tuple[str, ...] = ()
) -> None:
    """Write the timeline as one HTML file that makes no request at all.

    Args:
        timeline: What to show.
        path: The page.
        thumbs: Folder of the shots' JPEG pictures. Only the file name of `Shot.thumb` is used,
            so that a timeline from elsewhere cannot pull other files into the page.
        notes: Sentences the reader should know, such as why there are no labels. Given none,
            the page itself says when there are no labels.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    template = page_template("report.html", _FILTERS)
    page = template.stream(_content(timeline, thumbs, notes))
    with open_whole(path, newline="\n") as file:
        for piece in page:
            file.write(piece)


def _content(timeline: Timeline, thumbs: Path, notes: tuple[str, ...]) -> dict[str, object]:
    statistics = cutting_statistics(timeline)
    script = template_text("report.js")
    return {
        "timeline": timeline,
        "movie": timeline.movie,
        "name": file_name(timeline.movie.path),
        "facts": _facts(timeline),
        "notes": (
            *(f"{note[0].upper()}{note[1:]}." for note in timeline.notes),
            *(notes or _labels_note(timeline)),
            *_pictures_note(timeline, thumbs),
        ),
        "statistics": statistics,
        "film": draw_film(timeline, median_s=statistics.median_shot_s),
        "has_pictures": any(shot.thumb for shot in timeline.shots),
        "picture": _picture_reader(thumbs),
        "aspect": _card_aspect(timeline.movie),
        "script": script,
        # The browser runs this script and no other, whatever a label or a file name says.
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }


def _picture_reader(thumbs: Path) -> Callable[[Shot], str | None]:
    """Return what gives a shot's picture as a data URI, or None where there is no JPEG."""

    def picture(shot: Shot) -> str | None:
        if shot.thumb is None:
            return None
        try:
            data = (thumbs / Path(shot.thumb).name).read_bytes()
        except (OSError, ValueError):  # A name with a zero byte is a ValueError.
            return None
        return jpeg_source(data)

    return picture


def _labels_note(timeline: Timeline) -> tuple[str, ...]:
    if any(shot.labels is not None for shot in timeline.shots):
        return ()
    return ("The shots have no labels: the step that finds them did not run.",)


def _pictures_note(timeline: Timeline, thumbs: Path) -> tuple[str, ...]:
    names = [Path(shot.thumb).name for shot in timeline.shots if shot.thumb is not None]
    missing = sum(not (thumbs / name).is_file() for name in names)
    if not missing:
        return ()
    return (f"{missing:,} of {len(names):,} pictures are not in their folder.",)


def _facts(timeline: Timeline) -> tuple[str, ...]:
    movie = timeline.movie
    facts = [_duration_text(movie.duration_s), _count(len(timeline.shots), "shot")]
    if timeline.scenes is not None:
        facts.append(_count(len(timeline.scenes), "scene"))
    facts += [_size_text(movie), _rate_text(movie), "sound" if movie.has_audio else "no sound"]
    if movie.start_pts:
        start_s = float(movie.start_pts * movie.time_base)
        facts.append(f"starts at {format_clock(start_s)} on the file\u2019s clock")
    return tuple(facts)


def _size_text(movie: Movie) -> str:
    size = f"{movie.width_px} \u00d7 {movie.height_px}"
    if movie.sample_aspect_ratio == 1:
        return size
    return f"{size}, shown {round(movie.width_px * movie.sample_aspect_ratio)} px wide"


def _rate_text(movie: Movie) -> str:
    rate = movie.frame_rate
    number = f"{float(rate):.3f}".rstrip("0").rstrip(".")
    if movie.variable_frame_rate:
        return f"variable frame rate, {number} fps on average"
    exact = "" if rate.denominator == 1 else f" ({rate.numerator}/{rate.denominator})"
    return f"{number} fps{exact}"


def _duration_text(duration_s: float) -> str:
    if duration_s < 60:
        return f"{duration_s:.2f}".rstrip("0").rstrip(".") + " s"
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _seconds_text(duration_s: float) -> str:
    return f"{duration_s:.2f} s" if duration_s < 60 else _duration_text(duration_s)


def _scale_text(shot: Shot) -> str:
    """Return the likeliest scale and how likely it is."""
    scale = shot.likeliest_scale
    assert scale is not None
    assert shot.scale is not None
    return f"{SCALE_NAMES[scale]} {shot.scale[scale]:.2f}"


def _setting_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _card_aspect(movie: Movie) -> float:
    """Return width over height of a card's picture; upright films are kept from towering."""
    shown = movie.width_px * movie.sample_aspect_ratio / movie.height_px
    return round(min(max(float(shown), 0.8), 2.4), 4)


_FILTERS: Mapping[str, Callable[..., str]] = {
    "clock": format_clock,
    "seconds": _seconds_text,
    "duration": _duration_text,
    "count": _count,
    "setting": _setting_text,
    "scale": _scale_text,
}
