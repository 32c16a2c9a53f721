import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.tables.similarity_table import read_similarity
from mastershot.mining.settings import CoWatchSettings
from mastershot.recipes.stage_notes import stage_notes
from mastershot.store.shot_arrays import write_movie
from mastershot.synthetic.library import plan_library, write_metadata
from mastershot.training.movies2scenes.settings.encoders import ShotSource
from mastershot.training.movies2scenes.settings.stages import (
    SimilarityRecipe,
    SimilaritySettings,
)
from mastershot.training.movies2scenes.shots import named_films
from mastershot.training.movies2scenes.similarity import _Names, write_similar_movies


@pytest.fixture
def data(tmp_path: Path) -> Path:
    library = plan_library(12, seed=3)
    write_metadata(library, tmp_path)
    (tmp_path / "features").mkdir()
    for film in library.films[:10]:
        write_movie(tmp_path / "features", film.id, np.ones((2, 3), np.float32))
    write_movie(tmp_path / "features", "unheard-of", np.ones((2, 3), np.float32))
    return tmp_path


def recipe(data: Path, measure: str, **changes: object) -> SimilarityRecipe:
    settings = SimilaritySettings(measure, viewing_log="cowatch.csv", movies="movies.csv")
    settings = replace(settings, **changes)  # type: ignore[arg-type]
    return SimilarityRecipe(ShotSource("features"), settings, data=str(data))


@pytest.mark.parametrize("measure", ["cowatch", "genre", "synopsis", "random", "combined"])
def test_a_library_and_its_metadata_give_a_table(data: Path, measure: str) -> None:
    table = read_similarity(write_similar_movies(recipe(data, measure), data / "run"))
    assert len(table.movies) == 11
    assert len(table) > 10
    line = json.loads((data / "run" / "log.jsonl").read_text())
    assert line["without_metadata"] == ["unheard-of"]
    assert line["in_metadata_only"] == 2
    assert ("unheard-of" in line["without_neighbours"]) == (measure != "random")


def test_fewer_movies_are_the_same_ones_each_time(data: Path) -> None:
    tables = [
        read_similarity(
            write_similar_movies(recipe(data, "random", max_movies=5, seed=s), data / f"{s}")
        )
        for s in (0, 1)
    ]
    assert len(tables[0].movies) == 5
    assert tables[0].movies == tables[1].movies


def test_the_recipe_sets_which_views_count_as_one_after_the_other(data: Path) -> None:
    watched = "user,movie,time\n" + "".join(
        f"{user},{movie},{day * 86_400}\n"
        for user in range(2)
        for day, movie in ((1, "tt9000000"), (2, "tt9000001"), (9, "tt9000002"))
    )
    (data / "cowatch.csv").write_text(watched)
    near = CoWatchSettings(rank_by="count", next_items=0, within_days=2)
    for asked, expected in (
        (CoWatchSettings(rank_by="count", next_items=0), {(0, 1), (0, 2), (1, 2)}),
        (CoWatchSettings(rank_by="count", next_items=1), {(0, 1), (1, 2)}),
        (near, {(0, 1)}),
    ):
        run = data / f"{asked.next_items}{asked.within_days}"
        table = read_similarity(write_similar_movies(recipe(data, "cowatch", co_watch=asked), run))
        pairs = zip(table.movie.tolist(), table.similar.tolist(), strict=True)
        names = {(int(table.movies[a][2:]) % 100, int(table.movies[b][2:]) % 100) for a, b in pairs}
        assert names == expected
    with pytest.raises(DatasetError, match=r"by cowatch; .* had by 3 viewers or more"):
        write_similar_movies(
            recipe(data, "cowatch", co_watch=replace(near, min_viewers=3)), data / "3"
        )


def test_metadata_of_other_films_or_with_a_film_twice_is_said(data: Path) -> None:
    text = (data / "movies.csv").read_text()
    (data / "movies.csv").write_text(text + text.splitlines()[1] + "\n")
    with pytest.raises(DatasetError, match="name 'tt9000000' twice; keep one row"):
        write_similar_movies(recipe(data, "genre"), data / "twice")
    (data / "movies.csv").write_text(text.replace("tt9", "xx9"))
    with pytest.raises(DatasetError, match="no two of 11 movies are similar by genre"):
        write_similar_movies(recipe(data, "genre"), data / "other")


def test_a_rank_that_cannot_be_is_said() -> None:
    with pytest.raises(SettingError, match="rank_by is 'views'; it must be one of lift, count"):
        CoWatchSettings(rank_by="views")
    with pytest.raises(SettingError, match="within_days is nan; it must be a finite number"):
        CoWatchSettings(within_days=float("nan"))


def test_a_run_of_a_version_without_a_setting_goes_on(data: Path) -> None:
    made = write_similar_movies(recipe(data, "cowatch"), data / "run")
    begun = json.loads((data / "run" / "recipe.json").read_text())
    del begun["similarity"]["co_watch"]["prior"]
    (data / "run" / "recipe.json").write_text(json.dumps(begun))
    assert write_similar_movies(recipe(data, "cowatch"), data / "run") == made
    del begun["similarity"]["co_watch"]
    (data / "run" / "recipe.json").write_text(json.dumps(begun))
    assert write_similar_movies(recipe(data, "cowatch"), data / "run") == made
    later = recipe(data, "cowatch", co_watch=CoWatchSettings(next_items=1))
    with pytest.raises(SettingError, match=r"co_watch.next_items is 5 there and 1 here"):
        write_similar_movies(later, data / "run")


def test_metadata_and_logs_may_call_a_film_by_any_of_its_names(data: Path) -> None:
    films = ("tt9000000", "tt9000001", "tt9000002")
    index = {film: [f"{n}aa2bb3cc4dd5ee6", [f"films/{film}.mp4"]] for n, film in enumerate(films)}
    (data / "features" / "shots.json").write_text(json.dumps({"names": index}))
    called = (films[0], "films/tt9000001.mp4", "2aa2bb3c")
    rows = "".join(f"{name},drama,\n" for name in called)
    (data / "movies.csv").write_text(f"movie,genres,synopsis\n{rows}other,drama,\n")
    views = "".join(f"{user},{name},{day}\n" for user in "ab" for day, name in enumerate(called))
    (data / "cowatch.csv").write_text(f"user,movie,time\n{views}a,films/,3\n")
    for measure in ("genre", "cowatch"):
        table = read_similarity(write_similar_movies(recipe(data, measure), data / measure))
        pairs = zip(table.movie.tolist(), table.similar.tolist(), strict=True)
        names = {frozenset((table.movies[a], table.movies[b])) for a, b in pairs}
        assert set().union(*names) == set(films), measure
        line = json.loads((data / measure / "log.jsonl").read_text())
        assert line["named_by_start"] == ["2aa2bb3c → tt9000002"]
        assert line["ambiguous_names"] == (["films/"] if measure == "cowatch" else [])
        notes = "\n".join(stage_notes(data / measure))
        assert "only by the start of their name: 1, the first: 2aa2bb3c → tt9000002" in notes


def test_a_film_that_metadata_names_twice_in_two_ways_is_said(data: Path) -> None:
    index = {"tt9000000": ["0aa2bb3cc4dd5ee6", ["films/tt9000000.mp4"]]}
    (data / "features" / "shots.json").write_text(json.dumps({"names": index}))
    text = (data / "movies.csv").read_text()
    again = text.splitlines()[1].replace("tt9000000", "tt9000000.mp4")
    (data / "movies.csv").write_text(f"{text}{again}\n")
    with pytest.raises(DatasetError, match=r"'tt9000000' twice, also as 'tt9000000\.mp4'; keep"):
        write_similar_movies(recipe(data, "genre"), data / "twice")


def test_a_held_out_film_is_left_out_whatever_follows_its_id_in_its_name(data: Path) -> None:
    write_movie(data / "features", "tt9000099 In Colour", np.ones((2, 3), np.float32))
    films = named_films(ShotSource(str(data / "features")))
    assert _Names(films).possible({"tt9000099", "tt1"}) == {"tt9000099 In Colour"}
