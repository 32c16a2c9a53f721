"""An analysis as rows: its id, its columns, and what damage to it is called."""

import zlib
from dataclasses import replace

import pytest
from tests.factories.timelines import make_thumbs, make_timeline

from mastershot.core.errors import TimelineError
from mastershot.core.timeline import Timeline
from mastershot.store.run import Run, run_id, timeline_of, undated_json_of, wrong_id

FILM = make_timeline()


def test_a_run_is_named_by_all_but_its_date() -> None:
    thumbs = make_thumbs(FILM)
    base = Run(FILM, thumbs)
    later = replace(FILM, made_by=replace(FILM.made_by, created="2031-01-01T00:00:00Z"))
    backwards = dict(reversed(thumbs.items()))
    assert Run(later, backwards).id == base.id
    assert len(base.id) == 16
    newer = replace(FILM, made_by=replace(FILM.made_by, version="9"))
    first = FILM.shots[0].id
    others = [Run(newer, thumbs), Run(FILM, {}), Run(FILM, {**thumbs, first: b"x"})]
    assert len({run.id for run in (base, *others)}) == 4


def test_pictures_that_join_to_the_same_bytes_are_told_apart() -> None:
    parts = run_id("{}", {"a": b"x", "b": b"y"})
    for between in (b"\nb 1\n", b"\nb \n", b"\nb\n", b"b"):
        assert run_id("{}", {"a": b"x" + between + b"y"}) != parts
    assert run_id("{}", {"a": b"xy", "b": b""}) != parts


@pytest.mark.parametrize("timeline", [FILM, make_timeline(scene_shots=None, labels=None)])
def test_the_row_of_a_run_holds_its_timeline(timeline: Timeline) -> None:
    (row,) = Run(timeline, {}).rows()["runs"].to_pylist()
    assert timeline_of(row, name="film") == timeline
    assert timeline.made_by.created not in undated_json_of(row, name="film")


def test_rows_are_those_of_the_film_in_order() -> None:
    run = Run(FILM, {FILM.shots[1].id: b"jpeg"})
    rows = run.rows()
    shots = rows["shots"].to_pydict()
    assert shots["scene_index"] == [0, 0, 1]
    assert shots["thumb"] == [None, b"jpeg", None]
    assert list(zip(shots["first_frame"], shots["end_frame"], strict=True)) == [
        (0, 40),
        (40, 70),
        (70, 120),
    ]
    labels = [
        (row["level"], row["item_id"], row["borrowed"], row["rank"], row["name"])
        for row in rows["labels"].to_pylist()
        if row["item_id"] == FILM.shots[0].id
    ]
    assert labels == [
        ("shot", FILM.shots[0].id, borrowed, rank, name)
        for borrowed in (False, True)
        for rank, name in enumerate(("kitchen", "bar"))
    ]
    empty = ("subtitles", "genres")
    assert all(rows[name].num_rows == 0 for name in empty)
    for table in (rows[name] for name in rows if name not in empty):
        assert set(table["movie_id"].to_pylist()) == {FILM.movie.id}
        assert set(table["run_id"].to_pylist()) == {run.id}


def test_a_film_without_scenes_has_no_number_of_them_and_fractions_stay_exact() -> None:
    timeline = make_timeline(scene_shots=None)
    (row,) = Run(timeline, {}).movie_row(file="/caf\udce9", size_bytes=None).to_pylist()
    assert (row["num_scenes"], row["num_shots"], row["size_bytes"]) == (None, 3, None)
    assert (row["frame_rate"], row["sample_aspect_ratio"]) == ("24000/1001", "4/3")
    assert row["file"] == "file:/caf%E9"
    assert Run(timeline, {}).rows()["shots"]["scene_index"].to_pylist() == [None] * 3


@pytest.mark.parametrize(
    "packed",
    [b"", b"plain", zlib.compress(b"\xff"), zlib.compress(b"{}" * 99)[:-3], zlib.compress(b"[]")],
)
def test_a_row_that_holds_no_timeline_is_named(packed: bytes) -> None:
    row = {"timeline": packed, "created": ""}
    with pytest.raises(TimelineError, match="that film"):
        timeline_of(row, name="that film")


def test_the_first_id_that_is_not_derived_is_said_with_the_right_one() -> None:
    assert wrong_id(FILM) is None
    assert FILM.scenes is not None
    shots = (FILM.shots[0], replace(FILM.shots[1], id="shot"), FILM.shots[2])
    scenes = (replace(FILM.scenes[0], id="scene"), FILM.scenes[1])
    assert wrong_id(replace(FILM, scenes=scenes)) == f"id 'scene' should be {FILM.scenes[0].id!r}"
    both = replace(FILM, shots=shots, scenes=scenes)
    assert wrong_id(both) == f"id 'shot' should be {FILM.shots[1].id!r}"
