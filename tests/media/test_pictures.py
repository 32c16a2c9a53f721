from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.embeddings import ImageArray
from mastershot.media.pictures import (
    JpegWriter,
    PointSampler,
    Upright,
    bgr_as_opencv_reads,
    is_transposed,
)

# Formats whose planes are read, and by how many levels a point may differ from FFmpeg's own
# conversion of the whole frame: none where there is a table for it.
FORMATS = {
    "yuv420p": 0, "yuvj420p": 0, "yuv444p": 0, "yuvj444p": 0, "yuv444p10le": 0,
    "yuv422p": 4, "yuvj422p": 4, "yuv420p10le": 4, "yuv422p10le": 4,
}  # fmt: skip
WIDTH, HEIGHT = 72, 54  # No multiple of what FFmpeg pads rows to.


def noise(width_px: int = WIDTH, height_px: int = HEIGHT, *, seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), np.uint8)


def frame_of(image: ImageArray, pixel_format: str = "rgb24") -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixel_format)


def blocks(pixel_format: str, *, seed: int = 0) -> av.VideoFrame:
    image = noise(WIDTH // 4, -(-HEIGHT // 4), seed=seed).repeat(4, axis=0).repeat(4, axis=1)
    return frame_of(np.ascontiguousarray(image[:HEIGHT]), pixel_format)


def points_of_the_whole(picture: av.VideoFrame, width: int, height: int) -> ImageArray:
    whole = VideoReformatter().reformat(picture, format="bgr24", interpolation="POINT")
    rows = ((2 * np.arange(height) + 1) * HEIGHT) // (2 * height)
    columns = ((2 * np.arange(width) + 1) * WIDTH) // (2 * width)
    return whole.to_ndarray()[rows[:, None], columns]


@pytest.mark.parametrize("colorspace", [1, 5, 9], ids=["BT.709", "BT.601", "BT.2020"])
@pytest.mark.parametrize("levels", [1, 2], ids=["limited", "full"])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_points_are_those_of_the_whole_frame(
    pixel_format: str, levels: int, colorspace: int
) -> None:
    picture = blocks(pixel_format)
    picture.colorspace, picture.color_range = colorspace, levels
    points = PointSampler(width_px=9, height_px=7).sample(picture)
    assert points.shape == (7, 9, 3)
    differing = np.abs(points.astype(int) - points_of_the_whole(picture, 9, 7))
    assert differing.max() <= FORMATS[pixel_format]


def test_a_sampler_keeps_nothing_of_the_frames_before() -> None:
    sampler = PointSampler(width_px=9, height_px=7)
    for seed, (pixel_format, space, levels) in enumerate(
        [("yuv420p", 1, 1), ("yuv420p", 9, 1), ("yuv420p", 9, 2), ("yuv444p", 9, 2),
         ("rgb24", 0, 2), ("yuv420p10le", 5, 1), ("yuv420p", 5, 1)]
    ):  # fmt: skip
        picture = blocks(pixel_format, seed=seed)
        picture.colorspace, picture.color_range = space, levels
        alone = PointSampler(width_px=9, height_px=7).sample(picture)
        np.testing.assert_array_equal(sampler.sample(picture), alone)


def test_a_frame_of_another_format_is_sampled_through_swscale() -> None:
    image = np.full((30, 40, 3), (10, 200, 90), np.uint8)
    picture = av.VideoFrame.from_ndarray(image, format="rgb24")
    points = PointSampler(width_px=8, height_px=6).sample(picture)
    assert points.shape == (6, 8, 3)
    assert (points == (90, 200, 10)).all()


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 99), st.fractions(0.1, 9))
def test_a_picture_is_scaled_down_to_its_longest_side_and_never_up(
    width: int, height: int, longest: int, pixel: Fraction
) -> None:
    picture = frame_of(noise(width, height))
    whole = Upright(pixel).rgb(picture)
    assert whole.shape == (height, max(1, round(width * pixel)), 3)
    small = Upright(pixel).rgb(picture, longest_side_px=longest)
    assert max(small.shape[:2]) == min(longest, max(whole.shape[:2]))
    for side, before in zip(small.shape[:2], whole.shape[:2], strict=True):
        due = before * min(1, longest / max(whole.shape[:2]))
        assert abs(side - max(1, due)) <= 0.5


def test_a_picture_with_square_pixels_is_left_as_it_is() -> None:
    image = noise()
    for longest in (None, WIDTH, WIDTH + 1):
        rgb = Upright().rgb(frame_of(image), longest_side_px=longest)
        np.testing.assert_array_equal(rgb, image)


def test_a_square_is_the_whole_frame_squeezed() -> None:
    tiles = noise(2, 2)
    picture = frame_of(np.ascontiguousarray(tiles.repeat(40, axis=0).repeat(90, axis=1)))
    square = Upright(Fraction(4, 3)).square(picture, 20)
    assert square.shape == (20, 20, 3)
    np.testing.assert_array_equal(square[[[3], [16]], [3, 16]], tiles)


def test_a_square_has_the_mean_colour_of_its_frame() -> None:
    image = noise(320, 240)
    square = Upright().square(frame_of(image), 8).astype(float)
    np.testing.assert_allclose(square.mean((0, 1)), image.mean((0, 1)), atol=3)
    assert square.std() < 10, "points of the frame instead of means of its areas"


def test_opencv_reads_the_same_pixels_with_blue_first() -> None:
    image = noise()
    np.testing.assert_array_equal(bgr_as_opencv_reads(frame_of(image)), image[..., ::-1])
    assert not is_transposed(frame_of(image))


def read_jpeg(data: bytes) -> ImageArray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    return image


def test_a_jpeg_reads_back_as_the_picture() -> None:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    image = np.stack([np.broadcast_to(line, (48, 64)) for line in (ramp, ramp[::-1], ramp)], 2)
    writer = JpegWriter()
    for size in (slice(None), slice(0, 32), slice(0, 1), slice(0, 31), slice(None)):
        cut: ImageArray = np.ascontiguousarray(image[size, size])
        decoded = read_jpeg(writer.encode(cut))
        assert decoded.shape == cut.shape
        assert np.abs(decoded.astype(int) - cut).mean() < 3


def test_a_worse_jpeg_is_smaller_and_the_same_picture_the_same_bytes() -> None:
    image = noise()
    files = [JpegWriter(quality).encode(image) for quality in (2, 4, 12, 31)]
    assert sorted(files, key=len, reverse=True) == files
    assert len(set(map(len, files))) == 4
    writer = JpegWriter(4)
    writer.encode(noise(seed=1))
    assert writer.encode(image) == files[1]
