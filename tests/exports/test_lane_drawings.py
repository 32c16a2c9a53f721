from dataclasses import replace

import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.lanes import Interval, Lane
from mastershot.exports.lane_drawings import draw_lanes


def test_a_script_s_intervals_have_their_texts_and_those_of_other_lanes_are_bars() -> None:
    timeline = make_timeline(shot_frames=(30, 30, 60))
    one, _, three = (Interval(shot.span, str(i)) for i, shot in enumerate(timeline.shots))
    script, notes = Lane("s", "script", "", (one, three)), Lane("n", "notes", "", (three,))
    first, second = draw_lanes(replace(timeline, lanes=(script, notes)))
    assert [(piece.left, piece.width) for piece in first.pieces] == [
        pytest.approx((0, 25)),
        pytest.approx((50, 50)),
    ]
    assert first.path == ""
    assert (second.pieces, second.path) == ((), "M50.000 0h50.000V100h-50.000Z")


def test_a_timeline_without_lanes_draws_none() -> None:
    assert draw_lanes(make_timeline()) == ()
