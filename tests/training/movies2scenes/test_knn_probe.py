import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.factories.movies2scenes import write_films

from mastershot.core.errors import DatasetError
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.movies2scenes import knn_probe
from mastershot.training.movies2scenes.knn_probe import LabelledScenes, knn_accuracy, read_labels


def test_neighbours_of_the_same_film_have_no_vote() -> None:
    vectors = torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
    labels = np.array([0, 1, 1, 0])
    apart = LabelledScenes(np.arange(4), np.arange(4), labels)
    assert knn_accuracy(vectors, apart, 1) == 0
    together = LabelledScenes(np.arange(4), np.array([0, 0, 1, 1]), labels)
    # The nearest of another film: 3 of 1 and 1 of 3 say 0 and 1; 1's is 3, and 2's is 1.
    expected = []
    for row in range(4):
        others = [o for o in range(4) if together.movies[o] != together.movies[row]]
        cosine = torch.nn.functional.cosine_similarity(vectors[[row]], vectors[others])
        expected.append(labels[others[int(cosine.argmax())]] == labels[row])
    assert knn_accuracy(vectors, together, 1) == np.mean(expected)


def test_scenes_in_many_blocks_have_the_accuracy_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=50)
    vectors = torch.from_numpy(np.eye(3)[labels] + rng.normal(size=(50, 3)))
    scenes = LabelledScenes(np.arange(50), rng.integers(5, size=50), labels)
    whole = knn_accuracy(vectors, scenes, 3)
    monkeypatch.setattr(knn_probe, "_BLOCK", 7)
    assert knn_accuracy(vectors, scenes, 3) == whole
    assert 0.4 < whole < 1


def test_labels_outside_the_films_are_passed_over(tmp_path: Path) -> None:
    write_films(tmp_path)
    arrays = ShotArrays(tmp_path / "features")
    path = tmp_path / "labels.csv"
    path.write_text("movie,first_shot,label\na,0,x\nb,17,y\nb,18,y\nz,0,x\na,-1,x\n")
    labelled = read_labels(path, arrays, 3)
    assert labelled.rows.tolist() == [0, 37]
    assert labelled.labels.tolist() == [0, 1]
    (tmp_path / "features" / "shots.json").write_text(
        json.dumps({"names": {"a": ["1234abcd", ["films/a.mp4"]], "b": ["5678abcd", ["x/b.mp4"]]}})
    )
    path.write_text("movie,first_shot,label\nfilms/a.mp4,0,x\n5678abcd,17,y\n5678,0,x\nb.m,0,x\n")
    assert read_labels(path, arrays, 3).rows.tolist() == [0, 37]
    for text, sentence in (
        ("movie,label\na,x\n", "has no column 'first_shot'"),
        ("movie,first_shot,label\na,first,x\n", "cannot be read"),
        ("movie,first_shot,label\na,0,x\na,3,y\n", "are all of one film; neighbours are asked"),
        ("movie,first_shot,label\nz,0,x\n", "no scene of .* lies in the films"),
    ):
        path.write_text(text)
        with pytest.raises(DatasetError, match=sentence):
            read_labels(path, arrays, 3)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_labels(tmp_path / "gone.csv", arrays, 3)
