from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.store.shot_arrays import ShotArrays, write_movie


def films(folder: Path, **counts: int) -> ShotArrays:
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        write_movie(folder, name, rng.normal(size=(count, 3)).astype(np.float32))
    return ShotArrays(folder)


def test_a_shot_is_found_by_its_running_number(tmp_path: Path) -> None:
    arrays = films(tmp_path, b=4, a=2, c=3)
    assert arrays.movies == ("a", "b", "c")
    assert arrays.offsets.tolist() == [0, 2, 6, 9]
    assert (arrays.num_shots, arrays.num_shots_of(1)) == (9, 4)
    assert arrays.movie_of(np.arange(9)).tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2]
    whole = np.concatenate([arrays.movie(index) for index in range(3)])
    assert np.array_equal(arrays.shots(np.array([8, 0, 5])), whole[[8, 0, 5]])
    scenes = arrays.scenes(np.array([6, 2, 3]), 3)
    assert np.array_equal(scenes, np.stack([whole[6:9], whole[2:5], whole[3:6]]))


def test_films_may_be_named_and_their_order_is_kept(tmp_path: Path) -> None:
    films(tmp_path, a=2, b=4, c=3)
    assert ShotArrays(tmp_path, ["c", "a"]).offsets.tolist() == [0, 3, 5]


def test_keyframes_are_rows_as_well(tmp_path: Path) -> None:
    frames = np.arange(2 * 3 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 4, 3)
    write_movie(tmp_path, "a", frames)
    arrays = ShotArrays(tmp_path)
    assert arrays.row_shape == (3, 4, 4, 3)
    assert np.array_equal(arrays.scenes(np.array([0]), 2), frames[None])


def test_a_folder_without_films_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no film; it should hold one \.npy file a film"):
        ShotArrays(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a .npy file of one film's shots"),
        (b"\x93NUMPY\x01\x00\x76\x00{'descr': garbage", "is not a .npy file"),
        (np.zeros((2, 3)), "holds <f8 .* must hold one row a shot"),
        (np.zeros((0, 3), np.float32), r"holds <f4 \(0, 3\)"),
        (np.zeros(3, np.float32), r"holds <f4 \(3,\)"),
        (np.zeros((2, 3), np.float32, order="F"), "in C order"),
        (np.zeros((2, 4), np.float32), "holds rows of .* all films must be alike"),
        (np.zeros((2, 3), ">f4"), "holds >f4 .* in C order and this machine's byte order"),
        (np.zeros((2, 3), np.uint8), r"holds \|u1 \(2, 3\)"),
        (np.zeros((2, 1, 4, 5, 3), np.uint8), "square keyframes"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"keyframes \(k, H, W, 3\)"),
        (np.zeros((2, 1, 4, 4, 3), np.float32), "of uint8"),
        (np.array([[{}]]), r"holds \|O"),
    ],
)
def test_a_file_that_is_no_film_is_said(
    tmp_path: Path, content: "bytes | np.ndarray", sentence: str
) -> None:
    films(tmp_path, a=2)
    if isinstance(content, bytes):
        (tmp_path / "b.npy").write_bytes(content)
    else:
        np.save(tmp_path / "b.npy", content)
    with pytest.raises(DatasetError, match=sentence):
        ShotArrays(tmp_path)


def test_a_file_cut_short_is_said(tmp_path: Path) -> None:
    films(tmp_path, a=9)
    path = tmp_path / "a.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DatasetError, match="is cut short"):
        ShotArrays(tmp_path)
