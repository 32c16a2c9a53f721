"""Every format of lists, what it means, and what is wrong with bad ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.errors import ShotListError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Transition
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline
from mastershot.datasets.boundaries.boundary import Boundary, boundaries_between
from mastershot.datasets.boundaries.flashes import read_flashes
from mastershot.datasets.boundaries.read import list_of_film, read_boundaries
from mastershot.datasets.boundaries.timelines import boundaries_of, truth_lane

CLIPSHOTS = {
    "a.mp4": {"transitions": [[99, 100], [200, 211], [300, 300]], "frame_num": 400.0},
    "b.mp4": {"transitions": [], "frame_num": 50},
}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "0 38\n43 285\n286 378\n",  # OVSD
        "0\t38\r\n43\t285\r\n286\t378\r\n",  # BBC
        "0,38\n43,285\n286,378",
        "\ufeff0 38 5 10\n\n43 285 50 60\n286 378 300 301\n",  # MovieNet goes on with key frames.
        "0.0 38.0\n43.0 285.0\n286.0 378.0\n",
    ],
)
def test_lines_of_shots_have_inclusive_ends(text: str, tmp_path: Path) -> None:
    found = read_boundaries(write(tmp_path, "list.txt", text), "film.mp4")
    assert found.boundaries == (Boundary("gradual", 39, 43), Boundary("cut", 286, 286))
    assert found.end_frame == 379


def test_clipshots_pairs_are_the_last_and_the_first_frame_of_two_shots(tmp_path: Path) -> None:
    path = write(tmp_path, "test.json", json.dumps(CLIPSHOTS))
    found = read_boundaries(path, "a.mkv")
    assert found.boundaries == (Boundary("cut", 100, 100), Boundary("gradual", 201, 211))
    assert found.end_frame == 400
    assert "1 transitions that end before they start are left out" in found.notes[0]
    assert read_boundaries(path, "b.mp4").boundaries == ()
    with pytest.raises(ShotListError, match=r"have no video c.mp4; their 2 are a.mp4, b.mp4"):
        read_boundaries(path, "c.mp4")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "no list of transitions"),
        ({"transitions": [[1]], "frame_num": 9}, r"transition \[1\] should be a pair of frames"),
        ({"transitions": [[1, float("nan")]], "frame_num": 9}, "should be a pair of frames"),
        ({"transitions": [[7, 9]], "frame_num": 9}, "should lie within its 9 frames"),
        ({"transitions": [], "frame_num": None}, "frame_num is None, which should be a whole"),
        ({"transitions": [[5, 6], [1, 2]], "frame_num": 9}, "out of order"),
    ],
)
def test_a_damaged_video_of_clipshots_is_named(value: object, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "test.json", json.dumps({"a.mp4": value}))
    with pytest.raises(ShotListError, match=message):
        read_boundaries(path, "a.mp4")


def test_our_table_gives_kinds_and_extents_where_it_has_them(tmp_path: Path) -> None:
    text = (
        "first_frame,end_frame,transition,transition_start,transition_end\n"
        "0,50,start,,\n50,80,cut,,\n80,90,dissolve,70,84\n90,99,fade,,\n"
    )
    found = read_boundaries(write(tmp_path, "shots.csv", text), "film.mp4")
    assert found.boundaries == (
        Boundary("cut", 50, 50), Boundary("dissolve", 70, 84), Boundary("fade", 90, 90),
    )  # fmt: skip
    assert found.end_frame == 99
    bare = read_boundaries(write(tmp_path, "bare.csv", "first_frame\n0\n7\n"), "film.mp4")
    assert (bare.boundaries, bare.end_frame) == ((Boundary("cut", 7, 7),), None)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list.txt", "", "list.txt is empty; it should name one shot a line"),
        ("list.txt", " \n\n", "is empty"),
        ("list.txt", "0 5\nnan 9\n", r"line 2: 'nan 9' should start with the first and the last"),
        ("list.txt", "0 5\n6 inf\n", "line 2: '6 inf' should"),
        ("list.txt", "0 5\n6\n", "line 2: '6' should"),
        ("list.txt", "0 5.5\n", "line 1: '0 5.5' should"),
        ("list.txt", "once upon a time\n", "line 1: 'once upon a time' should"),
        ("list.txt", "6 9\n0 5\n", "line 2: it is out of order"),
        ("shots.csv", "first_frame\n", "has a header but no shot below it"),
        ("shots.csv", "first_frame\nnan\n", "first_frame is 'nan', which should be a whole num"),
        ("shots.csv", "first_frame,transition\n9,melt\n", "transition is 'melt', which should be"),
        ("shots.csv", "first_frame\n0\n9\n5\n", "out of order: the boundary at frame 5 follows"),
        ("list.json", "{", "is not one valid JSON object"),
    ],
)
def test_a_bad_list_is_one_sentence(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ShotListError, match=message) as error:
        read_boundaries(write(tmp_path, name, text), "film.mp4")
    assert "\n" not in str(error.value)


def test_a_list_that_is_missing_or_no_text_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ShotListError, match=r"none.txt cannot be read: No such file"):
        read_boundaries(tmp_path / "none.txt", "film.mp4")
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ShotListError, match="cannot be read: it is not UTF-8"):
        read_boundaries(tmp_path / "list.txt", "film.mp4")
    with pytest.raises(ShotListError, match="cannot be read"):
        read_boundaries(tmp_path / "none.json", "film.mp4")


@pytest.mark.parametrize(
    "name", ["f.txt", "f_gt.txt", "f.scenes.txt", "f.mp4.scenes.txt", "f.shots.txt", "f.csv"]
)
def test_a_films_list_is_found_in_a_folder_by_its_name(name: str, tmp_path: Path) -> None:
    write(tmp_path, "other.txt", "0 1")
    path = write(tmp_path, name, "0 1")
    assert list_of_film(tmp_path, "f.mp4") == path


def test_a_folder_must_hold_one_list_of_a_film(tmp_path: Path) -> None:
    with pytest.raises(ShotListError, match=r"holds no list of f.mp4; it should be called f.txt"):
        read_boundaries(tmp_path, "f.mp4")
    write(tmp_path, "f.txt", "0 1")
    write(tmp_path, "f/timeline.json", "{}")
    with pytest.raises(ShotListError, match=r"2 lists of f.mp4: f.txt, f/timeline.json; keep one"):
        read_boundaries(tmp_path, "f.mp4")


def with_transitions(*kinds: Transition) -> Timeline:
    timeline = make_timeline()
    shots = zip(timeline.shots, kinds, strict=True)
    return replace(timeline, shots=tuple(replace(shot, transition_in=how) for shot, how in shots))


def test_a_timeline_is_a_list_and_how_it_fades_in_is_no_boundary(tmp_path: Path) -> None:
    timeline = with_transitions(
        Transition("fade", 0, 9, "black"), Transition("dissolve", 36, 44), Transition("cut", 70, 70)
    )
    wanted = (Boundary("dissolve", 36, 44), Boundary("cut", 70, 70))
    assert boundaries_of(timeline).boundaries == wanted
    path = write(tmp_path, "film/timeline.json", timeline.to_json())
    for truth in (path, tmp_path):
        found = read_boundaries(truth, "film.mp4")
        assert found.boundaries == wanted
        assert (found.end_frame, found.rate) == (120, timeline.movie.frame_rate)


def lane(timeline: Timeline, *spans: tuple[int, int, str], name: str = "mine") -> Lane:
    intervals = (
        Interval(Span(first, end, first, end, timeline.movie.time_base), text)
        for first, end, text in spans
    )
    return Lane(name, "truth", "mine.eaf", tuple(intervals))


def test_a_truth_lane_holds_shots_or_transitions() -> None:
    timeline = make_timeline()
    shots = lane(timeline, (0, 40, "shot 1"), (40, 60, "cut to her"), (70, 120, "shot 3"))
    found = truth_lane(replace(timeline, lanes=(shots,)))
    assert found.boundaries == (Boundary("cut", 40, 40), Boundary("gradual", 60, 70))
    transitions = lane(timeline, (40, 41, "Cut"), (60, 70, "fade through black"))
    found = truth_lane(replace(timeline, lanes=(transitions,)))
    assert found.boundaries == (Boundary("cut", 40, 40), Boundary("fade", 60, 70))


def test_there_must_be_one_truth_lane_with_something_in_it() -> None:
    timeline = make_timeline()
    with pytest.raises(ShotListError, match="one lane of role truth; it holds none: give the true"):
        truth_lane(timeline)
    two = (lane(timeline, (0, 9, "")), lane(timeline, (0, 9, ""), name="yours"))
    with pytest.raises(ShotListError, match="it holds mine, yours"):
        truth_lane(replace(timeline, lanes=two))
    with pytest.raises(ShotListError, match=r"lane mine of film.mp4 names no shot"):
        truth_lane(replace(timeline, lanes=(lane(timeline),)))
    with pytest.raises(ShotListError, match="interval 2: it is out of order"):
        truth_lane(replace(timeline, lanes=(lane(timeline, (0, 50, ""), (20, 90, "")),)))


def test_flashes_are_frames_one_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "film.txt", "30\n\n7\n")
    assert read_flashes(path, "x") == read_flashes(tmp_path, "film.mp4") == (7, 30)
    with pytest.raises(ShotListError, match="line 2: 'nan' should be a frame"):
        read_flashes(write(tmp_path, "bad.txt", "30\nnan\n"), "x")
    with pytest.raises(ShotListError, match=r"list of flashes .* cannot be read"):
        read_flashes(tmp_path / "none.txt", "x")


def test_the_released_lists_that_we_have_are_read(real_data: Path) -> None:
    truth = real_data / "films" / "truth" / "big_buck_bunny.shots.txt"
    found = read_boundaries(truth, "big_buck_bunny.mp4")
    kinds = [one.kind for one in found.boundaries]
    assert (kinds.count("cut"), kinds.count("gradual"), found.end_frame) == (126, 5, 14315)
    for path in sorted((real_data / "scene_boundaries" / "bbc").glob("*.npz")):
        shots = np.load(path)["shots"]
        places = [f"line {number}" for number in range(len(shots))]
        rows = [(int(first), int(last)) for first, last in shots]
        assert len(boundaries_between(rows, places, name=path.name)) == len(shots) - 1
