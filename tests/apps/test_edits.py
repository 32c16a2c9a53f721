import json
from fractions import Fraction
from pathlib import Path

import pytest
from tests.factories.commands import invoke, run
from tests.factories.timelines import make_movie, make_timeline

from mastershot.core.movie import Shot, Transition, shot_id
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline

FILM = make_timeline()
EDITED = """TITLE: film
FCM: NON-DROP FRAME

001  FILM V C 00:00:00:00 00:00:01:18 01:00:00:00 01:00:01:18
002  FILM V C 00:00:01:18 00:00:05:00 01:00:01:18 01:00:05:00
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "timeline.json").write_text(FILM.to_json())
    return tmp_path


def test_an_export_goes_out_and_comes_back_in(folder: Path) -> None:
    out = folder / "cut.edl"
    done = run(
        "export", folder, "--to", "edl", "--out", out, "--start-timecode", "01:00:00:00",
        "--lanes", "shots, audio", "--min-score", "0.8",
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    assert "01:00:00:00" in out.read_text()
    assert "Applause" not in out.read_text()
    done = run("import", out, "--onto", folder / "timeline.json", "--as", "truth", "--name", "mine")
    assert done.stdout.splitlines() == [
        "added lane mine: 3 truth", "added lane mine-audio: 1 notes", "every cut is where it was",
    ]  # fmt: skip


def test_results_are_json_when_asked(folder: Path) -> None:
    (folder / "cut.edl").write_text(EDITED)
    done = invoke("import", folder / "cut.edl", "--onto", folder, "--json")
    assert json.loads(done.stdout) == {
        "lanes": [{"name": "edits", "role": "shots", "num_intervals": 2}],
        "replaced": [],
        "changes": {"moved": [[40, 42]], "removed": [70], "added": []},
    }
    done = invoke("export", folder, "--to", "otio", "--lanes", "edits", "--json")
    assert json.loads(done.stdout) == {"path": str(folder / "film.otio"), "notes": []}


OTIO = (
    '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [{"OTIO_SCHEMA"'
    ': "Track.1", "kind": "Video", "children": [{"OTIO_SCHEMA": "Clip.2", "source_range": {'
    '"OTIO_SCHEMA": "TimeRange.1", "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": 24, '
    '"value": 0}, "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 9}}}]}]}}'
)
EAF = (
    '<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00Z" VERSION="3.0"><HEADER '
    'TIME_UNITS="milliseconds"><MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/x/other.mp4" '
    'MIME_TYPE="video/mp4"/></HEADER><TIME_ORDER/></ANNOTATION_DOCUMENT>'
)
BOMB = '<!DOCTYPE fcpxml [<!ENTITY a "aa">]><fcpxml version="1.10">&a;</fcpxml>'


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.edl", EDITED.replace("01:18", "01:24").encode(), "names frame 24, but at 23.976"),
        ("a.edl", EDITED.replace("NON-DROP", "DROP").encode(), "counts drop-frame, but the film"),
        ("a.edl", EDITED.replace("FILM", "OTHER").encode(), "is a list of 'OTHER'"),
        ("a.edl", EDITED.replace(" 00:00:01:18 00:00:05", " 00:00:01:00 00:00:05").encode(),
         "overlap by 18 frames"),
        ("a.edl", b"", "is empty"),
        ("a.edl", b"\0\0RIFF", "is a binary file"),
        ("a.edl", EDITED.replace("  FILM V C 00:00:01:18", "  GFX V C 00:00:01:18").encode(),
         "event 002 is of 'GFX', but others are of this film, film.mp4"),
        ("a.otio", b'{"OTIO_SCHEMA": "Timeline.9"}', "written by a newer OpenTimelineIO"),
        ("a.otio", OTIO.replace("Clip.2", "Clip.9").encode(),
         "newer OpenTimelineIO: Clip.9 in it is not known, but Clip.2 is; save it for an older"),
        ("a.otio", OTIO.replace("Clip.2", "Nothing.1").encode(),
         "holds 'Nothing.1', a schema that is not known; save it without"),
        ("a.eaf", EAF.encode(), "is of other.mp4, and the timeline of film.mp4"),
        ("a.fcpxml", BOMB.encode(), "defines entities"),
        ("a.fcpxml", b"\xff" * 99, "no well-formed XML"),
        ("a.txt", b"", "is empty"),
        ("a.txt", b"\xff\xfe\x00", "cannot be read as text"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_sentence(name: str, data: bytes, sentence: str, folder: Path) -> None:
    (folder / name).write_bytes(data)
    before = (folder / "timeline.json").read_bytes()
    done = invoke("import", folder / name, "--onto", folder)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (folder / "timeline.json").read_bytes() == before


def test_a_huge_file_and_a_missing_one_are_one_sentence(folder: Path) -> None:
    with (folder / "huge.edl").open("wb") as file:
        file.truncate(300 << 20)
    for name, sentence in (("huge.edl", "less than 256 MB"), ("none.edl", "does not exist")):
        done = invoke("import", folder / name, "--onto", folder)
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert sentence in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--to", "otoi"), "format 'otoi' is unknown; use edl"),
        (("--to", "edl", "--min-score", "nan"), "a lowest score of nan means nothing"),
        (("--to", "edl", "--min-score", "-1"), "a lowest score of -1 means nothing"),
        (("--to", "edl", "--lanes", "nix"), "lane 'nix' is not in this timeline"),
        (("--to", "edl", "--start-timecode", "01:01:00;00"), "drop-frame codes count 29.97"),
        (("--to", "edl", "--start-timecode", "00:00:00:24"), "names frame 24"),
        (("--to", "edl", "--start-timecode=-1"), "'-1' is no time code"),
    ],
)
def test_a_bad_setting_is_one_sentence(
    options: tuple[str, ...], sentence: str, folder: Path
) -> None:
    done = invoke("export", folder, *options)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("01:01:00;00", "time code 01:01:00;00 does not exist: drop-frame codes pass over frames"),
        ("01:01:00;30", "time code 01:01:00;30 names frame 30, but at 29.97 frames a second"),
        ("25:00:00:00", "time code 25:00:00:00 is past the end of a day"),
        ("soon", "'soon' is no time code; one is written HH:MM:SS:FF"),
    ],
)
def test_a_time_code_that_does_not_exist_is_one_sentence(
    code: str, sentence: str, folder: Path
) -> None:
    movie = make_movie(frame_rate=Fraction(30000, 1001), time_base=Fraction(1001, 30000),
                       start_pts=0, end_pts=120)  # fmt: skip
    span = Span(0, 120, 0, 120, movie.time_base)
    shot = Shot(shot_id(movie.id, 0), span, Transition("start", 0, 0))
    (folder / "timeline.json").write_text(Timeline(movie, FILM.made_by, (shot,)).to_json())
    edl = folder / "a.edl"
    edl.write_text(f"FCM: DROP FRAME\n001  FILM V C {code} 01:02:00;02 {code} 01:02:00;02\n")
    stated = ("import", edl, "--onto", folder, "--start-timecode", code)
    for command in (("export", folder, "--to", "edl", "--start-timecode", code), stated):
        done = invoke(*command)
        assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
        assert sentence in done.stderr
    done = invoke("import", edl, "--onto", folder)  # Written in the file, it is the file's fault.
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert (sentence if code != "soon" else "is no event") in done.stderr


def test_a_timeline_that_is_none_is_one_sentence(folder: Path) -> None:
    (folder / "timeline.json").write_text("{}")
    for command in (
        ("export", folder, "--to", "edl"),
        ("import", folder / "a.edl", "--onto", folder),
    ):
        done = invoke(*command)
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
