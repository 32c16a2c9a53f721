import json
from pathlib import Path

import pytest
from tests.factories.commands import invoke, run
from tests.factories.timelines import make_timeline

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
        ("a.otio", b'{"OTIO_SCHEMA": "Timeline.9"}', "written by a newer OpenTimelineIO"),
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


def test_a_timeline_that_is_none_is_one_sentence(folder: Path) -> None:
    (folder / "timeline.json").write_text("{}")
    for command in (
        ("export", folder, "--to", "edl"),
        ("import", folder / "a.edl", "--onto", folder),
    ):
        done = invoke(*command)
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
