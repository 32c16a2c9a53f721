"""The nearest shots, as a plain loop over every vector finds them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.timelines import make_embeddings, make_space, make_thumbs, make_timeline

import mastershot as ms
from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray
from mastershot.core.errors import EmbeddingSpaceError, LibraryError, SettingError
from mastershot.core.timeline import Timeline
from mastershot.pipeline.search import nearest
from mastershot.pipeline.search.nearest import Hits, Query, nearest_shots, word_spaces
from mastershot.scenes.grouping import COLOR_SPACE

SPACE = make_space(8)
STARTER = make_space(6, "mastershot/starter")


def towards(space: EmbeddingSpace, word: int, cosine: float) -> FloatArray:
    """Return a unit vector with this cosine to a word; the rest lies where no word is."""
    vector = np.zeros(space.width, np.float32)
    vector[word], vector[-1] = cosine, (1 - cosine**2) ** 0.5
    return vector if cosine < 1 else np.eye(space.width, dtype=np.float32)[word]


def put(
    library: ms.Library,
    timeline: Timeline,
    cosines: dict[int, float],
    *,
    space: EmbeddingSpace = SPACE,
) -> None:
    """Keep a film whose frames have these cosines to the word forest."""
    vectors = np.stack([towards(space, 0, cosine) for cosine in cosines.values()])
    frames = np.asarray(list(cosines), np.int64)
    library.features(timeline.movie.id).put(Embeddings(space, frames, vectors))
    library.put_timeline(timeline, make_thumbs(timeline))


FOREST = Query(SPACE, towards(SPACE, 0, 1.0))


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    return ms.Library(tmp_path / "films.mastershot")


def found(hits: Hits) -> list[tuple[str, int, int]]:
    return [(hit.path, int(hit.id.rpartition("/")[2]), hit.frame) for hit in hits]


def plain_loop(library: ms.Library, query: Query, limit: int) -> list[tuple[str, int, int]]:
    """Return the same ranking one frame at a time, from each film's own timeline and vectors."""
    ranked = []
    for movie in library.movies():
        kept = library.features(movie.id).get(query.space)
        for index, shot in enumerate(library.timeline(movie.id).shots):
            best = None
            for frame, vector in zip(kept.frames, kept.vectors, strict=True):
                if shot.span.first_frame <= frame < shot.span.end_frame:
                    score = float(vector.astype(np.float64) @ query.vector.astype(np.float64))
                    if best is None or score > best[0]:
                        best = score, int(frame)
            if best is not None:
                ranked.append((-best[0], movie.path, index, best[1]))
    return [(path, index, frame) for _, path, index, frame in sorted(ranked)[:limit]]


@pytest.mark.parametrize("seed", range(3))
def test_the_ranking_is_that_of_a_plain_loop(library: ms.Library, seed: int) -> None:
    chance = np.random.default_rng(seed)
    for number in range(5):
        lengths = chance.integers(1, 60, chance.integers(1, 12)).tolist()
        timeline = make_timeline(f"{number}.mp4", shot_frames=lengths, scene_shots=None)
        library.put_timeline(timeline)
        num_frames = timeline.movie.num_frames
        for part in range(3):  # A film's vectors lie in several pieces, between those of others.
            frames = chance.choice(num_frames, max(1, num_frames // 4), replace=False)
            embeddings = make_embeddings(SPACE, sorted(frames.tolist()), seed=10 * number + part)
            length = np.linalg.norm(embeddings.vectors, axis=1, keepdims=True)
            unit = replace(embeddings, vectors=embeddings.vectors / length)
            library.features(timeline.movie.id).put(unit)
    direction = chance.standard_normal(SPACE.width).astype(np.float32)
    query = Query(SPACE, direction / np.linalg.norm(direction))
    for limit in (1, 7, 10_000):
        hits = nearest_shots(library, query, limit=limit)
        assert found(hits) == plain_loop(library, query, limit)
    whole = {hit.id: hit for hit in nearest_shots(library, query, limit=10_000)}
    for hit in whole.values():
        vector = library.features(hit.movie_id).get(SPACE, np.array([hit.frame])).vectors[0]
        assert hit.score == pytest.approx(float(vector @ query.vector), abs=1e-6)


def test_a_hit_says_where_its_shot_lies(library: ms.Library) -> None:
    timeline = make_timeline("films/one.mp4")
    put(library, timeline, {5: 0.25, 50: 0.5, 90: 0.125})
    [hit, *_] = nearest_shots(library, FOREST)
    shot = timeline.shots[1]
    assert (hit.id, hit.movie_id, hit.path) == (shot.id, timeline.movie.id, "films/one.mp4")
    assert (hit.first_frame, hit.end_frame) == (40, 70)
    assert (hit.start_s, hit.end_s) == (shot.span.start_s, shot.span.end_s)
    assert (hit.score, hit.frame, hit.kept) == (0.5, 50, ("kitchen", "bar"))
    assert library.thumb(hit.id) == make_thumbs(timeline)[shot.id]


def test_one_near_frame_counts_more_than_many_half_near_ones(library: ms.Library) -> None:
    put(library, make_timeline(), {0: 0.5, 10: 0.5, 39: 0.5, 40: 0.0, 50: 0.75, 69: 0.0})
    hits = nearest_shots(library, FOREST)
    assert [(hit.first_frame, hit.score) for hit in hits] == [(40, 0.75), (0, 0.5)]


def test_equal_scores_come_by_film_and_time_and_cite_their_first_frame(
    library: ms.Library,
) -> None:
    put(library, make_timeline("b.mp4"), {3: 0.5, 80: 0.5, 99: 0.5})
    put(library, make_timeline("a.mp4"), {41: 0.5, 60: 0.5, 70: 0.5})
    library.features(make_timeline("b.mp4").movie.id).put(
        Embeddings(SPACE, np.array([75]), towards(SPACE, 0, 0.5)[None])
    )
    hits = nearest_shots(library, FOREST)
    expected = [("a.mp4", 1, 41), ("a.mp4", 2, 70), ("b.mp4", 0, 3), ("b.mp4", 2, 75)]
    assert found(hits) == expected
    assert found(nearest_shots(library, FOREST, limit=3)) == expected[:3]


def test_the_same_vector_has_the_same_score_wherever_it_stands(library: ms.Library) -> None:
    space = make_space(384)
    chance = np.random.default_rng(0)
    same = chance.standard_normal(384).astype(np.float32) / 20
    for number, count in enumerate((1, 2, 3, 7, 33, 1025)):
        vectors = chance.standard_normal((count, 384)).astype(np.float32) / 20
        vectors[-1] = same
        timeline = make_timeline(f"{number}.mp4", shot_frames=[1] * count, scene_shots=None)
        library.put_timeline(timeline)
        store = library.features(timeline.movie.id)
        store.put(Embeddings(space, np.arange(count), vectors))
    hits = nearest_shots(library, Query(space, same), limit=6)
    assert len({hit.score for hit in hits}) == 1
    assert [hit.path for hit in hits] == [f"{number}.mp4" for number in range(6)]


def test_films_and_shots_that_were_not_searched_are_counted(library: ms.Library) -> None:
    put(library, make_timeline("seen.mp4"), {5: 0.5, 50: 0.25})
    put(library, make_timeline("unseen.mp4"), {5: 0.5}, space=COLOR_SPACE)
    hits = nearest_shots(library, FOREST)
    assert [hit.path for hit in hits] == ["seen.mp4", "seen.mp4"]
    assert hits.num_films_not_searched == 1
    films, shots = hits.notes
    assert films.startswith("not searched: 1 of 2 films, without vectors of toy; ")
    assert f"`mastershot library add FILM --library {library.path} --encoder FOLDER`" in films
    assert shots.startswith("not searched: 1 of the shots of the other films, ")


def test_nothing_is_noted_when_all_was_searched(library: ms.Library) -> None:
    put(library, make_timeline(), {5: 0.5, 50: 0.25, 110: 0.25})
    hits = nearest_shots(library, FOREST)
    assert (hits.notes, hits.num_films_not_searched, hits.space) == ((), 0, SPACE)
    assert isinstance(hits, list)


def test_vectors_of_a_film_that_is_not_there_are_passed_over(library: ms.Library) -> None:
    put(library, make_timeline("here.mp4"), {5: 0.25})
    library.features("f" * 16).put(make_embeddings(SPACE, range(9)))
    assert [hit.path for hit in nearest_shots(library, FOREST)] == ["here.mp4"]


def test_a_limit_of_numpy_is_a_whole_number(library: ms.Library) -> None:
    put(library, make_timeline(), {0: 0.5, 50: 0.25})
    assert len(nearest_shots(library, FOREST, limit=np.int64(1))) == 1


def meddling(
    monkeypatch: pytest.MonkeyPatch, meddle: Callable[[], object], *, times: int
) -> list[int]:
    """Have something done after each of the first searches has read the vectors."""
    done: list[int] = []
    blocks = nearest.vector_blocks

    def read(*arguments: object) -> Iterator[tuple[str, Embeddings]]:
        yield from blocks(*arguments)  # type: ignore[arg-type]
        if len(done) < times:
            done.append(1)
            meddle()

    monkeypatch.setattr(nearest, "vector_blocks", read)
    return done


def test_a_film_removed_meanwhile_is_no_hit(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline("gone.mp4"), {0: 0.75})
    put(library, make_timeline("here.mp4"), {0: 0.5})
    other = ms.Library(library.path)
    done = meddling(monkeypatch, lambda: other.remove("gone.mp4"), times=1)
    query = FOREST
    assert [hit.path for hit in nearest_shots(library, query)] == ["here.mp4"]
    assert done == [1]


def test_a_film_cut_anew_meanwhile_is_found_as_it_is_now(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline(), {5: 0.5, 50: 0.75})
    anew = make_timeline(shot_frames=(60, 60), scene_shots=None)
    other = ms.Library(library.path)
    meddling(monkeypatch, lambda: other.put_timeline(anew), times=1)
    hits = nearest_shots(library, FOREST)
    assert [(hit.first_frame, hit.end_frame, hit.frame) for hit in hits] == [(0, 60, 50)]


def test_a_library_that_never_rests_is_given_up(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline(), {5: 0.5})
    other, lengths = ms.Library(library.path), iter(range(30, 100))

    def change() -> None:
        other.put_timeline(make_timeline(shot_frames=(next(lengths), 20), scene_shots=None))

    meddling(monkeypatch, change, times=99)
    with pytest.raises(LibraryError, match="changed under each of 3 searches"):
        nearest_shots(library, FOREST)


def test_a_film_without_its_shots_is_a_sentence(library: ms.Library) -> None:
    put(library, make_timeline(), {5: 0.5})
    library.tables.delete("shots", '"index" = 1')
    with pytest.raises(
        LibraryError, match=r"changed under each of 3 .* `mastershot library verify`"
    ):
        nearest_shots(library, FOREST)


# What is searched


@pytest.mark.parametrize("seed", range(5))
def test_the_order_and_size_of_blocks_change_nothing(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    for name in ("a.mp4", "b.mp4"):
        frames = np.sort(chance.choice(120, 40, replace=False)).tolist()
        put(library, make_timeline(name), {frame: chance.choice([0.25, 0.5]) for frame in frames})
    expected, whole = (
        nearest_shots(library, FOREST),
        list(nearest.vector_blocks(library.tables, SPACE)),
    )
    rows = [
        (movie, Embeddings(SPACE, block.frames[row : row + 1], block.vectors[row : row + 1]))
        for movie, block in whole
        for row in range(len(block.frames))
    ]
    chance.shuffle(rows)  # type: ignore[arg-type]
    monkeypatch.setattr(nearest, "vector_blocks", lambda *_: iter(rows))
    monkeypatch.setattr(nearest, "word_spaces", lambda _: [SPACE])
    assert len(expected) == 6
    assert nearest_shots(library, FOREST) == expected


def test_vectors_of_another_precision_count_as_much(library: ms.Library) -> None:
    coarse = replace(SPACE, weights_hash="blake2b:coarse")
    put(library, make_timeline("one.mp4"), {5: 0.25, 45: 0.75})
    put(library, make_timeline("one.mp4"), {9: 0.5, 50: 0.5}, space=coarse)
    put(library, make_timeline("two.mp4"), {5: 0.625}, space=coarse)
    assert [path for path, *_ in found(nearest_shots(library, FOREST))] == ["one.mp4"] * 2
    both = nearest_shots(library, replace(FOREST, other_spaces=(coarse,)))
    assert found(both) == [("one.mp4", 1, 45), ("two.mp4", 0, 5), ("one.mp4", 0, 9)]
    only = nearest_shots(library, Query(STARTER, FOREST.vector, (coarse,)))
    assert [hit.path for hit in only] == ["two.mp4", "one.mp4", "one.mp4"]


def test_colours_and_spaces_without_a_vector_are_no_spaces_of_words(library: ms.Library) -> None:
    put(library, make_timeline("one.mp4"), {0: 0.5}, space=COLOR_SPACE)
    put(library, make_timeline("two.mp4"), {0: 0.5}, space=STARTER)
    put(library, make_timeline("three.mp4"), {0: 0.5})
    assert set(word_spaces(library)) == {STARTER, SPACE}
    library.remove("two.mp4")
    assert word_spaces(library) == [SPACE]


@pytest.mark.parametrize(
    ("model", "named"), [("clip", "clip"), ("somebody/clip", "somebody/clip"), ("mine", "FOLDER")]
)
def test_the_command_that_is_offered_names_the_encoder_so_that_it_can_be_loaded(
    library: ms.Library, model: str, named: str
) -> None:
    put(library, make_timeline(), {0: 0.5})
    sentence = f"holds no vectors of {model}, but of toy; .* --encoder {named}` makes some"
    with pytest.raises(EmbeddingSpaceError, match=sentence):
        nearest_shots(library, replace(FOREST, space=make_space(9, model)))


@pytest.mark.parametrize("limit", [0, -1, True, 2.0])
def test_a_limit_that_means_nothing_is_refused_before_the_library_is_read(limit: int) -> None:
    store: ms.Library = None  # type: ignore[assignment]
    with pytest.raises(SettingError, match=f"limit is {limit}; it is"):
        nearest_shots(store, FOREST, limit=limit)
