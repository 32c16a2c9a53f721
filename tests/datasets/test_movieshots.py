import json
from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.movieshots import (
    ScaleShot,
    count_scales,
    read_movieshots,
    shared_trailers,
)


def mark(label: str) -> dict[str, Any]:
    movement = {"label": "Static", "value": 0}
    return {"scale": {"label": label, "value": 9}, "movement": movement}


ANNOTATIONS: dict[str, Any] = {
    "train": {"tt001": {"0000": mark("CS"), "0003": mark("LS")}, "tt002": {"0001": mark("CS")}},
    "val": {"tt003": {"0000": mark("ECS")}},
    "test": {"tt004": {"0000": mark("MS"), "0001": mark("FS")}},
}


def write(folder: Path, value: Any) -> Path:
    path = folder / "v1_split_trailer.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def with_shot(shot: Any, split: str = "val", trailer: str = "tt003", name: str = "0000") -> Any:
    return ANNOTATIONS | {split: {trailer: {name: shot}}}


def test_shots_are_read_by_split_in_file_order(tmp_path: Path) -> None:
    shots = read_movieshots(write(tmp_path, ANNOTATIONS))
    assert list(shots) == ["train", "val", "test"]
    assert shots["train"] == (
        ScaleShot("tt001", "0000", 1), ScaleShot("tt001", "0003", 4), ScaleShot("tt002", "0001", 1),
    )  # fmt: skip
    assert shots["train"][1].path(Path("trailer")) == Path("trailer/tt001/shot_0003.mp4")
    assert count_scales(shots["train"]) == {"ECS": 0, "CS": 2, "MS": 0, "FS": 0, "LS": 1}
    assert {split: len(part) for split, part in shots.items()} == {"train": 3, "val": 1, "test": 2}


def test_what_else_the_file_holds_is_left_alone(tmp_path: Path) -> None:
    more = {"about": "x", **ANNOTATIONS, "full": {}}
    assert read_movieshots(write(tmp_path, more)) == read_movieshots(write(tmp_path, ANNOTATIONS))


def test_a_trailer_in_two_splits_is_found(tmp_path: Path) -> None:
    shots = read_movieshots(write(tmp_path, with_shot(mark("LS"), "test", "tt002")))
    assert shared_trailers(shots) == ("tt002",)
    assert shared_trailers(read_movieshots(write(tmp_path, ANNOTATIONS))) == ()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "have no shot under 'train'; v1_split_trailer.json has some under each of train, val"),
        ({"train": ANNOTATIONS["train"]}, "have no shot under 'val'"),
        (ANNOTATIONS | {"test": {}}, "have no shot under 'test'"),
        (ANNOTATIONS["train"], "have no shot under 'train'"),  # v1_full_trailer.json
        ("[1]", "is not one valid JSON object"),
        ("{", "is not one valid JSON object"),
        ("", "is not one valid JSON object"),
        (ANNOTATIONS | {"val": [1]}, "val: list found, which should be an object"),
        (
            ANNOTATIONS | {"val": {"tt003": 7}},
            "val, trailer tt003: int found, which",
        ),
        (with_shot(mark("XLS")), "tt003, shot 0000: the scale's label is 'XLS', none of ECS, CS"),
        (with_shot({"movement": {}}), "tt003, shot 0000: the scale's label is None"),
        (with_shot({"scale": {"value": 3}}), "the scale's label is None"),
        (with_shot({"scale": "CS"}), "the scale's label is None"),
        (with_shot({"scale": {"label": ["CS"]}}), r"the scale's label is \['CS'\]"),
        (with_shot("CS"), "the scale's label is None"),
        (with_shot(mark("CS"), trailer="../up"), "name '../up' should be of letters, digits"),
        (with_shot(mark("CS"), name="0/1"), "name '0/1' should be"),
    ],
)
def test_another_layout_is_one_sentence(tmp_path: Path, value: Any, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence) as error:
        read_movieshots(write(tmp_path, value))
    assert "v1_split_trailer.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.json cannot be read: No such file"):
        read_movieshots(tmp_path / "gone.json")
