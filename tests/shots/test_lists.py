from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images

from mastershot.core.errors import ShotListError
from mastershot.media.video import open_video
from mastershot.shots.lists import ListedShots, read_shot_list

NOTHING = np.zeros((1, 1, 3), np.uint8)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = flat_images([(200, 0, 0), (0, 0, 200)], each=24)
    return encode_film(tmp_path_factory.mktemp("film") / "film.mkv", images)


def cuts_from(text: str, film: Path, folder: Path, name: str = "list.txt") -> list[int]:
    path = folder / name
    path.write_text(text, "utf-8")
    video = open_video(film)
    shots = ListedShots(read_shot_list(path), video.file)
    cuts: list[int] = []
    for frame in video.frames():
        cuts += shots.process(frame=frame.index, pts=frame.pts, image=NOTHING)
    return cuts + shots.finish()


@pytest.mark.parametrize(
    "text",
    [
        "0 9\n10 29\n30 47\n",
        "0 9 2 4 6\n10 29 12 20 28\n30 47 31 39 45\n",
        "0,9\n10,29\n30,47\n",
        "first_frame,end_frame\n0,10\n10,30\n30,48\n",
        "Scene Number,Start Frame,Start Time (seconds)\n1,1,0.0\n2,11,0.4\n3,31,1.25\n",
        "Timecode List:,00:00:00.417\nScene Number,Start Frame\n1,1\n2,11\n3,31\n",
        "start_s,end_s\n0,0.4167\n0.4167,1.25\n1.25,2\n",
        "\ufeffstart_frame,end_frame\n0,9\n10,29\n30,47\n",
    ],
    ids=["transnet", "movienet", "commas", "ours", "pyscenedetect", "with-cut-list", "s", "bom"],
)
def test_every_form_of_list_gives_the_same_cuts(text: str, film: Path, tmp_path: Path) -> None:
    assert cuts_from(text, film, tmp_path) == [10, 30]


def test_seconds_count_from_the_first_frame_or_on_the_files_clock(tmp_path: Path) -> None:
    images, late = flat_images([(9, 99, 9)], each=48), [2000 + 40 * i for i in range(48)]
    film = encode_film(tmp_path / "f.mkv", images, pts=late, time_base=Fraction(1, 1000))
    assert cuts_from("start_s\n0\n0.48\n", film, tmp_path) == [12]
    assert cuts_from("start_s\n2.0\n2.48\n", film, tmp_path) == [12]
    assert cuts_from("start_s\n0.48\n", film, tmp_path) == [12]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("hello,world\n1,2\n", "has no column that says where a shot starts"),
        ("start_frame\n", "has a header but no shot"),
        ("start_frame\n0\nten\n", "'ten' is not a frame or a time"),
        ("0 9\nten 29\n", "line 2: 'ten 29' should be the first and last frame"),
        ("0 9\n30 47\n10 29\n", "is out of order: 10 follows 30"),
        ("-5 9\n10 47\n", "starts before the film"),
        ("0 9\n10 60\n", "names frame 60, but the film's last is 47"),
        ("start_frame\n0\n90\n", "starts a shot at frame 90, but the film has 48 frames"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(
    text: str, sentence: str, film: Path, tmp_path: Path
) -> None:
    with pytest.raises(ShotListError, match=sentence):
        cuts_from(text, film, tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", None])
def test_a_list_that_is_no_text_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ShotListError, match="cannot be read as text"):
        read_shot_list(path)


def test_a_published_list_of_shots_is_read(real_data: Path) -> None:
    shots = read_shot_list(real_data / "films/truth/big_buck_bunny.shots.txt")
    assert (len(shots.starts), shots.unit) == (132, "frame")
