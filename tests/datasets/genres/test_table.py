"""A data set of genres is read as it was written, and what contradicts itself is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.table import (
    Expert,
    GenreDataset,
    Trailer,
    read_genre_dataset,
    write_genre_dataset,
)

TRAILERS = (
    Trailer("a", "A film, with a comma", 1999, "train", ("Drama", "War"), 3, "h1"),
    Trailer("b", "", None, "test", ("War",), 0),
    Trailer("c", "C", 2001, "train", (), 2),
    Trailer("d", "D", 2002, "val", ("Drama",), 4),
)
EXPERTS = (Expert("location", 5, made_by={"encoder": "starter"}), Expert("audio", 3, pieces=2))


def vectors_of(trailer: Trailer) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(ord(trailer.id))
    found = {
        one.name: rng.normal(size=(trailer.num_clips, *one.shape)).astype(np.float32)
        for one in EXPERTS
    }
    if trailer.id == "c":
        del found["audio"]
    if trailer.id == "d":
        found["audio"][1, 1] = np.nan
    return found


def write(folder: Path) -> GenreDataset:
    return write_genre_dataset(
        folder, TRAILERS, vectors_of, name="test", genres=("Drama", "War"), experts=EXPERTS,
        made_by={"from": "nothing"}, dtype=np.float32,
    )  # fmt: skip


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path)
    data = read_genre_dataset(tmp_path)
    assert data.trailers == TRAILERS
    assert (data.name, data.genres, dict(data.made_by)) == (
        "test", ("Drama", "War"), {"from": "nothing"},
    )  # fmt: skip
    assert data.experts == {one.name: one for one in EXPERTS}
    assert data.truth.tolist() == [[True, True], [False, True], [False, False], [True, False]]
    assert data.starts.tolist() == [0, 3, 3, 5, 9]
    assert [data.split(name).tolist() for name in ("train", "val", "test")] == [[0], [3], []]
    for place, trailer in enumerate(TRAILERS):
        expected = vectors_of(trailer)
        for one in EXPERTS:
            found = data.vectors(one.name, place)
            missing = np.full((trailer.num_clips, *one.shape), np.nan)
            np.testing.assert_array_equal(found, expected.get(one.name, missing))


def test_vectors_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"expert location of trailer a have shape \(3, 4\).*5"):
        write_genre_dataset(
            tmp_path, TRAILERS, lambda one: {"location": np.zeros((one.num_clips, 4))},
            name="t", genres=("Drama", "War"), experts=EXPERTS, made_by={},
        )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        ("trailers.csv", lambda text: text.replace("Drama", "Comedy", 1), "'Comedy' is not on"),
        ("trailers.csv", lambda text: text.replace("\nb,", "\na,"), "id 'a' is empty or not"),
        ("trailers.csv", lambda text: text.replace(",train,", ",dev,", 1), "split 'dev' is none"),
        ("trailers.csv", lambda text: text.replace(",4,", ",5,"), r"should be .* shape \(10, 5\)"),
        ("card.json", lambda text: text.replace("genres/1", "genres/9"), "has schema"),
        ("card.json", lambda text: text[:-20], "is no card"),
        ("card.json", lambda text: json.dumps([text]), "is no card"),
        ("card.json", lambda text: text.replace('"width": 5', '"width": 6'), r"\(9, 6\)"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, file, change, sentence) -> None:
    write(tmp_path)
    path = tmp_path / file
    path.write_text(change(path.read_text()))
    with pytest.raises(DatasetError, match=sentence):
        read_genre_dataset(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not an array", None])
def test_vectors_that_cannot_be_read_are_named(tmp_path: Path, content: bytes | None) -> None:
    write(tmp_path)
    path = tmp_path / "experts" / "audio.npy"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"audio\.npy"):
        read_genre_dataset(tmp_path)
