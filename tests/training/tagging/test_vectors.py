from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
from tests.factories.films import encode_film
from tests.factories.tagging import film_data, tagging_recipe

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import DatasetError
from mastershot.media.clips import Clip
from mastershot.media.video import open_video
from mastershot.training.tagging.settings import VectorSettings
from mastershot.training.tagging.shots import TaggedShot, read_tagging_data
from mastershot.training.tagging.vectors import encode_shots, read_vectors


class MeanColour:
    """An encoder that counts its frames; a vector is the frame's mean colour, not normalised."""

    space = EmbeddingSpace("mean colour", "none", 3)

    def __init__(self) -> None:
        self.num_frames = 0

    def encode_images(self, images: list[ImageArray]) -> FloatArray:
        self.num_frames += len(images)
        return np.stack([image.mean((0, 1)) for image in images]).astype(np.float32)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_data(tmp_path_factory.mktemp("films"))


def shots_of(data: Path) -> list[TaggedShot]:
    recipe = tagging_recipe(data, network="i3d_r50")
    return list(read_tagging_data(recipe, needs_films=True).splits["val"])


def test_vectors_are_those_of_ticks_within_each_shot(films: Path, tmp_path: Path) -> None:
    shots, encoder = shots_of(films), MeanColour()
    found = encode_shots(shots, encoder, VectorSettings(rate_hz=6), tmp_path)
    read = found.read(range(len(shots)))
    # Shots of 6 frames at 12 a second: every other frame.
    assert [len(sequence) for sequence in read.sequences] == [3] * len(shots)
    colours = [(200, 40, 40), (40, 180, 40), (40, 40, 220)]
    for shot, sequence in zip(shots, read.sequences, strict=True):
        np.testing.assert_allclose(sequence, [colours[shot.classes[0]]] * 3, atol=4)


def test_a_shot_between_two_ticks_has_its_middle_frame(tmp_path: Path) -> None:
    greys = [np.full((32, 48, 3), 20 * i, np.uint8) for i in range(12)]
    film = encode_film(tmp_path / "film.mp4", greys, time_base=Fraction(1, 12))
    shots = [
        TaggedShot("clip", "clip-Scene-001.mp4", (0,), Clip(film, 1 / 12, 4 / 12)),
        TaggedShot("clip", "clip-Scene-002.mp4", (0,), Clip(film, 4 / 12, 8 / 12)),
    ]
    settings = VectorSettings(rate_hz=1)
    found = encode_shots(shots, MeanColour(), settings, tmp_path / "out").read([0, 1])
    frames = [frame.rgb().mean((0, 1)) for frame in open_video(film).frames()]
    for sequence, middle in zip(found.sequences, (2, 6), strict=True):
        np.testing.assert_allclose(sequence, [frames[middle]], atol=1e-4)


def test_only_the_first_steps_are_kept(films: Path, tmp_path: Path) -> None:
    settings = VectorSettings(rate_hz=12, max_steps=2)
    read = encode_shots(shots_of(films), MeanColour(), settings, tmp_path).read([0])
    assert len(read.sequences[0]) == 2


def test_films_are_encoded_once(films: Path, tmp_path: Path) -> None:
    shots, settings = shots_of(films), VectorSettings()
    first = encode_shots(shots, MeanColour(), settings, tmp_path)
    again = MeanColour()
    second = encode_shots(shots, again, settings, tmp_path)
    assert again.num_frames == 0
    np.testing.assert_array_equal(first.table.vectors, second.table.vectors)


def test_a_damaged_block_is_encoded_anew(films: Path, tmp_path: Path) -> None:
    shots, settings = shots_of(films), VectorSettings()
    encode_shots(shots, MeanColour(), settings, tmp_path)
    block = next(tmp_path.rglob("*.npz"))
    block.write_bytes(block.read_bytes()[:50])
    rmtree(next(tmp_path.rglob("shots-*")))
    again = MeanColour()
    encode_shots(shots, again, settings, tmp_path)
    assert again.num_frames > 0


def test_a_film_that_cannot_be_read_leaves_its_shots_without_vectors(
    films: Path, tmp_path: Path
) -> None:
    shots = shots_of(films)
    gone = replace(shots[0], place=Clip(tmp_path / "gone.mp4", 0.0, 1.0))
    found = encode_shots([gone, *shots[1:]], MeanColour(), VectorSettings(), tmp_path / "out")
    read = found.read([0, 1])
    assert read.found.tolist() == [1]
    assert "gone.mp4" in read.problems[0]


def test_without_any_film_there_is_nothing_to_train_on(films: Path, tmp_path: Path) -> None:
    gone = replace(shots_of(films)[0], place=Clip(tmp_path / "gone.mp4"))
    with pytest.raises(DatasetError, match=r"no shot can be read, the first because .*gone\.mp4"):
        encode_shots([gone], MeanColour(), VectorSettings(), tmp_path / "out")


def test_a_table_of_other_shots_is_refused(films: Path, tmp_path: Path) -> None:
    from mastershot.datasets.tables.feature_table import writing_features

    with writing_features(tmp_path / "table", width=2, made_by={}) as add:
        add("other/other-Scene-001.mp4", np.zeros((1, 2)))
    with pytest.raises(DatasetError, match="have none of the shots, such as val0/val0-Scene-001"):
        read_vectors(tmp_path / "table", shots_of(films), 20)
