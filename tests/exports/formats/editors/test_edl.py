from dataclasses import replace
from pathlib import Path

from tests.exports.formats.editors.test_edits import export_of
from tests.factories.timelines import make_timeline

from mastershot.core.movie import Transition
from mastershot.exports.formats.editors.edl import write_edl


def test_a_list_is_written_as_editors_expect_it(tmp_path: Path) -> None:
    timeline = make_timeline(audio=())
    changed = [
        Transition("fade", 0, 6, "black"), Transition("dissolve", 36, 44),
        Transition("fade", 64, 74, "black"),
    ]  # fmt: skip
    shots = zip(timeline.shots, changed, strict=True)
    timeline = replace(timeline, shots=tuple(replace(s, transition_in=t) for s, t in shots))
    path = tmp_path / "film.edl"
    assert write_edl(export_of(timeline, "01:00:00:00", ["shots", "scenes"]), path) == ()
    assert path.read_text() == (
        "TITLE: film\n"
        "FCM: NON-DROP FRAME\n"
        "\n"
        "001  BL       V     C        00:00:00:00 00:00:00:00 01:00:00:00 01:00:00:00\n"
        "001  FILM     V     D    006 00:00:00:00 00:00:01:12 01:00:00:00 01:00:01:12\n"
        "* TO CLIP NAME: film.mp4\n"
        "* MASTERSHOT: frames 0-40, fade through black 0-6\n"
        "* LOC: 01:00:00:00 BLUE    scenes: scene 0: kitchen [frames 0-70, score 0.7]\n"
        "002  FILM     V     C        00:00:01:12 00:00:01:12 01:00:01:12 01:00:01:12\n"
        "002  FILM     V     D    008 00:00:01:12 00:00:02:16 01:00:01:12 01:00:02:16\n"
        "* FROM CLIP NAME: film.mp4\n"
        "* TO CLIP NAME: film.mp4\n"
        "* MASTERSHOT: frames 40-70, dissolve 36-44\n"
        "003  FILM     V     C        00:00:02:16 00:00:02:16 01:00:02:16 01:00:02:16\n"
        "003  BL       V     D    006 00:00:00:00 00:00:00:06 01:00:02:16 01:00:02:22\n"
        "* FROM CLIP NAME: film.mp4\n"
        "004  BL       V     C        00:00:00:00 00:00:00:00 01:00:02:22 01:00:02:22\n"
        "004  FILM     V     D    004 00:00:02:22 00:00:05:00 01:00:02:22 01:00:05:00\n"
        "* TO CLIP NAME: film.mp4\n"
        "* MASTERSHOT: frames 70-120, fade through black 64-74\n"
        "* LOC: 01:00:02:22 BLUE    scenes: scene 1: kitchen [frames 70-120, score 0.7]\n"
    )


def test_transitions_that_run_into_each_other_are_shortened_with_a_note(tmp_path: Path) -> None:
    timeline = make_timeline(audio=())
    changed = [
        Transition("start", 0, 0), Transition("dissolve", 30, 75), Transition("wipe", 35, 80),
    ]  # fmt: skip
    shots = zip(timeline.shots, changed, strict=True)
    timeline = replace(timeline, shots=tuple(replace(s, transition_in=t) for s, t in shots))
    notes = write_edl(export_of(timeline, names=["shots"]), tmp_path / "film.edl")
    assert notes == ("2 transitions run into others and are shortened",)
    text = (tmp_path / "film.edl").read_text()
    assert "D    040 00:00:01:06 00:00:02:22" in text
    assert "W001 010 00:00:02:22 00:00:05:00" in text


def test_more_events_than_some_systems_read_are_told(tmp_path: Path) -> None:
    timeline = make_timeline(shot_frames=(2,) * 1001, scene_shots=None, audio=())
    notes = write_edl(export_of(timeline, names=["shots"]), tmp_path / "film.edl")
    assert notes == ("the list has 1001 events; some systems read 999 at most",)
    assert "\n1001  FILM" in (tmp_path / "film.edl").read_text()


def test_without_shots_one_event_carries_the_markers(tmp_path: Path) -> None:
    write_edl(export_of(make_timeline(), names=["audio"]), tmp_path / "film.edl")
    lines = (tmp_path / "film.edl").read_text().splitlines()[3:]
    assert lines[0].endswith("00:00:00:00 00:00:05:00 00:00:00:00 00:00:05:00")
    assert [line[:6] for line in lines[2:]] == ["* LOC:", "* LOC:"]
