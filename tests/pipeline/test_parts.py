"""A timeline divided at long black: what each film holds, exact in frames, times and codes."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.timelines import make_movie

from mastershot.core.errors import SettingError, TimelineError
from mastershot.core.labels import LabelScore
from mastershot.core.lanes import Interval, Lane, Mark, MarkKind, ShotSound, SoundEvent
from mastershot.core.movie import (
    DamagedSpan,
    Movie,
    Reel,
    Scene,
    Shot,
    Transition,
    movie_id,
    scene_id,
    shot_id,
)
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots, timeline_schema
from mastershot.pipeline.parts import FilmPart, SplitRule, divide, timecode_after

NTSC = Fraction(30_000, 1001)
# Of the tape: black, a film of two shots, black, a film of three, black, a film of one.
STARTS = (0, 100, 400, 700, 900, 1000, 1200, 1300, 1400)
NUM_FRAMES = 1500
BLACK = ((0, 100), (700, 900), (1300, 1400))
FILMS = ((100, 700), (900, 1300), (1400, 1500))


def tape(
    *,
    starts: tuple[int, ...] = STARTS,
    black: tuple[tuple[int, int], ...] = BLACK,
    silence: tuple[tuple[int, int], ...] | None = None,
    num_frames: int = NUM_FRAMES,
    **movie: Any,
) -> tuple[Timeline, FrameTimes]:
    """Return the timeline of a tape at 25 frames a second whose clock starts at 10 s."""
    facts = {"frame_rate": Fraction(25), "time_base": Fraction(1, 1000), "start_pts": 10_000,
             "end_pts": 10_000 + 40 * num_frames, "num_frames": num_frames}  # fmt: skip
    film = make_movie("tapes/tape.mp4", **(facts | movie))
    step = (film.end_pts - film.start_pts) // num_frames
    times = FrameTimes(film.start_pts + step * np.arange(num_frames + 1), film.time_base)
    sound = None if silence is None else ShotSound(0.5, 0.25, 0.5, -20.0, None)
    shots = tuple(
        Shot(
            shot_id(film.id, index), times.span(first, end),
            Transition("cut" if index else "start", first, first),
            thumb=f"thumbs/{index:05}.jpg", sampled_frames=(first, (first + end) // 2),
            labels=(LabelScore(f"place {index}", 0.5, unsure=False),), sound=sound,
        )
        for index, (first, end) in enumerate(pairwise([*starts, num_frames]))
    )  # fmt: skip
    marks = [("black", run) for run in black] + [("silence", run) for run in silence or ()]
    return Timeline(
        film, MadeBy("1", "2026-01-01T00:00:00+00:00", {}), shots, marks=marks_of(times, *marks)
    ), times


def marks_of(times: FrameTimes, *runs: tuple[MarkKind, tuple[int, int]]) -> tuple[Mark, ...]:
    return tuple(Mark(kind, times.span(*run)) for kind, run in sorted(runs, key=lambda one: one[1]))


def runs(parts: tuple[FilmPart, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((part.first_frame, part.end_frame) for part in parts)


def check(part: FilmPart, whole: Timeline) -> None:
    """Check what is true of every part: it is whole, and each frame is where it was in the file."""
    timeline, movie = part.timeline, part.timeline.movie
    assert Timeline.from_json(timeline.to_json()) == timeline
    assert movie.id == movie_id(movie.content_hash)
    assert movie.num_frames == part.end_frame - part.first_frame
    assert [shot.id for shot in timeline.shots] == [
        shot_id(movie.id, index) for index in range(len(timeline.shots))
    ]
    assert movie.part is not None
    assert (movie.part.movie_id, movie.part.content_hash) == (
        whole.movie.id, whole.movie.content_hash,
    )  # fmt: skip
    step = (whole.movie.end_pts - whole.movie.start_pts) // whole.movie.num_frames
    for one in (*timeline.shots, *(timeline.marks or ()), *timeline.lanes):
        for span in [i.span for i in one.intervals] if isinstance(one, Lane) else [one.span]:
            in_file = movie.part.first_frame + span.first_frame
            assert span.start_pts == whole.movie.start_pts + step * in_file
            assert 0 <= span.first_frame < span.end_frame <= movie.num_frames


def test_black_of_two_seconds_divides_a_tape_and_belongs_to_no_film() -> None:
    timeline, times = tape()
    parts = divide(timeline, times)
    assert runs(parts) == FILMS
    for part in parts:
        check(part, timeline)
        jsonschema.validate(json.loads(part.timeline.to_json()), timeline_schema())
    first, second, third = (part.timeline for part in parts)
    assert [shot.span.first_frame for shot in first.shots] == [0, 300]
    assert [shot.span.first_frame for shot in second.shots] == [0, 100, 300]
    assert [part.sources for part in parts] == [(1, 2), (4, 5, 6), (8,)]
    assert second.shots[0].span.start_s == 10 + 900 / 25
    assert [shot.transition_in.kind for shot in second.shots] == ["start", "cut", "cut"]
    assert second.shots[1].transition_in.start_frame == 100
    assert second.shots[1].sampled_frames == (100, 200)
    assert second.shots[1].thumb == "thumbs/00001.jpg"
    assert second.shots[1].labels == timeline.shots[5].labels
    assert third.notes == (
        "film 3 of 3 in this file, which is divided where it is black for long: "
        "frames 1,400 to 1,499, 0:01:06.000 to 0:01:10.000 on the file's clock",
    )
    assert (third.movie.part.number, third.movie.part.count) == (3, 3)  # type: ignore[union-attr]


def test_ids_follow_from_the_file_and_the_frames() -> None:
    timeline, times = tape()
    parts = divide(timeline, times)
    assert len({part.timeline.movie.id for part in parts} | {timeline.movie.id}) == 4
    assert divide(timeline, times) == parts
    # The third film is the same where the first two are not told apart.
    fewer = divide(timeline, times, SplitRule(min_black_s=3.9))
    assert runs(fewer) == ((100, 700), (900, 1300), (1400, 1500))
    longest = divide(timeline, times, SplitRule(min_black_s=5))
    assert runs(longest) == ((0, 700), (900, 1500))
    assert longest[0].timeline.movie.id not in {part.timeline.movie.id for part in parts}
    assert {part.timeline.movie.id for part in fewer} == {part.timeline.movie.id for part in parts}


def test_a_file_without_long_black_is_one_film() -> None:
    timeline, times = tape(black=((0, 100), (700, 749)))
    assert divide(timeline, times) == ()
    timeline, times = tape(black=())
    assert divide(timeline, times) == ()
    timeline, times = tape(black=((0, NUM_FRAMES),))
    assert divide(timeline, times) == ()
    timeline, times = tape(black=((700, 750),))
    assert runs(divide(timeline, times)) == ((0, 700), (750, NUM_FRAMES))


def test_black_that_is_not_silent_is_part_of_a_film() -> None:
    timeline, times = tape(silence=((0, 1500),))
    assert runs(divide(timeline, times)) == FILMS
    # Music over the first black between two films, and into the second.
    timeline, times = tape(silence=((0, 100), (700, 740), (1340, 1400)))
    assert runs(divide(timeline, times)) == ((100, 1340), (1400, 1500))
    timeline, times = tape(silence=())
    assert divide(timeline, times) == ()


def test_a_disturbance_between_two_blacks_is_no_film() -> None:
    timeline, times = tape(black=((700, 800), (810, 900)))
    assert runs(divide(timeline, times)) == ((0, 700), (900, 1500))
    short = divide(timeline, times, SplitRule(min_film_s=0.4))
    assert runs(short) == ((0, 700), (800, 810), (900, 1500))


def test_what_black_leaves_of_a_shot_at_an_edge_belongs_to_its_neighbour() -> None:
    """A fade out and a fade in: the detector cuts within the fades, a few frames off the black."""
    starts = (0, 693, 907, 1200)
    timeline, times = tape(starts=starts, black=((700, 900),))
    first, second = divide(timeline, times)
    for part in (first, second):
        check(part, timeline)
    assert [shot.span.first_frame for shot in first.timeline.shots] == [0]
    assert first.timeline.shots[0].span.end_frame == 700
    assert [shot.span.first_frame for shot in second.timeline.shots] == [0, 300]
    assert (first.sources, second.sources) == ((0,), (2, 3))
    # A fade that was found goes on at the part's start.
    fade = Transition("fade", 900, 914, through="black")
    shots = [replace(s, transition_in=fade) if s.span.first_frame == 907 else s
             for s in timeline.shots]  # fmt: skip
    _, second = divide(replace(timeline, shots=tuple(shots)), times)
    assert second.timeline.shots[0].transition_in == Transition("fade", 0, 14, through="black")


def test_a_shot_that_is_mostly_seen_stays_a_shot() -> None:
    timeline, times = tape(starts=(0, 650, 720), black=((700, 900),))
    first, second = divide(timeline, times)
    assert [shot.span.first_frame for shot in first.timeline.shots] == [0, 650]
    assert [shot.span.first_frame for shot in second.timeline.shots] == [0]
    assert second.sources == (2,)
    assert second.timeline.shots[0].sampled_frames == ((720 + 1500) // 2 - 900,)


def test_scenes_are_divided_with_their_shots() -> None:
    timeline, times = tape()
    bounds = ((0, 2), (2, 5), (5, 6), (6, 9))
    scenes = tuple(
        Scene(scene_id(timeline.movie.id, index), *run, span_of_shots(timeline.shots, *run),
              heading=f"INT. ROOM {index}")
        for index, run in enumerate(bounds)
    )  # fmt: skip
    timeline = replace(timeline, scenes=scenes)
    parts = divide(timeline, times)
    found = [
        [(s.id, s.first_shot, s.end_shot, s.heading) for s in part.timeline.scenes or ()]
        for part in parts
    ]
    ids = [part.timeline.movie.id for part in parts]
    assert found == [
        [(f"{ids[0]}/s0000", 0, 1, "INT. ROOM 0"), (f"{ids[0]}/s0001", 1, 2, "INT. ROOM 1")],
        [
            (f"{ids[1]}/s0000", 0, 1, "INT. ROOM 1"), (f"{ids[1]}/s0001", 1, 2, "INT. ROOM 2"),
            (f"{ids[1]}/s0002", 2, 3, "INT. ROOM 3"),
        ],
        [(f"{ids[2]}/s0000", 0, 1, "INT. ROOM 3")],
    ]  # fmt: skip
    for part in parts:
        check(part, timeline)


def test_sounds_marks_lanes_and_damage_go_where_they_lie() -> None:
    timeline, times = tape()
    base = times.time_base
    notes = Lane("notes", "notes", "mine.eaf", (
        Interval(times.span(650, 950), "over the black"), Interval(times.span(720, 730), "in it"),
        Interval(times.span(1000, 1001), "a frame", 0.5),
    ))  # fmt: skip
    timeline = replace(
        timeline,
        audio=(SoundEvent("Music", 0.9, 30.0, 60.0, 37.0),),
        marks=(*(timeline.marks or ()), *marks_of(times, ("static", (1210, 1290)))),
        lanes=(notes,),
        damaged=(
            DamagedSpan(10_000 + 40 * 120, 10_000 + 40 * 130, base, 9),
            DamagedSpan(timeline.movie.end_pts, timeline.movie.end_pts + 400, base, 10),
        ),
    )
    first, second, third = divide(timeline, times)
    for part in (first, second, third):
        check(part, timeline)
    assert [(e.start_s, e.end_s, e.peak_s) for e in first.timeline.audio or ()] == [(30, 38, 37)]
    assert [(e.start_s, e.end_s, e.peak_s) for e in second.timeline.audio or ()] == [(46, 60, 46)]
    assert third.timeline.audio == ()
    assert [m.kind for m in second.timeline.marks or ()] == ["static"]
    assert (second.timeline.marks or ())[0].span.first_frame == 310
    assert first.timeline.marks == ()
    (lane,) = second.timeline.lanes
    assert [(i.text, i.span.first_frame, i.span.end_frame) for i in lane.intervals] == [
        ("over the black", 0, 50), ("a frame", 100, 101),
    ]  # fmt: skip
    assert (lane.name, lane.source, lane.intervals[1].score) == ("notes", "mine.eaf", 0.5)
    assert third.timeline.lanes == ()
    damaged = [[d.frames_missing for d in p.timeline.damaged] for p in (first, second, third)]
    assert damaged == [[9], [], [10]]


def test_what_is_heard_in_a_shot_is_that_of_its_part_where_the_rest_is_silent() -> None:
    timeline, times = tape(starts=(0, 500), black=((750, 1250),), silence=((750, 1250),))
    sound = ShotSound(speech=0.25, music=0.1, silence=0.6, loudness_db=-20, peak_s=11.0)
    peak = replace(sound, peak_s=10 + 600 / 25)
    shots = (replace(timeline.shots[0], sound=sound), replace(timeline.shots[1], sound=peak))
    first, second = divide(replace(timeline, shots=shots), times)
    assert first.timeline.shots[0].sound == sound
    # A quarter of the second shot is left in each part; half of it is black and silent.
    assert first.timeline.shots[1].sound == ShotSound(1.0, 0.4, 0.0, -14.0, peak.peak_s)
    assert second.timeline.shots[0].sound == ShotSound(1.0, 0.4, 0.0, -14.0, None)


def test_a_variable_rate_is_the_mean_of_the_part() -> None:
    timeline, _ = tape(variable_frame_rate=True, frame_rate=Fraction(25))
    steps = np.where(np.arange(NUM_FRAMES) < 900, 40, 20)
    pts = np.concatenate([[10_000], 10_000 + np.cumsum(steps)])
    times = FrameTimes(pts, Fraction(1, 1000))
    movie = replace(timeline.movie, end_pts=int(pts[-1]))
    shots = tuple(
        replace(shot, span=times.span(shot.span.first_frame, shot.span.end_frame))
        for shot in timeline.shots
    )
    marks = marks_of(times, *(("black", run) for run in BLACK))
    first, second, _ = divide(replace(timeline, movie=movie, shots=shots, marks=marks), times)
    assert (first.timeline.movie.frame_rate, second.timeline.movie.frame_rate) == (25, 50)
    assert second.timeline.movie.start_pts == pts[900]
    assert second.timeline.movie.end_pts == pts[1300]
    assert second.timeline.movie.timecode == ""


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 990), st.integers(1, 300)), max_size=6), st.integers(0, 9))
def test_any_black_leaves_films_that_tile_the_rest(found: list[tuple[int, int]], seed: int) -> None:
    mask = np.zeros(1000, bool)
    for first, length in found:
        mask[first : first + length] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    black = tuple(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    cuts = np.random.default_rng(seed).integers(1, 1000, 9)
    starts = (0, *sorted(set(cuts.tolist())))
    timeline, times = tape(starts=starts, black=black, num_frames=1000)
    parts = divide(timeline, times)
    assert len(parts) != 1
    for part in parts:
        check(part, timeline)
        assert times.num_frames >= part.end_frame - part.first_frame >= 25
    for one, other in pairwise(parts):
        assert mask[one.end_frame]
        assert mask[other.first_frame - 1]
    for first, end in black:
        if end - first >= 50:
            assert not any(first < edge < end for run in runs(parts) for edge in run)
            assert not any(run[0] < end and run[1] > first for run in runs(parts))


@pytest.mark.parametrize(
    ("timecode", "rate", "frames", "expected"),
    [
        ("", Fraction(25), 90_061, "01:00:02:11"),
        ("10:00:00:00", Fraction(25), 90_000, "11:00:00:00"),
        ("23:59:59:24", Fraction(25), 1, "00:00:00:00"),
        ("01:00:00:00", Fraction(24_000, 1001), 24 * 60, "01:01:00:00"),
        # Drop-frame codes: frames 0 and 1 of each minute but every tenth do not exist.
        ("01:00:00;00", NTSC, 1799, "01:00:59;29"),
        ("01:00:00;00", NTSC, 1800, "01:01:00;02"),
        ("01:00:00;00", NTSC, 17_981, "01:09:59;29"),
        ("01:00:00;00", NTSC, 17_982, "01:10:00;00"),
        ("00:59:59;29", NTSC, 107_892, "01:59:59;29"),
        ("01:00:00:00", NTSC, 1800, "01:01:00:00"),
        ("01:00:00;00", Fraction(60_000, 1001), 3600, "01:01:00;04"),
        ("not a code", Fraction(25), 1, ""),
    ],
)
def test_the_time_code_of_a_frame_counts_on_from_that_of_the_file(
    timecode: str, rate: Fraction, frames: int, expected: str
) -> None:
    movie = make_movie(frame_rate=rate, timecode=timecode)
    assert timecode_after(movie, frames / rate) == expected


def test_a_part_has_the_time_code_of_its_first_frame() -> None:
    timeline, times = tape(timecode="10:00:00:00")
    codes = [part.timeline.movie.timecode for part in divide(timeline, times)]
    assert codes == ["10:00:04:00", "10:00:36:00", "10:00:56:00"]


def test_what_cannot_be_divided_says_why() -> None:
    timeline, times = tape()
    with pytest.raises(TimelineError, match=r"tape\.mp4 was not looked at for black, .* --shots"):
        divide(replace(timeline, marks=None), times)
    (part, *_) = divide(timeline, times)
    with pytest.raises(SettingError, match="is not one whole file"):
        divide(part.timeline, times)
    with pytest.raises(SettingError, match="is not one whole file"):
        divide(replace(timeline, movie=of_reels(timeline.movie)), times)
    with pytest.raises(SettingError, match="shortest black is 0 s; it must be above 0"):
        SplitRule(min_black_s=0)
    with pytest.raises(SettingError, match="shortest film is nan s; it must be above 0"):
        SplitRule(min_film_s=float("nan"))


def of_reels(movie: Movie) -> Movie:
    reel = Reel("a.mp4", movie.content_hash, 0, 750, 0, 30_000, 0, Fraction(1, 1000))
    return replace(
        movie, reels=(reel, replace(reel, path="b.mp4", first_frame=750, end_frame=1500))
    )
