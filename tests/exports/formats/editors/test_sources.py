"""Films in reels, and parts of tapes: lists name their files, with the time codes of these."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from tests.exports.formats.editors.test_edits import export_of
from tests.factories.edited import EDITORS
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Lane
from mastershot.core.movie import Part, Reel, Transition
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.catalogue import format_named
from mastershot.exports.formats.editors.edl_reading import read_edl
from mastershot.exports.formats.editors.sources import own_number, sources_of
from mastershot.exports.formats.timecode import Counting, edit_clock
from mastershot.store.frames import frame_times_of

RATE = Fraction(24000, 1001)


def reel(path: str, first: int, end: int, timecode: str = "") -> Reel:
    pts = [2002 + 1001 * frame for frame in (first, end)]
    return Reel(path, "", first, end, pts[0], pts[1], 0, Fraction(1, 24000), timecode)


Two = tuple[str, str]


def in_two(
    *, paths: Two = ("a/one.mov", "b/two.mov"), codes: Two = ("01:00:00:00", "02:00:00:00")
) -> Timeline:
    """Return a film of 120 frames, shots of 40, 30 and 50, joined at frame 48 of two files."""
    timeline = make_timeline(audio=())
    reels = (reel(paths[0], 0, 48, codes[0]), reel(paths[1], 48, 120, codes[1]))
    movie = replace(timeline.movie, path=paths[0], timecode=codes[0], reels=reels)
    return replace(timeline, movie=movie)


def written(timeline: Timeline, name: str, folder: Path, start: str = "") -> Path:
    known = format_named(name)
    path = folder / f"film{known.suffix}"
    known.write(export_of(timeline, start, ["shots", "scenes"]), path)
    return path


def read(timeline: Timeline, path: Path) -> dict[str, Lane]:
    known = format_named(path.suffix.removeprefix("."))
    assert known.read is not None
    return {lane.name: lane for lane in known.read(path, timeline, frame_times_of(timeline))}


def frames(lane: Lane) -> list[tuple[int, int]]:
    return [(one.span.first_frame, one.span.end_frame) for one in lane.intervals]


def test_a_list_has_an_event_for_each_reel_of_a_shot(tmp_path: Path) -> None:
    lines = written(in_two(), "edl", tmp_path, "10:00:00:00").read_text().splitlines()
    assert [line for line in lines[3:] if "LOC" not in line] == [
        "001  ONE      V     C        01:00:00:00 01:00:01:16 10:00:00:00 10:00:01:16",
        "* FROM CLIP NAME: one.mov",
        "002  ONE      V     C        01:00:01:16 01:00:02:00 10:00:01:16 10:00:02:00",
        "* FROM CLIP NAME: one.mov",
        "* MASTERSHOT: frames 40-70",
        "003  TWO      V     C        02:00:00:00 02:00:00:22 10:00:02:00 10:00:02:22",
        "* FROM CLIP NAME: two.mov",
        "* MASTERSHOT: frames 40-70, goes on",
        "004  TWO      V     C        02:00:00:22 02:00:03:00 10:00:02:22 10:00:05:00",
        "* FROM CLIP NAME: two.mov",
    ]


def test_clips_of_otio_refer_to_their_reels(tmp_path: Path) -> None:
    made = otio.adapters.read_from_file(str(written(in_two(), "otio", tmp_path)))
    clips = [
        (
            Path(clip.media_reference.target_url).name,
            clip.source_range.start_time.to_timecode(),
            clip.source_range.duration.to_frames(),
            clip.media_reference.available_range.duration.to_frames(),
        )
        for clip in made.find_clips()
    ]
    assert clips == [
        ("one.mov", "01:00:00:00", 40, 48), ("one.mov", "01:00:01:16", 8, 48),
        ("two.mov", "02:00:00:00", 22, 72), ("two.mov", "02:00:00:22", 50, 72),
    ]  # fmt: skip


def test_assets_of_fcpxml_are_the_reels(tmp_path: Path) -> None:
    root = ElementTree.parse(written(in_two(), "fcpxml", tmp_path)).getroot()
    assets = {one.attrib["id"]: one for one in root.iter("asset")}
    assert [one.get("name") for one in assets.values()] == ["one.mov", "two.mov"]

    def number(text: str) -> Fraction:
        return Fraction(text.removesuffix("s")) * RATE

    clips = [
        (assets[clip.attrib["ref"]].get("name"),
         number(clip.attrib["start"]) - number(assets[clip.attrib["ref"]].attrib["start"]),
         number(clip.attrib["duration"]))
        for clip in root.iter("asset-clip")
    ]  # fmt: skip
    assert clips == [
        ("one.mov", 0, 40),
        ("one.mov", 40, 8),
        ("two.mov", 0, 22),
        ("two.mov", 22, 50),
    ]


@pytest.mark.parametrize("name", EDITORS)
def test_a_film_in_reels_comes_back_and_edits_of_a_reel_with_it(name: str, tmp_path: Path) -> None:
    timeline = in_two()
    lanes = read(timeline, written(timeline, name, tmp_path))
    assert frames(lanes["shots"]) == [(0, 40), (40, 70), (70, 120)]
    assert frames(lanes["scenes"]) == [(0, 70), (70, 120)]


@pytest.mark.parametrize("name", EDITORS)
@pytest.mark.parametrize(
    "paths", [("a/part.mov", "b/part.mov"), ("The Third Man 1.mov", "The Third Man 2.mov"),
              ("one.mov", "one.mov")],
)  # fmt: skip
def test_reels_with_names_alike_are_told_apart(
    name: str, paths: tuple[str, str], tmp_path: Path
) -> None:
    timeline = in_two(paths=paths, codes=("", ""))
    assert frames(read(timeline, written(timeline, name, tmp_path))["shots"]) == [
        (0, 40), (40, 70), (70, 120),
    ]  # fmt: skip


@pytest.mark.parametrize("name", EDITORS)
def test_a_transition_over_a_join_is_shortened_with_a_note(name: str, tmp_path: Path) -> None:
    timeline = in_two()
    second = replace(timeline.shots[1], transition_in=Transition("dissolve", 36, 50))
    timeline = replace(timeline, shots=(timeline.shots[0], second, timeline.shots[2]))
    known = format_named(name)
    path = tmp_path / f"film{known.suffix}"
    notes = known.write(export_of(timeline, "", ["shots"]), path)
    assert "1 transitions run over the join of two reels and are shortened" in notes
    found = read(timeline, path)["shots"].intervals
    assert [one.span.first_frame for one in found] == [0, 40, 70]
    assert found[1].text.endswith("dissolve 36-48")


def test_a_lane_of_markers_alone_is_carried_by_all_reels(tmp_path: Path) -> None:
    timeline = in_two()
    path = tmp_path / "film.edl"
    format_named("edl").write(export_of(timeline, "", ["scenes"]), path)
    assert path.read_text().count(" V     C ") == 2
    lanes = read(timeline, path)
    assert list(lanes) == ["scenes"]


HEAD = "TITLE: film\nFCM: NON-DROP FRAME\n\n"


def read_text(text: str, folder: Path, timeline: Timeline) -> dict[str, Lane]:
    path = folder / "cut.edl"
    path.write_text(HEAD + text)
    return {lane.name: lane for lane in read_edl(path, timeline, frame_times_of(timeline))}


def test_time_codes_tell_reels_where_no_name_does(tmp_path: Path) -> None:
    text = (
        "001  AX V C 02:00:00:10 02:00:01:00 01:00:00:00 01:00:00:14\n"
        "002  AX V C 01:00:00:10 01:00:01:00 01:00:00:14 01:00:01:04\n"
        "003  TWO V C 02:00:02:00 02:00:03:01 01:00:01:04 01:00:02:05\n"
    )
    lanes = read_text(text, tmp_path, in_two())
    # The last event ends a frame late, as some editors write it.
    assert frames(lanes["shots"]) == [(10, 24), (58, 72), (96, 120)]


def test_in_a_list_from_elsewhere_a_join_is_a_cut(tmp_path: Path) -> None:
    text = (
        "001  ONE V C 01:00:00:00 01:00:02:00 01:00:00:00 01:00:02:00\n"
        "002  TWO V C 02:00:00:00 02:00:03:00 01:00:02:00 01:00:05:00\n"
    )
    assert frames(read_text(text, tmp_path, in_two())["shots"]) == [(0, 48), (48, 120)]


@pytest.mark.parametrize(
    ("event", "codes", "sentence"),
    [
        ("THREE V C 01:00:00:00 01:00:01:00", ("01:00:00:00", "02:00:00:00"),
         r"is a list of 'THREE', and this film is one\.mov and two\.mov; .* name it ONE"),
        ("ONE V C 01:00:01:00 01:00:03:00", ("01:00:00:00", "02:00:00:00"),
         r"event 001 ends at 01:00:03:00, but one\.mov ends at 01:00:02:00; the list is of anot"),
        ("TWO V C 01:59:59:00 02:00:01:00", ("01:00:00:00", "02:00:00:00"),
         r"event 001 starts at 01:59:59:00, before the first frame of two\.mov at 02:00:00:00"),
    ],
)  # fmt: skip
def test_an_event_of_no_reel_is_one_sentence(
    event: str, codes: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(EditsError, match=sentence) as refused:
        read_text(f"001  {event} 01:00:00:00 01:00:02:00\n", tmp_path, in_two(codes=codes))
    assert "\n" not in str(refused.value)


def test_a_short_name_of_two_reels_needs_their_time_codes(tmp_path: Path) -> None:
    paths = ("The Third Man 1.mov", "The Third Man 2.mov")
    text = "001  THETHIRD V C 02:00:00:00 02:00:01:00 01:00:00:00 01:00:01:00\n"
    lanes = read_text(text, tmp_path, in_two(paths=paths))
    assert frames(lanes["shots"]) == [(48, 72)]
    sentence = (
        r"event 001 may be of The Third Man 1\.mov \(THETHIR1\) or The Third Man 2\.mov "
        r"\(THETHIR2\); name it in the list as in brackets"
    )
    with pytest.raises(EditsError, match=sentence):
        read_text(text.replace(" 02:", " 00:"), tmp_path, in_two(paths=paths, codes=("", "")))


def part(timecode: str, **changes: Any) -> Timeline:
    """Return a film of 120 frames that starts 100 frames within a tape."""
    timeline = make_timeline(audio=())
    start = timeline.movie.start_pts - 100 * 1001
    movie = replace(timeline.movie, timecode=timecode, part=Part(2, 3, "", "", 100, start))
    return replace(timeline, movie=replace(movie, **changes))


@pytest.mark.parametrize("timecode", ["00:00:04:04", "10:00:00:00", "00:00:00:00", ""])
@pytest.mark.parametrize("name", EDITORS)
def test_a_part_of_a_tape_points_into_the_tape(timecode: str, name: str, tmp_path: Path) -> None:
    timeline = part(timecode)
    path = written(timeline, name, tmp_path)
    assert frames(read(timeline, path)["shots"]) == [(0, 40), (40, 70), (70, 120)]
    if name == "otio":
        first = next(iter(otio.adapters.read_from_file(str(path)).find_clips()))
        into = first.source_range.start_time - first.media_reference.available_range.start_time
        assert into.to_frames() == 100
        assert first.media_reference.available_range.duration.to_frames() == 220


def test_a_time_code_that_a_reel_cannot_have_is_passed_over_with_its_name() -> None:
    timeline = in_two(codes=("01:00:00:00", "02:00:00:29"))
    clock = edit_clock(frame_times_of(timeline), RATE)
    sources, notes = sources_of(clock, timeline.movie)
    assert [source.start for source in sources] == [86_400, 0]
    assert notes == (
        "two.mov: the film's own time code is passed over: time code 02:00:00:29 names frame 29, "
        "but at 23.976 frames a second they count 0 to 23; it was made at another frame rate",
    )
    assert own_number(Counting(RATE), "") == (None, ())
