from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.hvu import read_hvu_labels, read_hvu_tags, read_hvu_videos
from mastershot.datasets.video_labels import VideoLabels

HEADER = "Tags,youtube_id,time_start,time_end\n"
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


def videos(folder: Path, lines: str, category: str = "scene", header: str = HEADER) -> VideoLabels:
    (folder / "tags.csv").write_text(TAGS)
    (folder / "videos.csv").write_text(header + lines)
    return read_hvu_videos(folder / "videos.csv", read_hvu_tags(folder / "tags.csv"), category)


def test_parts_of_videos_that_have_a_scene_are_read_in_order(tmp_path: Path) -> None:
    # As HVU_Val_V1.0.csv is written; times are of 2 or 10 s, and an id may begin with a dash.
    found = videos(
        tmp_path,
        "smile|musical_theatre,gD_G1b0wV5I,101.5,103.5\n"
        "smile,eeEC-oWWAM0,90.5,92.5\n"
        "meadow|musical_theatre,-p0jqmKPvSQ,0.0,10.0\n"
        "meadow,-p0jqmKPvSQ,12.0,22.0\n",
    )
    assert found.items == (
        "gD_G1b0wV5I_000101_000103", "-p0jqmKPvSQ_000000_000010", "-p0jqmKPvSQ_000012_000022",
    )  # fmt: skip
    assert found.videos == ("gD_G1b0wV5I", "-p0jqmKPvSQ", "-p0jqmKPvSQ")
    assert found.classes == ("meadow", "musical_theatre")
    assert found.truth.tolist() == [[False, True], [True, True], [True, False]]
    assert found.at([2]).items == found.items[2:]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("meadow|dune,a,0,10\n", "line 2: tag 'dune' is none of the 3 of the tag list"),
        ("meadow,a,x,10\n", "line 2: time_start is 'x', which should be seconds from 0"),
        ("meadow,a,0,nan\n", "line 2: time_end is 'nan', which should be seconds from 0"),
        ("meadow,a,9,9\n", "line 2: a video's id is missing, or a part of it ends before it"),
        ("meadow,,0,9\n", "line 2: a video's id is missing"),
        ("meadow,a,0,9\nmeadow,a,0.0,9.0\n", "line 3: 'a_000000_000009' stands in line 2 too"),
        ("meadow,a,0\n", "line 2: the row has another number of cells than the header"),
        ("smile,a,0,9\n", "none has a tag of category 'scene'"),
    ],
)
def test_a_list_of_videos_that_is_not_as_released_is_an_error(
    tmp_path: Path, lines: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        videos(tmp_path, lines)


def test_a_list_of_another_layout_or_category_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no column 'Tags'"):
        videos(tmp_path, "", header="tags,id\n")
    with pytest.raises(DatasetError, match="no category 'scenes'; it has action, scene"):
        videos(tmp_path, "", category="scenes")
