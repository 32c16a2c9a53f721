"""A drawn library has metadata that follows its themes, and nuisance that does not."""

import csv
import json
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import OutputError
from mastershot.synthetic.films import draw_frames
from mastershot.synthetic.library import (
    THEMES,
    LibraryFilm,
    SyntheticLibrary,
    film_path,
    plan_library,
    write_library,
)


@pytest.fixture(scope="module")
def library() -> SyntheticLibrary:
    return plan_library(100, num_scenes=5, shots_per_scene=2)


def shared_themes(one: LibraryFilm, other: LibraryFilm) -> float:
    """Return how alike two films are in truth: the share of scenes with a theme in common."""
    counts, others = Counter(one.themes), Counter(other.themes)
    shares = (min(counts[t] / len(one.themes), others[t] / len(other.themes)) for t in counts)
    return sum(shares)


def mean_alikeness(pairs: list[tuple[LibraryFilm, LibraryFilm]]) -> float:
    return float(np.mean([shared_themes(one, other) for one, other in pairs]))


def test_films_watched_together_share_more_themes_than_others(library: SyntheticLibrary) -> None:
    films = {film.id: film for film in library.films}
    in_a_row = [
        (films[one.movie], films[other.movie])
        for one, other in pairwise(library.viewings)
        if one.user == other.user
    ]
    assert mean_alikeness(in_a_row) > 2 * mean_alikeness(list(combinations(library.films, 2)))


def test_films_of_one_genre_and_films_of_like_synopses_share_more_themes(
    library: SyntheticLibrary,
) -> None:
    pairs = list(combinations(library.films, 2))
    same_genre = [(a, b) for a, b in pairs if a.genres[0] == b.genres[0]]
    other_genre = [(a, b) for a, b in pairs if not set(a.genres) & set(b.genres)]
    phrases = [phrase for theme in THEMES for phrase in theme.words]

    def said(film: LibraryFilm) -> set[str]:
        return {phrase for phrase in phrases if phrase in film.synopsis}

    like_words = [(a, b) for a, b in pairs if len(said(a) & said(b)) >= 2]
    assert mean_alikeness(same_genre) > 3 * mean_alikeness(other_genre)
    assert mean_alikeness(like_words) > 2 * mean_alikeness(pairs)
    assert all(len(said(film)) == 3 for film in library.films)


def test_palette_camera_and_cast_say_nothing_of_the_themes() -> None:
    films = plan_library(400, num_scenes=1, shots_per_scene=1).films
    table = Counter((film.themes[0], film.camera) for film in films)
    themes, cameras = Counter(f.themes[0] for f in films), Counter(f.camera for f in films)
    due = {(t, c): themes[t] * cameras[c] / len(films) for t in themes for c in cameras}
    chi_squared = sum((table[key] - due[key]) ** 2 / due[key] for key in due)

    assert len(due) == 32
    assert chi_squared < 38.9, "21 degrees of freedom, 1 %"
    assert len({film.colours for film in films}) == len(films)
    assert len({actor for film in films for actor in film.cast}) == 4 * len(films)


def test_scenes_of_a_theme_share_places_layouts_and_actions_across_films(
    library: SyntheticLibrary,
) -> None:
    seen: dict[str, set[tuple[str, int]]] = {theme.name: set() for theme in THEMES}
    for film in library.films:
        for theme, first in zip(film.themes, film.plan.scene_starts, strict=True):
            setup = film.plan.shots[first].setup
            seen[theme].add((setup.place.kind, setup.place.layout_seed))
            assert setup.place.colours == film.colours
            assert setup.action == next(t.action for t in THEMES if t.name == theme)
    for theme in THEMES:
        assert {kind for kind, _ in seen[theme.name]} == set(theme.places)
        assert len(seen[theme.name]) <= 6
    assert not set.intersection(*seen.values())


def test_like_films_look_alike_only_through_their_themes(library: SyntheticLibrary) -> None:
    film = library.films[0]
    recoloured = replace(film, plan=replace(film.plan, seed=99))
    first, again = next(draw_frames(film.plan)), next(draw_frames(recoloured.plan))
    assert shared_themes(film, recoloured) == pytest.approx(1)
    assert np.abs(first.astype(int) - again).mean() < 6


def test_a_written_library_holds_what_was_planned(tmp_path: Path) -> None:
    library = plan_library(3, num_scenes=2, shots_per_scene=2, seed=4)

    assert write_library(library, tmp_path) == 3
    with (tmp_path / "movies.csv").open() as file:
        movies = list(csv.DictReader(file))
    with (tmp_path / "cowatch.csv").open() as file:
        watches = list(csv.DictReader(file))
    truth = json.loads((tmp_path / "truth.json").read_text())
    ids = [film.id for film in library.films]
    assert [movie["movie"] for movie in movies] == list(truth) == ids
    assert sorted(path.name for path in (tmp_path / "films").iterdir()) == [f"{i}.mp4" for i in ids]
    assert movies[0]["genres"].split("|") == list(library.films[0].genres)
    assert len(watches) == len(library.viewings)
    assert {watch["movie"] for watch in watches} <= set(ids)
    scenes = truth[ids[0]]["scenes"]
    assert [scene["theme"] for scene in scenes] == list(library.films[0].themes)
    assert [(scene["first_shot"], scene["end_shot"]) for scene in scenes] == [(0, 2), (2, 4)]
    assert truth[ids[0]]["shot_starts"][-1] == library.films[0].plan.num_frames


def test_a_library_is_resumed_where_it_stopped(tmp_path: Path) -> None:
    library = plan_library(3, num_scenes=1, shots_per_scene=2)
    write_library(library, tmp_path)
    kept, lost = (film_path(tmp_path, film) for film in library.films[:2])
    drawn, stamp = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()

    assert write_library(library, tmp_path) == 1
    assert lost.read_bytes() == drawn
    assert kept.stat().st_mtime_ns == stamp
    assert write_library(library, tmp_path) == 0


def test_a_folder_with_another_library_is_refused(tmp_path: Path) -> None:
    write_library(plan_library(1, num_scenes=1, shots_per_scene=1), tmp_path)
    with pytest.raises(OutputError, match="holds another library; draw this one into a new"):
        write_library(plan_library(1, num_scenes=1, shots_per_scene=1, seed=1), tmp_path)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"library folder .* cannot be written"):
        write_library(plan_library(1, num_scenes=1, shots_per_scene=1), tmp_path / "file")
