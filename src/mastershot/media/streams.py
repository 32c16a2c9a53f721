"""Which of a file's video streams is the film."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from mastershot.core.errors import MediaError
from mastershot.media.opening import OPEN_SAFELY, read_packets, stream_at, time_of

# Streams that last nearly as long as the longest are of one length.
_ABOUT_AS_LONG = 0.9
_NO_DECODER = "unknown codec"


@dataclass(frozen=True)
class Choice:
    """One of several video streams.

    Attributes:
        index: Its index among all of the file's streams, as ffprobe counts.
        codec: Name of its codec.
        width_px: Width of a frame; 0 where the file does not say before it is decoded.
        height_px: Height likewise.
        is_default: True if the file flags it as the one to play.
        num_packets: How many packets it has.
        duration_s: From its first packet to its last.
    """

    index: int
    codec: str
    width_px: int
    height_px: int
    is_default: bool
    num_packets: int
    duration_s: float

    def __str__(self) -> str:
        length = f"{self.duration_s:.1f} s" if self.num_packets > 1 else "a single picture"
        return f"{self.index} ({self.codec}, {self.width_px} x {self.height_px}, {length})"


def choose_stream(path: Path, container: InputContainer) -> tuple[VideoStream, tuple[str, ...]]:
    """Return the video stream that is the film, and where there was a choice, what was chosen.

    In this order: no cover pictures; those that can be decoded; no streams of a single picture;
    those flagged default; those that last about as long as the longest; the largest picture; the
    first. Where there is more than one, all packets of the file are read for their lengths.

    Raises:
        MediaError: There is no video stream but cover pictures.
    """
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        covers = {stream.index for stream in container.streams.video}
        kinds = ", ".join(sorted({s.type for s in container.streams if s.index not in covers}))
        raise MediaError(f"{path} holds no video stream (only {kinds or 'cover pictures'})")
    if len(streams) == 1:
        return streams[0], ()
    choices = _measured(path, streams)
    chosen, reason = _best(choices)
    others = ", ".join(str(choice) for choice in choices if choice != chosen)
    note = (
        f"it holds {len(choices)} video streams; read is {chosen}, {reason}; "
        f"--stream takes another: {others}"
    )
    return stream_at(path, container, chosen.index), (note,)


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _best(choices: Sequence[Choice]) -> tuple[Choice, str]:
    """Return the film among the streams, and what decided."""
    # Of each rule the streams with the greatest value are left, or nearly the greatest.
    rules: tuple[tuple[str, float, Callable[[Choice], float]], ...] = (
        ("the one that can be decoded", 1, lambda choice: choice.codec != _NO_DECODER),
        ("the one that moves", 1, lambda choice: choice.num_packets > 1),
        ("flagged default", 1, lambda choice: choice.is_default),
        ("the longest", _ABOUT_AS_LONG, lambda choice: choice.duration_s),
        ("the largest", 1, lambda choice: choice.width_px * choice.height_px),
    )
    left, reason = list(choices), "the first"
    for name, share, value_of in rules:
        least = share * max(map(value_of, left))
        fitting = [choice for choice in left if value_of(choice) >= least]
        if len(fitting) < len(left):
            left, reason = fitting, name
    return left[0], reason


def _measured(path: Path, streams: Sequence[VideoStream]) -> list[Choice]:
    """Return what each stream is, with its number of packets and its length."""
    times: dict[int, list[float]] = {stream.index: [] for stream in streams}
    counts = dict.fromkeys(times, 0)
    with av.open(f"file:{path}", **OPEN_SAFELY) as container:
        for packet in read_packets(container, *times):
            index, time = packet.stream_index, time_of(packet)
            counts[index] += 1
            if time is not None and packet.time_base:
                known = [*times[index], float(time * packet.time_base)]
                times[index] = [min(known), max(known)]
    return [_choice(stream, counts[stream.index], times[stream.index]) for stream in streams]


def _choice(stream: VideoStream, num_packets: int, span_s: Sequence[float]) -> Choice:
    context = stream.codec_context
    return Choice(
        index=stream.index,
        codec=context.name if context else _NO_DECODER,
        width_px=context.width if context else 0,
        height_px=context.height if context else 0,
        is_default=bool(stream.disposition & Disposition.default),
        num_packets=num_packets,
        duration_s=span_s[-1] - span_s[0] if span_s else 0.0,
    )
