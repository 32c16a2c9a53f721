import json
from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.benchmarks.movienet import (
    MovieNetScene,
    PlacedScene,
    read_movienet_movie,
    read_movienet_split,
    read_place_tags,
)


def scene(number: int, shots: list[int], places: Any = None) -> dict[str, Any]:
    # As in the example of the documentation, from which the layout is taken.
    return {
        "id": f"tt1210166_{number:04}", "shot": shots, "frame": [0, 841], "place_tag": places,
        "action_tag": None,
    }  # fmt: skip


def movie(path: Path, **content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"imdb_id": path.stem, "cast": [], "story": None, **content}))
    return path


@pytest.mark.parametrize("ends", [[[0, 1], [1, 4], [4, 9]], [[0, 0], [1, 3], [4, 8]]])
def test_scenes_are_read_whether_their_last_shot_is_in_them_or_past_them(
    tmp_path: Path, ends: list[list[int]]
) -> None:
    scenes = [scene(n, shots) for n, shots in enumerate(ends)]
    scenes[1]["place_tag"] = ["cabin", "deck", "cabin"]
    found = read_movienet_movie(movie(tmp_path / "tt1.json", scene=scenes))
    assert found.scenes[1] == MovieNetScene("tt1210166_0001", 1, 4, ("cabin", "deck"))
    assert found.boundaries == (True, False, False, True, False, False, False, False)


def test_shot_scales_are_read_under_any_spelling(tmp_path: Path) -> None:
    names = ["closeup", "full", "Extreme close-up shot", "long", "medium_shot", None]
    rows = [{"shot": n, "scale": name, "movement": "static"} for n, name in enumerate(names)]
    path = movie(tmp_path / "tt1.json", cinematic_style={"movie": rows, "trailer": None})
    found = read_movienet_movie(path)
    assert found.scales == {0: "CS", 1: "FS", 2: "ECS", 3: "LS", 4: "MS"}
    assert (found.scenes, found.boundaries) == ((), ())


def split(folder: Path, name: str = "movie1K.split.v1.json", **films: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(films))
    return folder


def test_scenes_with_places_are_those_of_the_films_of_each_split(tmp_path: Path) -> None:
    folder = split(tmp_path, train=["tt1", "tt2"], val=["tt3"], test=["tt4"], full=[])
    for film in ("tt1", "tt3", "tt4"):
        scenes = [scene(0, [0, 2], [film]), scene(1, [2, 3])]
        movie(tmp_path / "annotation" / f"{film}.json", scene=scenes)
    found = read_place_tags(folder)
    assert found["train"] == (PlacedScene("tt1210166_0000", "tt1", ("tt1",)),)
    assert [len(part) for part in found.values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"scene": [scene(0, [0, 2]), scene(1, [4, 5])]}, "its scenes leave shots out or overlap"),
        ({"scene": [scene(0, [0, 2]), scene(1, [1, 5])]}, "its scenes leave shots out or overlap"),
        ({"scene": [scene(0, [3, 3])]}, r"scene tt1210166_0000 has no shot \(3 to 3\)"),
        ({"scene": [scene(0, [3])]}, r"scene 0: shot is \[3\], which should be two numbers"),
        ({"scene": [scene(0, [0, 1], "bar")]}, "place_tag is 'bar', which should be a list of tag"),
        ({"scene": [{"shot": [0, 1]}]}, "scene 0: id is None, which should be text"),
        ({"scene": {}}, "scene should be a list or null"),
        ({"imdb_id": 3}, "imdb_id is 3, which should be text"),
        (
            {"cinematic_style": {"movie": [{"shot": 1, "scale": "wide"}]}},
            "cinematic_style 0: shot 1 has scale 'wide', which should be a number and long",
        ),
    ],
)
def test_a_damaged_film_says_what_and_where(
    tmp_path: Path, content: dict[str, Any], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        read_movienet_movie(movie(tmp_path / "tt1.json", **content))


@pytest.mark.parametrize(
    ("films", "message"),
    [
        ({"train": ["tt1"], "val": []}, "'test' should be a list of IMDb ids"),
        ({"train": ["tt1"], "val": [], "test": ["tt1"]}, "tt1 is in train and test"),
        ({"train": ["tt1"], "val": [], "test": []}, "no film of train has a scene with a place"),
    ],
)
def test_a_damaged_split_says_what(tmp_path: Path, films: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_place_tags(split(tmp_path, **films))


def test_what_is_no_release_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"has none of movie1K\.split\.v1\.json, split318"):
        read_movienet_split(tmp_path)
    (tmp_path / "split318.json").write_text("[]")
    with pytest.raises(DatasetError, match="should be one JSON object"):
        read_movienet_split(tmp_path)
    (tmp_path / "split318.json").write_text("{")
    with pytest.raises(DatasetError, match="is not JSON"):
        read_movienet_split(tmp_path)
