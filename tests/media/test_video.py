import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.factories.films import drawn_film, encode_film, first_video_stream, flat_images

from mastershot.media.video import open_video

FILMS = ["*.mp4", "odd/*", "sintel/*.mp4"]


def real_films(real_data: Path) -> list[Path]:
    return sorted(path for pattern in FILMS for path in (real_data / "films").glob(pattern))


def test_frames_come_in_order_each_once(tmp_path: Path) -> None:
    plan = drawn_film(tmp_path / "film.mp4")
    film = open_video(tmp_path / "film.mp4")
    frames = [(frame.index, frame.pts) for frame in film.frames()]
    assert [index for index, _ in frames] == list(range(plan.num_frames))
    assert [pts for _, pts in frames] == film.pts[:-1].tolist()
    movie = film.movie()
    assert movie.num_frames == plan.num_frames
    assert movie.duration_s == pytest.approx(plan.num_frames / 24)
    assert not movie.variable_frame_rate


def test_variable_frame_rate_keeps_every_timestamp(tmp_path: Path) -> None:
    pts = [0, 1, 2, 5, 6, 11, 12, 13]
    path = encode_film(
        tmp_path / "film.mkv", flat_images([(9, 99, 9)], each=8), pts=[40 * p for p in pts],
        time_base=Fraction(1, 1000),
    )  # fmt: skip
    film = open_video(path)
    assert [frame.pts for frame in film.frames()] == [40 * p for p in pts]
    assert film.movie().variable_frame_rate


def test_a_start_offset_is_kept(tmp_path: Path) -> None:
    path = encode_film(
        tmp_path / "film.mkv", flat_images([(9, 99, 9)], each=5),
        pts=[2000 + 40 * p for p in range(5)], time_base=Fraction(1, 1000),
    )  # fmt: skip
    film = open_video(path)
    frames = list(film.frames())
    assert frames[0].pts * film.file.time_base == 2
    assert film.movie().start_pts == frames[0].pts


def test_pixels_that_are_not_square_come_out_square(tmp_path: Path) -> None:
    images = flat_images([(9, 99, 9)], each=2, width_px=64, height_px=48)
    path = encode_film(tmp_path / "film.mp4", images, pixel_aspect=Fraction(2))
    film = open_video(path)
    first = next(iter(film.frames()))
    assert first.rgb().shape == (48, 128, 3)
    assert first.rgb(longest_side_px=64).shape == (24, 64, 3)
    assert first.exact_bgr().shape == (48, 64, 3)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_any_pixel_format_gives_the_same_picture(tmp_path: Path, pixel_format: str) -> None:
    images = flat_images([(120, 120, 120), (60, 60, 60)], each=2)
    path = encode_film(tmp_path / "film.mkv", images, pixel_format=pixel_format)
    frames = [(f.points_bgr(), f.exact_bgr(), f.rgb()) for f in open_video(path).frames()]
    for (points, exact, rgb), image in zip(frames, images, strict=True):
        for picture in (points, exact, rgb):
            assert np.abs(picture.astype(int) - image[0, 0]).max() <= 3


def test_points_are_pixels_of_the_whole_frame(tmp_path: Path) -> None:
    """Each point is what the whole frame's conversion gives at that place, to the last bit."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (30, 40, 3), np.uint8)
    image = blocks.repeat(16, axis=0).repeat(16, axis=1)
    path = encode_film(tmp_path / "film.mkv", [image] * 2, options={"crf": "0"})
    frame = next(iter(open_video(path).frames()))
    points, whole = frame.points_bgr(), frame.exact_bgr()
    height, width = points.shape[:2]
    rows = ((2 * np.arange(height) + 1) * whole.shape[0]) // (2 * height)
    columns = ((2 * np.arange(width) + 1) * whole.shape[1]) // (2 * width)
    np.testing.assert_array_equal(points, whole[rows[:, None], columns])


def test_a_small_frame_is_sampled_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (12, 20, 3), np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    path = encode_film(tmp_path / "film.mkv", [image] * 2)
    frame = next(iter(open_video(path).frames()))
    np.testing.assert_array_equal(frame.points_bgr(), frame.exact_bgr())


def test_an_interlaced_frame_shows_no_comb(tmp_path: Path) -> None:
    comb = np.zeros((48, 64, 3), np.uint8)
    comb[1::2] = 255  # The two fields show different moments.
    path = encode_film(
        tmp_path / "film.mkv", [comb] * 4,
        options={"x264-params": "tff=1:interlaced=1", "crf": "0"}, pixel_format="yuv444p",
    )  # fmt: skip
    rgb = next(iter(open_video(path).frames())).rgb()
    assert rgb.shape == (48, 64, 3)
    assert rgb.std() < 2


def test_a_film_of_one_frame_is_a_film(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "film.mp4", flat_images([(9, 99, 9)], each=1))
    film = open_video(path)
    assert len(list(film.frames())) == 1
    movie = film.movie()
    assert (movie.num_frames, movie.frame_rate) == (1, 24)
    assert movie.end_pts > movie.start_pts


def test_damaged_packets_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    plan = drawn_film(path, num_scenes=6)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    count = sum(1 for _ in open_video(path).frames())
    assert 0.5 * plan.num_frames < count <= plan.num_frames


def test_exact_pixels_are_those_opencv_reads(real_data: Path) -> None:
    for path in real_films(real_data):
        reader = cv2.VideoCapture(str(path))
        reader.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1.0)
        for frame in open_video(path, stream=first_video_stream(path)).frames():
            read, image = reader.read()
            assert read
            if frame.index % 50 == 0:
                np.testing.assert_array_equal(frame.exact_bgr(), image, err_msg=path.name)


def test_every_timestamp_is_the_one_ffprobe_prints(real_data: Path) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    for path in real_films(real_data):
        film = open_video(path)
        pts = [frame.pts for frame in film.frames()]
        assert pts == best_efforts(path, film.file.stream_index), path.name
        assert film.damaged == (), path.name


def best_efforts(path: Path, stream: int) -> list[int | None]:
    """Return ffprobe's best effort at the timestamp of each frame of a stream."""
    command = [
        "ffprobe", "-v", "quiet", "-select_streams", str(stream), "-show_entries",
        "frame=best_effort_timestamp", "-of", "csv=p=0", f"file:{path}",
    ]  # fmt: skip
    # Without check: ffprobe 5.1 crashes at the end of a film in which a stream appears late.
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    words = [line.split(",")[0] for line in printed.splitlines() if line.strip(",")]
    return [None if word == "N/A" else int(word) for word in words]


# What of a damaged film differs from ffprobe's list, and why ours is right: docs/time.md.
REPAIRED = {
    "avi_h264_b.avi": {318: 320, 319: 321},  # ffprobe has no time for the last two.
    "n.asf": {318: 12800, 319: 12840},
    "ts_one_bit_pts.ts": {200: 853200},  # One flipped bit.
    "zero17.mp4": {99: 66218, 100: 66389},  # 17 lost packets: their times fall there.
}


def test_damaged_films_have_the_frames_and_times_of_ffprobe(real_data: Path) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    for path in sorted((real_data / "films" / "damaged").iterdir()):
        film = open_video(path)
        pts = [frame.pts for frame in film.frames()]
        expected = best_efforts(path, film.file.stream_index)
        assert len(pts) == len(expected), path.name
        differing = {i: a for i, (a, b) in enumerate(zip(pts, expected, strict=True)) if a != b}
        assert differing == REPAIRED.get(path.name, {}), path.name


def test_frames_and_pictures_are_the_same_for_any_number_of_threads(real_data: Path) -> None:
    for path in sorted((real_data / "films" / "damaged").iterdir()):
        read = {threads: read_whole(path, threads) for threads in (1, 2, 4, 8)}
        for threads in (2, 4, 8):
            assert read[threads] == read[1], f"{path.name} with {threads} threads"


def read_whole(path: Path, threads: int) -> tuple[list[tuple[int, bytes]], object]:
    film = open_video(path, threads=threads)
    frames = [(frame.pts, frame.points_bgr().tobytes()) for frame in film.frames()]
    return frames, (film.movie(), film.damaged, film.notes())
