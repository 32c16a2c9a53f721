from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.hvu import read_hvu_labels, read_hvu_tags

TAGS = "Tag,Category\nmeadow,scene\nmusical_theatre,scene\nsmile,action\n"


def test_the_released_list_holds_248_scenes(real_data: Path) -> None:
    path = real_data / "hvu" / "HVU_Tags_Categories_V1.0.csv"
    sizes = {category: len(tags) for category, tags in read_hvu_tags(path).items()}
    assert sizes == {
        "action": 739, "attribute": 117, "concept": 291, "event": 69, "object": 1678, "scene": 248,
    }  # fmt: skip
    labels = read_hvu_labels(path)
    assert len(labels) == 248
    assert "musical theatre" in labels.labels


def test_labels_are_words_and_tags_are_as_released(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text(TAGS)
    assert read_hvu_tags(tmp_path / "tags.csv")["scene"] == ("meadow", "musical_theatre")
    assert read_hvu_labels(tmp_path / "tags.csv").labels == ("meadow", "musical theatre")
    assert read_hvu_labels(tmp_path / "tags.csv", "action").labels == ("smile",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Tag,Category\n", "is empty; it should hold one tag a line"),
        ("", "has no column 'Tag'"),
        ("Tag,Category\n,scene\n", "line 2: a tag or a category is missing"),
        ("Tag,Category\nsmile,action\n", "has no category 'scene'; it has action"),
    ],
)
def test_a_list_without_tags_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "tags.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_hvu_labels(tmp_path / "tags.csv")
