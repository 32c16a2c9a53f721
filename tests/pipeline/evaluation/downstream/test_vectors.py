import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import DatasetError, EmbeddingSpaceError, SettingError
from mastershot.datasets.tables.feature_table import writing_features
from mastershot.pipeline.evaluation.downstream.vectors import (
    ItemRows,
    ItemVectors,
    encoded_vectors,
    mean_vectors,
    read_rows,
    scenes_of,
    side_by_side,
)
from mastershot.pipeline.search.vectors import SceneView
from mastershot.store.shot_arrays import write_movie

ROWS = np.arange(12, dtype=np.float32).reshape(6, 2)


def test_a_file_holds_an_array_an_item_or_names_and_vectors(tmp_path: Path) -> None:
    made_by = np.array(json.dumps({"space": {"model": "toy"}}))
    np.savez(tmp_path / "one.npz", a=ROWS[0], b=ROWS, made_by=made_by)
    np.savez(tmp_path / "two.npz", items=np.array(["a", "b"]), vectors=ROWS[:2])
    one, two = read_rows(tmp_path / "one.npz"), read_rows(tmp_path / "two.npz")
    assert (one.name, one.width, dict(one.made_by)) == ("one", 2, {"space": {"model": "toy"}})
    means = mean_vectors(one, ["b", "a", "c"]).vectors
    assert {name: vector.tolist() for name, vector in means.items()} == {"b": [5, 6], "a": [0, 1]}
    assert mean_vectors(two, ["b"]).vectors["b"].tolist() == [2, 3]
    assert mean_vectors(two, ["b"]).width == 2


def test_a_feature_table_gives_the_mean_of_an_items_rows(tmp_path: Path) -> None:
    with writing_features(tmp_path / "table", width=2, made_by={"x": 1}) as add:
        add("a", ROWS)
    rows = read_rows(tmp_path / "table")
    assert mean_vectors(rows, ["a"]).vectors["a"].tolist() == [5, 6]
    assert rows.made_by == {"x": 1}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.ones(3), "b": np.ones(4)}, "mix spaces: 'a' has 3 numbers and 'b' 4"),
        ({"a": np.array([1, np.nan])}, "'a' is not of finite numbers"),
        ({"a": np.array(["x"])}, "'a' is of shape .1,. and type <U1; it should be a vector"),
        ({"a": np.ones((1, 1, 1))}, "it should be a vector, or rows of numbers"),
        ({"items": np.array(["a"]), "vectors": np.ones((2, 2))}, "items should be 2 names"),
        ({"items": np.array(["a"]), "vectors": np.ones(())}, "vectors should be of shape"),
        ({"items": np.array(["a", "a"]), "vectors": np.ones((2, 2))}, "name an item twice"),
        ({"made_by": np.array("{}")}, "hold no item"),
        ({"a": np.ones(2), "made_by": np.array("[]")}, "made_by should be a JSON object"),
        ({"a": np.ones(2), "made_by": np.array("{")}, "made_by is not JSON"),
    ],
)
def test_a_file_that_is_not_of_features_is_one_sentence(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DatasetError, match=message):
        read_rows(tmp_path / "bad.npz")


def test_what_is_no_file_of_arrays_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_rows(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(DatasetError, match=r"text\.npz cannot be read"):
        read_rows(tmp_path / "text.npz")
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, ROWS)
    with pytest.raises(DatasetError, match=r"should be a \.npz file"):
        read_rows(tmp_path / "one.npz")
    with (tmp_path / "pickled.npz").open("wb") as file:
        np.savez(file, a=np.array([{}], object))
    with pytest.raises(DatasetError, match="cannot be read: Object arrays cannot be loaded"):
        read_rows(tmp_path / "pickled.npz")


def test_scenes_lie_side_by_side_and_leave_no_shot_out() -> None:
    assert scenes_of(ROWS, 4).tolist() == [ROWS[:4].tolist(), ROWS[2:].tolist()]
    assert scenes_of(ROWS, 3).shape == (2, 3, 2)
    assert scenes_of(ROWS, 9).tolist() == [ROWS.tolist()]


SPACE = EmbeddingSpace("toy", "blake2b:1", 2)


def rows_of(space: EmbeddingSpace | None = SPACE) -> ItemRows:
    about = {} if space is None else {"space": asdict(space)}
    return ItemRows("features", 2, {"a": lambda: ROWS}, about)


def view(width: int = 2, space: EmbeddingSpace | None = SPACE) -> SceneView:
    return SceneView("run", lambda scenes: scenes.sum(axis=1), 4, width, "mean", space)


def test_an_items_vector_is_the_mean_of_its_scenes() -> None:
    found = encoded_vectors(rows_of(), view(), ["a", "b"])
    expected = (ROWS[:4].sum(0) + ROWS[2:].sum(0)) / 2
    assert found.vectors["a"].tolist() == expected.tolist()
    assert list(found.vectors) == ["a"]
    assert encoded_vectors(rows_of(None), view(), ["a"]).width == 2


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (view(width=3), "run was trained on vectors of 3 numbers, and those of features have 2"),
        (view(space=EmbeddingSpace("toy", "blake2b:2", 2)), "another space .* weights_hash is"),
        (view(space=EmbeddingSpace("clip", "blake2b:1", 2)), "another space .* model is 'clip'"),
    ],
)
def test_features_of_another_space_are_refused(other: SceneView, message: str) -> None:
    with pytest.raises(EmbeddingSpaceError, match=message):
        encoded_vectors(rows_of(), other, ["a"])


def test_vectors_side_by_side_are_those_of_all_rows_in_their_order() -> None:
    one = ItemVectors("one", {"a": ROWS[0], "b": ROWS[1]}, {"x": 1})
    other = ItemVectors("other", {"b": ROWS[2, :1], "a": ROWS[3, :1]}, {})
    both = side_by_side([one, other, one])
    assert (both.name, both.width) == ("one + other + one", 5)
    assert {name: vector.tolist() for name, vector in both.vectors.items()} == {
        "a": [0, 1, 6, 0, 1], "b": [2, 3, 4, 2, 3],
    }  # fmt: skip
    assert both.made_by == {"side_by_side": {"one": {"x": 1}, "other": {}}}


def test_vectors_of_other_items_are_not_put_side_by_side() -> None:
    one = ItemVectors("one", {"a": ROWS[0], "b": ROWS[1]}, {})
    other = ItemVectors("other", {"b": ROWS[2], "c": ROWS[3]}, {})
    with pytest.raises(SettingError, match="one has 'a' and other has not, one of 2 such items"):
        side_by_side([one, other])
    with pytest.raises(SettingError, match="one has 'a' and third has not, one of 1 such"):
        side_by_side([one, ItemVectors("third", {"b": ROWS[0]}, {})])
    assert side_by_side([one, other], common=True).vectors.keys() == {"b"}


def test_a_folder_of_arrays_gives_the_mean_of_an_items_rows(tmp_path: Path) -> None:
    folder = tmp_path / "cowatch" / "features"
    folder.mkdir(parents=True)
    write_movie(folder, "a", ROWS)
    write_movie(folder, "b", ROWS[:1])
    rows = read_rows(folder)
    assert (rows.name, rows.width) == ("cowatch", 2)
    means = mean_vectors(rows, ["b", "a", "c"]).vectors
    assert {name: vector.tolist() for name, vector in means.items()} == {"b": [0, 1], "a": [5, 6]}
    write_movie(folder, "a", np.full((1, 2), np.nan, np.float32))
    with pytest.raises(DatasetError, match="'a' is not of finite numbers"):
        mean_vectors(read_rows(folder), ["a"])
    for name in "ab":
        write_movie(folder, name, np.zeros((1, 1, 4, 4, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"hold rows of shape .* they should be vectors"):
        read_rows(folder)
