import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.movies2scenes import write_films

from mastershot.core.errors import DatasetError
from mastershot.core.similarity import table_of
from mastershot.datasets.tables.pair_table import read_pairs
from mastershot.datasets.tables.similarity_table import write_similarity
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.movie_encoder import train_movie_encoder
from mastershot.training.movies2scenes.scene_pairs import (
    neighbour_scenes,
    reach_of,
    rows_of,
    same_scenes,
    window_of,
    write_scene_pairs,
)
from mastershot.training.movies2scenes.settings.encoders import ShotSource
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    MovieTrainingSettings,
    PairingSettings,
    ScenePairsRecipe,
)


def test_pairs_of_controls_are_each_scene_itself_and_shotcols_say_their_reach(
    tmp_path: Path,
) -> None:
    write_films(tmp_path)
    arrays = ShotArrays(tmp_path / "features")
    same = same_scenes(arrays, 3, 2)
    assert len(same) == 4 * 9
    assert np.array_equal(*rows_of(same, arrays))
    assert reach_of(same) == 0
    queries = neighbour_scenes(arrays, 3, 2, reach=5)
    assert (reach_of(queries), window_of(queries)) == (5, 3)
    assert np.array_equal(rows_of(queries, arrays)[0], rows_of(same, arrays)[0])


@pytest.mark.parametrize("reach", [True, -1, "8"])
def test_a_table_with_an_odd_reach_is_refused(tmp_path: Path, reach: object) -> None:
    write_films(tmp_path)
    pairs = same_scenes(ShotArrays(tmp_path / "features"), 3, 1)
    odd = replace(pairs, made_by={"settings": {"window": 3, "reach": reach}})
    with pytest.raises(DatasetError, match=f"say a reach of {reach!r} shots; mine them anew"):
        reach_of(odd)


def test_pairs_survive_their_file_and_films_too_short_are_said(tmp_path: Path) -> None:
    write_films(tmp_path)
    arrays = ShotArrays(tmp_path / "features")
    pairs = read_pairs(tmp_path / "pairs.parquet")
    assert window_of(pairs) == 3
    assert np.array_equal(rows_of(pairs, arrays)[0], rows_of(same_scenes(arrays, 3, 1), arrays)[0])
    with pytest.raises(DatasetError, match="every film is shorter than a scene of 21 shots"):
        same_scenes(arrays, 21, 1)
    assert len(neighbour_scenes(arrays, 20, 1, reach=8)) == 4


@pytest.mark.parametrize(
    "about", [{}, *({"settings": s} for s in ({"window": True}, {"window": 0}, {}, [1], "x"))]
)
def test_pairs_that_say_something_odd_are_refused(tmp_path: Path, about: dict[str, object]) -> None:
    write_films(tmp_path)
    pairs = replace(read_pairs(tmp_path / "pairs.parquet"), made_by=about)
    for ask in (window_of, lambda pairs: rows_of(pairs, ShotArrays(tmp_path / "features"))):
        with pytest.raises(DatasetError, match="do not say how many shots a scene has; mine them"):
            ask(pairs)


def test_scenes_are_paired_by_its_first_layer_and_trouble_is_counted(tmp_path: Path) -> None:
    data = tmp_path
    write_films(data, films=8)
    training = MovieTrainingSettings(batch_size=4, max_steps=1, width=8, num_shots=136)
    movies = MovieSimilarityRecipe(
        ShotSource("features"), "similar.parquet", training, data=str(data)
    )
    made = train_movie_encoder(movies, data / "movies")
    write_movie(data / "features", "c", np.zeros((2, 6), np.float32))
    (data / "features" / "h.npy").unlink()
    pairing = PairingSettings(window=3)
    mining = ScenePairsRecipe(
        ShotSource("features"), "similar.parquet", str(made), pairing, data=str(data)
    )
    pairs = read_pairs(write_scene_pairs(mining, data / "pairs"))
    assert set(pairs.movies) == set("abdefg")
    line = json.loads((data / "pairs" / "log.jsonl").read_text())
    assert (line["not_in_library"], line["too_short"], line["movie_pairs"]) == (["h"], ["c"], 4)


def test_scenes_that_cannot_be_paired_are_said_and_leave_no_empty_table(tmp_path: Path) -> None:
    data = tmp_path
    write_films(data)
    write_movie(data / "features", "c", np.full((9, 6), np.nan, np.float32))
    mining = ScenePairsRecipe(
        ShotSource("features"), "similar.parquet", pairs=PairingSettings(window=3), data=str(data)
    )
    table = table_of(["a", "c", "x"], [("a", "c", 1.0), ("a", "x", 1.0)], {})
    write_similarity(data / "similar.parquet", table)
    with pytest.raises(
        DatasetError,
        match=r"2 rows .*: 1 movies are not in the library, 0 .*, 1 are damaged, the first: s",
    ):
        write_scene_pairs(mining, data / "pairs")
    assert not (data / "pairs" / "pairs.parquet").exists()


def test_rows_of_pairs_follow_the_films_wherever_they_lie_and_whatever_their_lengths(
    tmp_path: Path,
) -> None:
    for name, num_shots in (("b", 5), ("a", 2), ("c", 4)):
        write_movie(tmp_path, name, np.ones((num_shots, 4), np.float32))
    pairs = same_scenes(ShotArrays(tmp_path, ["b", "a", "c"]), 3, 2)
    assert pairs.movie.tolist() == [0, 0, 2]  # a is too short for a scene
    write_movie(tmp_path, "0", np.ones((10, 4), np.float32))
    first, other = rows_of(pairs, ShotArrays(tmp_path))  # 0, a, b, c begin at 0, 10, 12, 17
    assert first.tolist() == other.tolist() == [12, 14, 17]


@pytest.mark.parametrize("column", ["first_shot", "similar_first_shot"])
@pytest.mark.parametrize("shot", [-1, 18])
def test_either_scene_of_a_pair_outside_its_film_is_said(
    tmp_path: Path, column: str, shot: int
) -> None:
    write_films(tmp_path)
    arrays = ShotArrays(tmp_path / "features")
    pairs = same_scenes(arrays, 3, 1)
    shots = pairs.first_shot.copy()
    shots[20] = shot
    with pytest.raises(DatasetError, match=r"runs past the last shot of b in .*; mine pairs"):
        rows_of(replace(pairs, **{column: shots}), arrays)  # type: ignore[arg-type]


@pytest.mark.parametrize("positives", ["same", "nearest"])
def test_the_pairs_of_a_control_are_written_once(tmp_path: Path, positives: str) -> None:
    write_films(tmp_path)
    pairing = PairingSettings(window=4, positives=positives, stride=3)
    recipe = ScenePairsRecipe(ShotSource("features"), pairs=pairing, data=str(tmp_path))
    made = write_scene_pairs(recipe, tmp_path / "run")
    pairs = read_pairs(made)
    assert (len(pairs), window_of(pairs), pairs.made_by["positives"]) == (4 * 6, 4, positives)
    assert np.array_equal(pairs.first_shot, pairs.similar_first_shot)
    assert reach_of(pairs) == (8 if positives == "nearest" else 0)
    log, written = tmp_path / "run" / "log.jsonl", made.stat().st_mtime_ns
    assert json.loads(log.read_text()) == {"positives": positives, "scene_pairs": 24}
    (tmp_path / "features" / "a.npy").unlink()
    assert write_scene_pairs(recipe, tmp_path / "run").stat().st_mtime_ns == written
    assert len(log.read_text().splitlines()) == 1
