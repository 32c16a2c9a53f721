import subprocess
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest
from tests.factories.exports import export_of, without_source
from tests.factories.films import encode_film, flat_images
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError, MediaError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import dialogue
from mastershot.exports.formats.players.subtitles import (
    plain_text,
    read_subtitles,
    subtitles_of,
    write_subtitles,
)
from mastershot.exports.formats.players.webvtt import read_webvtt
from mastershot.store.frames import frame_times_of

SRT = """1
00:00:00,500 --> 00:00:01,500
{\\an8}<i>Where</i> are you?

2
00:00:01,000 --> 00:00:02,000
- Here &amp; <font color="#fff">there</font>.
- a < b

3
0:00:04,2 --> 00:00:04,999
<b></b>
"""


def read(tmp_path: Path, data: bytes, name: str = "film.srt") -> Lane:
    path, timeline = tmp_path / name, make_timeline()
    path.write_bytes(data)
    reader = read_webvtt if name.endswith(".vtt") else read_subtitles
    (lane,) = reader(path, timeline, frame_times_of(timeline))
    return lane


def test_cues_are_read_without_markup_and_may_overlap(tmp_path: Path) -> None:
    lane = read(tmp_path, SRT.encode())
    assert (lane.name, lane.role, lane.source) == ("subtitles", "subtitles", "film.srt")
    texts = [one.text for one in lane.intervals]
    assert texts == ["Where are you?", "- Here & there. - a < b"]
    # 0.5 s is 11.99 frames after the first.
    spans = [(one.span.first_frame, one.span.end_frame) for one in lane.intervals]
    assert spans == [(12, 36), (24, 48)]


@pytest.mark.parametrize(
    ("encoding", "source"),
    [
        ("utf-8-sig", "film.srt"),
        ("utf-16", "film.srt"),
        ("cp1252", "film.srt (read as Windows-1252)"),
    ],
)
def test_any_usual_encoding_is_read_and_a_guess_is_said(
    tmp_path: Path, encoding: str, source: str
) -> None:
    text = "1\r\n00:00:01,000 --> 00:00:02,000\r\n„Café“ – naïve\r\n"
    lane = read(tmp_path, text.encode(encoding))
    assert (lane.intervals[0].text, lane.source) == ("„Café“ – naïve", source)


def test_webvtt_of_others_is_a_lane_of_subtitles(tmp_path: Path) -> None:
    text = (
        "WEBVTT - title\n\nSTYLE\n::cue { color: red }\n\nNOTE a\ncomment\n\nintro\n"
        "00:01.000 --> 00:02.000 align:start position:10%\n<v Ann>Hello <c.loud>you</c>\n"
    )
    lane = read(tmp_path, text.encode(), "film.vtt")
    assert [one.text for one in lane.intervals] == ["Hello you"]
    assert lane.role == "subtitles"


def test_blank_lines_and_missing_numbers_do_not_confuse_cues(tmp_path: Path) -> None:
    text = (
        "\n\n00:00:01,000 --> 00:00:01,500\none\n7\n00:00:02,000 --> 00:00:02,500\n12\n\n\n"
        "9\n00:00:00,100 --> 00:00:00,200\nearlier"
    )
    lane = read(tmp_path, text.encode())
    assert [one.text for one in lane.intervals] == ["earlier", "one", "12"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"just words\n", "holds no cue"),
        (b"\x00\x01\x02binary\x00", "is a binary file"),
        (b"1\n-00:00:01,000 --> 00:00:02,000\nx\n", "is no time of a film"),
        (b"1\n00:61:01,000 --> 00:62:02,000\nx\n", "is no time of a film"),
        (b"1\n00:00:03,000 --> 00:00:02,000\nx\n", "before it starts"),
        (b"1\nsoon --> later\nx\n", "line 2: 'soon --> later' should be two times"),
        (b"1\n00:00:09,000 --> 00:00:10,000\nx\n", "starts after the film has ended"),
    ],
)
def test_bad_subtitles_are_refused_in_one_sentence(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    with pytest.raises(EditsError, match=problem) as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    with pytest.raises(EditsError, match="does not exist"):
        read_subtitles(tmp_path / "no.srt", timeline, times)
    with pytest.raises(EditsError, match="is a folder"):
        read_subtitles(tmp_path, timeline, times)


def test_subtitles_are_written_and_read_back(tmp_path: Path) -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    lane = Lane(
        "subtitles", "subtitles", "",
        (Interval(times.span(3, 30), "One --> two"), Interval(times.span(29, 31), "Three")),
    )  # fmt: skip
    path = tmp_path / "film.srt"
    write_subtitles(export_of(timeline, times, [lane]), path)
    (found,) = without_source(read_subtitles(path, timeline, times))
    assert found.intervals[1] == lane.intervals[1]
    assert found.intervals[0] == Interval(times.span(3, 30), "One -> two")


def test_dialogue_is_what_is_said_in_order() -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    lines = tuple(Interval(times.span(at, at + 5), text) for at, text in ((1, "Hi."), (9, "Ho.")))
    lanes = (Lane("s", "subtitles", "", lines), Lane("n", "notes", "", lines[:1]))
    assert dialogue(timeline) == ""
    assert dialogue(replace(timeline, lanes=lanes)) == "Hi.\nHo."


def test_markup_of_substation_and_web_goes() -> None:
    assert plain_text(r"{\pos(1,2)}One\Ntwo<00:01.000>") == "One two"
    assert plain_text("3 < 4 and <i>5</i> > 2 {brackets}") == "3 < 4 and 5 > 2 {brackets}"


@pytest.mark.skipif(which("ffmpeg") is None, reason="ffmpeg makes these films; it is missing")
@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "mov_text"), ("mkv", "subrip"), ("mkv", "ass"), ("mkv", "webvtt")]
)
def test_a_films_own_subtitles_become_a_lane(tmp_path: Path, suffix: str, codec: str) -> None:
    pictures = encode_film(tmp_path / "pictures.mp4", flat_images([(9, 9, 9)], each=120))
    words = tmp_path / "words.srt"
    words.write_text(
        "1\n00:00:01,000 --> 00:00:02,000\n<i>Where, oh where</i>\nare you?\n\n"
        "2\n00:00:03,000 --> 00:00:03,500\nHere.\n"
    )
    film = tmp_path / f"film.{suffix}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", pictures, "-i", words, "-map", "0", "-map", "1", "-c:v",
         "copy", "-c:s", codec, "-metadata:s:s:0", "language=eng", film], check=True,
    )  # fmt: skip
    timeline = make_timeline(str(film))
    (lane,) = subtitles_of(film, timeline, frame_times_of(timeline))
    assert [one.text for one in lane.intervals] == ["Where, oh where are you?", "Here."]
    # The timeline counts from 2002/24000 s on the film's clock: 22 frames after it is 1.0010 s.
    assert lane.intervals[0].span.first_frame == 22
    assert (lane.role, lane.source) == ("subtitles", f"film.{suffix}, track 1 (eng)")
    with pytest.raises(MediaError, match="has no subtitle track 7; its tracks are: 1"):
        subtitles_of(film, timeline, frame_times_of(timeline), track=7)
    with pytest.raises(MediaError, match="holds no subtitle track"):
        subtitles_of(pictures, timeline, frame_times_of(timeline))
