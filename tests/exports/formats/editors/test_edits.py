from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.factories.timelines import make_movie, make_timeline

from mastershot.core.errors import EditsError, SettingError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Transition
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.editors.edits import (
    colour_of,
    edits_of,
    file_path,
    gradual_text,
    interval_note,
    read_gradual,
    read_interval_note,
    start_of,
)
from mastershot.exports.formats.editors.sources import reel_name
from mastershot.exports.formats.lanes import Export, lanes_of
from mastershot.store.frames import frame_times_of


def export_of(timeline: Timeline, start: str = "", names: list[str] | None = None) -> Export:
    times = frame_times_of(timeline)
    lanes = lanes_of(timeline, times, names)
    return Export(timeline, times, lanes, start, Path("film.mp4"))


@pytest.mark.parametrize(
    ("path", "reel"),
    [
        ("a/The Third Man (1949).mkv", "THETHIRD"),
        ("x.mp4", "X"),
        ("ax.mp4", "AXFILM"),
        ("bl.mov", "BLFILM"),
        ("東京.mp4", make_movie("東京.mp4").id[:8].upper()),
    ],
)
def test_a_reel_has_at_most_eight_capitals_and_digits(path: str, reel: str) -> None:
    assert reel_name(path, make_movie(path).id) == reel


def test_records_start_where_asked_and_sources_where_the_file_does() -> None:
    timeline = make_timeline()
    assert (start_of(export_of(timeline))[0].record, start_of(export_of(timeline))[0].source) == (
        0, 0,
    )  # fmt: skip
    timed = replace(timeline, movie=replace(timeline.movie, timecode="00:00:01:00"))
    start, notes = start_of(export_of(timed, "01:00:00:00"))
    assert (start.record, start.source, notes) == (86400, 24, ())
    assert start_of(export_of(timed))[0].record == 24


def test_a_time_code_of_the_film_that_does_not_fit_is_passed_over_with_a_note() -> None:
    timeline = make_timeline()
    timed = replace(timeline, movie=replace(timeline.movie, timecode="00:00:00:29"))
    start, (note,) = start_of(export_of(timed))
    assert start.source == 0
    assert "own time code is passed over: time code 00:00:00:29 names frame 29" in note


def test_drop_frame_and_non_drop_are_told_apart_with_a_note() -> None:
    timeline = make_timeline()
    movie = replace(timeline.movie, frame_rate=Fraction(30000, 1001), timecode="01:00:00;00")
    start, notes = start_of(export_of(replace(timeline, movie=movie), "01:00:00:00"))
    assert (start.source, start.record) == (107892, 108000)
    assert "the film's own time code, 01:00:00;00, is counted drop-frame" in notes[-1]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("01:00:00;00", "start time code: drop-frame codes count 29.97 or 59.94"),
        ("01:00:00:24", "start time code: time code 01:00:00:24 names frame 24"),
        ("nan", "start time code: 'nan' is no time code"),
        ("-01:00:00:00", "start time code: '-01:00:00:00' is no time code"),
    ],
)
def test_a_start_that_does_not_exist_is_refused(code: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        start_of(export_of(make_timeline(), code))


def test_shots_bring_their_transitions_and_a_lane_of_edits_its_own() -> None:
    timeline = make_timeline()
    dissolve = replace(timeline.shots[1], transition_in=Transition("dissolve", 35, 45))
    timeline = replace(timeline, shots=(timeline.shots[0], dissolve, timeline.shots[2]))
    edits, lanes = edits_of(export_of(timeline))
    assert [edit.transition.kind for edit in edits] == ["start", "dissolve", "cut"]
    assert not {"shots", "transitions"} & {lane.name for lane in lanes}
    spans = [shot.span for shot in timeline.shots]
    mine = Lane("mine", "shots", "x.edl", (
        Interval(spans[1], "opening, fade through black 38-44"), Interval(spans[0], "titles"),
    ))  # fmt: skip
    timeline = replace(timeline, lanes=(mine,))
    edits, lanes = edits_of(export_of(timeline, names=["mine", "shots"]))
    assert [(edit.name, edit.transition) for edit in edits] == [
        ("titles", Transition("start", 0, 0)), ("opening", Transition("fade", 38, 44, "black")),
    ]  # fmt: skip
    assert [lane.name for lane in lanes] == ["shots"]


def test_a_lane_of_edits_that_overlap_is_refused() -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    lane = Lane("mine", "shots", "", (Interval(times.span(0, 9)), Interval(times.span(8, 20))))
    with pytest.raises(EditsError, match="'mine' has shots that overlap at frame 8"):
        edits_of(export_of(replace(timeline, lanes=(lane,)), names=["mine"]))


@pytest.mark.parametrize("text", ["wipe 3-9", "fade through white 0-4", "dissolve 1-2"])
def test_a_transition_in_words_is_read_back(text: str) -> None:
    found = read_gradual(f"a shot, {text}")
    assert found is not None
    assert gradual_text(found) == text
    assert read_gradual(text) == found


@pytest.mark.parametrize("text", ["", "wipe", "dissolve 9-9", "dissolve 9-3", "swipe 1-2"])
def test_other_words_are_no_transition(text: str) -> None:
    assert read_gradual(text) is None


def test_frames_and_scores_are_noted_beside_markers() -> None:
    clock = start_of(export_of(make_timeline()))[0].clock
    span = clock.times.span(3, 9)
    assert read_interval_note(interval_note(Interval(span, "x", 0.25)), clock) == (span, 0.25)
    assert read_interval_note(interval_note(Interval(span)), clock) == (span, None)
    for note in ("", "frames 3-900", "frames 9-3", "frames 3-9999999999999", "frames x-y"):
        assert read_interval_note(note, clock)[0] is None
    assert read_interval_note("frames 3-9, score 2.5", clock) == (span, None)


def test_lanes_have_colours_and_addresses_names() -> None:
    assert colour_of("headings") == "GREEN"
    assert colour_of("anything") in {"RED", "GREEN", "BLUE", "CYAN", "MAGENTA", "YELLOW"}
    assert file_path("file:///Films/a%20b.mov") == "/Films/a b.mov"
    assert Path(file_path("C:\\Films\\a.mov")).name == "a.mov"
    assert Path(file_path("file://[/x.mov")).name == "x.mov"
