"""Search by sound words: which classes they name, and the shots in which these are heard."""

from pathlib import Path

import pytest
from tests.factories.timelines import APPLAUSE, make_thumbs, make_timeline
from tests.pipeline.search.test_nearest import put
from tests.pipeline.search.test_words import ToyEncoder

import mastershot as ms
from mastershot.core.lanes import SoundEvent
from mastershot.pipeline.search.sounds import heard_shots, sounds_named
from mastershot.pipeline.search.words import search_words, write_hits_page


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("applause", {"Applause"}),
        ("Gunshot", {"Gunshot, gunfire"}),
        ("gun shots", {"Gunshot, gunfire"}),
        ("the sound of a siren", {"Civil defense siren", "Siren"}),
        ("dog barking", set()),
        ("clapping", {"Clapping"}),
        ("sound", set()),
        ("forest", set()),
        ("a forest in the snow", set()),
        ("!?", set()),
    ],
)
def test_words_name_the_classes_that_have_all_of_them(words: str, names: set[str]) -> None:
    found = set(sounds_named(words))
    assert names <= found if names else not found


def keep(library: ms.Library, name: str, *events: SoundEvent) -> str:
    timeline = make_timeline(name, audio=events)
    library.put_timeline(timeline, make_thumbs(timeline))
    return timeline.movie.id


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    return ms.Library(tmp_path / "films.mastershot")


def test_the_surest_event_comes_first_and_each_shot_once(library: ms.Library) -> None:
    # Shots of 40, 30 and 50 frames at 23.976, from 0.0834 s: they end at 1.752, 3.003, 5.088 s.
    one = keep(library, "a.mp4", SoundEvent("Applause", 0.5, 1.0, 2.0, 1.9), APPLAUSE)
    other = keep(library, "b.mp4", SoundEvent("Applause", 0.6, 0.5, 0.5, 0.6))
    keep(library, "c.mp4", SoundEvent("Music", 0.9, 0.5, 4, 2))
    hits = heard_shots(library, "applause", limit=10)
    assert [(hit.id, hit.score) for hit in hits] == [
        (f"{one}/00002", 0.75), (f"{other}/00000", 0.6), (f"{one}/00000", 0.5),
        (f"{one}/00001", 0.5),
    ]  # fmt: skip
    assert {hit.heard for hit in hits} == {"Applause"}
    assert [hit.frame for hit in hits] == [84, 12, 39, 43]
    assert heard_shots(library, "applause", limit=1) == hits[:1]
    assert heard_shots(library, "siren", limit=10) == []


def test_equal_scores_come_by_film_and_time_and_those_of_earlier_runs_not(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mastershot.store.reading._SOUNDS_AT_ONCE", 2)
    late, early = (SoundEvent("Applause", 0.5, at, at, at) for at in (4.0, 0.5))
    other = keep(library, "b.mp4", early, late)
    keep(library, "a.mp4", SoundEvent("Applause", 0.9, 2.0, 2.0, 2.0))
    one = keep(library, "a.mp4", late, early)
    hits = heard_shots(library, "applause", limit=9)
    assert [hit.id for hit in hits] == [
        f"{one}/00000", f"{one}/00002", f"{other}/00000", f"{other}/00002",
    ]  # fmt: skip


def test_an_event_between_two_windows_of_a_cut_is_in_one_shot(library: ms.Library) -> None:
    movie = keep(library, "a.mp4", SoundEvent("Applause", 0.5, 2.0, 2.0, 2.0))
    assert [hit.id for hit in heard_shots(library, "applause", limit=9)] == [f"{movie}/00001"]


@pytest.mark.parametrize(("centre_s", "peak_s"), [(2.0, 1.7), (1.6, 1.9)])
def test_a_click_whose_window_reaches_over_a_cut_is_also_found_where_it_is(
    library: ms.Library, centre_s: float, peak_s: float
) -> None:
    movie = keep(library, "a.mp4", SoundEvent("Applause", 0.5, centre_s, centre_s, peak_s))
    hits = heard_shots(library, "applause", limit=9)
    assert [hit.id for hit in hits] == [f"{movie}/00000", f"{movie}/00001"]


def test_a_library_without_vectors_is_searched_by_its_sound(
    library: ms.Library, tmp_path: Path
) -> None:
    movie = keep(library, "a.mp4", APPLAUSE)
    hits = library.search("applause")
    assert [hit.id for hit in hits] == [f"{movie}/00002"]
    assert hits.space is None
    write_hits_page(library, hits, tmp_path / "page.html", words="applause")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "heard: <b><bdi>Applause</bdi></b>" in page
    assert "found by its sound" in page


def test_heard_and_seen_shots_alternate(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mastershot.pipeline.search.sounds.sound_classes", lambda: ("Forest",))
    timeline = make_timeline("a.mp4", audio=(SoundEvent("Forest", 0.2, 3.5, 4.0, 3.6),))
    put(library, timeline, {0: 0.9, 50: 0.5, 100: 0.1})
    hits = search_words(library, "forest", encoder=ToyEncoder())
    found = [(hit.id[-1], hit.heard) for hit in hits]
    assert found == [("2", "Forest"), ("0", None), ("1", None)]
    assert len(search_words(library, "forest", encoder=ToyEncoder(), limit=2)) == 2
