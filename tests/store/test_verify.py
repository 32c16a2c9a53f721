"""Each kind of damage is found and named, and what a repair can mend it mends."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.factories.timelines import (
    make_embeddings,
    make_movie,
    make_space,
    make_thumbs,
    make_timeline,
)

from mastershot.core.movie import Movie
from mastershot.core.timeline import Timeline
from mastershot.store.library import Library
from mastershot.store.tables import embeddings_table
from mastershot.store.verify import find_problems

SPACE = make_space()
VECTORS = embeddings_table(SPACE.key)
STRANGER = "feedfeedfeedfeed"


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    """The timeline of a film whose file is there, with the size and content it states."""
    content = b"a film"
    file = tmp_path / "film.mp4"
    file.write_bytes(content)
    base = make_timeline(content.decode())
    return replace(base, movie=replace(base.movie, path=str(file)))


@pytest.fixture
def library(tmp_path: Path, timeline: Timeline) -> Library:
    library = Library(tmp_path / "films.mastershot", create=True)
    library.features(timeline.movie.id).put(make_embeddings(SPACE, range(0, 120, 10)))
    library.put_timeline(timeline, make_thumbs(timeline))
    return library


def found(library: Library, **options: Any) -> list[tuple[str, str]]:
    return [(problem.kind, problem.text) for problem in find_problems(library, **options)]


def only(library: Library, **options: Any) -> tuple[str, str]:
    (problem,) = found(library, **options)
    return problem


def add_row(library: Library, table: str, **changes: Any) -> None:
    """Append a copy of a table's first row with some columns changed."""
    rows = library.tables.rows(table)
    row = rows.to_pylist()[0] | changes
    library.tables.append(table, pa.Table.from_pylist([row], schema=rows.schema))


def change_rows(library: Library, table: str, where: str, **changes: Any) -> None:
    rows = library.tables.rows(table, where=where)
    changed = [row | changes for row in rows.to_pylist()]
    library.tables.delete(table, where)
    library.tables.append(table, pa.Table.from_pylist(changed, schema=rows.schema))


def test_a_whole_library_has_no_problem(library: Library) -> None:
    assert found(library, hashes=True) == []
    assert library.repair() == 0
    assert found(library, hashes=True) == []


@pytest.mark.parametrize(
    ("table", "where", "text"),
    [
        ("shots", "index = 1", "2 rows in shots instead of 3"),
        ("scenes", "index = 1", "1 rows in scenes instead of 2"),
        ("labels", "level = 'scene' AND rank = 0", "10 rows in labels instead of 12"),
    ],
)
def test_a_lost_row_is_found(library: Library, table: str, where: str, text: str) -> None:
    assert library.tables.delete(table, where)
    kind, found_text = only(library)
    assert kind == "rows"
    assert text in found_text


@pytest.mark.parametrize(
    ("table", "where", "changes", "text"),
    [
        ("movies", "true", {"num_shots": 4}, "num_shots in movies differ from the timeline"),
        ("shots", "index = 1", {"end_frame": 71}, "end_frame in shots differ"),
        ("shots", "index = 1", {"id": "wrong/00001"}, "id, thumb in shots differ"),
        ("scenes", "index = 0", {"end_shot": 1}, "end_shot in scenes differ"),
        ("labels", "rank = 0", {"score": 0.1}, "score in labels differ"),
        ("labels", "name = 'bar'", {"item_id": "gone/00009"}, "in labels differ"),
        ("shots", "index = 2", {"thumb": b"other"}, "a picture is not the one that was added"),
    ],
)
def test_a_changed_value_is_found(
    library: Library, table: str, where: str, changes: dict[str, Any], text: str
) -> None:
    change_rows(library, table, where, **changes)
    kind, found_text = only(library)
    assert kind == "rows"
    assert text in found_text
    assert "film.mp4" in found_text


def test_a_lost_timeline_is_found_and_the_film_can_be_replaced(
    library: Library, timeline: Timeline
) -> None:
    library.tables.delete("runs", "true")
    kind, text = only(library)
    assert kind == "table"
    assert "holds 0 timelines of film" in text
    library.remove(timeline.movie.id)
    assert library.put_timeline(timeline)
    assert found(library) == []


def test_a_damaged_timeline_is_found(library: Library) -> None:
    change_rows(library, "runs", "true", timeline=b"not packed")
    kind, text = only(library)
    assert kind == "table"
    assert "the timeline of film" in text
    assert "is damaged" in text


def test_rows_of_no_film_are_found_and_repaired(library: Library) -> None:
    content = library.dump()
    add_row(library, "shots", movie_id=STRANGER)
    add_row(library, "labels", run_id=STRANGER)
    library.features(STRANGER).put(make_embeddings(SPACE, [1, 2]))
    texts = [text for kind, text in found(library) if kind == "leftover"]
    assert [text.split(" belong")[0] for text in texts] == [
        "1 rows of shots",
        "1 rows of labels",
        f"2 rows of {VECTORS}",
    ]
    assert library.repair() == 4
    assert found(library) == []
    assert library.dump() == content


def with_frame(frame: int) -> Callable[[Library], None]:
    return lambda library: add_row(library, VECTORS, frame=frame)


def with_infinity(library: Library) -> None:
    add_row(library, VECTORS, frame=1, vector=[np.inf] * SPACE.width)


def without_vector(library: Library) -> None:
    add_row(library, VECTORS, frame=1, vector=None)


def with_other_width(library: Library) -> None:
    change_rows(library, "spaces", "true", width=SPACE.width + 1)
    key = library.spaces()[0].key
    (library.path / f"{VECTORS}.lance").rename(library.path / f"{embeddings_table(key)}.lance")


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (with_frame(0), "a frame has two vectors"),
        (with_frame(120), "a frame lies outside the film"),
        (with_frame(-1), "a frame lies outside the film"),
        (with_infinity, "a vector is not finite"),
        (without_vector, "a vector is not finite"),
        (with_other_width, "vectors have width 8 instead of 9"),
    ],
)
def test_damaged_vectors_are_found(
    library: Library, damage: Callable[[Library], None], text: str
) -> None:
    damage(library)
    kind, found_text = only(library)
    assert kind == "vectors"
    assert text in found_text


@pytest.mark.parametrize(
    ("table", "part"),
    [("movies", "data"), ("shots", "data"), ("shots", "_versions"), (VECTORS, "data")],
)
def test_a_table_that_cannot_be_read_is_found(library: Library, table: str, part: str) -> None:
    for path in (library.path / f"{table}.lance" / part).iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    problems = found(library)
    assert {kind for kind, _ in problems} == {"table"}
    assert all(f"cannot be read: table {table}: " in text for _, text in problems)
    assert not any("/rustc/" in text or ".rs:" in text for _, text in problems)


def test_a_film_whose_file_is_gone_or_another_is_found(
    library: Library, timeline: Timeline
) -> None:
    file = Path(timeline.movie.path)
    file.write_bytes(b"another film")
    assert only(library) == (
        "file",
        f"{file} has 12 bytes instead of 6: it is not the film that was added",
    )
    file.write_bytes(b"b film")
    assert found(library) == []
    assert only(library, hashes=True) == (
        "file",
        f"{file} has other content than the film that was added",
    )
    file.unlink()
    assert only(library) == ("file", f"{file} cannot be read: No such file or directory")


def test_a_film_that_had_no_file_when_it_was_added_has_no_size_to_differ(
    library: Library, timeline: Timeline
) -> None:
    file = Path(timeline.movie.path)
    file.unlink()
    library.put_timeline(timeline, make_thumbs(timeline))
    file.write_bytes(b"other")
    assert found(library) == []
    assert only(library, hashes=True)[1].endswith("has other content than the film that was added")


def test_a_folder_in_the_place_of_a_film_is_found(library: Library, timeline: Timeline) -> None:
    file = Path(timeline.movie.path)
    file.unlink()
    library.put_timeline(timeline, make_thumbs(timeline))
    file.mkdir()
    kind, text = only(library, hashes=True)
    assert kind == "file"
    assert str(file) in text


def test_rows_in_another_order_are_whole(library: Library) -> None:
    for table in ("shots", "scenes", "labels", VECTORS):
        rows = library.tables.rows(table)
        library.tables.delete(table, "true")
        library.tables.append(table, rows.take(list(range(rows.num_rows))[::-1]))
    assert found(library) == []


def test_damage_to_one_film_is_told_of_it_alone_and_hides_no_other(
    library: Library, timeline: Timeline
) -> None:
    other = make_timeline("other.mp4")
    library.put_timeline(other)
    library.tables.delete("runs", f"movie_id = '{timeline.movie.id}'")
    library.tables.delete("shots", f"movie_id = '{other.movie.id}' AND index = 0")
    add_row(library, VECTORS, frame=-1)
    problems = {(problem.kind, problem.movie_id) for problem in find_problems(library)}
    mine, others = timeline.movie.id, other.movie.id
    assert problems == {("table", mine), ("vectors", mine), ("rows", others), ("file", others)}


def test_the_hash_that_is_checked_is_the_one_a_movie_states(timeline: Timeline) -> None:
    movie: Movie = make_movie(Path(timeline.movie.path).read_text())
    assert movie.content_hash == timeline.movie.content_hash
