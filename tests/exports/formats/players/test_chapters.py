import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import pytest
from tests.factories.exports import export_of
from tests.factories.films import encode_film, flat_images
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.lanes import Export, lanes_of
from mastershot.exports.formats.players.chapters import chapters_of
from mastershot.exports.formats.players.ffmetadata import write_ffmetadata
from mastershot.exports.formats.players.matroska import write_mkv_chapters
from mastershot.exports.formats.players.webvtt import read_webvtt, write_webvtt
from mastershot.store.frames import frame_times_of


def with_headings(timeline: Timeline) -> Timeline:
    assert timeline.scenes is not None
    first, *rest = timeline.scenes
    return replace(timeline, scenes=(replace(first, heading="INT. A; B = <C> - DAY"), *rest))


def export_from(timeline: Timeline, names: list[str] | None = None) -> Export:
    times = frame_times_of(timeline)
    return export_of(timeline, times, lanes_of(timeline, times, names))


def test_chapters_are_scenes_by_their_headings_or_what_else_was_asked_for() -> None:
    timeline = with_headings(make_timeline())
    titles = [one.title for one in chapters_of(export_from(timeline))]
    assert titles == ["INT. A; B = <C> - DAY", "scene 1: kitchen"]
    assert [one.title for one in chapters_of(export_from(timeline, ["headings"]))] == titles[:1]
    shots = chapters_of(export_from(timeline, ["shots"]))
    assert [one.span for one in shots] == [shot.span for shot in timeline.shots]
    without = chapters_of(export_from(replace(timeline, scenes=None)))
    assert [one.title for one in without] == ["shot 0", "shot 1", "shot 2"]


def test_chapters_never_overlap() -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    spans = [times.span(*run) for run in ((0, 50), (10, 12), (10, 30), (100, 120))]
    lane = Lane("mine", "notes", "", tuple(Interval(span) for span in spans))
    found = chapters_of(export_of(timeline, times, [lane]))
    assert [(one.span.first_frame, one.span.end_frame, one.title) for one in found] == [
        (0, 10, "Chapter 1"), (10, 30, "Chapter 2"), (100, 120, "Chapter 3"),
    ]  # fmt: skip


def test_ffmpeg_reads_the_metadata_exactly_as_the_film_counts(tmp_path: Path) -> None:
    timeline, path = with_headings(make_timeline()), tmp_path / "film.ffmetadata"
    (note,) = write_ffmetadata(export_from(timeline), path)
    assert "cannot be opened" in note  # There is no film; it would start at 2002.
    text = path.read_text("utf-8")
    assert text.startswith(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/24000\nSTART=0\nEND=70070\n")
    with av.open(str(path), format="ffmetadata") as read:
        chapters = read.chapters()
    assert [one["start"] * Fraction(one["time_base"] or 0) for one in chapters] == [
        0, Fraction(70070, 24000),
    ]  # fmt: skip
    assert chapters[0]["metadata"]["title"] == "INT. A; B = <C> - DAY"


def test_matroska_has_chapters_to_the_nanosecond_rounded_into_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "film.xml"
    write_mkv_chapters(export_from(with_headings(make_timeline())), path)
    root = ElementTree.parse(path).getroot()
    starts = [node.text for node in root.iter("ChapterTimeStart")]
    assert starts == ["00:00:00.000000000", "00:00:02.919583334"]  # 70070/24000 s
    assert [node.text for node in root.iter("ChapterString")] == [
        "INT. A; B = <C> - DAY", "scene 1: kitchen",
    ]  # fmt: skip
    assert [node.text for node in root.iter("ChapterUID")] == ["1", "2"]


def test_a_path_that_ends_in_mkv_makes_a_copy_of_the_film(tmp_path: Path) -> None:
    film = encode_film(tmp_path / "film.mp4", flat_images([(9, 9, 9), (200, 9, 9)], each=12))
    timeline = make_timeline(str(film), shot_frames=(12, 12), scene_shots=None)
    with av.open(str(film)) as container:
        time_base = Fraction(container.streams.video[0].time_base or 0)
    movie = replace(timeline.movie, frame_rate=Fraction(24), time_base=time_base, start_pts=0)
    times = frame_times_of(timeline)
    step = int(1 / Fraction(24) / time_base)
    times = replace(times, pts=(times.pts - 2002) // 1001 * step, time_base=time_base)
    shots = tuple(
        replace(shot, span=times.span(shot.span.first_frame, shot.span.end_frame))
        for shot in timeline.shots
    )
    timeline = replace(timeline, movie=movie, shots=shots)
    copy = tmp_path / "copy.mkv"
    write_mkv_chapters(export_of(timeline, times, lanes_of(timeline, times)), copy)
    with av.open(str(copy)) as container:
        chapters = container.chapters()
    assert [one["start"] * Fraction(one["time_base"] or 0) for one in chapters] == [
        0, Fraction(1, 2),
    ]  # fmt: skip


def test_webvtt_has_chapters_a_browser_shows_and_metadata_beside_them(tmp_path: Path) -> None:
    timeline, path = with_headings(make_timeline()), tmp_path / "film.vtt"
    notes = write_webvtt(export_from(timeline), path)
    assert notes[0].endswith("film.metadata.vtt the lanes as metadata cues")
    text = path.read_text("utf-8")
    assert text.startswith("WEBVTT\n\n")
    assert "\n\nchapter 2\n00:00:02.920 --> 00:00:05.005\nscene 1: kitchen\n" in text
    assert "INT. A; B = &lt;C&gt; - DAY" in text
    (lane,) = read_webvtt(path, timeline, frame_times_of(timeline))
    assert (lane.name, lane.role) == ("chapters", "notes")
    assert [one.span.first_frame for one in lane.intervals] == [0, 70]
    assert lane.intervals[0].text == "INT. A; B = <C> - DAY"


def test_ffmpeg_reads_both_files_of_webvtt_at_our_times(tmp_path: Path) -> None:
    timeline, path = with_headings(make_timeline()), tmp_path / "film.vtt"
    write_webvtt(export_from(timeline), path)
    for name, starts_ms in ((path, {0, 2920}), (tmp_path / "film.metadata.vtt", {0, 1669, 2920})):
        with av.open(str(name), format="webvtt") as read:
            cues = [packet for packet in read.demux() if packet.size]
        assert {packet.pts for packet in cues} >= starts_ms
        text = name.read_text("utf-8")
        assert len(cues) == text.count("-->")
        assert all(bytes(packet).decode("utf-8") in text for packet in cues)


def test_a_cue_that_was_moved_counts_by_its_times(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "film.vtt"
    times = frame_times_of(timeline)
    write_webvtt(export_from(timeline, ["shots"]), path)
    metadata = tmp_path / "film.metadata.vtt"
    text = metadata.read_text("utf-8")
    # The second shot starts at frame 40, 1.668 s after the first frame; frame 48 is at 2.002 s.
    assert text.count("00:00:01.669 -->") == 1
    metadata.write_text(text.replace("00:00:01.669 -->", "00:00:02.000 -->"), "utf-8")
    (lane,) = read_webvtt(metadata, timeline, times)
    assert [one.span.first_frame for one in lane.intervals] == [0, 48, 70]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: re.sub("WEBVTT", "WEB", text), "does not start with WEBVTT"),
        (
            lambda text: re.sub("NOTE film ....", "NOTE film ffff", text),
            "was written for film ffff",
        ),
        (lambda text: text.replace('{"lane": "shots"', '{"lan": 1', 1), "is no JSON with a lane"),
        (lambda text: text.replace('"text": "shot 0"', '"text": 7', 1), "a text is a string"),
        (lambda text: text.replace("00:00:00.000 -->", "99:00:00.000 -->"), "before it starts"),
    ],
)
def test_damaged_webvtt_is_refused_in_one_sentence(
    tmp_path: Path, change: Callable[[str], str], problem: str
) -> None:
    timeline = make_timeline()
    write_webvtt(export_from(timeline, ["shots"]), tmp_path / "film.vtt")
    path = tmp_path / "film.metadata.vtt"
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(EditsError, match=problem):
        read_webvtt(path, timeline, frame_times_of(timeline))
