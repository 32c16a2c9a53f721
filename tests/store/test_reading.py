"""Reading across the films of a library."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.factories.timelines import make_embeddings, make_space, make_timeline

from mastershot.core.embeddings import Embeddings
from mastershot.core.errors import LibraryError
from mastershot.store.library import Library
from mastershot.store.reading import first_frames, stored_shots, vector_blocks
from mastershot.store.tables import embeddings_table

SPACE, OTHER = make_space(8), make_space(4, "other")
ONE, TWO = make_timeline("one.mp4"), make_timeline("two.mp4", shot_frames=(9, 3), scene_shots=None)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "films.mastershot", create=True)
    for timeline in (ONE, TWO):
        library.put_timeline(timeline)
    return library


def test_shots_start_where_their_timelines_say(library: Library) -> None:
    starts = first_frames(library.tables)
    runs = {movie.id: movie.run_id for movie in library.movies()}
    assert starts[runs[ONE.movie.id]].tolist() == [0, 40, 70]
    assert starts[runs[TWO.movie.id]].tolist() == [0, 9]
    assert len(starts) == 2


def test_an_empty_library_has_no_shots(tmp_path: Path) -> None:
    assert first_frames(Library(tmp_path / "empty", create=True).tables) == {}


def test_only_shots_of_the_runs_asked_for_come_back(library: Library) -> None:
    runs = {movie.id: movie.run_id for movie in library.movies()}
    ids = [ONE.shots[2].id, TWO.shots[1].id, ONE.shots[1].id, "it's none"]
    found = stored_shots(library.tables, ids, runs={runs[ONE.movie.id]})
    [second, third] = sorted(found, key=lambda shot: shot.id)
    assert (second.id, third.id) == (ONE.shots[1].id, ONE.shots[2].id)
    assert (third.first_frame, third.end_frame) == (70, 120)
    assert (third.start_s, third.end_s) == (ONE.shots[2].span.start_s, ONE.shots[2].span.end_s)
    assert third.kept == ("kitchen", "bar")
    assert stored_shots(library.tables, [], runs=set()) == []


def test_more_shots_than_one_question_may_name(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mastershot.store.reading._IDS_AT_ONCE", 2)
    ids = [shot.id for shot in (*ONE.shots, *TWO.shots)]
    runs = {movie.run_id for movie in library.movies()}
    assert sorted(shot.id for shot in stored_shots(library.tables, ids, runs=runs)) == sorted(ids)


def test_every_vector_of_a_space_comes_once_with_its_film(library: Library) -> None:
    kept = {
        ("one", 0): make_embeddings(SPACE, [3, 8], seed=1),
        ("two", 0): make_embeddings(SPACE, range(2000), seed=2),
        ("one", 1): make_embeddings(SPACE, [1, 5], seed=1),
    }
    for (movie_id, _), embeddings in kept.items():
        library.features(movie_id).put(embeddings)
    library.features("one").put(make_embeddings(OTHER, [3]))
    found: dict[str, list[Embeddings]] = {"one": [], "two": []}
    for movie_id, block in vector_blocks(library.tables, SPACE):
        assert (np.diff(block.frames) > 0).all()
        found[movie_id].append(block)
    assert len(found["two"]) > 1
    for movie_id, blocks in found.items():
        whole = library.features(movie_id).get(SPACE)
        frames = np.concatenate([block.frames for block in blocks])
        order = np.argsort(frames)
        np.testing.assert_array_equal(frames[order], whole.frames)
        vectors = np.concatenate([block.vectors for block in blocks])
        np.testing.assert_array_equal(vectors[order], whole.vectors)


@pytest.mark.parametrize(
    "damaged",
    [
        {"movie_id": ["one"], "frame": [7], "vector": [None]},
        {"movie_id": [None], "frame": [7], "vector": [[0.5] * 8]},
    ],
)
def test_a_row_without_a_vector_or_a_film_is_a_sentence(
    library: Library, damaged: dict[str, list[object]]
) -> None:
    library.features("one").put(make_embeddings(SPACE, [1]))
    name = embeddings_table(SPACE.key)
    rows = pa.table(damaged, schema=library.tables.rows(name).schema)
    library.tables.append(name, rows)
    with pytest.raises(LibraryError, match=r"cannot be read: table embeddings_.*: a row lacks"):
        list(vector_blocks(library.tables, SPACE))


def test_a_table_that_is_gone_is_a_sentence(library: Library) -> None:
    with pytest.raises(LibraryError, match=f"cannot be read: table {embeddings_table(SPACE.key)}"):
        list(vector_blocks(library.tables, SPACE))
