import math
from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.condensed_movies import read_condensed_movies
from mastershot.datasets.lvu import CLASSIFICATION, LvuClip, movies_of, read_lvu, read_lvu_task
from mastershot.datasets.movieclip import clip_of_video, read_release
from mastershot.datasets.movielens import read_movielens
from mastershot.mining.similarity import without_held_out

HEADER = "class_id class_name youtube_id imdb_id\n"


def task(folder: Path, name: str, text: str, header: str = HEADER) -> Path:
    (folder / name).mkdir()
    for split in ("train", "val", "test"):
        (folder / name / f"{split}.csv").write_text(header + text)
    return folder


def test_the_release_holds_the_clips_it_is_said_to(real_data: Path) -> None:
    tasks = read_lvu(real_data / "lvu")
    sizes = {name: tuple(map(len, task.splits.values())) for name, task in tasks.items()}
    assert sizes["scene"] == (557, 120, 86)
    assert sizes["like_ratio"] == (658, 142, 140)
    missing = [sum(clip.is_missing for clip in clips) for clips in tasks["writer"].splits.values()]
    assert missing == [261, 41, 9]
    trained = {name: {c.label for c in tasks[name].splits["train"]} for name in CLASSIFICATION}
    assert set(range(10)) - trained["director"] == {2, 3}
    assert set(range(10)) - trained["writer"] == {3, 4, 8}
    values = [clip.target for clip in tasks["view_count"].splits["train"]]
    assert abs(math.fsum(value for value in values if value is not None)) / len(values) < 0.5


def test_1486_films_may_be_learnt_from(real_data: Path) -> None:
    held_out = movies_of(read_lvu(real_data / "lvu"))
    film_of = read_condensed_movies(real_data / "condensed_movies").film_of_clip
    shots = dict(read_release(real_data / "movieclip").splits)
    del shots["human-verified"]
    labelled = {film_of[clip_of_video(s.video)] for split in shots.values() for s in split}
    linked = read_movielens(real_data / "movielens").movies.keys()
    guarded = without_held_out(sorted(labelled & linked), held_out)
    assert len(guarded.movies) == 1_486
    assert set(guarded.excluded) <= held_out


def test_a_class_stands_for_the_missing_value_too(tmp_path: Path) -> None:
    found = read_lvu_task(task(tmp_path, "writer", "0 \\N a tt1\n1 nm1 b tt2\n"), "writer")
    assert found.splits["test"] == (
        LvuClip("a", "tt1", 0, None, True), LvuClip("b", "tt2", 1, None, False),
    )  # fmt: skip
    assert found.classes[:3] == (r"\N", "nm1", "")
    assert movies_of({"writer": found}) == {"tt1", "tt2"}


def test_values_are_centred_as_released(tmp_path: Path) -> None:
    task(tmp_path, "view_count", "1000 a tt1\n", "view_count youtube_id imdb_id\n")
    header = "like_count dislike_count youtube_id imdb_id\n"
    task(tmp_path, "like_ratio", "9 1 a tt1\n", header)
    (views,) = read_lvu_task(tmp_path, "view_count").splits["val"]
    (likes,) = read_lvu_task(tmp_path, "like_ratio").splits["val"]
    assert views.target == pytest.approx(math.log(1000) - 11.76425435683139)
    assert likes.target == pytest.approx(9 - 9.138220535629456)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("scene", "0 office a\n", "line 2: the row has .* cells than the header: 3 instead of 4"),
        ("scene", "6 office a tt1\n", "line 2: class_id is 6, which should be below 6"),
        ("scene", "-1 office a tt1\n", "class_id is '-1', which should be a whole number"),
        ("scene", "0 office a tt1\n0 bar b tt1\n", "line 3: class 0 is 'bar', and 'office' before"),
        (
            "view_count",
            "0 office a tt1\n",
            "has no column 'view_count'; it has class_id",
        ),
        ("songs", "", "LVU has no task 'songs'; its tasks are relationship"),
    ],
)
def test_a_damaged_file_says_what_and_where(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        read_lvu_task(task(tmp_path, name, text), name)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ("0 0", "the counts should not all be 0"),
        ("x 1", "like_count is 'x', which should be a whole number"),
        ("3 -1", "dislike_count is '-1'"),
    ],
)
def test_counts_that_cannot_be_are_refused(tmp_path: Path, counts: str, message: str) -> None:
    header = "like_count dislike_count youtube_id imdb_id\n"
    with pytest.raises(DatasetError, match=f"line 2: {message}"):
        read_lvu_task(task(tmp_path, "like_ratio", f"{counts} a tt1\n", header), "like_ratio")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"train\.csv cannot be read: No such file"):
        read_lvu(tmp_path)
