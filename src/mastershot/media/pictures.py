"""Pictures out of decoded frames: small ones for cuts, upright ones for encoders and people.

And pictures on disk: photographs, posters, saved frames.
"""

import struct
from collections import defaultdict
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import cast

import av
import numpy as np
from av import VideoCodecContext, VideoFrame
from av.buffer import Buffer
from av.video.reformatter import Interpolation, VideoReformatter

from mastershot.core.embeddings import ImageArray, IntArray
from mastershot.core.errors import MediaError

STILL_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})

# Bytes a sample, and how many luma columns and rows share one chroma sample, as powers of two.
_PLANAR_YUV: dict[str, tuple[type[np.generic], int, int]] = {
    "yuv420p": (np.uint8, 1, 1),
    "yuvj420p": (np.uint8, 1, 1),
    "yuv422p": (np.uint8, 1, 0),
    "yuvj422p": (np.uint8, 1, 0),
    "yuv444p": (np.uint8, 0, 0),
    "yuvj444p": (np.uint8, 0, 0),
    "yuv420p10le": (np.uint16, 1, 1),
    "yuv422p10le": (np.uint16, 1, 0),
    "yuv444p10le": (np.uint16, 0, 0),
}


_THREADS = 1  # More wait for each other where the cores are busy decoding.
_PIXEL = np.dtype("V3")  # Three bytes moved as one.


class PointSampler:
    """Takes a small BGR picture of each frame, one source pixel a point, without scaling it.

    The planes are read at a grid of points, and only those points go through the colour
    conversion of a whole frame. A shot detector thus gets other points than from PySceneDetect's
    own reader, but the same colours: near black, hue, and with it the score, turns with a rounding
    of one level.
    """

    def __init__(self, *, width_px: int, height_px: int) -> None:
        self._width = width_px
        self._height = height_px
        self._canvas: VideoFrame | None = None
        self._reformatter = VideoReformatter()

    def sample(self, picture: VideoFrame) -> ImageArray:
        """Return the frame's points, BGR, shape (height_px, width_px, 3)."""
        layout = _PLANAR_YUV.get(picture.format.name)
        if layout is None:
            return self._convert(picture, width=self._width, height=self._height)
        dtype, shift_x, shift_y = layout
        canvas = self._canvas_like(picture, shift_x, shift_y)
        for index, (plane, target) in enumerate(zip(picture.planes, canvas.planes, strict=True)):
            source = np.frombuffer(cast(memoryview, plane), dtype)
            stride = plane.line_size // source.itemsize
            size = {"width_px": plane.width, "height_px": plane.height, "stride": stride}
            points = source.take(_grid(self._width, self._height, **size))
            rows = np.frombuffer(cast(memoryview, target), dtype).reshape(target.height, -1)
            if index == 0:  # Luma is read back at these places only; the rest stays as it was.
                rows[:: 1 << shift_y, : self._width << shift_x : 1 << shift_x] = points
            else:
                rows[:, : self._width] = points
        pixels = self._convert(canvas).view(_PIXEL)[:: 1 << shift_y, :: 1 << shift_x]
        return np.ascontiguousarray(pixels).view(np.uint8)

    def _canvas_like(self, picture: VideoFrame, shift_x: int, shift_y: int) -> VideoFrame:
        if self._canvas is None or self._canvas.format.name != picture.format.name:
            width, height = self._width << shift_x, self._height << shift_y
            self._canvas = VideoFrame(width, height, picture.format.name)
        if self._canvas.colorspace != picture.colorspace:
            self._canvas.colorspace = picture.colorspace
        if self._canvas.color_range != picture.color_range:
            self._canvas.color_range = picture.color_range
        return self._canvas

    def _convert(self, picture: VideoFrame, **size: int) -> ImageArray:
        small = self._reformatter.reformat(
            picture, format="bgr24", interpolation="POINT", threads=_THREADS, **size
        )
        return cast(ImageArray, small.to_ndarray())


@lru_cache(maxsize=32)
def _grid(points_x: int, points_y: int, *, width_px: int, height_px: int, stride: int) -> IntArray:
    """Return the flat place of each point's sample in a plane, shape (points_y, points_x)."""
    rows = ((2 * np.arange(points_y) + 1) * height_px) // (2 * points_y)
    columns = ((2 * np.arange(points_x) + 1) * width_px) // (2 * points_x)
    return rows[:, None] * stride + columns[None, :]


class Upright:
    """Converts decoded frames to RGB as a viewer sees them."""

    def __init__(self, sample_aspect_ratio: Fraction = Fraction(1)) -> None:
        """Take the width of a stored pixel over its height."""
        self._pixel = sample_aspect_ratio
        # One a size: making one costs more than its work on a frame.
        self._reformatters = defaultdict[tuple[int, int], VideoReformatter](VideoReformatter)

    def rgb(self, picture: VideoFrame, *, longest_side_px: int | None = None) -> ImageArray:
        """Return the frame as RGB (H, W, 3): upright, with square pixels, without combing.

        With ``longest_side_px`` it is scaled down to that size, never up.
        """
        width = max(1, round(picture.width * self._pixel))
        height = picture.height
        if longest_side_px is not None and max(width, height) > longest_side_px:
            shrink = longest_side_px / max(width, height)
            width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
        return self._scaled(picture, width, height, "BICUBIC")

    def square(self, picture: VideoFrame, size_px: int) -> ImageArray:
        """Return the whole frame squeezed into a square, RGB (S, S, 3), upright, without combing.

        Networks of clips are trained on these squares and see them in films, so both are to the
        bit the same. FFmpeg scales bilinearly over the area of each target pixel.
        """
        return self._scaled(picture, size_px, size_px, "BILINEAR")

    def _scaled(self, picture: VideoFrame, width: int, height: int, method: str) -> ImageArray:
        shown = picture
        if picture.interlaced_frame and picture.height > 1:  # Every other row, as half a frame.
            whole = picture.to_ndarray(format="rgb24", threads=_THREADS)
            rows = cast(ImageArray, whole)[::2]
            picture = VideoFrame.from_ndarray(np.ascontiguousarray(rows), format="rgb24")
        rgb = self._reformatters[width, height].reformat(
            picture, format="rgb24", width=width, height=height, interpolation=method,
            threads=_THREADS,
        )  # fmt: skip
        return _oriented(cast(ImageArray, rgb.to_ndarray()), _display_matrix(shown))


def bgr_as_opencv_reads(picture: VideoFrame) -> ImageArray:
    """Return the whole frame as OpenCV's reader gives it: BGR (H, W, 3), turned upright."""
    image = cast(ImageArray, picture.to_ndarray(format="bgr24", threads=_THREADS))
    return np.ascontiguousarray(np.rot90(image, round(picture.rotation / 90)))


def is_transposed(picture: VideoFrame) -> bool:
    """Return True if a frame is stored lying on its side."""
    return _lies_on_its_side(_display_matrix(picture))


# Counter-clockwise.
_QUARTER_TURNS = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))


def _display_matrix(picture: VideoFrame) -> tuple[int, int, int, int]:
    """Return the numbers a, b, c, d of a frame's display matrix; the identity where it has none.

    The pixel (p, q) is shown at (a p + c q, b p + d q), in units of 1/65536.
    """
    try:
        matrix = picture.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV fails on kinds of side data that it does not know, such as Exif.
        return _QUARTER_TURNS[round(picture.rotation / 90) % 4]
    data = b"" if matrix is None else bytes(cast(Buffer, matrix))
    if len(data) < 36:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = struct.unpack("=9i", data[:36])
    return a, b, c, d


def _lies_on_its_side(matrix: tuple[int, int, int, int]) -> bool:
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def _oriented(image: ImageArray, matrix: tuple[int, int, int, int]) -> ImageArray:
    """Return the image as its display matrix shows it: one of eight, the nearest, as in FFmpeg."""
    a, b, c, d = matrix
    across, down = a, d
    if _lies_on_its_side(matrix):
        image, across, down = image.swapaxes(0, 1), c, b
    return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


class JpegWriter:
    """Encodes RGB pictures as JPEG files in memory."""

    def __init__(self, quality: int = 4) -> None:
        """Take a quality from 2 (best) to 31 (smallest), FFmpeg's ``-q:v``."""
        self._quality = quality
        self._context: VideoCodecContext | None = None

    def encode(self, image: ImageArray) -> bytes:
        """Return an RGB picture (H, W, 3) as the bytes of a JPEG file."""
        frame = VideoFrame.from_ndarray(image, format="rgb24").reformat(
            format="yuvj420p", threads=_THREADS
        )
        context = self._context_for(frame.width, frame.height)
        return b"".join(bytes(packet) for packet in context.encode(frame))

    def _context_for(self, width_px: int, height_px: int) -> VideoCodecContext:
        context = self._context
        if context is None or (context.width, context.height) != (width_px, height_px):
            context = VideoCodecContext.create("mjpeg", "w")
            context.width, context.height = width_px, height_px
            context.pix_fmt = "yuvj420p"
            context.time_base = Fraction(1, 25)
            context.options = {"qmin": str(self._quality), "qmax": str(self._quality)}
            self._context = context
        return context


# FFmpeg doubles columns of subsampled chroma by repeating them unless it is asked to interpolate,
# and rounds down. Decoders of JPEG, such as libjpeg's, interpolate linearly and round to nearest.
_FULL_CHROMA = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND


def read_still(path: Path, content: bytes | None = None) -> ImageArray:
    """Return the picture in a file, RGB (H, W, 3), its chroma interpolated as libjpeg does.

    Args:
        content: The file's content, where it was read before; the path then only names it.

    Raises:
        MediaError: The file cannot be opened, or holds no picture.
    """
    try:
        with av.open(str(path) if content is None else BytesIO(content), "r") as container:
            for frame in container.decode(video=0):
                rgb = frame.reformat(format="rgb24", interpolation=_FULL_CHROMA, threads=_THREADS)
                return rgb.to_ndarray().astype(np.uint8, copy=False)
    except (av.FFmpegError, OSError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{path} is not a picture that can be read: {reason}") from error
    raise MediaError(f"{path} is not a picture that can be read: no frame in it")
