from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Lane
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.editors.edl_reading import read_edl
from mastershot.store.frames import frame_times_of

HEAD = "TITLE: film\nFCM: NON-DROP FRAME\n\n"
FILM = make_timeline()  # 120 frames at 23.976: shots of 40, 30 and 50.


def read(text: str, folder: Path, timeline: Timeline = FILM) -> dict[str, Lane]:
    path = folder / "cut.edl"
    path.write_text(text, "utf-8")
    return {lane.name: lane for lane in read_edl(path, timeline, frame_times_of(timeline))}


def frames(lane: Lane) -> list[tuple[int, int]]:
    return [(one.span.first_frame, one.span.end_frame) for one in lane.intervals]


def at(timecode: str) -> Timeline:
    return replace(FILM, movie=replace(FILM.movie, timecode=timecode))


def test_a_list_of_the_film_lies_where_its_sources_do(tmp_path: Path) -> None:
    # As Resolve writes it: no reel, the clip's name, two spaces at ends of lines.
    text = HEAD + (
        "001  AX       V     C        00:00:00:00 00:00:01:16 01:00:00:00 01:00:01:16  \n"
        "* FROM CLIP NAME: film.mp4\n\n"
        "002  AX       V     C        00:00:02:00 00:00:04:02 01:00:01:16 01:00:03:18  \n"
        "* FROM CLIP NAME: film.mp4\n\n"
    )
    lanes = read(text, tmp_path)
    assert frames(lanes["shots"]) == [(0, 40), (48, 98)]
    assert lanes["shots"].role == "shots"
    assert lanes["shots"].source == "cut.edl"


def test_the_films_own_time_code_is_where_sources_start(tmp_path: Path) -> None:
    text = HEAD + "001  FILM V C 10:00:00:05 10:00:01:00 01:00:00:00 01:00:00:19\n"
    assert frames(read(text, tmp_path, at("10:00:00:00"))["shots"]) == [(5, 24)]
    with pytest.raises(EditsError, match="event 001 ends at 10:00:01:00, but the film ends at"):
        read(text, tmp_path)


def test_a_conform_list_of_many_sources_lies_where_it_is_recorded(tmp_path: Path) -> None:
    text = (
        "TITLE: reel 1\n"
        "001  A001C003 V     C        14:22:01:00 14:22:02:16 01:00:00:00 01:00:01:16\n"
        "* FROM CLIP NAME: A001C003_1.mov\n"
        "002  A002C001 V     C        09:00:00:00 09:00:01:06 01:00:01:16 01:00:02:22\n"
        "003  A001C003 A     C        14:22:01:00 14:22:02:16 01:00:00:00 01:00:01:16\n"
        "004  A001C003 V2    C        14:22:01:00 14:22:02:16 01:00:00:00 01:00:01:16\n"
    )
    shots = read(text, tmp_path)["shots"]
    assert frames(shots) == [(0, 40), (40, 70)]
    assert [one.text for one in shots.intervals] == ["A001C003_1.mov", "A002C001"]


def test_transitions_of_other_editors_are_read(tmp_path: Path) -> None:
    text = HEAD + (
        "001  BL V C 00:00:00:00 00:00:00:00 01:00:00:00 01:00:00:00\n"
        "001  FILM V D 010 00:00:00:00 00:00:01:16 01:00:00:00 01:00:01:16\n"
        "002  FILM V C 00:00:01:16 00:00:01:16 01:00:01:16 01:00:01:16\n"
        "002  FILM V D 010 00:00:01:16 00:00:02:22 01:00:01:16 01:00:02:22\n"
        "003  FILM V C 00:00:02:22 00:00:02:22 01:00:02:22 01:00:02:22\n"
        "003  FILM V W001 006 00:00:02:22 00:00:03:18 01:00:02:22 01:00:03:18\n"
        "004  BL V C 00:00:00:00 00:00:00:06 01:00:03:18 01:00:04:00\n"
        "005  FILM V C 00:00:04:00 00:00:04:12 01:00:04:00 01:00:04:12\n"
    )
    shots = read(text, tmp_path)["shots"]
    # A shot starts in the middle of a transition that says no more; black belongs to what it ends.
    assert frames(shots) == [(0, 45), (45, 73), (73, 96), (96, 108)]
    assert [one.text for one in shots.intervals] == [
        "fade through black 0-10", "dissolve 40-50", "wipe 70-76", "",
    ]  # fmt: skip


def test_a_list_that_starts_in_black_begins_with_it(tmp_path: Path) -> None:
    text = HEAD + (
        "001  BL V C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n"
        "002  BL V C 00:00:01:00 00:00:01:00 01:00:01:00 01:00:01:00\n"
        "002  FILM V D 012 00:00:01:00 00:00:02:00 01:00:01:00 01:00:02:00\n"
    )
    (shot,) = read(text, tmp_path)["shots"].intervals
    assert (shot.span.first_frame, shot.span.end_frame) == (0, 48)
    assert shot.text == "fade through black 24-36"


def test_locators_lie_where_they_are_recorded(tmp_path: Path) -> None:
    text = HEAD + (
        "001  FILM V C 00:00:02:00 00:00:03:00 01:00:00:00 01:00:01:00\n"
        "* LOC: 01:00:00:06 RED     CHECK FOCUS\n"
        "002  FILM V C 00:00:00:00 00:00:01:00 01:00:01:00 01:00:02:00\n"
        "* LOC: 01:00:01:02 GREEN   headings: INT. BAR [frames 2-12, score 0.5]\n"
        "* LOC: 01:00:01:08 GREEN   headings: EXT. SEA [frames 2-12]\n"
    )
    lanes = read(text, tmp_path)
    assert frames(lanes["shots"]) == [(0, 24), (48, 72)]
    assert frames(lanes["markers"]) == [(54, 55)]
    assert lanes["markers"].intervals[0].text == "CHECK FOCUS"
    # The second heading was moved by six frames, and keeps its length.
    assert frames(lanes["headings"]) == [(2, 12), (8, 18)]
    assert [(one.text, one.score) for one in lanes["headings"].intervals] == [
        ("INT. BAR", 0.5), ("EXT. SEA", None),
    ]  # fmt: skip


def test_one_event_over_the_whole_film_only_carries_markers(tmp_path: Path) -> None:
    text = HEAD + (
        "001  FILM V C 00:00:00:00 00:00:05:00 01:00:00:00 01:00:05:00\n"
        "* LOC: 01:00:00:06 RED     here\n"
    )
    assert list(read(text, tmp_path)) == ["markers"]


RESOLVE = HEAD + (
    "001  001      V     C        {0}:00:01:02 {0}:00:01:03 {0}:00:01:02 {0}:00:01:03  \n"
    "look again |C:ResolveColorBlue |M:Marker 1 |D:10\n\n"
    "002  001      V     C        {0}:00:02:02 {0}:00:02:03 {0}:00:02:02 {0}:00:02:03  \n"
    " |C:ResolveColorRed |M:Marker 2 |D:1\n"
)


@pytest.mark.parametrize("hour", ["00", "01"])
def test_a_list_of_resolves_markers_is_notes(hour: str, tmp_path: Path) -> None:
    lanes = read(RESOLVE.format(hour), tmp_path)
    assert list(lanes) == ["markers"]
    assert frames(lanes["markers"]) == [(26, 36), (50, 51)]
    assert [one.text for one in lanes["markers"].intervals] == ["Marker 1: look again", "Marker 2"]
    lanes = read(RESOLVE.format("10"), tmp_path, at("10:00:00:00"))
    assert frames(lanes["markers"]) == [(26, 36), (50, 51)]


def test_markers_that_may_start_at_either_hour_are_refused(tmp_path: Path) -> None:
    long = make_timeline(shot_frames=(90_000, 90_000), scene_shots=None)
    with pytest.raises(EditsError, match="starts at 00:00:00:00 or 01:00:00:00; say so with"):
        read(RESOLVE.format("01"), tmp_path, long)
    stated = replace(long, movie=replace(long.movie, timecode="01:00:00:00"))
    assert frames(read(RESOLVE.format("01"), tmp_path, stated)["markers"]) == [(26, 36), (50, 51)]


def event(codes: str, reel: str = "FILM", number: str = "001", effect: str = "C") -> str:
    return f"{number}  {reel} V {effect} {codes}\n"


ONE = "00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00"
TWO = "00:00:01:00 00:00:02:00 01:00:01:00 01:00:02:00"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            HEAD + event(ONE) + event("00:00:00:12" + TWO[11:], "FILM", "2"),
            r"event 001 and event 2 overlap by 12 frames at 00:00:00:12",
        ),
        (
            "FCM: DROP FRAME\n" + event(ONE),
            "line 1 says that it counts drop-frame, but the film has 23.976 frames a second",
        ),
        (
            HEAD + event(ONE.replace("00:00 0", "00;00 0")),
            "line 4: 00:00:00;00 is a drop-frame code, but the list says FCM: NON-DROP FRAME",
        ),
        (
            HEAD + event("00:00:00:00 00:00:00:24 01:00:00:00 01:00:00:24"),
            "line 4: time code 00:00:00:24 names frame 24, .* made at another frame rate",
        ),
        (HEAD + event("00:00:01:00 00:00:09:00 01:00:00:00 01:00:08:00"), "another film or frame"),
        (HEAD + event("00:00:01:00 00:00:00:00 01:00:01:00 01:00:00:00"), "ends at or before"),
        (
            HEAD + event(ONE, reel="OTHER"),
            "is a list of 'OTHER', and this film is film.mp4; .* name it FILM in the list",
        ),
        (
            HEAD + event(ONE) + event(TWO, "GFX", "2"),
            "event 2 is of 'GFX', but others are of this film, film.mp4; leave out",
        ),
        (HEAD + event(ONE[:-12]), "line 4: .* is no event; one has a number"),
        (HEAD + event(ONE, effect="D"), "event 001 has the effect D without its length"),
        (HEAD + event(ONE.replace("00:00:01:00 ", "00:00:01 ")), "line 4: .* is no event"),
        (HEAD + event(ONE) + "* LOC: 02:00:00:00 RED x\n", "marker 'x' ends at .* the film ends"),
        (HEAD + event(ONE) + "* LOC: 00:59:00:00 RED x\n", "marker 'x' starts at .*, before the"),
        (HEAD, "has no event of picture and no marker in it"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("\0\1\2", "is a binary file, not a text"),
        (HEAD + "1" * 20_000, "line 4 is longer than 10000 letters: no EDL"),
        (HEAD + event("nan nan nan nan"), "is no event"),
        (HEAD + event("-0:00:00:01 00:00:01:00 01:00:00:00 01:00:01:00"), "is no event"),
    ],
)  # fmt: skip
def test_a_list_that_does_not_fit_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EditsError, match=sentence) as refused:
        read(text, tmp_path)
    assert "\n" not in str(refused.value)


def test_sources_before_the_films_own_time_code_are_refused(tmp_path: Path) -> None:
    text = HEAD + event(ONE)
    with pytest.raises(EditsError, match=r"starts at .*, before the film's first frame at 10:00"):
        read(text, tmp_path, at("10:00:00:00"))
