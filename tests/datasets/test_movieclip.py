"""The released files, and files written as the release writes them."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.labels import LabelScore, Taxonomy, load_taxonomy
from mastershot.datasets import files
from mastershot.datasets.movieclip import (
    HUMAN_VERIFIED,
    MovieClipRelease,
    clip_of_video,
    read_index,
    read_release,
    read_split,
    read_tags,
    shot_file_name,
    write_index,
    write_split,
    write_tags,
)
from mastershot.datasets.tables.records import LabelledShot, ScoredShot

# Two of the examples in the release's DATASET.md.
RELEASED_TAGS = {
    "qM8jk56Vj9Y": {
        "qM8jk56Vj9Y-Scene-018.mp4": {
            "start_frame": 1059.0,
            "end_frame": 1137.0,
            "start_time": 44.169,
            "end_time": 47.422,
            "labels": {
                "banquet": 0.7861328125,
                "dining room": 0.07110595703125,
                "restaurant": 0.028594970703125,
                "penthouse": 0.01611328125,
                "salon": 0.01186370849609375,
            },
        }
    },
    "B-tq7mbTvrA": {
        "B-tq7mbTvrA-Scene-003.mp4": {
            "start_frame": 54.0,
            "end_frame": 74.0,
            "start_time": 2.252,
            "end_time": 3.086,
            "labels": {
                "batting cage": 0.479248046875,
                "locker room": 0.160400390625,
                "baseball field": 0.11248779296875,
                "stadium": 0.0601806640625,
                "bowling alley": 0.040496826171875,
            },
        }
    },
}


@pytest.fixture(scope="module")
def release(real_data: Path) -> MovieClipRelease:
    return read_release(real_data / "movieclip")


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_the_release_holds_the_shots_it_is_said_to(release: MovieClipRelease) -> None:
    sizes = {name: len(shots) for name, shots in release.splits.items()}
    assert sizes == {"train": 73_859, "val": 23_216, "test": 10_345, HUMAN_VERIFIED: 1_883}
    assert (len(release.taxonomy), len(release.index)) == (179, 150)


def test_the_released_lists_are_the_ones_that_ship(release: MovieClipRelease) -> None:
    assert release.taxonomy.labels == load_taxonomy("movieclip").labels
    assert release.index.labels == load_taxonomy("movieclip-150").labels


def test_the_share_of_shots_with_several_labels_is_as_released(release: MovieClipRelease) -> None:
    shots = [s for name, part in release.splits.items() if name != HUMAN_VERIFIED for s in part]
    assert len({shot.video for shot in shots}) == 18_706
    share = sum(len(shot.classes) > 1 for shot in shots) / len(shots)
    assert round(100 * share, 2) == 38.42


def test_the_labels_occur_as_often_as_the_release_counts(
    release: MovieClipRelease, real_data: Path
) -> None:
    name = "label_distribution_multi_label_thresh_0_4_0_1_150.csv"
    with (real_data / "movieclip" / name).open(newline="") as file:
        due = {row["label"]: int(row["count"]) for row in csv.DictReader(file)}
    shots = [s for name, part in release.splits.items() if name != HUMAN_VERIFIED for s in part]
    assert Counter(release.index.labels[i] for shot in shots for i in shot.classes) == due


def test_people_confirmed_139_of_the_150_labels(release: MovieClipRelease) -> None:
    shots = release.splits[HUMAN_VERIFIED]
    assert len({place for shot in shots for place in shot.classes}) == 139


@pytest.mark.parametrize("name", ["train", HUMAN_VERIFIED])
def test_a_released_split_is_written_as_it_was(
    release: MovieClipRelease, tmp_path: Path, name: str
) -> None:
    write_split(tmp_path / "split.txt", release.splits[name])
    assert read_split(tmp_path / "split.txt", num_classes=150) == release.splits[name]


@pytest.mark.parametrize(
    ("video", "clip"),
    [
        ("v_O0gse4WDTrY_seg_100_110", "O0gse4WDTrY"),
        ("v_a_b_seg_c_seg_0_10", "a_b_seg_c"),
        ("qM8jk56Vj9Y", "qM8jk56Vj9Y"),
        ("v_seg_1", "v_seg_1"),
    ],
)
def test_a_piece_of_a_clip_names_its_clip(video: str, clip: str) -> None:
    assert clip_of_video(video) == clip


def test_shots_are_numbered_with_at_least_three_digits() -> None:
    assert shot_file_name("au9pGQ9AuUs", 72) == "au9pGQ9AuUs-Scene-072.mp4"
    assert shot_file_name("au9pGQ9AuUs", 1234) == "au9pGQ9AuUs-Scene-1234.mp4"


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    classes = Taxonomy("index", ("zoo", "alley", "bar"))
    write_index(tmp_path / "index.json", classes)
    assert json.loads((tmp_path / "index.json").read_text()) == {"zoo": 0, "alley": 1, "bar": 2}
    assert read_index(tmp_path / "index.json") == classes


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "should be a JSON object of label and place"),
        ({}, "should be a JSON object of label and place"),
        ({"bar": 0, "zoo": 2}, "should number its 2 labels from 0 to 1, each once"),
        ({"bar": 0, "zoo": "1"}, "should number its 2 labels"),
        ({"bar": 0, "zoo": True}, "should number its 2 labels"),
    ],
)
def test_an_index_that_does_not_count_is_an_error(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_index(written(tmp_path / "index.json", value))


def test_an_index_that_is_not_json_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(DatasetError, match=r"index\.json is not valid JSON"):
        read_index(tmp_path / "index.json")


def test_names_with_spaces_and_numbers_survive_a_split_file(tmp_path: Path) -> None:
    video = "Film 2 (1999).mp4 7"
    shots = (
        LabelledShot(video, f"{video}-Scene-001.mp4", (3, 1)),
        LabelledShot("a/b", "b-Scene-001.mp4", (0,)),
    )
    write_split(tmp_path / "split.txt", shots)
    assert read_split(tmp_path / "split.txt", num_classes=4) == shots


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"split\.txt is empty; it should hold one shot a line"),
        ("v/v-Scene-001.mp4\n", "line 1: .* should be a video, a slash, a shot file"),
        ("v/a.mp4 1\nv-Scene-001.mp4 1\n", "line 2: .* should be a video"),
        ("v/a.mp4 1 150\n", "line 1: class 150 is not in an index of 150"),
        ("v/a.mp4 1 1\n", "line 1: .* a second time"),
        ("v/a.mp4 1\nv/a.mp4 2\n", "line 2: .* a second time"),
    ],
)
def test_a_damaged_split_file_says_which_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "split.txt").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_split(tmp_path / "split.txt", num_classes=150)


@pytest.mark.parametrize(
    "shot",
    [
        LabelledShot("a\nb", "a.mp4", (1,)),
        LabelledShot("a", "b.mp4", ()),
        LabelledShot("a", "no ending", (1,)),
        LabelledShot("a", "b/c.mp4", (1,)),
    ],
)
def test_a_name_that_no_line_can_hold_is_not_written(tmp_path: Path, shot: LabelledShot) -> None:
    with pytest.raises(DatasetError, match="cannot stand in a split file"):
        write_split(tmp_path / "split.txt", [shot])
    assert not list(tmp_path.iterdir())


def test_released_tags_are_read_and_written_as_the_same_data(tmp_path: Path) -> None:
    shots = list(read_tags(written(tmp_path / "released.json", RELEASED_TAGS)))
    assert (shots[0].video, shots[0].start_frame, shots[0].end_frame) == ("qM8jk56Vj9Y", 1059, 1137)
    assert shots[1].labels[0] == LabelScore("batting cage", 0.479248046875)
    write_tags(tmp_path / "ours.json", shots)
    assert json.loads((tmp_path / "ours.json").read_text()) == RELEASED_TAGS


def test_the_released_scripts_read_what_we_write(tmp_path: Path) -> None:
    """The loops of the release's parse_movieCLIP_json.py, over our file."""
    shots = [
        ScoredShot("v", shot_file_name("v", n), 24 * n, 24 * n + 24, n, n + 1.0, labels)
        for n, labels in enumerate(
            [(LabelScore("bar", 0.4), LabelScore("zoo", 0.1)), (LabelScore("zoo", 0.39),), ()]
        )
    ]
    write_tags(tmp_path / "movieCLIP_dataset.json", shots)
    counts: Counter[str] = Counter()
    data = json.loads((tmp_path / "movieCLIP_dataset.json").read_text())
    for video in data:
        for name in data[video]:
            labels = data[video][name]["labels"]
            counts.update({label for label in labels if labels[label] >= 0.4})
            assert type(data[video][name]["start_frame"]) is float
    assert counts == {"bar": 1}
    assert list(read_tags(tmp_path / "movieCLIP_dataset.json")) == shots


def test_labels_are_read_best_first_whatever_their_order(tmp_path: Path) -> None:
    shot = {"start_frame": 0, "end_frame": 1, "start_time": 0, "end_time": 1}
    tags = {"v": {"a.mp4": shot | {"labels": {"bar": 0.1, "zoo": 0.8, "inn": 0.1}}}}
    (found,) = read_tags(written(tmp_path / "a.json", tags))
    assert [label.name for label in found.labels] == ["zoo", "bar", "inn"]


def test_tags_are_the_same_however_small_the_pieces_they_are_read_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(RELEASED_TAGS | {"none": {}, 'é\\"': {}}, indent=4, ensure_ascii=False)
    (tmp_path / "a.json").write_text(text, "utf-8")
    whole = list(files.object_members(tmp_path / "a.json", what="tags"))
    assert dict(whole) == json.loads(text)
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr(files, "_PIECE_CHARS", size)
        assert list(files.object_members(tmp_path / "a.json", what="tags")) == whole


def test_a_number_cut_in_two_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PIECE_CHARS", 1)
    path = written(tmp_path / "a.json", {"a": 1234, "b": [1.5e3]})
    assert dict(files.object_members(path, what="tags")) == {"a": 1234, "b": [1500.0]}


def test_a_file_without_clips_has_no_shots(tmp_path: Path) -> None:
    assert list(read_tags(written(tmp_path / "a.json", {}))) == []
    write_tags(tmp_path / "b.json", [])
    assert json.loads((tmp_path / "b.json").read_text()) == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a": {}', '{"a": {},}', '{"a" {}}', "{a: {}}", '{"a": {}} x', '{"a": {]}',
     '{"a": ' + "[" * 100_000 + "}"],
)  # fmt: skip
def test_tags_that_are_not_one_object_are_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DatasetError, match=r"tags .*a\.json is not one valid JSON object"):
        list(read_tags(tmp_path / "a.json"))


def test_tags_that_are_not_there_or_not_text_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        list(read_tags(tmp_path / "none.json"))
    (tmp_path / "a.json").write_bytes(b'{"\xff": {}}')
    with pytest.raises(DatasetError, match="is not UTF-8 text"):
        list(read_tags(tmp_path / "a.json"))


def test_a_clip_named_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"v": {}, "v": {}}')
    with pytest.raises(DatasetError, match="name clip 'v' twice"):
        list(read_tags(tmp_path / "a.json"))


def break_frames(shot: dict[str, Any]) -> None:
    shot["start_frame"] = "1"


def break_time(shot: dict[str, Any]) -> None:
    shot["end_time"] = float("nan")


def break_score(shot: dict[str, Any]) -> None:
    shot["labels"]["bar"] = 1.5


def break_labels(shot: dict[str, Any]) -> None:
    shot["labels"] = ["bar"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_frames, "should be numbers, not"),
        (break_time, "should be numbers, not"),
        (break_score, "should have a score from 0 to 1"),
        (break_labels, "should hold start_frame"),
    ],
)
def test_a_damaged_shot_is_named(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    shot: dict[str, Any] = {"start_frame": 0, "end_frame": 1, "start_time": 0, "end_time": 1}
    shot["labels"] = {"bar": 0.5}
    damage(shot)
    with pytest.raises(DatasetError, match=rf"'a\.mp4'.*{message}"):
        list(read_tags(written(tmp_path / "a.json", {"v": {"a.mp4": shot}})))


def test_a_clip_that_holds_no_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="clip 'v' should hold an object of shots"):
        list(read_tags(written(tmp_path / "a.json", {"v": [1]})))


def bare_shot(video: str, number: int) -> ScoredShot:
    return ScoredShot(video, shot_file_name(video, number), 0, 1, 0.0, 1.0, ())


@pytest.mark.parametrize(
    ("shots", "message"),
    [
        ([bare_shot("v", 1), bare_shot("w", 1), bare_shot("v", 2)], "clip 'v' comes twice"),
        ([bare_shot("v", 1), bare_shot("v", 1)], r"holds shot 'v-Scene-001\.mp4' twice"),
    ],
)
def test_shots_that_json_would_lose_are_not_written(
    tmp_path: Path, shots: list[ScoredShot], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        write_tags(tmp_path / "a.json", shots)
    assert not list(tmp_path.iterdir())


def test_tags_into_a_folder_that_is_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_tags(tmp_path / "none" / "a.json", [])
