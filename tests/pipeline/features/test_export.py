from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.models import make_recogniser, make_tiny_vit

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.tables.feature_table import read_features
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.recogniser import TrainedRecogniser
from mastershot.media.sampling import parse_sampling
from mastershot.media.video import Film
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.features.export import FeatureExport, export_features
from mastershot.pipeline.features.settings import FeaturesRecipe
from mastershot.pipeline.library import Library
from mastershot.pipeline.search.similar import find_similar
from mastershot.pipeline.search.vectors import SceneSource
from mastershot.recipes.load import load_recipe
from mastershot.shots.settings import ShotSettings
from mastershot.training.engine.settings import no_progress

COLOURS = [(220, 40, 40), (10, 40, 10), (240, 240, 200), (10, 10, 70)]
SHOTS_ALONE = Plan(steps=("shots",))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A recogniser's run, two films, and a library in which only their shots are known."""
    make_recogniser(tmp_path / "run" / "recogniser", "i3d_r50")
    library = Library(tmp_path / "films.mastershot")
    loaded = prepare(SHOTS_ALONE)
    for name, colours in (("one", COLOURS), ("two", COLOURS[:0:-1])):
        film = encode_film(tmp_path / f"{name}.mp4", flat_images(colours, each=30))
        library.add(film, loaded=loaded)
    return tmp_path


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the films that are decoded."""
    names, real = [], Film.frames

    def counted(self: Film) -> Iterator[Any]:
        names.append(self.file.path.stem)
        return real(self)

    monkeypatch.setattr(Film, "frames", counted)
    return names


def export(data: Path, **settings: Any) -> FeatureExport:
    recipe = FeaturesRecipe(data=str(data), recogniser="run", **settings)
    return export_features(recipe, data / "out", no_progress)


def test_each_shot_of_each_film_has_its_features_in_library_and_table(
    data: Path, passes: list[str]
) -> None:
    made = export(data)
    assert sorted(passes) == ["one", "two"]
    assert (made.num_films, made.num_shots, made.failures, made.num_spaces) == (2, 7, {}, 1)
    table, library = read_features(made.table), Library(data / "films.mastershot")
    assert table.items == ("one", "two")
    assert [len(table.rows(place)) for place in range(2)] == [4, 3]
    assert library.verify() == []
    (space,) = library.spaces()
    found = library.features(library.movie("one").id).get(space)
    assert found.frames.tolist() == [15, 45, 75, 105]
    np.testing.assert_array_equal(found.vectors, table.rows(0))
    np.testing.assert_allclose(table.means()[0], found.vectors.mean(axis=0), rtol=1e-6)
    source = SceneSource(library, vectors="recogniser:tiny-i3d_r50")
    assert find_similar(source, "one", window=1).space == space


def test_a_file_of_the_recognisers_folder_names_the_recogniser(data: Path) -> None:
    recipe = FeaturesRecipe(data=str(data), recogniser="run/recogniser/recogniser.safetensors")
    made = export_features(recipe, data / "other", no_progress)
    np.testing.assert_array_equal(
        read_features(made.table).rows(0), read_features(export(data).table).rows(0)
    )


def test_they_are_those_that_an_analysis_makes(data: Path) -> None:
    made = read_features(export(data).table)
    plan = Plan(steps=("shots", "labels"), recogniser=data / "run")
    other = Library(data / "other.mastershot")
    loaded = prepare(plan)
    timeline = other.add(data / "one.mp4", loaded=loaded)
    assert loaded.clip_space is not None
    stored = other.features(timeline.movie.id).get(loaded.clip_space)
    np.testing.assert_array_equal(stored.vectors, made.rows(0))


def test_a_shot_longer_than_what_is_held_is_seen_alike_in_both(data: Path) -> None:
    # Brighter from frame to frame. The adaptive detector reports a cut 2 frames late: after 63
    # frames every other one is held, after 65 every fourth.
    colours = [(128 + 2 * at,) * 3 for at in range(63)] + [(60 + at, 0, 0) for at in range(33)]
    film = encode_film(data / "long.mp4", flat_images(colours, each=1))
    plan = replace(SHOTS_ALONE, shots=ShotSettings("adaptive"))
    Library(data / "films.mastershot").add(film, loaded=prepare(plan))
    made = read_features(export(data).table)
    loaded = prepare(replace(plan, steps=("shots", "labels"), recogniser=data / "run"))
    other = Library(data / "other.mastershot")
    timeline = other.add(film, loaded=loaded)
    assert [shot.span.end_frame for shot in timeline.shots] == [63, 96]
    assert loaded.clip_space is not None
    stored = other.features(timeline.movie.id).get(loaded.clip_space)
    np.testing.assert_array_equal(stored.vectors, made.rows(made.items.index("long")))


def test_nothing_is_decoded_twice(data: Path, passes: list[str]) -> None:
    first = export(data)
    before = {path.name: path.read_bytes() for path in first.table.iterdir()}
    passes.clear()
    assert export(data) == first
    assert {path.name: path.read_bytes() for path in first.table.iterdir()} == before
    assert passes == []
    labelled = Plan(steps=("shots", "labels"), recogniser=data / "run")
    library = Library(data / "films.mastershot")
    library.add(data / "one.mp4", loaded=prepare(labelled))
    assert passes == []  # its labels rest on the features that are there


def test_a_run_that_was_stopped_goes_on_with_the_next_film(
    data: Path, passes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = TrainedRecogniser.features, []

    def stopped(self: TrainedRecogniser, clips: Any) -> Any:
        calls.append(len(clips))
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(self, clips)

    monkeypatch.setattr(TrainedRecogniser, "features", stopped)
    with pytest.raises(KeyboardInterrupt):
        export(data)
    monkeypatch.setattr(TrainedRecogniser, "features", real)
    assert not (data / "out" / "features").exists()
    assert passes == ["one", "two"]
    passes.clear()
    made = export(data)
    assert passes == ["two"]
    assert made.num_shots == 7


def test_a_film_that_fails_is_a_sentence_and_the_others_are_done(data: Path) -> None:
    (data / "one.mp4").unlink()
    made = export(data)
    assert (made.num_films, made.num_shots) == (1, 3)
    ((path, reason),) = made.failures.items()
    assert path.endswith("one.mp4")
    assert "one.mp4 does not exist" in reason
    (data / "two.mp4").rename(data / "one.mp4")
    assert "another film than was added" not in reason
    (reason,) = export(data).failures.values()
    assert reason.endswith("one.mp4 is another file than was added; add the film again")


def test_a_library_without_a_film_that_can_be_read_is_an_error(data: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        (data / name).unlink()
    with pytest.raises(DatasetError, match=r"gave no features: .*one\.mp4 does not exist"):
        export(data)
    Library(data / "empty.mastershot")
    with pytest.raises(DatasetError, match="gave no features: it holds no film"):
        export(data, library="empty.mastershot")
    with pytest.raises(SettingError, match="holds no recogniser"):
        export_features(FeaturesRecipe(recogniser=str(data)), data, no_progress)


def test_two_films_of_one_name_need_their_ids(data: Path) -> None:
    (data / "more").mkdir()
    film = encode_film(data / "more" / "one.mp4", flat_images(COLOURS[2:], each=30))
    Library(data / "films.mastershot").add(film, loaded=prepare(SHOTS_ALONE))
    (reason,) = export(data).failures.values()
    assert "has the name of" in reason
    assert "set names to id" in reason
    made = export(data, names="id")
    assert made.failures == {}
    assert len(read_features(made.table).items) == 3


def test_shots_found_in_two_ways_have_two_spaces(data: Path) -> None:
    film = encode_film(data / "three.mp4", flat_images(COLOURS[2:], each=30))
    plan = replace(SHOTS_ALONE, shots=replace(SHOTS_ALONE.shots, min_shot_s=0.5))
    Library(data / "films.mastershot").add(film, loaded=prepare(plan))
    recipe = load_recipe("movieclip/features", [f"data={data}", "recogniser=run"])
    assert recipe.kind.problems(recipe.settings) == []
    result = recipe.kind.run(recipe.settings, data / "out", no_progress)
    assert result.figures == {"num_films": 3, "num_shots": 9, "failures": {}}
    (note,) = result.notes
    assert note.startswith("shots were found in 2 ways")


def test_vectors_of_frames_come_from_the_library(data: Path) -> None:
    space = load_frame_encoder(make_tiny_vit(data / "vit"), precision="float32").space
    make_recogniser(
        data / "lstm", encoder=str(data / "vit"), encoder_hash=space.weights_hash,
        input_width=space.width,
    )  # fmt: skip
    recipe = FeaturesRecipe(data=str(data), recogniser="lstm")
    with pytest.raises(DatasetError, match=r"holds no vectors of .*vit for .*add the film again"):
        export_features(recipe, data / "out", no_progress)
    plan = Plan(
        steps=("shots", "labels"), recogniser=data / "lstm", sampling=parse_sampling("rate:4")
    )  # fmt: skip
    loaded, library = prepare(plan), Library(data / "films.mastershot")
    timeline = library.add(data / "one.mp4", loaded=loaded)
    made = export_features(recipe, data / "out", no_progress)
    assert (made.num_films, len(made.failures)) == (1, 1)
    assert loaded.recogniser is not None
    store = library.features(timeline.movie.id)
    expected = loaded.recogniser.features(timeline.shots, timeline.made_by, store)
    np.testing.assert_array_equal(read_features(made.table).rows(0), expected)
    kept = store.get(loaded.recogniser.space(timeline.made_by))
    np.testing.assert_array_equal(kept.vectors, expected)


def test_what_a_recipe_lacks_is_listed(tmp_path: Path) -> None:
    recipe = load_recipe("movieclip/features", [f"data={tmp_path}"])
    recogniser, library = recipe.kind.problems(recipe.settings)
    assert "does not exist; it is a folder that a recipe of movieclip makes, or" in recogniser
    assert library.endswith("films.mastershot is no folder; `mastershot library add` makes one")
