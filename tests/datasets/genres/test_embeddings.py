from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.embeddings import EMBEDDINGS, read_embeddings

ARRAYS = {
    "coarse": np.ones((2, 3), np.float32),
    "fine": np.ones((2, 3), np.float32),
    "opened": np.zeros((2, 1), np.float32),
    "trailers": np.array(["t0", "t1"]),
}


def test_embeddings_are_read_with_what_the_file_states(tmp_path: Path) -> None:
    np.savez(tmp_path / EMBEDDINGS, **ARRAYS, experts=np.array(["audio"]))
    found = read_embeddings(tmp_path)
    assert (found.trailers, found.experts, found.titles) == (("t0", "t1"), ("audio",), None)
    assert found.fine.shape == (2, 3)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fine": np.ones((3, 3))}, "fine is float64 of shape .3, 3.; for 2 trailers"),
        ({"trailers": np.array([1, 2])}, "trailers should be a row of texts"),
        ({"titles": np.array(["one"])}, "titles should be 2 texts"),
    ],
)
def test_embeddings_that_contradict_themselves_are_one_sentence(
    tmp_path: Path, changes: dict[str, np.ndarray], problem: str
) -> None:
    np.savez(tmp_path / EMBEDDINGS, **(ARRAYS | changes))
    with pytest.raises(DatasetError, match=f"embeddings of trailers .*{problem}"):
        read_embeddings(tmp_path)


def test_what_is_no_file_of_embeddings_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / EMBEDDINGS
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(DatasetError, match=r"should be a \.npz file"):
        read_embeddings(tmp_path)
    np.savez(path, coarse=np.ones((2, 3)))
    with pytest.raises(DatasetError, match="have no array 'fine'"):
        read_embeddings(tmp_path)
