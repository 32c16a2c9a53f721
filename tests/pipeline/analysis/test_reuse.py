"""A film that is read otherwise than before is analysed anew, and says so."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import drawn_film, flat_images
from tests.factories.models import make_tiny_clip
from tests.factories.sounds import sounding_film, tone
from tests.media.test_streams import film_of

import mastershot as ms
from mastershot.core.errors import EncoderUnavailableError
from mastershot.core.timeline import Timeline
from mastershot.media.sampling import Sampling
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis import plan as planning
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
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


WORDS = ("shots", "scenes", "labels", "headings")


@pytest.fixture(scope="module")
def with_sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = flat_images([(200, 30, 30), (20, 90, 20), (230, 230, 240)], each=30)
    return sounding_film(tmp_path_factory.mktemp("film") / "film.mkv", images, tone(3.75))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_clip(tmp_path_factory.mktemp("clip")))


@pytest.fixture(scope="module")
def labelled(with_sound: Path, clip: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of results with labels, scenes, headings and scales by words."""
    out = tmp_path_factory.mktemp("out")
    analyze_movie(with_sound, prepare(Plan(steps=(*WORDS, "scale"), encoder=clip)), out)
    return out


@pytest.fixture
def out(labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that folder, on a machine that has lost the encoder."""

    def gone(name: str, **_: object) -> None:
        raise EncoderUnavailableError("its weights are not here")

    monkeypatch.setattr(planning, "load_encoder", gone)
    return Path(shutil.copytree(labelled, tmp_path / "out"))


def planned(*steps: str, **settings: object) -> LoadedPlan:
    return prepare(Plan(steps=(*WORDS, *steps), **settings))  # type: ignore[arg-type]


def words_of(timeline: Timeline) -> list[object]:
    shots = [
        (one.labels, one.kept, one.borrowed, one.setting, one.time_of_day, one.sampled_frames)
        for one in timeline.shots
    ]
    return [*shots, timeline.scenes]


def result(out: Path) -> Timeline:
    return Timeline.load(out / "film" / "timeline.json")


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        (("people",), lambda timeline: timeline.shots[0].people),
        (("moderation",), lambda timeline: timeline.made_by.steps.get("moderation")),
        (("sound",), lambda timeline: timeline.audio and timeline.shots[0].sound),
        (("people", "sound", "moderation", "scale"), lambda timeline: timeline.shots[0].people),
    ],
)
def test_steps_asked_for_later_run_and_leave_labels_whose_encoder_has_gone(
    with_sound: Path, out: Path, monkeypatch: pytest.MonkeyPatch, steps: tuple[str, ...],
    found: Callable[[Timeline], object],
) -> None:  # fmt: skip
    before, loaded = result(out), planned(*steps)
    assert loaded.notes[0] == "No labels or headings: its weights are not here"
    assert not found(before)
    timeline, _ = analyze_movie(with_sound, loaded, out)
    assert timeline == result(out)
    assert found(timeline)
    assert words_of(timeline) == words_of(before)
    assert timeline.scenes is not None
    for step in WORDS[1:]:
        assert timeline.made_by.steps[step] == before.made_by.steps[step]
    for step in steps:
        assert step in timeline.made_by.steps
    monkeypatch.setattr(story, "decode_film", None)
    assert analyze_movie(with_sound, loaded, out)[0] == timeline


def test_nothing_new_leaves_the_timeline_as_it_is(
    with_sound: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "decode_film", None)
    before = result(out)
    assert analyze_movie(with_sound, planned("scale"), out)[0] == before
    other = planned("scale", sampling=Sampling("uniform", 5))
    assert analyze_movie(with_sound, other, out)[0] == before


def test_scales_that_words_told_are_not_lost_to_people(with_sound: Path, out: Path) -> None:
    before = result(out)
    assert before.shots[0].scale_by == "words"
    timeline, _ = analyze_movie(with_sound, planned("people", "scale"), out)
    assert timeline.shots[0].people is not None
    assert [s.scale for s in timeline.shots] == [s.scale for s in before.shots]
    assert timeline.made_by.steps["scale"] == before.made_by.steps["scale"]


def test_labels_of_other_shots_or_frames_are_left_out_with_a_sentence(
    with_sound: Path, out: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "shots.txt"
    listed.write_text("0 19\n20 89\n")
    for change in ({"shot_list": listed}, {"sampling": Sampling("uniform", 5)}):
        folder = Path(shutil.copytree(out, tmp_path / next(iter(change))))
        loaded = planned("people", **change)
        timeline, _ = analyze_movie(with_sound, loaded, folder)
        assert timeline.shots[0].people is not None
        assert timeline.shots[0].labels is None
        assert "labels" not in timeline.made_by.steps
        (note,) = timeline.notes
        assert note.startswith("labels and headings made earlier are left out: they rest on other")
        assert analyze_movie(with_sound, loaded, folder)[0] == timeline


def test_a_library_keeps_them_too(with_sound: Path, out: Path, tmp_path: Path) -> None:
    library, before = ms.Library(tmp_path / "films.mastershot"), result(out)
    library.put_timeline(before, out / "film")
    timeline = library.add(with_sound, loaded=planned("people"))
    assert timeline == library.timeline(before.movie.id)
    assert words_of(timeline) == words_of(before)
    assert timeline.shots[0].people is not None
    assert library.verify() == []
