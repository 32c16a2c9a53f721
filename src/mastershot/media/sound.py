"""A film's sound, decoded in the pass that decodes its picture: mono at 16 kHz, in pieces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, Final

import numpy as np
from av import AudioFrame, AudioResampler, FFmpegError, Packet
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from mastershot.core.embeddings import FloatArray

SOUND_RATE_HZ: Final = 16_000

# A sound whose time is off by more than this is moved to where its timestamp says: silence is put
# in, or what overlaps is left out. Containers round times by up to a millisecond or two.
_TOLERANCE_S = Fraction(1, 100)
# A longer gap is left open; times that fall by more than this are another recording's.
_MAX_FILLED_S = Fraction(1)
# From so many channels on, PyAV reads beyond the planes of a frame, and crashes.
_MANY_CHANNELS = 8
# A quarter of a second goes on at once: sound comes in hundredths, and each step has its price.
_PARTS_A_SECOND = 4
# What a full-scale sample of each format is.
_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63, "flt": 1.0, "dbl": 1.0}
# A louder sample, which damaged sound of floats may hold, is brought down to this.
_LOUDEST = 8.0
_FRONT, _EFFECTS = (
    frozenset({"FL", "FR", "FC", "DL", "DR", "FLC", "FRC"}),
    frozenset({"LFE", "LFE2"}),
)


@dataclass(frozen=True, eq=False)
class SoundPiece:
    """Some sound of a film.

    Attributes:
        start_s: When it starts, by the timestamps of the file.
        samples: Mono at `SOUND_RATE_HZ`, float32 (N,), full scale is 1.
        recording: How often the timestamps fell before it, as in joined recordings.
    """

    start_s: float
    samples: FloatArray
    recording: int = 0


class SoundTrack:
    """Decodes the sound of a film, packet by packet, and gives it away in pieces.

    The film may be decoded anew from its start (`decoding`): `begin` is called again then, and
    what was given already is passed over.
    """

    def __init__(self, hear: Callable[[SoundPiece], None]) -> None:
        """Take the function that is called with each piece, in order of time."""
        self._hear = hear
        self._stream: AudioStream | None = None
        self._resampling: _Resampling | None = None
        self._num_given = self._num_seen = self._num_broken = self._recording = 0
        self._left_s: Fraction | None = None  # where the latest jump ahead left the clock
        self._choice: tuple[str, ...] = ()

    def begin(self, container: InputContainer) -> tuple[AudioStream, ...]:
        """Return the stream to read, if there is one: the default one, or the first."""
        streams = container.streams.audio
        usable = [stream for stream in streams if stream.codec_context is not None]
        usable.sort(key=lambda stream: not stream.disposition & Disposition.default)
        self._stream = usable[0] if usable else None
        self._num_seen = self._num_broken = 0
        if self._stream is None:
            why = "this FFmpeg has no decoder for it" if streams else "it begins late in the file"
            self._choice = (f"its sound was not read: {why}",)
            return ()
        if len(streams) > 1:
            self._choice = (f"it holds {len(streams)} sound tracks; heard is {self._stream.index}",)
        return (self._stream,)

    def take(self, packet: "Packet[Any] | None") -> None:
        """Take the next packet of the stream; None at the end."""
        assert self._stream is not None
        # A damaged packet is not decoded: of some codecs, noise at full scale would come.
        if packet is not None and packet.is_corrupt:
            self._num_broken += 1
            return
        try:
            frames = self._stream.codec_context.decode(packet)
        except (FFmpegError, ValueError):
            self._num_broken += 1
            return
        for frame in frames:
            self._num_seen += 1
            if self._num_seen > self._num_given:
                self._num_given = self._num_seen
                self._add(frame)

    def finish(self) -> None:
        """Give away what is left, now that no packet follows."""
        if self._stream is not None:
            self.take(None)
        self._flush()

    def notes(self) -> Iterator[str]:
        """Yield what a user should know of how the sound was read."""
        yield from self._choice
        if self._stream is not None and not self._num_given:
            yield "its sound is damaged: nothing of it could be decoded, so nothing was heard"
        elif self._num_broken:
            packets = "packet" if self._num_broken == 1 else "packets"
            yield f"its sound is damaged: {self._num_broken:,} {packets} of it could not be decoded"

    def _add(self, frame: AudioFrame) -> None:
        try:
            samples, rate_hz = mono_samples(frame), frame.sample_rate
        except (FFmpegError, ValueError, KeyError):
            self._num_broken += 1
            return
        expected = None if self._resampling is None else self._resampling.end_s
        at_s = expected or Fraction(0)
        if frame.pts is not None and frame.time_base is not None:
            at_s = frame.pts * frame.time_base
        offset_s = Fraction(0) if expected is None else at_s - expected
        if abs(offset_s) <= _TOLERANCE_S:
            at_s = at_s if expected is None else expected
        elif offset_s > _MAX_FILLED_S:
            self._left_s = expected
            self._flush()
        elif offset_s < -_MAX_FILLED_S:
            self._flush()  # Before the number of the recording rises: it is the end of this one.
            self._recording += not self._rejoins(at_s)
        elif offset_s > 0:
            samples = np.concatenate([np.zeros(round(offset_s * rate_hz), np.float32), samples])
            at_s -= offset_s
        else:
            samples = samples[round(-offset_s * rate_hz) :]
            at_s -= offset_s
        if self._resampling is not None and self._resampling.rate_hz != rate_hz:
            self._flush()
        if self._resampling is None:
            self._resampling = _Resampling(at_s, rate_hz)
        if self._resampling.take(samples):
            self._give(self._resampling)

    def _rejoins(self, at_s: Fraction) -> bool:
        """Return True if a time is back on the clock that a damaged one left."""
        return self._left_s is not None and 0 <= at_s - self._left_s <= _MAX_FILLED_S

    def _flush(self) -> None:
        if self._resampling is not None:
            self._give(self._resampling)
            self._give(self._resampling, is_over=True)
        self._resampling = None

    def _give(self, resampling: "_Resampling", *, is_over: bool = False) -> None:
        try:
            pieces = list(resampling.convert(is_over=is_over))
        except (FFmpegError, ValueError):
            self._num_broken += 1
            return
        for start_s, piece in pieces:
            self._hear(SoundPiece(start_s, piece, self._recording))


class _Resampling:
    """Brings an unbroken run of mono sound of one rate to `SOUND_RATE_HZ`."""

    def __init__(self, start_s: Fraction, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._start_s = start_s
        self._waiting: list[FloatArray] = []
        self._num_in = self._num_waiting = self._num_out = 0
        self._resampler = AudioResampler(format="flt", layout="mono", rate=SOUND_RATE_HZ)

    @property
    def end_s(self) -> Fraction:
        """When the sound so far ends."""
        return self._start_s + Fraction(self._num_in + self._num_waiting, self.rate_hz)

    def take(self, samples: FloatArray) -> bool:
        """Take the next samples, (N,); return True if enough wait to be converted."""
        self._waiting.append(samples)
        self._num_waiting += len(samples)
        return self._num_waiting * _PARTS_A_SECOND >= self.rate_hz

    def convert(self, *, is_over: bool) -> Iterator[tuple[float, FloatArray]]:
        """Yield what can be converted of what waits, with its times; or all, at the end."""
        frame = None
        if self._num_waiting:
            samples = np.concatenate(self._waiting)
            frame = AudioFrame.from_ndarray(samples[None], "flt", "mono")
            frame.sample_rate, frame.pts = self.rate_hz, self._num_in
            frame.time_base = Fraction(1, self.rate_hz)
            self._num_in += len(samples)
            self._waiting, self._num_waiting = [], 0
        elif not (is_over and self._num_in):
            return
        for converted in self._resampler.resample(frame):
            start_s = float(self._start_s + Fraction(self._num_out, SOUND_RATE_HZ))
            piece = converted.to_ndarray()[0]
            self._num_out += len(piece)
            if len(piece):
                yield start_s, piece


def mono_samples(frame: AudioFrame) -> FloatArray:
    """Return a frame's sound as mono, float32 (N,): the weighted mean of its channels.

    Front channels count 1, others half, that of low effects not at all; where a layout names none,
    all count the same.

    Raises:
        KeyError: Its sample format is unknown.
    """
    if frame.format.is_planar and frame.layout.nb_channels >= _MANY_CHANNELS:
        packed = AudioResampler(frame.format.packed.name, frame.layout, frame.sample_rate)
        (frame,) = packed.resample(frame)
    array, kind = frame.to_ndarray(), frame.format.name.removesuffix("p")
    names = [channel.name for channel in frame.layout.channels]
    if not frame.format.is_planar:
        array = array.reshape(-1, len(names)).T
    full_scale = _FULL_SCALE[kind]
    if array.dtype.kind == "f" and not np.abs(array).max(initial=0) <= _LOUDEST:  # or no number
        array = np.clip(np.nan_to_num(array, nan=0.0, posinf=1.0, neginf=-1.0), -_LOUDEST, _LOUDEST)
    sound = array.astype(np.float32) / np.float32(full_scale)
    if kind == "u8":
        sound -= 1
    if len(names) == 1:
        return np.ascontiguousarray(sound[0])
    return np.asarray(_weights(tuple(names)) @ sound, np.float32)


@cache
def _weights(channels: tuple[str, ...]) -> FloatArray:
    """Return what each channel counts, with sum 1."""
    weights = np.array([_weight(name) for name in channels], np.float32)
    if not weights.any():
        weights[:] = 1
    return np.asarray(weights / weights.sum(), np.float32)


def _weight(channel: str) -> float:
    if channel in _EFFECTS:
        return 0.0
    return 1.0 if channel in _FRONT else 0.5
