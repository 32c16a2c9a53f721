import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mastershot.core.errors import DatasetError, OutputError
from mastershot.datasets.tables.tag_scores import TagScores, read_tag_scores, write_tag_scores

ARRAYS: dict[str, Any] = {
    "scores": np.array([[0.5, 1.0], [0.25, 0.0]], np.float32),
    "truth": np.array([[True, False], [False, True]]),
    "videos": np.array(["v", "v"]),
    "files": np.array(["a.mp4", "b.mp4"]),
    "films": np.array(["f", "f"]),
    "classes": np.array(["bar", "sea"]),
    "made_by": np.array(json.dumps({"recipe": "movieclip"})),
}


def test_scores_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "test.npz"
    np.savez(path, **ARRAYS)
    read = read_tag_scores(path)
    write_tag_scores(path, read)
    again = read_tag_scores(path)
    for scores in (read, again):
        assert (scores.scores == ARRAYS["scores"]).all()
        assert (scores.truth == ARRAYS["truth"]).all()
        assert scores.samples == (("v", "a.mp4"), ("v", "b.mp4"))
        assert (scores.films, scores.classes) == (("f", "f"), ("bar", "sea"))
        assert scores.made_by == {"recipe": "movieclip"}
        assert len(scores) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scores": None}, "lack scores; a file has scores, truth"),
        ({"scores": np.eye(2)}, "scores should be float32, not float64"),
        ({"truth": np.eye(2)}, "truth should be bool, not float64"),
        ({"files": np.array([1, 2])}, "files should be text"),
        ({"files": np.array([["a", "b"]])}, "files should be one list"),
        ({"files": np.array(["a"])}, "2 videos but 1 files"),
        ({"films": np.array(["a"])}, "2 videos but 1 films"),
        ({"files": np.array(["a", "a"])}, "a sample is named twice"),
        ({"classes": np.array(["a", "a"])}, "a class is named twice"),
        ({"classes": np.array(["a"])}, r"scores have shape \(2, 2\), not \(2, 1\)"),
        ({"classes": np.array([], np.str_)}, "they name no class"),
        ({"videos": np.array([], np.str_)}, "they hold no sample"),
        ({"truth": np.zeros((2, 3), np.bool_)}, r"truth have shape \(2, 3\), not \(2, 2\)"),
        ({"scores": np.full((2, 2), 1.5, np.float32)}, "a score is outside 0 to 1"),
        ({"scores": np.full((2, 2), np.nan, np.float32)}, "a score is outside 0 to 1"),
        ({"made_by": np.array("{")}, "made_by is not JSON"),
        ({"made_by": np.array("[]")}, "made_by should be a JSON object"),
        ({"videos": np.array(["v", None])}, "cannot be read: Object arrays"),
    ],
)
def test_scores_that_contradict_themselves_are_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    arrays = {name: value for name, value in (ARRAYS | changed).items() if value is not None}
    np.savez(tmp_path / "test.npz", **arrays)
    with pytest.raises(DatasetError, match=message):
        read_tag_scores(tmp_path / "test.npz")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.npz"
    with pytest.raises(DatasetError, match=r"test\.npz cannot be read: No such file"):
        read_tag_scores(path)
    np.savez(path, **ARRAYS)
    stored = path.read_bytes()
    write_tag_scores(path, read_tag_scores(path))
    packed = path.read_bytes()
    spoilt = [data[:200] + b"xx" + data[202:] for data in (stored, packed)]
    for data in (b"", b"text", stored[: len(stored) // 2], *spoilt):
        path.write_bytes(data)
        with pytest.raises(DatasetError, match=r"test\.npz cannot be read"):
            read_tag_scores(path)
    with path.open("wb") as file:
        np.save(file, np.eye(2))
    with pytest.raises(DatasetError, match=r"test\.npz should be a \.npz file"):
        read_tag_scores(path)


def test_scores_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "test.npz", **ARRAYS)
    scores = read_tag_scores(tmp_path / "test.npz")
    with pytest.raises(OutputError, match=r"go to a \.npz file, not to scores\.csv"):
        write_tag_scores(Path("scores.csv"), scores)
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        write_tag_scores(tmp_path / "none" / "test.npz", scores)
    wrong = TagScores(scores.scores, scores.truth, (), (), (), scores.classes, {})
    with pytest.raises(DatasetError, match="they hold no sample"):
        write_tag_scores(tmp_path / "test.npz", wrong)
    assert len(read_tag_scores(tmp_path / "test.npz")) == 2
