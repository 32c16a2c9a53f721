"""Sub-genres have names, exemplars, genres and drivers; none is without a name."""

from dataclasses import replace

import numpy as np
import pytest
from tests.factories.trailers import GENRES, planted_labels, planted_trailers, planted_vectors

from mastershot.core.errors import GenresError
from mastershot.genres.clustering import ClusterSettings, unit_rows
from mastershot.genres.subgenres import driver_of, find_subgenres
from mastershot.genres.trailers import NO_GENRE


def test_each_has_its_planted_word_genres_and_driver() -> None:
    trailers, unit = planted_trailers(), unit_rows(planted_vectors())
    result = find_subgenres(trailers, unit, ClusterSettings())
    assert sorted(one.name for one in result.found) == ["trench", "wedding", "zombie"]
    assert result.silhouette > 0.5
    assert len(result.unassigned) == 0
    zombie, trench = (
        next(one for one in result.found if one.name == name) for name in ("zombie", "trench")
    )
    assert sorted(zombie.members) == np.flatnonzero(planted_labels() == 0).tolist()
    assert zombie.genre_shares.tolist() == [float(name == "Horror") for name in GENRES]
    assert trench.genre_shares.tolist() == [float(name in ("War", "Drama")) for name in GENRES]
    assert zombie.driver is not None
    assert zombie.driver.expert == "audio"
    assert zombie.driver.standard_errors > 5


def test_exemplars_are_the_nearest_to_the_centre() -> None:
    trailers, unit = planted_trailers(), unit_rows(planted_vectors())
    one = find_subgenres(trailers, unit, ClusterSettings()).found[0]
    distances = np.linalg.norm(unit[one.members] - unit[one.members].mean(axis=0), axis=1)
    assert one.exemplars == one.members[:6].tolist()
    assert (np.diff(distances) > -1e-5).all()


def test_without_words_exemplars_give_the_name() -> None:
    trailers = replace(
        planted_trailers(titles=["Same", *[" "] * 89]), words=tuple({} for _ in range(90))
    )
    result = find_subgenres(trailers, unit_rows(planted_vectors()), ClusterSettings())
    for one in result.found:
        first, second = (trailers.name_of(place) for place in one.exemplars[:2])
        assert one.name == f"like {first} and {second}"


def test_no_two_have_one_name() -> None:
    trailers = planted_trailers(titles=["Same"] * 90)
    trailers = replace(trailers, words=tuple({} for _ in range(90)))
    result = find_subgenres(trailers, unit_rows(planted_vectors()), ClusterSettings())
    assert [one.name for one in result.found] == ["like Same", "like Same (2)", "like Same (3)"]


def test_one_group_split_in_two_names_both() -> None:
    trailers = replace(planted_trailers(), words=tuple({"word": 1.0} for _ in range(90)))
    blob = np.random.default_rng(0).normal(size=(90, 8)).astype(np.float32) + 3
    result = find_subgenres(trailers, unit_rows(blob), ClusterSettings(least_k=2, most_k=2))
    assert all(one.name.startswith("like ") and one.exemplars for one in result.found)
    assert result.silhouette < 0.3


def test_hdbscan_may_find_none() -> None:
    blob = np.random.default_rng(0).normal(size=(90, 8)).astype(np.float32)
    result = find_subgenres(
        planted_trailers(), unit_rows(blob), ClusterSettings("hdbscan", min_size=60)
    )
    assert result.found == ()
    assert len(result.unassigned) == 90
    assert np.isnan(result.silhouette)


def test_gates_of_experts_that_are_missing_do_not_count() -> None:
    opened = np.full((40, 2), 0.5, np.float32)
    opened[:, 0] += np.random.default_rng(0).uniform(-0.01, 0.01, 40)
    opened[:20, 0] += 0.2
    opened[30:, 0] = 0
    found = driver_of(opened, ("image", "audio"), np.arange(10))
    assert found is not None
    assert found.expert == "image"
    assert found.everywhere == pytest.approx(opened[:30, 0].mean())
    assert driver_of(opened, ("image", "audio"), np.arange(20, 40)) is None


def test_the_primary_genre_is_the_rarest() -> None:
    trailers = planted_trailers()
    truth = trailers.truth.copy()
    truth[:, 0] = True
    truth[5] = False
    found = replace(trailers, truth=truth).primary
    assert found[:3].tolist() == [GENRES.index(name) for name in ("Horror", "Comedy", "War")]
    assert found[5] == NO_GENRE


def test_within_a_genre_it_is_none_of_theirs_any_more() -> None:
    inside = planted_trailers().within("War")
    assert len(inside) == 30
    assert inside.genres == ("Drama", "Horror", "Comedy")
    assert inside.truth.sum(axis=0).tolist() == [30, 0, 0]
    with pytest.raises(GenresError, match="genre 'Musical' is unknown; the data set has Drama, Ho"):
        planted_trailers().within("Musical")
    nobody = replace(planted_trailers(), truth=np.zeros((90, 4), bool))
    with pytest.raises(GenresError, match="no trailer with an embedding has the genre 'War'"):
        nobody.within("War")
