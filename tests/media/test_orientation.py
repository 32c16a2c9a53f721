import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from tests.factories.films import encode_film

from mastershot.core.embeddings import ImageArray
from mastershot.media.pictures import JpegWriter
from mastershot.media.video import open_video

ONE = 1 << 16
# The four quarter turns, and each of them mirrored: a, b, c, d of the display matrix.
ORIENTATIONS = {
    "as it is": (1, 0, 0, 1),
    "a quarter turn": (0, 1, -1, 0),
    "a half turn": (-1, 0, 0, -1),
    "three quarters": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down and mirrored": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}


def with_matrix(source: Path, target: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Copy an MP4 file with another display matrix in its track header."""
    data = bytearray(source.read_bytes())
    # The identity of the track; that of the movie stands earlier, in ``mvhd``.
    identity = b"".join(int(v).to_bytes(4) for v in (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30))
    place = data.index(identity, data.index(b"tkhd"))
    a, b, c, d = (value * ONE & 0xFFFFFFFF for value in matrix)
    numbers = (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    data[place : place + 36] = b"".join(number.to_bytes(4) for number in numbers)
    target.write_bytes(data)
    return target


def as_ffmpeg_shows(path: Path, shape: tuple[int, ...]) -> ImageArray:
    command = [
        "ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-f", "rawvideo",
        "-pix_fmt", "rgb24", "-",
    ]  # fmt: skip
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(shape)


@pytest.fixture(scope="module")
def lopsided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose corners differ, so that each orientation looks otherwise."""
    image = np.zeros((48, 80, 3), np.uint8)
    image[:16, :40], image[32:, :20], image[:24, 60:] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return encode_film(path, [image] * 2, pixel_format="yuv444p", options={"crf": "1"})


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_a_frame_is_shown_as_ffmpeg_shows_it(lopsided: Path, tmp_path: Path, name: str) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    matrix = ORIENTATIONS[name]
    path = with_matrix(lopsided, tmp_path / "film.mp4", matrix)
    film = open_video(path)
    image = next(iter(film.frames())).rgb()
    lies = matrix[0] == 0
    assert image.shape == ((80, 48, 3) if lies else (48, 80, 3))
    shown = as_ffmpeg_shows(path, image.shape)
    assert np.abs(image.astype(int) - shown).mean() < 3


def test_all_eight_orientations_look_different(lopsided: Path, tmp_path: Path) -> None:
    looks = set()
    for number, matrix in enumerate(ORIENTATIONS.values()):
        path = with_matrix(lopsided, tmp_path / f"{number}.mp4", matrix)
        looks.add(next(iter(open_video(path).frames())).rgb().tobytes())
    assert len(looks) == 8


def test_squares_are_turned_as_frames_are(lopsided: Path, tmp_path: Path) -> None:
    for number, matrix in enumerate(ORIENTATIONS.values()):
        path = with_matrix(lopsided, tmp_path / f"{number}.mp4", matrix)
        frame = next(iter(open_video(path).frames()))
        image = frame.rgb()
        height, width = image.shape[0] // 16, image.shape[1] // 16
        means = image.reshape(16, height, 16, width, 3).mean((1, 3))
        assert np.abs(frame.square(16) - means).mean() < 6


def test_a_film_that_lies_on_its_side_says_the_size_it_is_shown_in(
    lopsided: Path, tmp_path: Path
) -> None:
    path = with_matrix(lopsided, tmp_path / "film.mp4", ORIENTATIONS["transposed"])
    film = open_video(path)
    assert len(list(film.frames())) == 2
    assert (film.movie().width_px, film.movie().height_px) == (48, 80)


def test_mirrored_films_are_shown_as_ffmpeg_shows_them(real_data: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    paths = sorted((real_data / "films" / "damaged").glob("or_*.mp4"))
    assert paths
    for path in paths:
        image = next(iter(open_video(path).frames())).rgb()
        assert np.abs(image.astype(int) - as_ffmpeg_shows(path, image.shape)).mean() < 3, path


def test_the_rotation_of_the_container_is_on_every_frame(lopsided: Path, tmp_path: Path) -> None:
    path = with_matrix(lopsided, tmp_path / "film.mp4", ORIENTATIONS["a quarter turn"])
    with av.open(str(path)) as container:
        assert {frame.rotation for frame in container.decode(video=0)} == {-90}


def test_a_picture_with_exif_is_turned_as_it_says(tmp_path: Path) -> None:
    image = np.zeros((48, 80, 3), np.uint8)
    image[:24, :40] = (250, 0, 0)
    orientation = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0%c\0\0\0" + bytes(4)
    data = JpegWriter(2).encode(image)
    for number, turns in ((b"\x01", 0), (b"\x08", 1), (b"\x03", 2), (b"\x06", 3)):
        exif = orientation % number
        path = tmp_path / "picture.jpg"
        path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + data[2:])
        film = open_video(path)
        (frame,) = film.frames()
        shown, expected = frame.rgb(), np.rot90(image, turns)
        assert shown.shape == expected.shape == (film.movie().height_px, film.movie().width_px, 3)
        assert np.abs(shown.astype(int) - expected).mean() < 8
