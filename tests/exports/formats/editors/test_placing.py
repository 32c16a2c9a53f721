from pathlib import Path

import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.exports.formats.editors.matching import files_named
from mastershot.exports.formats.editors.placing import (
    Event,
    Marker,
    kind_of,
    lane_of_events,
    marker_lanes,
    start_when_reading,
)
from mastershot.exports.formats.editors.sources import Source, reel_name
from mastershot.store.frames import frame_times_of

FILM = make_timeline()
START = start_when_reading(FILM, frame_times_of(FILM))
PATH = Path("cut.edl")


def sources(*paths: str) -> tuple[Source, ...]:
    """Return files of a film, of 24 frames each."""
    names = (Path(path).name for path in paths)
    return tuple(
        Source(path, name, reel_name(path, "0" * 16), 24 * at, 24 * at + 24, 0)
        for at, (path, name) in enumerate(zip(paths, names, strict=True))
    )


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["THETHIRD"], True),
        (["THETHIRDMAN"], True),
        (["x", "The Third Man.mkv"], True),
        (["/films/the third man.MKV"], True),
        (["AX", ""], None),
        (["001"], None),
        (["THE"], False),
        (["A001C002"], False),
    ],
)
def test_a_film_is_known_by_the_names_that_editors_make_of_its_own(
    names: list[str], said: bool | None
) -> None:
    found = files_named(names, sources("cut/The Third Man.mkv"))
    assert (None if found is None else bool(found)) is said


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SMPTE_Dissolve", ("dissolve", None)),
        ("Cross Dissolve", ("dissolve", None)),
        ("Dip to Color (black)", ("fade", "black")),
        ("Fade through White", ("fade", "white")),
        ("Fade In", ("fade", None)),
        ("SMPTE_Wipe", ("wipe", None)),
        ("Push", ("wipe", None)),
    ],
)
def test_a_transition_is_known_by_its_name(name: str, kind: tuple[str, str | None]) -> None:
    assert kind_of(name) == kind


def event(first: int, end: int, **changes: object) -> Event:
    return Event("event 1", True, "film", (first, end), (first, end), **changes)  # type: ignore[arg-type]


def test_noted_frames_count_while_they_are_where_their_numbers_are() -> None:
    kept = event(40, 70, kind="dissolve", before=5, after=5, note="frames 40-70, dissolve 35-45")
    moved = event(42, 70, kind="dissolve", before=5, after=5, note="frames 40-70, dissolve 35-45")
    lanes = [lane_of_events([one], START, FILM, PATH) for one in (kept, moved)]
    assert [lane.intervals[0].span.first_frame for lane in lanes] == [40, 42]
    assert [lane.intervals[0].text for lane in lanes] == ["dissolve 35-45", "dissolve 37-47"]
    gone = event(40, 70, note="frames 40-70, dissolve 35-45")
    assert lane_of_events([gone], START, FILM, PATH).intervals[0].text == ""


def test_an_event_may_end_a_frame_late_but_not_two() -> None:
    (interval,) = lane_of_events([event(100, 121)], START, FILM, PATH).intervals
    assert interval.span.end_frame == 120
    with pytest.raises(EditsError, match="ends at 00:00:05:02, but the film ends at 00:00:05:00"):
        lane_of_events([event(100, 122)], START, FILM, PATH)


def test_an_event_without_length_is_refused() -> None:
    with pytest.raises(EditsError, match="event 1 ends at or before its start"):
        lane_of_events([event(40, 40)], START, FILM, PATH)


def test_the_length_of_a_marker_that_was_edited_counts() -> None:
    marker = Marker(9, 4, "audio", "Speech", "frames 9-70, score 0.5", is_range=True)
    (lane,) = marker_lanes([marker], [event(0, 120)], START, FILM, PATH)
    assert [(one.span.first_frame, one.span.end_frame) for one in lane.intervals] == [(9, 13)]
