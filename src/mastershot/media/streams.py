"""Which of a file's video streams is the film."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mastershot.core.errors import MediaError
from mastershot.media.pyav import OPEN_SAFELY, is_flush

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

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

    @property
    def num_pixels(self) -> int:
        """Pixels of a frame."""
        return self.width_px * self.height_px

    def __str__(self) -> str:
        length = f"{self.duration_s:.1f} s" if self.num_packets > 1 else "a single picture"
        return f"{self.index} ({self.codec}, {self.width_px} x {self.height_px}, {length})"


def choose_stream(path: Path, container: "InputContainer") -> "tuple[VideoStream, str | None]":
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
        return streams[0], None
    choices = _measured(path, streams)
    chosen, reason = _best(choices)
    others = ", ".join(str(choice) for choice in choices if choice != chosen)
    note = (
        f"it holds {len(choices)} video streams; read is {chosen}, {reason}; "
        f"--stream takes another: {others}"
    )
    return next(stream for stream in streams if stream.index == chosen.index), note


def stream_at(path: Path, container: "InputContainer", index: int) -> "VideoStream":
    """Return the video stream with an index, as ffprobe counts: among all streams, from 0.

    Raises:
        MediaError: There is none.
    """
    for stream in container.streams.video:
        if stream.index == index:
            return stream
    known = ", ".join(str(stream.index) for stream in container.streams.video) or "there are none"
    raise MediaError(f"{path} has no video stream {index}; its video streams are: {known}")


def _is_cover(stream: "VideoStream") -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _best(choices: Sequence[Choice]) -> tuple[Choice, str]:
    """Return the film among the streams, and what decided."""
    left, reason = list(choices), "the first"
    rules: tuple[tuple[str, Callable[[Choice, Sequence[Choice]], bool]], ...] = (
        ("the one that can be decoded", lambda choice, _: choice.codec != _NO_DECODER),
        ("the one that moves", lambda choice, _: choice.num_packets > 1),
        ("flagged default", lambda choice, _: choice.is_default),
        (
            "the longest",
            lambda choice, among: (
                choice.duration_s >= _ABOUT_AS_LONG * max(other.duration_s for other in among)
            ),
        ),
        (
            "the largest",
            lambda choice, among: choice.num_pixels == max(other.num_pixels for other in among),
        ),
    )
    for name, fits in rules:
        fitting = [choice for choice in left if fits(choice, left)]
        if fitting and len(fitting) < len(left):
            left, reason = fitting, name
    return left[0], reason


def _measured(path: Path, streams: "Sequence[VideoStream]") -> list[Choice]:
    """Return what each stream is, with its number of packets and its length."""
    import av

    times: dict[int, list[float]] = {stream.index: [] for stream in streams}
    counts = dict.fromkeys(times, 0)
    with av.open(f"file:{path}", **OPEN_SAFELY) as container:
        try:
            for packet in container.demux(list(times)):
                if is_flush(packet):
                    break
                index = packet.stream_index
                counts[index] += 1
                time = packet.dts if packet.pts is None else packet.pts
                if time is not None and packet.time_base:
                    seconds = float(time * packet.time_base)
                    span = times[index] or [seconds, seconds]
                    times[index] = [min(span[0], seconds), max(span[1], seconds)]
        except av.FFmpegError:
            pass  # What can be read of the file ends here.
    return [_choice(stream, counts[stream.index], times[stream.index]) for stream in streams]


def _choice(stream: "VideoStream", num_packets: int, span_s: Sequence[float]) -> Choice:
    from av.stream import Disposition

    context = stream.codec_context
    return Choice(
        index=stream.index,
        codec=context.name if context else _NO_DECODER,
        width_px=context.width if context else 0,
        height_px=context.height if context else 0,
        is_default=bool(stream.disposition & Disposition.default),
        num_packets=num_packets,
        duration_s=span_s[1] - span_s[0] if span_s else 0.0,
    )
