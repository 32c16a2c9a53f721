"""Reels decoded one after the other: one count of frames, one clock, each sound with its picture.

The film's clock is that of the first reel; each other reel starts where the one before it ended.
"""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import MediaError
from mastershot.core.movie import DamagedSpan, Movie, Reel
from mastershot.media.probe import FilmFile
from mastershot.media.reels.facts import named, require_same_rate
from mastershot.media.sound import SOUND_RATE_HZ, SoundPiece
from mastershot.media.video import Film, Frame

# What goes on after a reel's last picture, longer than a block of a codec, is worth a note.
_NOTED_SOUND_S = 0.5


@dataclass(frozen=True)
class _Read:
    """A reel that was read; times are in units of the film's time base unless they are its own.

    Attributes:
        movie: What the reel is as a film of its own.
        first_frame: Ordinal in the film of its first frame.
        start_pts: When it starts on the film's clock.
        end_pts: When it ends.
        last_pts: When its last frame is shown.
        damaged: What is missing of it, on its own clock.
        notes: How it was read.
        shifts_s: What to add to the times of its sound, see `Film.sound_shifts_s`.
    """

    movie: Movie
    first_frame: int
    start_pts: int
    end_pts: int
    last_pts: int
    damaged: tuple[DamagedSpan, ...]
    notes: tuple[str, ...]
    shifts_s: tuple[float, ...]


class JoinedFilm:
    """A film of several reels, decoded once from start to end; used as `Film` is.

    One reel is open at a time. Of a reel that was read nothing is kept but the times of its frames
    and what is missing of it.
    """

    def __init__(self, file: FilmFile, *, threads: int = 0) -> None:
        """Prepare to decode a file with `reels`; ``threads`` is that of `Film`."""
        self.file = file
        self._threads = threads
        self._start()

    def _start(self) -> None:
        self._read: list[_Read] = []
        self._pts = array("q")
        # Of each run of sound: its reel, its number in the reel, and when it ends there.
        self._recordings: list[tuple[int, int]] = []
        self._sound_ends_s: list[float] = []

    def frames(self, hear: Callable[[SoundPiece], None] | None = None) -> Iterator[Frame]:
        """Yield every frame of every reel; see `Film.frames`.

        Raises:
            MediaError: A reel cannot be decoded, changed meanwhile, or turns out to have another
                frame rate or to be turned on its side.
        """
        self._start()
        for number, reel in enumerate(self.file.reels):
            film = Film(reel, threads=self._threads)
            scale = self._scale(reel)
            first, own_start, start = len(self._pts), None, 0
            try:
                for frame in film.frames(self._hearing(number, hear)):
                    if own_start is None:
                        own_start = frame.pts
                        start = self._read[-1].end_pts if self._read else own_start * scale
                    pts = start + (frame.pts - own_start) * scale
                    self._pts.append(pts)
                    yield frame.moved(len(self._pts) - 1, pts)
            except MediaError as error:
                raise MediaError(f"reel {number + 1} of {len(self.file.reels)}: {error}") from error
            self._end(film, number, first, start)
        self.file.require_unchanged()

    @property
    def pts(self) -> IntArray:
        """Timestamp of every frame, and last the time at which the film ends, shape (T + 1,)."""
        return np.append(np.array(self._pts, dtype=np.int64), self._end_pts)

    @property
    def sound_shifts_s(self) -> tuple[float, ...]:
        """What to add to the times of the sound of each recording; see `SoundPiece`."""
        return tuple(
            self._offset_s(reel) + self._shift_s(reel, recording)
            for reel, recording in self._recordings
        ) or (0.0,)

    @property
    def sound_bounds_s(self) -> tuple[tuple[float, float], ...]:
        """From when to when each recording may be heard: while its reel is shown.

        What comes before the first reel or after the last one is heard, as in a film of one file.
        """
        base, last = self.file.time_base, len(self._read) - 1
        return tuple(
            (
                float(self._read[reel].start_pts * base) if reel else -math.inf,
                float(self._read[reel].end_pts * base) if reel < last else math.inf,
            )
            for reel, _ in self._recordings
        )

    @property
    def damaged(self) -> tuple[DamagedSpan, ...]:
        """The spans of which frames could not be decoded."""
        found = []
        for reel, read in zip(self.file.reels, self._read, strict=False):
            scale, own_start = self._scale(reel), read.movie.start_pts
            for span in read.damaged:
                start, end = (
                    read.start_pts + (pts - own_start) * scale
                    for pts in (span.start_pts, span.end_pts)
                )
                found.append(DamagedSpan(start, end, self.file.time_base, span.frames_missing))
        return tuple(found)

    def movie(self) -> Movie:
        """Return what the decoded film turned out to be; call it after `frames` has ended."""
        variable = any(read.movie.variable_frame_rate for read in self._read)
        variable = variable or not self._joins_are_even()
        return replace(
            self._read[0].movie,
            id=self.file.id,
            content_hash=self.file.content_hash,
            frame_rate=self._mean_rate() if variable else self._read[0].movie.frame_rate,
            time_base=self.file.time_base,
            start_pts=self._pts[0],
            end_pts=self._end_pts,
            num_frames=len(self._pts),
            has_audio=self.file.has_audio,
            variable_frame_rate=variable,
            copyright=self.file.copyright,
            reels=tuple(self._reels()),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a user should know about how the film was read; call it after `frames`."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        yield from self.file.notes
        for number, (file, read) in enumerate(zip(self.file.reels, self._read, strict=True)):
            name = named(number, file)
            if self.file.has_audio and not file.has_audio:
                yield f"{name} has no sound, the other reels have"
            for note in read.notes:
                yield f"{name}: {note}"
            late_s = self._sound_after_s(number)
            if late_s > _NOTED_SOUND_S and number + 1 < len(self._read):
                yield (
                    f"{name}: its sound goes on for {late_s:.1f} s after its last picture; that is "
                    "left out, since the next reel begins there"
                )

    def _hearing(
        self, reel: int, hear: Callable[[SoundPiece], None] | None
    ) -> Callable[[SoundPiece], None] | None:
        """Return the function that takes a reel's sound, numbered through as recordings."""
        if hear is None:
            return None

        def hear_piece(piece: SoundPiece) -> None:
            key = reel, piece.recording
            if not self._recordings or self._recordings[-1] != key:
                self._recordings.append(key)
                self._sound_ends_s.append(piece.start_s)
            self._sound_ends_s[-1] = piece.start_s + len(piece.samples) / SOUND_RATE_HZ
            hear(replace(piece, recording=len(self._recordings) - 1))

        return hear_piece

    def _end(self, film: Film, number: int, first_frame: int, start: int) -> None:
        """Keep what is known of a reel that was read to its end."""
        movie = film.movie()
        self._require_fitting(movie, number)
        own_pts = film.pts
        length = self._length(movie, int(own_pts[-2]), film.damaged, self.file.reels[number])
        self._read.append(
            _Read(
                movie=movie,
                first_frame=first_frame,
                start_pts=start,
                end_pts=start + length,
                last_pts=self._pts[-1],
                damaged=film.damaged,
                notes=film.notes(),
                shifts_s=film.sound_shifts_s,
            )
        )

    def _length(
        self, movie: Movie, last: int, damaged: Sequence[DamagedSpan], reel: FilmFile
    ) -> int:
        """Return how long a reel takes, in units of the film's time base.

        A gap at its end keeps its length, as one within does. A reel of a constant rate takes a
        whole number of frames, to which its container may round in either direction; where its last
        picture is held for another time, it is that.
        """
        scale, step = self._scale(reel), self._step(movie)
        end = max([movie.end_pts, *(span.end_pts for span in damaged)])
        stated = (end - movie.start_pts) * scale
        if movie.variable_frame_rate:
            return stated
        shown = round((round((last - movie.start_pts) * scale / step) + 1) * step)
        tolerance = min(Fraction(2 * scale), step / 3)
        if stated <= shown + tolerance:
            return shown
        even = round(round(stated / step) * step)
        return even if abs(even - stated) <= tolerance else stated

    def _require_fitting(self, movie: Movie, number: int) -> None:
        """Refuse a reel that only its frames show to be of another rate or size."""
        if not self._read:
            return
        files = self.file.reels
        first = self._read[0].movie
        if (movie.width_px, movie.height_px) != (first.width_px, first.height_px):
            raise MediaError(
                f"{named(number, files[number])} is shown with {movie.width_px}×{movie.height_px} "
                f"pixels, but {named(0, files[0])} with {first.width_px}×{first.height_px}: one of "
                "them is turned on its side; turn it, or analyse them without --as-one"
            )
        if not self._has_stated_rate(number, movie):
            return
        for before, read in enumerate(self._read):
            if self._has_stated_rate(before, read.movie):
                require_same_rate(number, movie.frame_rate, before, read.movie.frame_rate, files)

    def _has_stated_rate(self, number: int, movie: Movie) -> bool:
        """Return True for a reel of a constant rate that its container states; others are means."""
        rate = self.file.reels[number].nominal_rate
        return not movie.variable_frame_rate and movie.frame_rate == rate

    def _reels(self) -> Iterator[Reel]:
        ends = [read.first_frame for read in self._read[1:]] + [len(self._pts)]
        for read, end_frame in zip(self._read, ends, strict=True):
            own = read.movie
            yield Reel(
                path=own.path,
                content_hash=own.content_hash,
                first_frame=read.first_frame,
                end_frame=end_frame,
                start_pts=read.start_pts,
                end_pts=read.end_pts,
                file_start_pts=own.start_pts,
                file_time_base=own.time_base,
                timecode=own.timecode,
            )

    def _joins_are_even(self) -> bool:
        """Return True if the first frame of each reel comes a step after the last one before it."""
        for read, reel in zip(self._read[:-1], self.file.reels, strict=False):
            step = self._step(read.movie)
            is_gap = any(span.end_pts >= read.movie.end_pts for span in read.damaged)
            uneven = abs(read.end_pts - read.last_pts - step)
            tolerance = max(Fraction(2 * self._scale(reel)), step / 50)
            if uneven > tolerance and not is_gap:
                return False
        return True

    def _mean_rate(self) -> Fraction:
        missing = sum(
            span.end_pts - span.start_pts for span in self.damaged if span.end_pts <= self._end_pts
        )
        shown_s = (self._end_pts - self._pts[0] - missing) * self.file.time_base
        return (len(self._pts) / shown_s).limit_denominator(1001)

    def _step(self, movie: Movie) -> Fraction:
        """Return how long a frame of a reel is shown, in units of the film's time base."""
        rate = movie.frame_rate
        if self.file.nominal_rate and not movie.variable_frame_rate:
            rate = self.file.nominal_rate
        return 1 / (rate * self.file.time_base)

    def _scale(self, reel: FilmFile) -> int:
        """Return how many units of the film's time base one of a reel's is."""
        scale = reel.time_base / self.file.time_base
        assert scale.denominator == 1, (reel.time_base, self.file.time_base)
        return scale.numerator

    @property
    def _end_pts(self) -> int:
        return self._read[-1].end_pts

    def _offset_s(self, reel: int) -> float:
        read = self._read[reel]
        own_start = read.movie.start_pts * read.movie.time_base
        return float(read.start_pts * self.file.time_base - own_start)

    def _shift_s(self, reel: int, recording: int) -> float:
        shifts_s = self._read[reel].shifts_s
        return shifts_s[min(recording, len(shifts_s) - 1)]

    def _sound_after_s(self, reel: int) -> float:
        """Return for how long a reel's sound goes on after it has ended."""
        end_s = float(self._read[reel].end_pts * self.file.time_base)
        late_s = [
            sound_end_s + self._offset_s(reel) + self._shift_s(*key) - end_s
            for key, sound_end_s in zip(self._recordings, self._sound_ends_s, strict=True)
            if key[0] == reel
        ]
        return max(late_s, default=0.0)


AnyFilm: TypeAlias = Film | JoinedFilm


def film_of(file: FilmFile, *, threads: int = 0) -> AnyFilm:
    """Return the film of a file, or of the reels that were joined, ready to be decoded."""
    return JoinedFilm(file, threads=threads) if file.reels else Film(file, threads=threads)
