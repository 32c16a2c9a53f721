"""From windows to events and figures of shots, checked by hand and by a plain loop."""

from array import array
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.timelines import make_timeline

from mastershot.core.lanes import SoundEvent
from mastershot.core.movie import Shot
from mastershot.labelling.perception.sound import (
    EventMerger,
    SoundRule,
    Stretch,
    cropped,
    film_events,
    loudest_s,
    sounds_of_shots,
)

RULE = SoundRule()


def shots_at(*edges_s: float) -> list[Shot]:
    """Return shots at these seconds, to a 24,000th."""
    frames = [round((end - start) * 1000) for start, end in pairwise(edges_s)]
    shots = make_timeline(shot_frames=frames, scene_shots=None).shots
    return [
        replace(shot, span=replace(shot.span, start_pts=round(24000 * a), end_pts=round(24000 * b)))
        for shot, (a, b) in zip(shots, pairwise(edges_s), strict=True)
    ]


def stretch(
    start_s: float, levels: list[float], *, each: int = 100, **activity: list[bool]
) -> Stretch:
    """Return a stretch of levels, a second each, with a window each half second."""
    powers = array("f", np.repeat(levels, each).tolist())
    duration_s = len(powers) / 100
    count = len(next(iter(activity.values()), [False]))
    centres = [0.5 + 0.5 * index for index in range(count)]
    quiet = {name: [False] * count for name in ("speech", "music") if name not in activity}
    return Stretch(start_s, duration_s, powers, centres, **activity, **quiet)


@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), max_size=30))
def test_events_are_runs_over_the_threshold(rows: list[list[int]]) -> None:
    merger, found = EventMerger(("a", "b"), 0.5), []
    for index, row in enumerate(rows):
        found += merger.add(float(index), np.array(row, np.float32) / 10)
    found += merger.finish()
    expected = []
    for column, name in enumerate(("a", "b")):
        heard = [row[column] >= 5 for row in rows]
        starts = [i for i, on in enumerate(heard) if on and not (i and heard[i - 1])]
        for first in starts:
            last = first
            while last + 1 < len(rows) and heard[last + 1]:
                last += 1
            best = max(row[column] for row in rows[first : last + 1]) / 10
            expected.append((name, pytest.approx(best), float(first), float(last)))
    assert sorted(found, key=lambda one: (one[0], one[2])) == expected
    assert merger.finish() == []


def test_a_score_that_equals_the_threshold_is_heard() -> None:
    merger = EventMerger(("a",), 0.3)
    merger.add(0.0, np.array([0.3], np.float32))
    assert len(merger.finish()) == 1


def test_events_are_on_the_films_clock_by_start_then_score() -> None:
    first, other = Stretch(10.0), Stretch(2.0)
    first.events += [SoundEvent("a", 0.5, 1, 2, 1.5), SoundEvent("b", 0.9, 1, 1, 1)]
    other.events.append(SoundEvent("c", 0.4, 0.5, 0.5, 0.75))
    assert film_events([first, other]) == (
        SoundEvent("c", 0.4, 2.5, 2.5, 2.75),
        SoundEvent("b", 0.9, 11, 11, 11),
        SoundEvent("a", 0.5, 11, 12, 11.5),
    )


def test_the_loudest_moment_is_within_the_times_and_the_first_of_equals() -> None:
    powers = [0.0] * 100
    powers[10] = powers[50] = powers[60] = 1.0
    assert loudest_s(powers, 0.3, 0.9) == pytest.approx(0.505)
    assert loudest_s(powers, -5, 0.2) == pytest.approx(0.105)
    assert loudest_s(powers, 7, 9) == pytest.approx(0.995)


def test_shares_and_levels_of_shots() -> None:
    heard = stretch(
        0, [0.01, 0.01, 0.0, 0.25],
        speech=[True, True, False, False, False, False, False],
        music=[False, False, False, False, False, True, True],
    )  # fmt: skip
    one, two, three = sounds_of_shots(shots_at(0, 2, 3, 4), [heard], RULE)
    # The second window stands for up to 1.25 s.
    assert (one.speech, one.music, one.silence) == (0.625, 0, 0)
    assert (two.speech, two.music, two.silence) == (0, 0.25, 1)
    assert (three.speech, three.music, three.silence) == (0, 1, 0)
    assert [shot.loudness_db for shot in (one, two, three)] == [-20, -120, -6.0]
    assert two.peak_s is None
    assert three.peak_s == pytest.approx(3.005)


def test_where_the_film_has_no_sound_it_is_silent() -> None:
    late = stretch(2, [0.01, 0.01], speech=[True] * 3)
    before, half, after = sounds_of_shots(shots_at(0, 1, 3, 6), [late], RULE)
    assert (before.silence, before.loudness_db, before.peak_s) == (1, -120, None)
    assert (half.silence, half.speech, half.loudness_db) == (0.5, 0.5, -20)
    assert (after.silence, after.speech) == (
        pytest.approx(2 / 3, abs=0.001),
        pytest.approx(1 / 3, abs=0.001),
    )


def test_quiet_sound_is_silence_but_has_its_level() -> None:
    (shot,) = sounds_of_shots(shots_at(0, 1), [stretch(0, [1e-7])], RULE)
    assert (shot.silence, shot.loudness_db) == (1, -70)


def test_a_shot_between_two_stretches_hears_neither() -> None:
    two = [stretch(0, [0.01], speech=[True]), stretch(9, [0.01], speech=[True])]
    _, between, _ = sounds_of_shots(shots_at(0, 1, 9, 10), two, RULE)
    assert (between.speech, between.silence) == (0, 1)


def test_a_shot_shorter_than_a_block_has_the_block_of_its_middle() -> None:
    (short,) = sounds_of_shots(shots_at(0.496, 0.4985), [stretch(0, [0.01])], RULE)
    assert (short.silence, short.loudness_db, short.peak_s) == (0, -20, 0.495)


def test_a_short_shot_without_sound_is_silent() -> None:
    for late in ([stretch(2, [0.01])], []):
        (short,) = sounds_of_shots(shots_at(0.5, 0.51), late, RULE)
        assert (short.silence, short.loudness_db) == (1, -120)


def long_stretch() -> Stretch:
    """Return 6 s from second 10, louder second by second, with an event in each half."""
    one = stretch(10, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], speech=[True] * 6 + [False] * 5)
    one.events += [
        SoundEvent("Speech", 0.9, 0.5, 2.5, 1.005), SoundEvent("Bell", 0.8, 3.5, 5.5, 5.405),
    ]  # fmt: skip
    return one


def test_a_stretch_is_cropped_to_what_lies_between_two_times() -> None:
    one = cropped(long_stretch(), 11.0, 14.5)
    assert one is not None
    assert (one.start_s, one.duration_s) == (11.0, pytest.approx(3.5))
    assert one.powers == long_stretch().powers[100:450]
    assert one.centres_s == pytest.approx([0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
    assert one.speech == [True] * 5 + [False] * 3
    found = [(e.name, e.start_s, e.end_s, e.peak_s) for e in one.events]
    assert found == [
        ("Speech", 0, 1.5, pytest.approx(0.005)), ("Bell", 2.5, 3.5, 3.5),
    ]  # fmt: skip
    assert [e.start_s for e in film_events([one])] == [11.0, 13.5]


def test_what_lies_within_the_times_stays_as_it_is() -> None:
    for start_s, end_s in ((-float("inf"), float("inf")), (10, 16), (0, 99)):
        assert cropped(long_stretch(), start_s, end_s) == long_stretch()


def test_of_a_stretch_outside_the_times_nothing_is_heard() -> None:
    assert cropped(long_stretch(), 16, 20) is None
    assert cropped(long_stretch(), 2, 10) is None
    assert cropped(long_stretch(), 15.995, 20) is None


def test_a_rest_too_short_for_a_window_has_the_nearest() -> None:
    one = cropped(long_stretch(), 10.05, 10.25)
    assert one is not None
    assert (len(one.powers), one.speech, one.music) == (20, [True], [False])
    (sound,) = sounds_of_shots(shots_at(10.05, 10.25), [one], RULE)
    assert sound.speech == pytest.approx(1, abs=0.01)
    whole = sounds_of_shots(shots_at(10.05, 10.25), [long_stretch()], RULE)[0]
    assert sound.loudness_db == whole.loudness_db
