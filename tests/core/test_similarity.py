import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import MiningError
from mastershot.core.similarity import table_of

MOVIES = ("d", "a", "c", "b")  # in the order of a library, which is not one of the alphabet
PAIRS = [(one, other) for one in MOVIES for other in MOVIES if one != other]
ROWS = st.dictionaries(st.sampled_from(PAIRS), st.integers(-3, 3)).map(
    lambda rows: [(*pair, float(score)) for pair, score in rows.items()]
)


def test_rows_go_by_movie_then_score_and_equal_ones_stay_as_given() -> None:
    found = [("a", "b", 0.5), ("d", "b", 0.1), ("a", "d", 0.5), ("a", "c", 2.0), ("b", "a", -1.0)]
    table = table_of(MOVIES, found, {"measure": "toy"})
    assert list(table.rows()) == [
        ("d", "b", 1, pytest.approx(0.1)),
        ("a", "c", 1, 2.0),
        ("a", "b", 2, 0.5),
        ("a", "d", 3, 0.5),
        ("b", "a", 1, -1.0),
    ]
    assert table.without_neighbours == ("c",)
    assert table.made_by == {"measure": "toy"}


@given(ROWS, st.randoms(use_true_random=False))
def test_what_is_similar_to_a_movie_is_its_rows_in_any_order(
    found: list[tuple[str, str, float]], rng: random.Random
) -> None:
    rng.shuffle(found)
    table = table_of(MOVIES, found, {})
    for movie in MOVIES:
        similar = table.similar_to(movie)
        assert sorted((movie, *row) for row in similar) == sorted(r for r in found if r[0] == movie)
        assert [score for _, score in similar] == sorted((s for _, s in similar), reverse=True)
        ranked = [(name, rank) for of, name, rank, _ in table.rows() if of == movie]
        assert ranked == [(name, rank) for rank, (name, _) in enumerate(similar, 1)]
        assert (movie in table.without_neighbours) == (not similar)


@pytest.mark.parametrize("movies", [(), MOVIES])
def test_a_table_may_be_empty(movies: tuple[str, ...]) -> None:
    table = table_of(movies, [], {})
    assert (len(table), list(table.rows()), table.ranks.tolist()) == (0, [], [])
    assert table.without_neighbours == movies
    assert all(table.similar_to(movie) == [] for movie in movies)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", "a", 1.0), "movie 'a' is said to be similar to itself; drop that row"),
        (("a", "x", 1.0), "movie 'x' of a similarity is not one of the 2 given"),
        (("x", "a", 1.0), "movie 'x' of a similarity is not one of the 2 given"),
        (("a", "b", float("nan")), "the score of 'a' and 'b' is nan, not a number"),
        (("a", "b", -float("inf")), "the score of 'a' and 'b' is -inf, not a number"),
        (("b", "a", 0.0), "'a' is said twice to be similar to 'b'; keep one row"),
    ],
)
def test_a_row_that_cannot_be_is_refused(row: tuple[str, str, float], message: str) -> None:
    with pytest.raises(MiningError, match=f"^{message}$"):
        table_of(["a", "b"], [("b", "a", 1.0), row], {})


def test_movies_named_twice_make_no_table() -> None:
    with pytest.raises(MiningError, match=r"^movie 'a' is named twice; each id may"):
        table_of(["a", "b", "a"], [], {})


def test_a_movie_that_was_not_compared_has_no_list() -> None:
    table = table_of(["a", "b"], [("a", "b", 1.0)], {})
    with pytest.raises(MiningError, match=r"^movie 'c' is not one of the 2 that were compared$"):
        table.similar_to("c")
