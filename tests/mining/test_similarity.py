from collections import Counter

import numpy as np
import pytest
from tests.contracts.test_movie_similarity import IDS

from mastershot.core.errors import MiningError, SettingError
from mastershot.core.similarity import table_of
from mastershot.mining import similarity
from mastershot.mining.similarity import (
    CloseSynopses,
    RandomMovies,
    SameGenre,
    combine,
    hub_share,
    without_held_out,
)


def vectors(num_movies: int, width: int = 16) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((num_movies, width), np.float32)


def test_movies_of_a_genre_are_similar_to_its_others_alone() -> None:
    genres = {"a": ["War"], "b": ["War", "Drama"], "c": ["Drama"], "d": ["Western"]}
    table = SameGenre(genres).similar(["a", "b", "c", "d", "e"])
    assert {(movie, similar) for movie, similar, _, _ in table.rows()} == {
        ("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"),
    }  # fmt: skip
    assert table.without_neighbours == ("d", "e")


def test_every_other_movie_of_a_genre_is_drawn_about_as_often() -> None:
    movies = [f"m{number}" for number in range(10)]
    genres = {movie: ["Drama"] for movie in movies}
    drawn = Counter(
        SameGenre(genres, seed).similar(movies, num_similar=1).similar_to("m0")[0][0]
        for seed in range(900)
    )
    assert set(drawn) == set(movies) - {"m0"}
    assert max(drawn.values()) < 2 * min(drawn.values())


def test_another_seed_draws_other_movies() -> None:
    tables = [list(RandomMovies(seed).similar(IDS).rows()) for seed in (0, 0, 1)]
    assert tables[0] == tables[1] != tables[2]


@pytest.mark.parametrize("block_scores", [1, 1000, 1 << 24])
def test_synopses_are_compared_in_blocks_to_the_same_neighbours(
    monkeypatch: pytest.MonkeyPatch, block_scores: int
) -> None:
    monkeypatch.setattr(similarity, "_BLOCK_SCORES", block_scores)
    points = vectors(60)
    movies = [f"m{number}" for number in range(60)]
    table = CloseSynopses(movies, points).similar(movies)
    for row, movie in enumerate(movies):
        products = points @ points[row]
        products[row] = -np.inf
        due = [movies[place] for place in np.argsort(-products)[:3]]
        assert [name for name, _ in table.similar_to(movie)] == due


def test_a_movie_without_a_synopsis_has_no_neighbour_and_is_nobodys() -> None:
    table = CloseSynopses(["b", "x", "a"], vectors(3)).similar(["a", "b", "c"])
    assert [row[:2] for row in table.rows()] == [("a", "b"), ("b", "a")]
    assert table.without_neighbours == ("c",)
    assert len(CloseSynopses([], vectors(0)).similar(["a", "b"])) == 0
    assert len(CloseSynopses(["a"], vectors(1)).similar(["a", "b"])) == 0


def test_vectors_that_fit_no_synopses_are_refused() -> None:
    with pytest.raises(MiningError, match=r"vectors of 2 synopses have shape \(3, 16\)"):
        CloseSynopses(["a", "b"], vectors(3)).similar(["a"])
    points = vectors(3)
    points[1, 2] = np.nan
    with pytest.raises(MiningError, match="synopsis of 'b' has a vector that is not finite"):
        CloseSynopses(["a", "b", "c"], points).similar(["a", "b", "c"])


def test_measures_are_combined_by_weight_over_rank() -> None:
    movies = ["a", "b", "c", "d"]
    one = table_of(movies, [("a", "b", 9), ("a", "c", 8)], {"measure": "one"})
    two = table_of(movies, [("a", "c", 0.3), ("a", "d", 0.2), ("b", "a", 0.1)], {"measure": "two"})
    both = combine({"one": one, "two": two}, {"one": 1.0, "two": 0.8}, num_similar=2)
    assert list(both.rows()) == [
        ("a", "c", 1, pytest.approx(0.5 + 0.8)),
        ("a", "b", 2, pytest.approx(1.0)),
        ("b", "a", 1, pytest.approx(0.8)),
    ]
    assert both.made_by["parts"] == {"one": {"measure": "one"}, "two": {"measure": "two"}}


def test_measures_that_do_not_fit_together_are_refused() -> None:
    one, other = RandomMovies().similar(["a", "b"]), RandomMovies().similar(["a", "c"])
    with pytest.raises(MiningError, match="similarity 'y' is of other movies"):
        combine({"x": one, "y": other}, {"x": 1, "y": 1})
    with pytest.raises(SettingError, match=r"given for \['z'\] and similarities for \['x'\]"):
        combine({"x": one}, {"z": 1})
    with pytest.raises(SettingError, match="a weight of 0 for x means nothing"):
        combine({"x": one}, {"x": 0})


def test_hubs_are_the_movies_that_fill_most_rows() -> None:
    rows = [("a", "c", 2.0), ("b", "c", 1.0), ("b", "a", 0.5), ("d", "c", 1.0)]
    assert hub_share(table_of(["a", "b", "c", "d"], rows, {}), num_hubs=1) == 0.75
    assert hub_share(table_of(["a"], [], {})) == 0


def test_movies_a_benchmark_is_judged_on_are_left_out_however_their_id_is_written() -> None:
    guarded = without_held_out(["tt0114709", "tt114710", "home-video"], {"tt0114710", "tt0000001"})
    assert guarded.movies == ("tt0114709", "home-video")
    assert guarded.excluded == ("tt114710",)
    with pytest.raises(MiningError, match="movie 'tt1' is named twice"):
        without_held_out(["tt1", "tt1"], set())
