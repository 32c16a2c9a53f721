"""Scenes as vectors: the runs of a film's shots, or its own scenes, by means or an encoder."""

from pathlib import Path

import numpy as np
import pytest
from tests.factories.timelines import make_space
from tests.pipeline.search.test_nearest import STARTER
from tests.pipeline.search.test_similar import SPACE, first_shot, put_film, view_of

import mastershot as ms
from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError, LibraryError, ShortMovieError
from mastershot.pipeline.search.vectors import PLAIN_VIEW, SceneSource, SceneView, left_out
from mastershot.scenes.grouping import COLOR_SPACE


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    return ms.Library(tmp_path / "films.mastershot")


def weighted(scenes: FloatArray) -> FloatArray:
    """Encode a scene so that the order and the number of its shots count."""
    weights = np.arange(1, scenes.shape[1] + 1, dtype=np.float32)
    return np.einsum("nsw,s->nw", scenes, weights)


def unit(vector: FloatArray) -> FloatArray:
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("window", [1, 3, 12])
def test_every_run_of_shots_is_a_scene(library: ms.Library, window: int) -> None:
    shots = put_film(library, "one.mp4")
    movie = library.movie("one.mp4")
    runs = [shots[first : first + window] for first in range(12 - window + 1)]
    plain = SceneSource(library).windows(movie, window)
    assert plain == pytest.approx(np.stack([run.mean(axis=0) for run in runs]), abs=1e-6)
    encoded = SceneSource(library, view_of(weighted)).windows(movie, window)
    expected = [unit(np.arange(1, window + 1) @ run) for run in runs]
    assert encoded == pytest.approx(np.stack(expected), abs=1e-6)


def test_a_films_own_scenes_have_any_number_of_shots(library: ms.Library) -> None:
    shots = put_film(library, "one.mp4", scene_shots=(1, 4, 7))
    movie = library.movie("one.mp4")
    parts = [shots[:1], shots[1:5], shots[5:]]
    assert SceneSource(library).bounds(movie).tolist() == [[0, 1], [1, 5], [5, 12]]
    means = np.stack([part.mean(axis=0) for part in parts])
    assert SceneSource(library).scenes(movie) == pytest.approx(means, abs=1e-6)
    encoded = SceneSource(library, view_of(weighted)).scenes(movie)
    expected = [unit(np.arange(1, len(part) + 1) @ part) for part in parts]
    assert encoded == pytest.approx(np.stack(expected), abs=1e-6)


def test_a_view_of_middle_frames_takes_no_means(library: ms.Library) -> None:
    means = put_film(library, "one.mp4")
    movie = library.movie("one.mp4")
    middle = SceneSource(library, SceneView("middle", pooling="middle")).shots(movie)
    kept = library.features(movie.id).get(SPACE).vectors.reshape(12, 2, 8)
    assert SceneSource(library).shots(movie) == pytest.approx(means, abs=1e-6)
    assert all(
        (shot == frames).all(axis=1).any() for shot, frames in zip(middle, kept, strict=True)
    )


def test_a_film_shorter_than_a_scene_says_which_window_would_do(library: ms.Library) -> None:
    put_film(library, "short.mp4", shots=4, scene_shots=None)
    sentence = r"^short\.mp4 has 4 shots, fewer than the 5 of a scene; --window 4 compares"
    for view in (PLAIN_VIEW, view_of(first_shot)):
        with pytest.raises(ShortMovieError, match=sentence):
            SceneSource(library, view).windows(library.movie("short.mp4"), 5)


def test_what_a_film_lacks_is_a_sentence(library: ms.Library) -> None:
    put_film(library, "gone.mp4")
    put_film(library, "one.mp4", scene_shots=None)
    gone, one = library.movie("gone.mp4"), library.movie("one.mp4")
    library.remove("gone.mp4")
    source = SceneSource(library)
    with pytest.raises(LibraryError, match=r"holds no shots of gone\.mp4$"):
        source.shots(gone)
    for movie in (gone, one):
        with pytest.raises(LibraryError, match=f"scenes of {movie.path} were not found; analyse"):
            source.bounds(movie)


def test_colours_are_compared_where_there_is_no_encoder(library: ms.Library) -> None:
    put_film(library, "one.mp4", space=COLOR_SPACE)
    assert SceneSource(library).space == COLOR_SPACE
    put_film(library, "one.mp4")
    assert SceneSource(library).space == SPACE
    assert SceneSource(library, vectors=COLOR_SPACE.model).space == COLOR_SPACE


def test_features_of_recognisers_are_compared_only_where_they_are_named(
    library: ms.Library,
) -> None:
    old, new = make_space(6, "recogniser:i3d"), make_space(7, "recogniser:i3d")
    put_film(library, "one.mp4", space=old)
    assert SceneSource(library).space == old  # There are no others.
    put_film(library, "one.mp4", space=COLOR_SPACE)
    assert SceneSource(library).space == COLOR_SPACE
    put_film(library, "one.mp4")
    assert SceneSource(library).space == SPACE
    assert SceneSource(library, vectors="recogniser:i3d").space == old
    put_film(library, "one.mp4", space=new)  # Trained again.
    assert SceneSource(library).space == SPACE
    names = [f"recogniser:i3d@{space.key[:8]}" for space in sorted((old, new), key=lambda s: s.key)]
    with pytest.raises(
        LibraryError, match=f"several vectors of recogniser:i3d; name one: {', '.join(names)}"
    ):
        SceneSource(library, vectors="recogniser:i3d")
    found = {SceneSource(library, vectors=name).space for name in names}
    assert found == {old, new}
    with pytest.raises(LibraryError, match=rf"holds vectors of .*{names[0]}.*; name the encoder"):
        SceneSource(library, vectors="recogniser:i3d@")
    view = view_of(first_shot, space=old)
    named = SceneSource(library, view, vectors=f"recogniser:i3d@{old.key}")
    assert named.space == old


def test_an_encoder_of_another_width_or_space_is_a_sentence(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    wide = SceneView("wide", first_shot, num_shots=3, width=16)
    with pytest.raises(
        EncoderError, match=r"wide takes shots of 16 numbers, and those of toy .* 8"
    ):
        SceneSource(library, wide)
    for space, held in ((make_space(9), "of other weights"), (STARTER, "of toy")):
        with pytest.raises(EncoderError, match=f"vectors of {space.model}; .* holds those {held}"):
            SceneSource(library, view_of(first_shot, space=space))
    with pytest.raises(EncoderError, match="was trained on vectors of toy, not openai/clip"):
        SceneSource(library, view_of(first_shot, space=SPACE), vectors="clip")
    put_film(library, "one.mp4", space=STARTER)  # The view's own space is taken of the two.
    assert SceneSource(library, view_of(first_shot, space=SPACE)).space == SPACE


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_an_encoder_that_gives_no_direction_is_a_sentence(
    library: ms.Library, value: float
) -> None:
    put_film(library, "one.mp4")
    broken = view_of(lambda scenes: np.full((len(scenes), 4), value, np.float32))
    source, movie = SceneSource(library, broken), library.movie("one.mp4")
    with pytest.raises(EncoderError, match="trained gives a scene no finite direction"):
        source.windows(movie, 3)
    with pytest.raises(EncoderError, match="trained gives a scene no finite direction"):
        source.scenes(movie)


def test_films_left_out_are_counted_and_the_first_says_why() -> None:
    assert left_out("compared", [], 3) == ()
    (note,) = left_out("on the map", ["one.mp4 is short"] * 1000, 2345)
    assert note == "not on the map: 1,000 of 2,345 films; the first: one.mp4 is short"
