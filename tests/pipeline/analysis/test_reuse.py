"""A film that is read otherwise than before is analysed anew, and says so."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import drawn_film
from tests.media.test_streams import film_of

import mastershot as ms
from mastershot.core.timeline import Timeline
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analysis.reuse import read_differently, with_reading_note
from mastershot.pipeline.analyze import analyze_movie
from mastershot.scenes.grouping import COLOR_SPACE

WITHOUT_WORDS = Plan(steps=("shots", "scenes"))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    drawn_film(path)
    return path


def as_an_earlier_version(timeline: Timeline, *, shorter_by: int = 0) -> Timeline:
    """Return the timeline as version 0.1 would have written it, before readings were numbered."""
    steps = {name: step for name, step in timeline.made_by.steps.items() if name != "reading"}
    movie = replace(timeline.movie, end_pts=timeline.movie.end_pts - shorter_by)
    return replace(timeline, movie=movie, made_by=replace(timeline.made_by, steps=steps))


def test_a_timeline_of_an_earlier_reading_opens_and_is_made_anew(
    film: Path, tmp_path: Path
) -> None:
    loaded = prepare(WITHOUT_WORDS)
    first, folder = analyze_movie(film, loaded, tmp_path)
    older = as_an_earlier_version(first, shorter_by=100)
    (folder / "timeline.json").write_text(older.to_json())
    assert Timeline.load(folder / "timeline.json") == older
    again, _ = analyze_movie(film, loaded, tmp_path)
    assert again.movie == first.movie
    (note,) = again.notes
    assert note.startswith("analysed anew, because it is read otherwise than before: ")
    assert analyze_movie(film, loaded, tmp_path)[0] == again


def test_a_film_that_is_read_as_before_says_nothing(film: Path, tmp_path: Path) -> None:
    loaded = prepare(WITHOUT_WORDS)
    first, folder = analyze_movie(film, loaded, tmp_path)
    older = as_an_earlier_version(first)
    assert read_differently(older, first.made_by)
    (folder / "timeline.json").write_text(older.to_json())
    assert analyze_movie(film, loaded, tmp_path)[0].notes == ()


def test_other_times_of_the_same_shots_are_another_reading(film: Path) -> None:
    timeline = ms.analyze(film, WITHOUT_WORDS)
    last = timeline.shots[-1]
    moved = replace(last, span=replace(last.span, start_pts=last.span.start_pts + 1))
    older = as_an_earlier_version(replace(timeline, shots=(*timeline.shots[:-1], moved)))
    (note,) = with_reading_note(timeline, older).notes
    assert note.endswith(" s, other times")


def test_a_library_analyses_such_a_film_anew(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, loaded = ms.Library(tmp_path / "films.mastershot"), prepare(WITHOUT_WORDS)
    first = library.add(film, loaded=loaded)
    library.put_timeline(as_an_earlier_version(first, shorter_by=100), {})
    again = library.add(film, loaded=loaded)
    assert again.movie == first.movie
    assert len(again.notes) == 1
    assert library.timeline(first.movie.id) == again
    assert library.verify() == []
    monkeypatch.setattr(story, "decode_film", None)
    assert library.add(film, loaded=loaded) == again


def test_another_stream_of_a_film_keeps_no_vector_of_the_first(tmp_path: Path) -> None:
    path = film_of(tmp_path / "film.mkv", (96, 60, True), (48, 40, False))
    library = ms.Library(tmp_path / "films.mastershot")
    first = library.add(path, loaded=prepare(WITHOUT_WORDS))
    kept = library.features(first.movie.id).get(COLOR_SPACE)
    other = library.add(path, loaded=prepare(replace(WITHOUT_WORDS, stream=1)))
    assert (first.movie.num_frames, other.movie.num_frames) == (60, 40)
    assert other.made_by.steps["reading"]["stream"] == 1
    frames = library.features(first.movie.id).get(COLOR_SPACE).frames
    assert not np.array_equal(frames, kept.frames)
    assert library.verify() == []


def test_a_damaged_film_says_so_in_its_timeline(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "films" / "damaged" / "zero17.mp4"
    timeline, folder = analyze_movie(path, prepare(WITHOUT_WORDS), tmp_path)
    value = json.loads((folder / "timeline.json").read_text())
    assert [span["frames_missing"] for span in value["damaged"]] == [29]
    assert value["notes"][0].startswith("it is damaged: 29 frames, 1.24 s, could not be decoded")
    assert timeline.movie.duration_s == pytest.approx(12.8)
    assert "Frames missing" in (folder / "report.html").read_text()
