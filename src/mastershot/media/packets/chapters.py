"""A copy of a film as Matroska, with chapters; nothing is compressed anew."""

import os
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.stream import Stream

from mastershot.core.errors import OutputError
from mastershot.media.opening import (
    is_flush,
    open_container,
    read_packets,
    require_file,
    start_of_file_s,
)
from mastershot.media.streams import choose_stream

_TICKS_PER_S = 1000


@dataclass(frozen=True)
class FilmChapter:
    """A chapter, in units of the film's time base, on its own clock."""

    start_pts: int
    end_pts: int
    title: str


def copy_with_chapters(
    film: Path, path: Path, chapters: Sequence[FilmChapter], *, time_base: Fraction
) -> tuple[str, ...]:
    """Copy a film's streams into a Matroska file with chapters; return what was left out.

    The copy's clock starts at 0. A chapter starts just when its first frame is shown in the copy,
    whose times are read back from it: Matroska rounds them, usually to milliseconds.

    Raises:
        MediaError: The film cannot be read.
        OutputError: The copy cannot be written, is the film itself, or Matroska cannot hold it.
    """
    require_file(film)
    if path.exists() and path.samefile(film):
        raise OutputError(f"{path} is the film itself; name another file for the copy")
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    origin = start_of_file_s(film)
    guess = [
        (_ticks(one.start_pts * time_base - origin), _ticks(one.end_pts * time_base - origin))
        for one in chapters
    ]
    titles = [one.title for one in chapters]
    try:
        shown, notes = _copy(film, partial, origin, titles, guess)
        copied = _times_in(partial)
        exact = [
            (
                _moved(one.start_pts * time_base, shown, copied, before[0]),
                _moved(one.end_pts * time_base, shown, copied, before[1]),
            )
            for one, before in zip(chapters, guess, strict=True)
        ]
        if exact != guess:
            _copy(film, partial, origin, titles, exact)
        partial.replace(path)
    except (OSError, av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{path} cannot be written: {reason}") from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return notes


def _ticks(seconds: Fraction) -> int:
    """Return a time in Matroska's usual ticks, rounded as its writer does: halves up."""
    return max(0, int(seconds * _TICKS_PER_S + Fraction(1, 2)))


def _copy(
    film: Path,
    path: Path,
    origin: Fraction,
    titles: Sequence[str],
    times: Sequence[tuple[int, int]],
) -> tuple[list[Fraction], tuple[str, ...]]:
    """Copy the film; return when its pictures are shown on its own clock, and notes."""
    shown: list[Fraction] = []
    left_out = []
    with open_container(film) as source, av.open(str(path), "w", format="matroska") as copy:
        video, _ = choose_stream(film, source)
        streams = {}
        for stream in source.streams:
            if _is_held(stream):
                streams[stream.index] = copy.add_stream_from_template(stream)
            else:
                left_out.append(f"{stream.index} ({stream.type})")
        _set_chapters(copy, titles, times)
        copy.metadata.update(source.metadata)
        for packet in read_packets(source, *streams):
            if is_flush(packet) or packet.time_base is None or not packet.size:
                continue
            if packet.stream_index == video.index and packet.pts is not None:
                shown.append(packet.pts * packet.time_base)
            shift = round(origin / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = streams[packet.stream_index]
            copy.mux(packet)
    notes = f"Matroska cannot hold these streams of {film}: {', '.join(left_out)}"
    return sorted(shown), (notes,) if left_out else ()


def _is_held(stream: Stream) -> bool:
    """Return True if Matroska can hold a stream; QuickTime's text and time codes it cannot."""
    context = getattr(stream, "codec_context", None)
    if stream.type not in {"video", "audio", "subtitle"} or context is None:
        return False
    return bool(context.name != "mov_text")


def _set_chapters(
    copy: OutputContainer, titles: Sequence[str], times: Sequence[tuple[int, int]]
) -> None:
    copy.set_chapters(
        [
            {
                "id": number,
                "start": start,
                "end": end,
                "time_base": Fraction(1, _TICKS_PER_S),
                "metadata": {"title": title},
            }
            for number, (title, (start, end)) in enumerate(zip(titles, times, strict=True), 1)
        ]
    )


def _times_in(path: Path) -> list[Fraction]:
    """Return when the pictures of a copy are shown, in order."""
    with open_container(path) as container:
        video, _ = choose_stream(path, container)
        packets = read_packets(container, video.index)
        return sorted(
            packet.pts * packet.time_base
            for packet in packets
            if packet.pts is not None and packet.time_base is not None
        )


def _moved(
    time: Fraction, shown: Sequence[Fraction], copied: Sequence[Fraction], otherwise: int
) -> int:
    """Return when the picture of a time is shown in the copy, in ticks."""
    place = bisect_left(shown, time)
    if len(shown) != len(copied) or place == len(shown) or shown[place] != time:
        return otherwise
    return _ticks(copied[place])
