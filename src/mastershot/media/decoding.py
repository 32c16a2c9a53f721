"""A film's pictures, the same whatever the number of threads, and what could not be decoded.

How damaged pictures are decoded depends on the number of threads, and so does how many of the last
ones PyAV yields once one of them fails. The first sign of damage therefore ends decoding with
several threads: the film is read again with one, from its start, since the state of a decoder
cannot be restored elsewhere. Pictures that were already yielded are skipped; to be sure that these
are undamaged, the latest few are held back.
"""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from av import FFmpegError, Packet, VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from mastershot.media.clock import BestEffort
from mastershot.media.opening import is_flush, open_film, size_bytes, time_of
from mastershot.media.probe import FilmFile
from mastershot.media.sound import SoundTrack

# How many pictures are held back, in case the next ones show damage: a decoder with several threads
# may yield a concealed picture before it reports any damage.
_MAX_WAITING = 8
_MAX_WAITING_BYTES = 64 << 20
# So many pictures a decoder of H.264 or HEVC may hold back to put them in order.
_MAX_REORDERED = 16


# A picture, and FFmpeg's best effort at its timestamp: None where the file gives none.
TimedPicture: TypeAlias = tuple[VideoFrame, int | None]


@dataclass
class Damage:
    """What of a film could not be decoded, as far as it has been read.

    Attributes:
        lost: Timestamps of packets that the decoder refused or that did not arrive whole, in the
            order of the file. Those before the first picture are left out: a capture that starts
            in mid-GOP is not damaged.
        num_leading: How many packets were refused before the first picture.
        num_silent: How many packets at the end gave no picture, more than a decoder holds back.
        stopped: Why the file could not be read on, where it could not.
    """

    lost: list[int] = field(default_factory=list)
    num_leading: int = 0
    num_silent: int = 0
    stopped: str | None = None

    def add(self, packet: "Packet[VideoStream]", *, leading: bool) -> None:
        """Take note of a packet that is lost."""
        self.num_leading += leading
        if not leading and (time := time_of(packet)) is not None:
            self.lost.append(time)


class Decoding:
    """The pictures of a film's video stream in the order they are shown.

    Attributes:
        damage: What could not be decoded so far.
    """

    def __init__(self, file: FilmFile, threads: int, sound: SoundTrack | None = None) -> None:
        self._file = file
        self._threads = threads
        self._sound = sound
        self.damage = Damage()

    def pictures(self) -> Iterator[TimedPicture]:
        """Yield every picture that can be decoded; packets that cannot are passed over."""
        num_given = 0
        if self._threads > 1:
            detector = DamageDetector(self._threads)
            waiting: deque[TimedPicture] = deque()
            with closing(self._decode(self._threads, detector)) as decoded:
                for timed in decoded:
                    if detector.saw_damage:
                        break
                    waiting.append(timed)
                    fitting = _MAX_WAITING_BYTES // size_bytes(timed[0])
                    if len(waiting) > max(1, min(_MAX_WAITING, fitting)):
                        num_given += 1
                        yield waiting.popleft()
            if not detector.saw_damage:
                yield from waiting
                return
        yield from islice(self._decode(1, DamageDetector(1)), num_given, None)

    def _decode(self, threads: int, detector: "DamageDetector") -> Generator[TimedPicture]:
        self.damage = damage = Damage()
        best_effort = BestEffort()
        with open_film(self._file.path, self._file.stream_index) as stream:
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = threads
            for packet in _packets(stream, damage, self._sound):
                pictures: list[VideoFrame] = []
                refused = packet is not None and packet.is_corrupt
                try:
                    pictures = stream.codec_context.decode(packet)
                except FFmpegError:
                    refused = True
                if refused and packet is not None:
                    damage.add(packet, leading=not detector.num_shown)
                detector.add(packet, pictures, refused=refused)
                for picture in pictures:
                    yield picture, best_effort(picture.pts, picture.dts)
            damage.num_silent = detector.num_silent


class DamageDetector:
    """Finds the first sign that a film's stream is damaged.

    Signs are: a packet that did not arrive whole or was refused, a picture in parts, a fall of the
    decoding timestamps other than at a keyframe, and packets at the end of which no picture comes.

    Attributes:
        saw_damage: True once one was found.
        num_shown: How many pictures came so far.
        num_silent: How many packets were sent since, if it is more than a decoder holds back.
    """

    def __init__(self, threads: int) -> None:
        """Take the number of threads: threads and reordering delay pictures in the decoder."""
        self.saw_damage = False
        self.num_shown = 0
        self.num_silent = 0
        self._since_shown = 0
        self._num_sent = 0
        self._last_dts: int | None = None
        self._window = 2 * threads + _MAX_REORDERED
        self._sent: deque[int | None] = deque(maxlen=4 * self._window)
        self._shown: deque[int | None] = deque(maxlen=4 * self._window)

    def add(
        self,
        packet: "Packet[VideoStream] | None",
        pictures: list[VideoFrame],
        *,
        refused: bool,
    ) -> None:
        """Take a packet sent to the decoder, None at the end, and the pictures it returned."""
        self.saw_damage |= any(picture.is_corrupt for picture in pictures)
        self.saw_damage |= refused and (self.num_shown > 0 or packet is None)
        self.num_shown += len(pictures)
        self._shown.extend(picture.pts for picture in pictures)
        if packet is None:
            self.saw_damage |= self._lost_some_at_the_end()
            self.num_silent = self._since_shown if self._since_shown > 2 * self._window else 0
            return
        self._since_shown = 0 if pictures else self._since_shown + 1
        fell = None not in (packet.dts, self._last_dts) and packet.dts < self._last_dts  # type: ignore[operator]
        if fell and not packet.is_keyframe and self.num_shown:
            self.saw_damage = True
        self._last_dts = packet.dts
        self._num_sent += not refused
        self._sent.append(packet.pts)

    def _lost_some_at_the_end(self) -> bool:
        """Return True if fewer of the last packets gave a picture than of those before them.

        Of some streams every other packet gives none, such as those of single fields.
        """
        timed = [time for time in self._sent if time is not None]
        if 2 * len(timed) < len(self._sent):
            return self.num_shown < self._num_sent
        shown = set(self._shown)
        gave_none = [time not in shown for time in timed]
        last, before = gave_none[-self._window :], gave_none[-2 * self._window : -self._window]
        return sum(last) > sum(before)


def _packets(
    stream: VideoStream, damage: Damage, sound: SoundTrack | None
) -> Iterator["Packet[VideoStream] | None"]:
    """Yield the stream's packets, and after the last one None, which flushes the decoder.

    Packets of the sound, if it is to be heard, go to its track.
    """
    container = stream.container
    assert isinstance(container, InputContainer)
    heard = () if sound is None else sound.begin(container)
    try:
        for packet in container.demux(stream, *heard):
            if is_flush(packet):
                break
            if not packet.size:  # The decoder would take it for the end of the film.
                continue
            if packet.stream_index == stream.index:
                yield packet  # type: ignore[misc]
            elif sound is not None:
                sound.take(packet)
    except FFmpegError as error:
        damage.stopped = error.strerror
    if sound is not None:
        sound.finish()
    yield None
