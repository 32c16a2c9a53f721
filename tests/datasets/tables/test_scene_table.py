import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import DatasetError, OutputError
from mastershot.datasets.tables.scene_table import SceneFilm, read_scene_table, write_scene_table

SPACES = [EmbeddingSpace("ours", "hash", 2), EmbeddingSpace("theirs", "other", 1)]


def film(name: str = "a", split: str = "train", starts: tuple[int, ...] = (0, 2)) -> SceneFilm:
    return SceneFilm(name, split, np.arange(12, dtype=np.float32).reshape(4, 3), starts)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    films = [film(), film("b, c", "val", (0, 1, 3)), film("d", "test", (0,))]
    write_scene_table(tmp_path / "new", films, SPACES, by="me")
    table = read_scene_table(tmp_path / "new" / "features", tmp_path / "new" / "scenes.csv")
    assert table.spaces == tuple(SPACES)
    assert table.made_by["by"] == "me"
    for read, written in zip(table.films, films, strict=True):
        assert (read.name, read.split) == (written.name, written.split)
        assert read.first_shots == written.first_shots
        assert (read.features == written.features).all()
    with pytest.raises(OutputError, match="exists already"):
        write_scene_table(tmp_path / "new", films, SPACES)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,dev,0 2", "line 2: split is 'dev', which should be train, val, test"),
        ("a,train,1 2", "first_shots is '1 2', which should be the first shot of each scene, asc"),
        ("a,train,0 2 2", "first_shots is '0 2 2'"),
        ("a,train,0 4", "of 4 shots"),
        ("a,train,", "first_shots is ''"),
        ("a,train,0 two", "first_shots is '0 two'"),
        ("gone,train,0", "lack 1 of 1 films, the first 'gone'"),
    ],
)
def test_a_row_that_means_nothing_is_one_sentence(tmp_path: Path, row: str, message: str) -> None:
    write_scene_table(tmp_path, [film()], SPACES)
    (tmp_path / "scenes.csv").write_text(f"film,split,first_shots\n{row}\n")
    with pytest.raises(DatasetError, match=message):
        read_scene_table(tmp_path / "features", tmp_path / "scenes.csv")


@pytest.mark.parametrize(
    ("spaces", "message"),
    [
        (None, "should list model, weights_hash and width"),
        ([], "should list model"),
        (["ours"], "holds 'ours', which should name model"),
        ([{"model": "m", "weights_hash": "h", "width": 2}], "are 2 wide, and the vectors 3"),
        ([{"model": "m", "weights_hash": "h", "width": True}], "are True wide"),
    ],
)
def test_features_must_say_in_which_spaces_they_are(
    tmp_path: Path, spaces: Any, message: str
) -> None:
    write_scene_table(tmp_path, [film()], SPACES)
    path = tmp_path / "features" / "features.json"
    about = json.loads(path.read_text())
    about["made_by"]["spaces"] = spaces
    path.write_text(json.dumps(about))
    with pytest.raises(DatasetError, match=message):
        read_scene_table(tmp_path / "features", tmp_path / "scenes.csv")
