from dataclasses import replace

import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.errors import SettingError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Transition
from mastershot.exports.formats.lanes import lanes_of
from mastershot.store.frames import frame_times_of


def test_lanes_hold_what_is_known_and_no_empty_lane() -> None:
    timeline = make_timeline()
    lanes = {lane.name: lane for lane in lanes_of(timeline, frame_times_of(timeline))}
    assert [one.span for one in lanes["shots"].intervals] == [s.span for s in timeline.shots]
    assert lanes["shots"].role == "shots"
    assert "transitions" not in lanes  # All are cuts.
    speech = lanes["audio"].intervals[0]
    assert (speech.text, speech.score) == ("Speech", 0.9)
    # 0.5 s on the film's clock, which starts at 2002/24000 s, is within frame 9.
    assert speech.span.first_frame == 9


def test_a_gradual_transition_is_an_interval() -> None:
    timeline = make_timeline()
    fade = replace(timeline.shots[1], transition_in=Transition("fade", 35, 45, "black"))
    timeline = replace(timeline, shots=(timeline.shots[0], fade, timeline.shots[2]))
    (lane,) = lanes_of(timeline, frame_times_of(timeline), ["transitions"])
    (interval,) = lane.intervals
    assert (interval.text, interval.span.first_frame, interval.span.end_frame) == (
        "fade through black", 35, 45,
    )  # fmt: skip


def test_low_scores_and_other_lanes_are_left_out() -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    notes = Lane("mine", "notes", "a.edl", (Interval(timeline.shots[0].span, "look"),))
    timeline = replace(timeline, lanes=(notes,))
    audio, mine = lanes_of(timeline, times, ["audio", "mine"], min_score=0.8)
    assert [one.text for one in audio.intervals] == ["Speech"]
    assert mine == notes


def test_an_unknown_lane_is_refused_with_those_there_are() -> None:
    timeline = make_timeline()
    with pytest.raises(SettingError, match=r"lane 'titles' is not in this timeline.*shots"):
        lanes_of(timeline, frame_times_of(timeline), ["titles"])
