"""A file that holds several films, such as a recorded tape, divided where it is black for long.

The file is analysed as one; its timeline is then divided, so nothing is decoded or found anew. A
part's frames are counted from its own first frame; its timestamps stay those of the file.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from mastershot.core.errors import EditsError, SettingError, TimelineError
from mastershot.core.lanes import (
    Interval,
    Lane,
    Mark,
    ModerationInterval,
    ShotSound,
    SoundEvent,
)
from mastershot.core.movie import (
    DamagedSpan,
    Movie,
    Part,
    Scene,
    Shot,
    Transition,
    movie_id,
    scene_id,
    shot_id,
)
from mastershot.core.time import FrameTimes, Span, format_clock
from mastershot.core.timeline import Json, Timeline, span_of_shots
from mastershot.exports.formats.timecode import Counting, is_drop, standard_rate
from mastershot.labelling.moderation.intervals import interval_id

# A shot that black leaves less of than this, and less than it takes, belongs to its neighbour: the
# dark end of a fade, not a shot. It is the detector's own shortest shot.
_SHORTEST_SHOT_S = Fraction(6, 10)


@dataclass(frozen=True)
class SplitRule:
    """Where one film ends and the next begins.

    Attributes:
        min_black_s: Shortest black between two films, in seconds; where there is sound it must be
            silent for as long meanwhile. Fades and pauses within a film are shorter.
        min_film_s: What is shorter than this between two blacks is no film, but a disturbance.
    """

    min_black_s: float = 2.0
    min_film_s: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("black", self.min_black_s), ("film", self.min_film_s)):
            if not 0 < value < math.inf:
                raise SettingError(f"the shortest {name} is {value:g} s; it must be above 0")


@dataclass(frozen=True)
class FilmPart:
    """One film of a file.

    Attributes:
        timeline: Its timeline.
        first_frame: Ordinal of its first frame in the file.
        end_frame: Ordinal one past its last frame in the file.
        sources: For each of its shots, which shot of the file it is, or is cut from.
    """

    timeline: Timeline
    first_frame: int
    end_frame: int
    sources: tuple[int, ...]


def divide(
    timeline: Timeline, times: FrameTimes, rule: SplitRule | None = None
) -> tuple[FilmPart, ...]:
    """Return the films of a file, as its marks of black and of silence divide it.

    The black between belongs to none of them. Nothing is returned where there are not two films.

    Args:
        timeline: The file as one film.
        times: When each of its frames is shown.
        rule: What divides it; None takes the defaults.

    Raises:
        TimelineError: It was not looked at for black.
        SettingError: It lies in several reels, or is a part already.
    """
    if timeline.movie.reels or timeline.movie.part is not None:
        raise SettingError(
            f"{timeline.movie.path} is not one whole file; films are divided one file at a time"
        )
    runs = _films(timeline, times, rule or SplitRule())
    if len(runs) < 2:
        return ()
    return tuple(
        _Divider(timeline, times, first, end).part(number, len(runs))
        for number, (first, end) in enumerate(runs, start=1)
    )


def _films(timeline: Timeline, times: FrameTimes, rule: SplitRule) -> list[tuple[int, int]]:
    """Return the first frame of each film and the one past its last."""
    if timeline.marks is None:
        raise TimelineError(
            f"{timeline.movie.path} was not looked at for black, as where a list of shots is "
            "given; analyse it without --shots to divide it"
        )
    black = [(mark.span.first_frame, mark.span.end_frame) for mark in _kind(timeline, "black")]
    if any(shot.sound is not None for shot in timeline.shots):
        silence = [(one.span.first_frame, one.span.end_frame) for one in _kind(timeline, "silence")]
        black = [
            (max(a, c), min(b, d)) for a, b in black for c, d in silence if max(a, c) < min(b, d)
        ]
    gaps = [run for run in sorted(black) if _length_s(times, run) >= _exact(rule.min_black_s)]
    edges = [0, *(frame for gap in gaps for frame in gap), times.num_frames]
    between = zip(edges[::2], edges[1::2], strict=True)
    return [
        run
        for run in between
        if run[0] < run[1] and _length_s(times, run) >= _exact(rule.min_film_s)
    ]


def _kind(timeline: Timeline, kind: str) -> list[Mark]:
    return [mark for mark in timeline.marks or () if mark.kind == kind]


def _exact(seconds: float) -> Fraction:
    """Return the number that was written: 0.4 is a little more as a float."""
    return Fraction(seconds).limit_denominator(1_000_000)


def _length_s(times: FrameTimes, run: tuple[int, int]) -> Fraction:
    first, end = run
    return Fraction(int(times.pts[end]) - int(times.pts[first])) * times.time_base


class _Divider:
    """Cuts one part, a half-open run of frames, out of a timeline."""

    def __init__(self, timeline: Timeline, times: FrameTimes, first: int, end: int) -> None:
        self._whole, self._times = timeline, times
        self._first, self._end = first, end
        self._start_pts, self._end_pts = int(times.pts[first]), int(times.pts[end])

    def part(self, number: int, count: int) -> FilmPart:
        movie = self._movie(number, count)
        pieces = self._pieces()
        shots = tuple(self._shots(movie, pieces))
        sources = [source for source, _, _ in pieces]
        whole = self._whole
        timeline = Timeline(
            movie,
            # Genres are those of the whole file, not of this film.
            replace(whole.made_by, steps=_without(whole.made_by.steps, "genres")),
            shots,
            None if whole.scenes is None else tuple(self._scenes(movie, shots, sources)),
            tuple(filter(self._is_damage_here, whole.damaged)),
            (*whole.notes, self._note(movie)),
            None if whole.audio is None else tuple(self._sounds()),
            tuple(self._marks()),
            tuple(self._lanes()),
            None if whole.moderation is None else tuple(self._moderation(movie, shots)),
            whole.moderation_coverage,
        )
        return FilmPart(timeline, self._first, self._end, tuple(sources))

    def _movie(self, number: int, count: int) -> Movie:
        whole = self._whole.movie
        text = f"part\n{whole.content_hash}\n{self._first}-{self._end}"
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        num_frames = self._end - self._first
        rate = whole.frame_rate
        if whole.variable_frame_rate:
            length = (self._end_pts - self._start_pts) * whole.time_base
            rate = (num_frames / length).limit_denominator(1001)
        elapsed_s = (self._start_pts - whole.start_pts) * whole.time_base
        return replace(
            whole,
            id=movie_id(f"blake2b:{digest}"),
            content_hash=f"blake2b:{digest}",
            frame_rate=rate,
            start_pts=self._start_pts,
            end_pts=self._end_pts,
            num_frames=num_frames,
            timecode=timecode_after(whole, elapsed_s),
            part=Part(number, count, whole.id, whole.content_hash, self._first, whole.start_pts),
        )

    def _note(self, movie: Movie) -> str:
        assert movie.part is not None
        start_s, end_s = (float(pts * movie.time_base) for pts in (self._start_pts, self._end_pts))
        return (
            f"film {movie.part.number} of {movie.part.count} in this file, which is divided where "
            f"it is black for long: frames {self._first:,} to {self._end - 1:,}, "
            f"{format_clock(start_s)} to {format_clock(end_s)} on the file's clock"
        )

    def _pieces(self) -> list[tuple[int, int, int]]:
        """Return which shot each shot of the part is cut from, its first frame and its end."""
        pieces = [
            (index, max(span.first_frame, self._first), min(span.end_frame, self._end))
            for index, span in enumerate(shot.span for shot in self._whole.shots)
            if span.first_frame < self._end and span.end_frame > self._first
        ]
        if len(pieces) > 1 and self._is_remnant(*pieces[0]):
            index, _, end = pieces[1]
            pieces[:2] = [(index, self._first, end)]
        if len(pieces) > 1 and self._is_remnant(*pieces[-1]):
            index, first, _ = pieces[-2]
            pieces[-2:] = [(index, first, self._end)]
        return pieces

    def _is_remnant(self, index: int, first: int, end: int) -> bool:
        """Return True for the little that black leaves of a shot."""
        left_s, whole = _length_s(self._times, (first, end)), self._whole.shots[index].span
        return left_s < _SHORTEST_SHOT_S and 2 * left_s < whole.end - whole.start

    def _shots(self, movie: Movie, pieces: list[tuple[int, int, int]]) -> Iterator[Shot]:
        for number, (index, first, end) in enumerate(pieces):
            shot, span = self._whole.shots[index], self._span(first, end)
            sampled = (at for at in shot.sampled_frames if first <= at < end)
            yield replace(
                shot,
                id=shot_id(movie.id, number),
                span=span,
                transition_in=self._transition(shot.transition_in, is_start=not number),
                thumb=None if shot.thumb is None else f"thumbs/{number:05}.jpg",
                sampled_frames=tuple(at - self._first for at in sampled),
                sound=None if shot.sound is None else _sound_of(shot.sound, shot.span, span),
            )

    def _transition(self, found: Transition, *, is_start: bool) -> Transition:
        first, end = found.start_frame - self._first, found.end_frame - self._first
        if not is_start:
            return replace(found, start_frame=max(0, first), end_frame=min(end, self._num_frames))
        if found.kind in {"start", "cut"} or end <= 0:
            return Transition("start", 0, 0)
        return replace(found, start_frame=0, end_frame=min(end, self._num_frames))

    def _scenes(self, movie: Movie, shots: tuple[Shot, ...], sources: list[int]) -> Iterator[Scene]:
        number = 0
        for scene in self._whole.scenes or ():
            held = [
                place
                for place, source in enumerate(sources)
                if scene.first_shot <= source < scene.end_shot
            ]
            if held:
                first, end = held[0], held[-1] + 1
                yield replace(
                    scene,
                    id=scene_id(movie.id, number),
                    first_shot=first,
                    end_shot=end,
                    span=span_of_shots(shots, first, end),
                )
                number += 1

    def _is_damage_here(self, span: DamagedSpan) -> bool:
        is_last = self._end == self._times.num_frames
        return span.end_pts > self._start_pts and (span.start_pts < self._end_pts or is_last)

    def _sounds(self) -> Iterator[SoundEvent]:
        base = self._times.time_base
        start_s, end_s = float(self._start_pts * base), float(self._end_pts * base)
        last_s = math.inf if self._end == self._times.num_frames else end_s
        for event in self._whole.audio or ():
            if event.start_s < last_s and event.end_s > start_s:
                first_s, until_s = max(event.start_s, start_s), min(event.end_s, last_s)
                peak_s = min(max(event.peak_s, first_s), until_s)
                yield replace(event, start_s=first_s, end_s=until_s, peak_s=peak_s)

    def _moderation(self, movie: Movie, shots: tuple[Shot, ...]) -> Iterator[ModerationInterval]:
        """Yield the intervals that have evidence in the part, cut to it."""
        start_s, end_s = (
            float(pts * self._times.time_base) for pts in (self._start_pts, self._end_pts)
        )
        for one in self._whole.moderation or ():
            kept = tuple(
                replace(sample, frame=None if sample.frame is None else sample.frame - self._first)
                for sample in one.evidence
                if start_s <= sample.time_s < end_s
            )
            if kept:
                first_s, last_s = max(one.start_s, start_s), min(one.end_s, end_s)
                found_by = one.name, one.source, one.model
                yield replace(
                    one,
                    id=interval_id(movie.id, *found_by, first_s, last_s),
                    score=max(sample.score for sample in kept),
                    start_s=first_s,
                    end_s=last_s,
                    shots=tuple(
                        shot.id
                        for shot in shots
                        if shot.span.start_s < last_s and shot.span.end_s > first_s
                    ),
                    evidence=kept,
                    num_evidence=one.num_evidence if len(kept) == len(one.evidence) else len(kept),
                )

    def _marks(self) -> Iterator[Mark]:
        for mark in self._whole.marks or ():
            if (span := self._within(mark.span)) is not None:
                yield Mark(mark.kind, span)

    def _lanes(self) -> Iterator[Lane]:
        for lane in self._whole.lanes:
            inside = [(one, self._within(one.span)) for one in lane.intervals]
            kept: list[Interval] = [
                replace(one, span=span) for one, span in inside if span is not None
            ]
            if kept:
                yield replace(lane, intervals=tuple(kept))

    def _within(self, span: Span) -> Span | None:
        """Return what of a span lies in the part, None where nothing does."""
        first, end = max(span.first_frame, self._first), min(span.end_frame, self._end)
        return self._span(first, end) if first < end else None

    def _span(self, first: int, end: int) -> Span:
        span = self._times.span(first, end)
        return replace(span, first_frame=first - self._first, end_frame=end - self._first)

    @property
    def _num_frames(self) -> int:
        return self._end - self._first


def _without(steps: dict[str, Json], name: str) -> dict[str, Json]:
    return {step: settings for step, settings in steps.items() if step != name}


def _sound_of(sound: ShotSound, whole: Span, kept: Span) -> ShotSound:
    """Return what is heard in what is kept of a shot; what was cut off it is silent."""
    share = kept.duration_s / whole.duration_s
    if not 0 < share < 1:
        return sound
    inside = sound.peak_s is not None and kept.start_s <= sound.peak_s <= kept.end_s
    is_silent = sound.peak_s is None
    return ShotSound(
        speech=_rounded(sound.speech / share),
        music=_rounded(sound.music / share),
        silence=_rounded((sound.silence - 1 + share) / share),
        loudness_db=sound.loudness_db if is_silent else _louder(sound.loudness_db, 1 / share),
        peak_s=sound.peak_s if inside else None,
    )


def _rounded(share: float) -> float:
    return round(min(max(share, 0.0), 1.0), 4)


def _louder(level_db: float, times: float) -> float:
    return round(min(level_db + 10 * math.log10(times), 0.0), 1)


def timecode_after(movie: Movie, elapsed_s: Fraction) -> str:
    """Return the SMPTE time code of a file's frame so long after its first one.

    A file without a time code counts from zero, as editors count it. Empty under a variable frame
    rate, where editors count at a rate of their own choice, and where the code is none.
    """
    code = movie.timecode or "00:00:00:00"
    if movie.variable_frame_rate:
        return ""
    try:
        counting = Counting(standard_rate(float(movie.frame_rate)), drop=is_drop(code))
        return counting.code(counting.number(code) + round(elapsed_s * movie.frame_rate))
    except EditsError:
        return ""
