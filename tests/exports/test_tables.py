"""The CSV of shots: every number reads back, no text runs as a formula."""

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mastershot.core.errors import OutputError
from mastershot.core.labels import LabelScore
from mastershot.core.lanes import Mark, ShotSound
from mastershot.core.movie import Movie, Scene, Shot, Transition
from mastershot.core.time import Span
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots
from mastershot.exports.tables import write_shots_csv

COLUMNS = (
    "index", "id", "first_frame", "end_frame", "start_pts", "end_pts", "start_s", "end_s",
    "duration_s", "start_clock", "transition", "scene_index", "top_label", "score", "unsure",
    "kept", "borrowed", "scale", "scale_by",
    "faces", "persons", "tallest_face", "tallest_person",
    "speech", "music", "silence", "loudness_db",
    "setting", "setting_score", "setting_unsure", "time_of_day",
    "time_of_day_score", "time_of_day_unsure", "heading", "marks",
    "moderation",
)  # fmt: skip
NTSC = Fraction(1001, 24000)


def shot_at(index: int, **known: object) -> Shot:
    frame = index * 7
    span = Span(frame, frame + 7, frame - 3, frame + 4, NTSC)
    kind = "start" if index == 0 else "dissolve"
    return Shot(f"{'a' * 16}/{index:05}", span, Transition(kind, frame, frame), **known)  # type: ignore[arg-type]


def film_of(*shots: Shot, scenes: tuple[tuple[int, int], ...] | None = None) -> Timeline:
    end = shots[-1].span
    movie = Movie(
        "a" * 16, "film.mp4", "blake2b:" + "a" * 32, 1 / NTSC, NTSC, -3, end.end_pts,
        end.end_frame, 64, 48, Fraction(1), False, False,
    )  # fmt: skip
    found = None
    if scenes is not None:
        found = tuple(Scene("s", a, b, span_of_shots(shots, a, b)) for a, b in scenes)
    return Timeline(movie, MadeBy("0", "now"), shots, found)


def rows_of(timeline: Timeline, folder: Path) -> list[dict[str, str]]:
    write_shots_csv(timeline, folder / "shots.csv")
    with (folder / "shots.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_number_reads_back_to_the_same_value(tmp_path: Path) -> None:
    timeline = film_of(*(shot_at(index) for index in range(40)))
    rows = rows_of(timeline, tmp_path)
    assert [int(row["index"]) for row in rows] == list(range(40))
    for row, shot in zip(rows, timeline.shots, strict=True):
        assert row["id"] == shot.id
        for name in ("first_frame", "end_frame", "start_pts", "end_pts"):
            assert int(row[name]) == getattr(shot.span, name)
        for name in ("start_s", "end_s", "duration_s"):
            assert float(row[name]) == getattr(shot.span, name)


def test_a_row_says_all_that_is_known_of_a_shot(tmp_path: Path) -> None:
    sure = shot_at(
        0,
        labels=(LabelScore("kitchen", 0.71), LabelScore("bar, inside", 0.2)),
        kept=("kitchen", "bar, inside"),
    )
    unsure = shot_at(
        1,
        labels=(LabelScore("room", 0.125, unsure=True),),
        borrowed=(LabelScore("kitchen", 0.6), LabelScore("house", 0.5)),
        scale={"ECS": 0.1, "CS": 0.6, "MS": 0.3, "FS": 0.0, "LS": 0.0},
        sound=ShotSound(0.5, 0.25, 0.125, -20.5, 0.2),
    )
    rows = rows_of(film_of(sure, unsure, scenes=((0, 1), (1, 2))), tmp_path)
    assert tuple(rows[0]) == COLUMNS
    known = ("transition", "scene_index", "top_label", "score", "unsure", "kept", "borrowed")
    assert [rows[0][name] for name in known] == [
        "start", "0", "kitchen", "0.71", "false", "kitchen;bar, inside", "",
    ]  # fmt: skip
    assert [rows[1][name] for name in known] == [
        "dissolve", "1", "room", "0.125", "true", "", "kitchen;house",
    ]  # fmt: skip
    assert [row["scale"] for row in rows] == ["", "CS"]
    heard = ("speech", "music", "silence", "loudness_db")
    assert [[row[name] for name in heard] for row in rows] == [
        ["", "", "", ""],
        ["0.5", "0.25", "0.125", "-20.5"],
    ]
    assert rows[1]["start_clock"] == "0:00:00.167"  # 4 x 1001/24000 s


def test_cells_of_steps_that_did_not_run_are_empty(tmp_path: Path) -> None:
    (row,) = rows_of(film_of(shot_at(0)), tmp_path)
    names = (
        "scene_index",
        "top_label",
        "score",
        "unsure",
        "kept",
        "scale",
        "speech",
        "loudness_db",
    )
    assert {row[name] for name in names} == {""}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_label_that_looks_like_a_formula_is_kept_as_text(name: str, tmp_path: Path) -> None:
    labels = (LabelScore(name, 0.5),)
    (row,) = rows_of(film_of(shot_at(0, labels=labels, kept=("bar", name))), tmp_path)
    assert row["top_label"] == f"'{name}"
    assert row["kept"] == f"bar;'{name}"


def test_the_file_is_rfc_4180_in_utf_8(tmp_path: Path) -> None:
    labels = (LabelScore('a "é",\nأ 🎬', 0.5),)
    (row,) = rows_of(film_of(shot_at(0, labels=labels)), tmp_path)
    assert row["top_label"] == labels[0].name
    data = (tmp_path / "shots.csv").read_bytes()
    assert data.startswith(",".join(COLUMNS).encode() + b"\r\n")
    assert data.endswith(b"\r\n")
    assert b'"a ""\xc3\xa9"",' in data


def test_a_lone_surrogate_in_a_label_is_written_escaped(tmp_path: Path) -> None:
    (row,) = rows_of(film_of(shot_at(0, labels=(LabelScore("bar\ud800", 0.5),))), tmp_path)
    assert row["top_label"] == "bar\\ud800"


def test_a_file_that_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"missing.shots\.csv cannot be written: No such file"):
        write_shots_csv(film_of(shot_at(0)), tmp_path / "missing" / "shots.csv")
    (tmp_path / "shots.csv").mkdir()
    with pytest.raises(OutputError, match=r"shots\.csv cannot be written"):
        write_shots_csv(film_of(shot_at(0)), tmp_path / "shots.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["shots.csv"]


def test_a_failed_write_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "shots.csv"
    path.write_text("before")
    broken = shot_at(0, labels=(object(),))
    with pytest.raises(AttributeError):
        write_shots_csv(film_of(broken), path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_marks_over_half_of_a_shot_are_named(tmp_path: Path) -> None:
    film = film_of(*(shot_at(index) for index in range(3)))
    first, second = film.shots[0].span, film.shots[1].span
    black = Span(4, 14, 1, 11, NTSC)  # 3 frames of the first shot, all of the second.
    marks = (Mark("silence", first), Mark("black", black), Mark("silence", second))
    rows = rows_of(replace(film, marks=marks), tmp_path)
    assert [row["marks"] for row in rows] == ["silence", "black;silence", ""]
    assert [row["marks"] for row in rows_of(film, tmp_path)] == ["", "", ""]
