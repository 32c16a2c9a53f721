"""Films with a sound track whose truth is known: where it starts, its layout, rate and format."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, ImageArray

Sound = npt.NDArray[np.float64]


def tone(seconds: float, *, rate_hz: int = 48_000, hz: float = 440, level: float = 0.25) -> Sound:
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def click(seconds: float, at_s: float, *, rate_hz: int = 48_000) -> Sound:
    """Return silence with a burst of 2 ms."""
    sound, first = np.zeros(round(seconds * rate_hz)), round(at_s * rate_hz)
    sound[first : first + rate_hz // 500] = 0.9
    return sound


def speech_like(seconds: float, *, seed: int = 0) -> FloatArray:
    """Return a drawn sound at 16 kHz: noise and tones that change."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * 16_000)) / 16_000
    sound = rng.normal(0, 0.02 * (1 + seed % 4), len(time))
    for _ in range(1 + seed % 5):
        hz, rate = rng.uniform(80, 4000), rng.uniform(0.5, 8)
        sound += 0.1 * np.sin(2 * np.pi * hz * time) * (np.sin(2 * np.pi * rate * time) > 0)
    return sound.astype(np.float32)


def frames_with_flash(num_frames: int, flash: int | None) -> list[ImageArray]:
    """Return black frames, one of them white."""
    images = np.zeros((num_frames, 48, 64, 3), np.uint8)
    if flash is not None:
        images[flash] = 255
    return list(images)


def sounding_film(
    path: Path,
    images: Sequence[ImageArray],
    sound: Sound,
    *,
    frame_rate: Fraction = Fraction(24),
    video_start_s: Fraction = Fraction(0),
    sound_start_s: Fraction = Fraction(0),
    rate_hz: int = 48_000,
    layout: str = "mono",
    codec: str = "pcm_s16le",
    broken: range = range(0),
) -> Path:
    """Write a film; packets of the sound with a number in ``broken`` are overwritten.

    The sound is (N,), or (C, N) with one row a channel.
    """
    channels = np.atleast_2d(sound)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=frame_rate, options={"bf": "0"})
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream(codec, rate=rate_hz)
        audio.layout = layout
        packets = []
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = Fraction(1, 90_000)
            frame.pts = round((video_start_s + index / frame_rate) * 90_000)
            packets += video.encode(frame)
        heard = []
        size = 1024
        for first in range(0, channels.shape[1], size):
            part = channels[:, first : first + size].T.reshape(1, -1).astype(np.float32)
            piece = av.AudioFrame.from_ndarray(part, "flt", layout)
            piece.sample_rate, piece.time_base = rate_hz, Fraction(1, rate_hz)
            piece.pts = first + round(sound_start_s * rate_hz)
            for converted in _resampled(piece, audio):
                heard += audio.encode(converted)
        packets += video.encode(None)
        heard += audio.encode(None)
        heard = [_broken(packet) if n in broken else packet for n, packet in enumerate(heard)]
        packets += heard
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            container.mux(packet)
    return path


def _resampled(frame: av.AudioFrame, stream: av.AudioStream) -> list[av.AudioFrame]:
    context = stream.codec_context
    resampler = av.AudioResampler(context.format.name, frame.layout, frame.sample_rate)
    return resampler.resample(frame)


def _broken(packet: av.Packet) -> av.Packet:
    other = av.Packet(b"\xff" * packet.size)
    other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
    other.time_base, other.stream = packet.time_base, packet.stream
    return other
