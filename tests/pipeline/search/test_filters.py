"""Filters of a search: which shots they take, and what is said of films that cannot be asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.factories.timelines import make_timeline
from tests.pipeline.search.test_nearest import SPACE, towards
from tests.pipeline.search.test_words import ToyEncoder

import mastershot as ms
from mastershot.core.embeddings import Embeddings
from mastershot.core.errors import LibraryError, SettingError
from mastershot.core.labels import GenreScore, LabelScore
from mastershot.core.lanes import SoundEvent
from mastershot.core.movie import People
from mastershot.core.timeline import Timeline
from mastershot.pipeline.search.filters import ShotFilter, choose_shots

ALL_STEPS: dict[str, dict[str, Any]] = {
    name: {} for name in ("shots", "scenes", "headings", "scale", "people")
}
CLOSE = {"ECS": 0.1, "CS": 0.6, "MS": 0.1, "FS": 0.1, "LS": 0.1}
LONG = CLOSE | {"CS": 0.1, "LS": 0.6}


def a_timeline(name: str, steps: dict[str, dict[str, Any]] = ALL_STEPS) -> Timeline:
    """Return shots of an alley by night with two people, of a kitchen, and of what is unsure."""
    timeline = make_timeline(name, steps=steps, audio=(SoundEvent("Applause", 0.9, 0.5, 4.5, 2.0),))
    alley, kitchen, unsure = timeline.shots
    scenes = timeline.scenes or ()
    return replace(
        timeline,
        shots=(
            replace(alley, setting=LabelScore("EXT", 0.9), time_of_day=LabelScore("NIGHT", 0.9),
                    scale=LONG, scale_by="people", people=People(1, 2, 0.1, 0.3)),
            replace(kitchen, setting=LabelScore("INT", 0.9),
                    time_of_day=LabelScore("DAY", 0.6, unsure=True), scale=CLOSE,
                    scale_by="people", people=People(3, 1, 0.5, 0.9)),
            replace(unsure, setting=LabelScore("INT", 0.6, unsure=True),
                    time_of_day=LabelScore("NIGHT", 0.5, unsure=True),
                    people=People(0, 0, 0.0, 0.0)),
        ),
        scenes=tuple(
            replace(scene, heading=heading)
            for scene, heading in zip(scenes, ("INT. DINING ROOM - NIGHT", None), strict=True)
        ),
    )  # fmt: skip


def add(library: ms.Library, timeline: Timeline, *, vectors: bool = True) -> None:
    library.put_timeline(timeline)
    if vectors:
        starts = [shot.span.first_frame for shot in timeline.shots]
        rows = [towards(SPACE, 0, cosine) for cosine in (0.2, 0.9, 0.5)]
        embeddings = Embeddings(SPACE, np.array(starts), np.stack(rows))
        library.features(timeline.movie.id).put(embeddings)


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    library = ms.Library(tmp_path / "films.mastershot")
    add(library, a_timeline("one.mp4"))
    return library


def found(library: ms.Library, only: ShotFilter | None, words: str = "forest") -> list[int]:
    hits = library.search(words, encoder=ToyEncoder(), only=only)  # type: ignore[arg-type]
    return [int(hit.id.rpartition("/")[2]) for hit in hits]


@pytest.mark.parametrize(
    ("only", "shots"),
    [
        (None, [1, 2, 0]),
        (ShotFilter(), [1, 2, 0]),
        (ShotFilter(setting="int"), [1]),
        (ShotFilter(setting="EXT"), [0]),
        (ShotFilter(time="night"), [0]),
        (ShotFilter(time="day"), []),
        (ShotFilter(setting="ext", time="night"), [0]),
        (ShotFilter(setting="int", time="night"), []),
        (ShotFilter(scale="cs"), [1]),
        (ShotFilter(scale="MS"), []),
        (ShotFilter(people="2"), [0]),
        (ShotFilter(people=2), [0]),
        (ShotFilter(people="2+"), [1, 0]),
        (ShotFilter(people="0"), [2]),
        (ShotFilter(people="0+"), [1, 2, 0]),
        (ShotFilter(heading="dining room"), [1, 0]),
        (ShotFilter(heading="Int. dining room"), [1, 0]),
        (ShotFilter(heading="room dining"), []),
        (ShotFilter(heading="din"), []),
        (ShotFilter(heading="night", scale="CS", people="3"), [1]),
    ],
)
def test_a_search_finds_the_best_of_the_shots_that_have_all(
    library: ms.Library, only: ShotFilter | None, shots: list[int]
) -> None:
    assert found(library, only) == shots


def test_a_limit_counts_what_the_filter_takes(library: ms.Library) -> None:
    hits = library.search(
        "forest",
        encoder=ToyEncoder(),
        limit=1,
        only=ShotFilter(setting="ext"),  # type: ignore[arg-type]
    )
    assert [hit.id[-1] for hit in hits] == ["0"]
    assert hits.notes == ()


def test_shots_found_by_sound_are_filtered_too(tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "heard.mastershot")
    add(library, a_timeline("one.mp4"), vectors=False)
    add(library, replace(a_timeline("two.mp4"), audio=None), vectors=False)
    assert len(library.search("applause")) == 3
    (hit,) = library.search("applause", only=ShotFilter(setting="int"))
    assert (hit.heard, hit.id[-1]) == ("Applause", "1")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"setting": "in"}, r"setting 'in' is unknown; did you mean INT\? use INT, EXT"),
        ({"time": "dusk"}, "time 'dusk' is unknown; .*use DAY, NIGHT"),
        ({"scale": "XLS"}, "scale 'XLS' is unknown; .*use ECS, CS, MS, FS, LS"),
        ({"people": "two"}, r"people is 'two'; give a number, or 2\+ for two or more"),
        ({"people": "-1"}, "people is '-1'"),
        ({"people": True}, "people is True"),
        ({"people": ""}, "people is ''"),
        ({"heading": ". -"}, "heading '. -' has no words"),
        ({"genre": " "}, "genre ' ' is no name"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        ShotFilter(**values)


def test_films_analysed_without_the_step_are_named_and_the_others_searched(
    library: ms.Library,
) -> None:
    add(library, make_timeline("two.mp4", steps={"shots": {}, "people": {}}))
    hits = library.search("forest", encoder=ToyEncoder(), only=ShotFilter("int"))  # type: ignore[arg-type]
    assert [hit.path for hit in hits] == ["one.mp4"]
    (note,) = hits.notes
    assert note.startswith("not searched: 1 of 2 films, analysed without headings; `mastershot lib")
    library.remove("one.mp4")
    add(library, make_timeline("three.mp4", steps={"shots": {}}))
    with pytest.raises(LibraryError, match=r"searched by --scale: 2 of 2 films, analysed without"):
        found(library, ShotFilter(scale="CS"))


def wrong_rows(library: ms.Library) -> list[str]:
    """Return what is wrong with a library but that its drawn films have no files."""
    return [problem.text for problem in library.verify() if problem.kind != "file"]


def as_added_by_an_earlier_version(library: ms.Library, movie_id: str) -> None:
    library.tables.delete("traits", f"movie_id = '{movie_id}'")


def test_a_library_of_before_says_what_to_do_and_repair_does_it(library: ms.Library) -> None:
    (one,) = library.movies()
    as_added_by_an_earlier_version(library, one.id)
    assert wrong_rows(library) == []
    assert found(library, None) == [1, 2, 0]
    with pytest.raises(
        LibraryError, match="no film can be searched by --setting, --people: 1 of 1"
    ) as why:
        found(library, ShotFilter(setting="int", people=1))
    assert f"`mastershot library repair --library {library.path}` makes up for it" in str(why.value)
    other = a_timeline("two.mp4")
    add(library, other)
    chosen = choose_shots(library, library.movies(), ShotFilter(setting="int"))
    assert sum(len(shots) for shots in chosen.shots.values()) == 1
    assert len(chosen.notes) == 1
    whole = library.dump()["traits"]
    assert len(whole) == 3
    assert library.repair() == 0
    assert found(library, ShotFilter(setting="int")) == [1, 1]
    assert choose_shots(library, library.movies(), ShotFilter(setting="int")).notes == ()
    assert len(library.dump()["traits"]) == 6
    assert wrong_rows(library) == []
    library.remove("two.mp4")
    assert len(library.dump()["traits"]) == 3


def test_a_damaged_row_is_reported(library: ms.Library) -> None:
    library.tables.delete("traits", "index = 1")
    (problem,) = wrong_rows(library)
    assert "2 rows in traits instead of 3" in problem


def with_genres(name: str, chosen: str) -> Timeline:
    steps = {**ALL_STEPS, "genres": {}}
    scored = tuple(
        GenreScore(genre, 0.9 if genre == chosen else 0.2, 0.5, genre == chosen)
        for genre in sorted(("Horror", "Comedy"), key=lambda genre: genre != chosen)
    )
    return replace(a_timeline(name, steps), genres=scored)


def test_a_genre_is_that_of_the_film(library: ms.Library) -> None:
    with pytest.raises(LibraryError, match=r"by --genre: 1 of 1 films, .*FILM .* --genres RUN`"):
        choose_shots(library, library.movies(), ShotFilter(genre="Horror"))
    add(library, with_genres("scary.mp4", "Horror"))
    add(library, with_genres("funny.mp4", "Comedy"))
    hits = library.search("forest", encoder=ToyEncoder(), only=ShotFilter(genre="horror"))  # type: ignore[arg-type]
    assert {hit.path for hit in hits} == {"scary.mp4"}
    assert len(hits) == 3
    (note,) = hits.notes
    assert note.startswith("not searched: 1 of 3 films, analysed without genres; ")
    both = library.search("forest", encoder=ToyEncoder(), only=ShotFilter("int", genre="Comedy"))  # type: ignore[arg-type]
    assert [hit.path for hit in both] == ["funny.mp4"]
    with pytest.raises(
        SettingError, match=r"genre 'Horor' is unknown; did you mean Horror\? .*Comedy, Horror"
    ):
        library.search("forest", encoder=ToyEncoder(), only=ShotFilter(genre="Horor"))  # type: ignore[arg-type]
    assert wrong_rows(library) == []
    library.remove("scary.mp4")
    assert {row["name"] for row in library.dump()["genres"]} == {"Horror", "Comedy"}
    assert len(library.dump()["genres"]) == 2
