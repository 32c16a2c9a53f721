"""Writes frames and sound to a film file, whole or not at all."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, AudioStream, VideoFrame, VideoStream
from av.container import OutputContainer

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import OutputError


@dataclass(frozen=True)
class Encoding:
    """How a film is compressed.

    Attributes:
        codec: Name of the video encoder.
        pixel_format: Layout of the stored pixels, such as ``yuv420p`` or ``yuv420p10le``.
        quality: Constant rate factor of x264: lower is better and larger.
        preset: Speed of x264.
        b_frames: Most B-frames in a row; with them, frames are not stored in display order.
        keyframe_interval: Most frames from one keyframe to the next; None leaves it to the codec.
        sound_codec: Name of the audio encoder.
    """

    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    quality: int = 23
    preset: str = "ultrafast"
    b_frames: int = 2
    keyframe_interval: int | None = None
    sound_codec: str = "aac"


@dataclass(frozen=True)
class Sound:
    """Mono sound in chunks of any length, each float32 in [-1, 1]."""

    rate_hz: int
    chunks: Iterable[FloatArray] = field(repr=False)


def write_frames(
    path: str | Path,
    frames: Iterable[ImageArray],
    frame_rate: Fraction,
    *,
    sound: Sound | None = None,
    encoding: Encoding | None = None,
) -> int:
    """Return the number of frames written to a film; its container follows from the file's ending.

    Frames are RGB, shape (H, W, 3), all of one size, and are taken one by one. The file appears
    under its name only when it is complete.

    Raises:
        OutputError: The file cannot be written, or cannot hold such frames.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        with _open(path, partial) as container:
            count = _encode(container, frames, frame_rate, sound, encoding or Encoding())
        partial.replace(path)
    except (OSError, av.FFmpegError) as error:
        raise OutputError(f"film {path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return count


def _open(path: Path, partial: Path) -> OutputContainer:
    try:
        return av.open(str(partial), "w")
    except ValueError as error:
        raise OutputError(
            f"film {path} has no ending that names a kind of film; end it in .mp4 or .mkv"
        ) from error


def _encode(
    container: OutputContainer,
    frames: Iterable[ImageArray],
    frame_rate: Fraction,
    sound: Sound | None,
    encoding: Encoding,
) -> int:
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise OutputError("a film of no frames cannot be written; give at least one")
    video = _video_stream(container, first, frame_rate, encoding)
    audio = _Audio(container, sound, encoding) if sound else None
    count = 0
    for image in chain([first], rest):
        if image.shape != first.shape:
            raise OutputError(
                f"frame {count} is {_size(image)} where the film is {_size(first)}; "
                "a film has frames of one size"
            )
        frame = VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = count, 1 / frame_rate
        container.mux(video.encode(frame))
        count += 1
        if audio:
            audio.write_until(count / frame_rate)
    container.mux(video.encode(None))
    if audio:
        audio.finish()
    return count


def _size(image: ImageArray) -> str:
    return f"{image.shape[1]}×{image.shape[0]}"


def _video_stream(
    container: OutputContainer, first: ImageArray, frame_rate: Fraction, encoding: Encoding
) -> VideoStream:
    if "420" in encoding.pixel_format and (first.shape[0] % 2 or first.shape[1] % 2):
        raise OutputError(
            f"frames of {_size(first)} cannot be stored as {encoding.pixel_format}; "
            "use even sizes or yuv444p"
        )
    options = {}
    if encoding.codec.startswith("libx26"):
        options = {"crf": str(encoding.quality), "preset": encoding.preset}
        options["bf"] = str(encoding.b_frames)
    stream = container.add_stream(encoding.codec, rate=frame_rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = first.shape[:2]
    stream.pix_fmt = encoding.pixel_format
    stream.thread_type = "AUTO"
    if encoding.keyframe_interval is not None:
        stream.gop_size = encoding.keyframe_interval
    return stream


class _Audio:
    """Sound written in step with the picture, so that neither waits in memory for the other."""

    def __init__(self, container: OutputContainer, sound: Sound, encoding: Encoding) -> None:
        self.container, self.rate_hz = container, sound.rate_hz
        stream = container.add_stream(encoding.sound_codec, rate=sound.rate_hz)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        self.stream = stream
        self.chunks = filter(len, sound.chunks)
        self.written = 0

    def write_until(self, time_s: Fraction) -> None:
        """Write the chunks that start before a time; the encoder cuts them into its blocks."""
        while self.written < time_s * self.rate_hz:
            if (chunk := next(self.chunks, None)) is None:
                return
            self._write(chunk)

    def finish(self) -> None:
        """Write all sound that is left."""
        for chunk in self.chunks:
            self._write(chunk)
        self.container.mux(self.stream.encode(None))

    def _write(self, samples: FloatArray) -> None:
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples[None]), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts = self.rate_hz, self.written
        frame.time_base = Fraction(1, self.rate_hz)
        self.container.mux(self.stream.encode(frame))
        self.written += len(samples)
