"""What every similarity of movies promises (`core.protocols.MovieSimilarity`)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import MiningError, SettingError
from mastershot.core.protocols import MovieSimilarity
from mastershot.datasets.tables.watch_log import WatchLog
from mastershot.mining.co_watch import CoWatch
from mastershot.mining.settings import CoWatchSettings
from mastershot.mining.similarity import CloseSynopses, RandomMovies, SameGenre

IDS = [f"tt{number:07}" for number in range(1, 31)]
KNOWN = [*IDS[:-2], "tt9999999"]
"""The metadata lacks two movies of the library and knows one that the library lacks."""


def co_watch(folder: Path, measure: str) -> MovieSimilarity:
    rng = np.random.default_rng(0)
    lines = [
        f"v{viewer},{KNOWN[movie]},{time}"
        for viewer in range(40)
        for time, movie in enumerate(rng.permutation(len(KNOWN))[:12])
    ]
    path = folder / "log.csv"
    path.write_text("\n".join(["user,movie,time", *lines]) + "\n")
    return CoWatch(WatchLog(path), CoWatchSettings(measure, min_viewers=1))  # type: ignore[arg-type]


def genres(folder: Path) -> MovieSimilarity:
    return SameGenre({movie: ["Drama", "War"][place % 2 :] for place, movie in enumerate(KNOWN)})


def synopses(folder: Path) -> MovieSimilarity:
    rng = np.random.default_rng(0)
    return CloseSynopses(KNOWN, rng.standard_normal((len(KNOWN), 8), np.float32))


MAKERS: dict[str, Callable[[Path], MovieSimilarity]] = {
    "co-watch by count": lambda folder: co_watch(folder, "count"),
    "co-watch by lift": lambda folder: co_watch(folder, "lift"),
    "genre": genres,
    "synopsis": synopses,
    "random": lambda folder: RandomMovies(),
}


@pytest.fixture(params=MAKERS)
def similarity(request: pytest.FixtureRequest, tmp_path: Path) -> MovieSimilarity:
    return MAKERS[request.param](tmp_path)


@pytest.mark.parametrize("num_similar", [1, 3, 100])
def test_similar_movies_are_of_the_library_others_and_best_first(
    similarity: MovieSimilarity, num_similar: int
) -> None:
    table = similarity.similar(IDS, num_similar=num_similar)
    assert table.movies == tuple(IDS)
    assert len(table) >= 20
    for movie in IDS:
        found = table.similar_to(movie)
        names, scores = [name for name, _ in found], [score for _, score in found]
        assert len(set(names)) == len(names) <= num_similar
        assert movie not in names
        assert set(names) <= set(IDS)
        assert scores == sorted(scores, reverse=True)
    assert "measure" in table.made_by


def test_the_same_movies_give_the_same_table(similarity: MovieSimilarity) -> None:
    one, other = similarity.similar(IDS), similarity.similar(IDS)
    assert list(one.rows()) == list(other.rows())
    assert [rank for _, _, rank, _ in one.rows()][:2] == [1, 2]


def test_a_movie_named_twice_is_refused(similarity: MovieSimilarity) -> None:
    with pytest.raises(MiningError, match="movie 'tt0000001' is named twice"):
        similarity.similar([*IDS, IDS[0]])


def test_no_similar_movies_cannot_be_asked_for(similarity: MovieSimilarity) -> None:
    with pytest.raises(SettingError, match="0 similar movies a movie are none"):
        similarity.similar(IDS, num_similar=0)
