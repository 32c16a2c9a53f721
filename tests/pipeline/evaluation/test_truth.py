import json
from pathlib import Path

import pytest
from tests.factories.tag_scores import drawn_scores

from mastershot.core.errors import DatasetError
from mastershot.pipeline.evaluation.truth import read_truth, with_truth

TRUTH = {("v3", "shot.mp4"): ("b", "h"), ("v1", "shot.mp4"): (), ("other", "shot.mp4"): ("a",)}


def test_true_labels_are_read_from_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("video,file,labels\nv3,shot.mp4,b; h\nv1,shot.mp4,\nother,shot.mp4,a\n")
    assert read_truth(path) == TRUTH
    path.write_text("video,file,labels\nv3,shot.mp4,b\nv3,shot.mp4,h\n")
    with pytest.raises(DatasetError, match="stands in line 2 too"):
        read_truth(path)


def test_true_labels_are_read_from_a_split_file_with_its_index(tmp_path: Path) -> None:
    path = tmp_path / "human-verified.txt"
    path.write_text("v3/shot.mp4 1 0\nv4/shot.mp4 1\n")
    with pytest.raises(DatasetError, match=r"label index .*index\.json cannot be read"):
        read_truth(path)
    (tmp_path / "index.json").write_text(json.dumps({"sea": 1, "bar": 0}))
    assert read_truth(path) == {("v3", "shot.mp4"): ("sea", "bar"), ("v4", "shot.mp4"): ("sea",)}


def test_true_labels_of_another_kind_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"split file \(\.txt\) or a \.csv file, not t\.xlsx"):
        read_truth("t.xlsx")


def test_only_samples_with_both_scores_and_labels_are_judged() -> None:
    scores = drawn_scores(5)
    judged = with_truth(scores, TRUTH)
    assert judged.scores.samples == (("v1", "shot.mp4"), ("v3", "shot.mp4"))
    assert judged.scores.films == ("f0", "f0")
    assert (judged.scores.scores == scores.scores[[1, 3]]).all()
    assert judged.scores.truth.nonzero()[1].tolist() == [1, 7]
    assert judged.scores.truth.nonzero()[0].tolist() == [1, 1]
    assert (judged.num_without_truth, judged.num_without_scores) == (3, 1)


def test_labels_of_other_samples_or_classes_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"like v0/shot\.mp4, the labels v/x\.mp4"):
        with_truth(drawn_scores(5), {("v", "x.mp4"): ("a",)})
    with pytest.raises(DatasetError, match="none of the 5 scored samples has a true label"):
        with_truth(drawn_scores(5), {})
    with pytest.raises(DatasetError, match="'sea' is not one of the 8 classes"):
        with_truth(drawn_scores(5), {("v1", "shot.mp4"): ("sea",)})
