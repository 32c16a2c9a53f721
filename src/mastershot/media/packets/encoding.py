"""Runs of a film's frames compressed anew, in the one pass that counts its frames."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame, VideoStream
from av.video.frame import PictureType

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import MediaError
from mastershot.core.time import Span
from mastershot.media.probe import FilmFile
from mastershot.media.video import Film, Frame

# x264 calls a factor of 17 or 18 nearly as good as the source to the eye; this is below. Without
# B-frames MP4 states how long the last frame is shown.
_OPTIONS = {"crf": "16", "preset": "veryfast", "bf": "0"}
# Times that were computed from a constant rate may be off by this, in units of the time base.
_ROUNDING = 1
_PIXEL_FORMATS = frozenset({
    "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv420p10le",
    "yuv422p10le", "yuv444p10le", "gray", "gray10le",
})  # fmt: skip


def encode_pieces(file: FilmFile, pieces: Sequence[tuple[Span, Path]], pts: IntArray) -> None:
    """Write the frames of spans of a film as H.264 without sound, each span to its file.

    Times count from the start of the span. Frames of a rotated film are stored upright.

    Raises:
        MediaError: The film cannot be read, ends before a span does, or shows other frames than
            the times say.
    """
    coming = sorted(pieces, key=lambda one: one[0].first_frame, reverse=True)
    active: list[_Encoder] = []
    try:
        for frame in Film(file).frames() if pieces else ():
            if frame.index >= len(pts) - 1 or abs(frame.pts - pts[frame.index]) > _ROUNDING:
                raise MediaError(f"{file.path} is not the film that the timeline is of")
            while coming and coming[-1][0].first_frame == frame.index:
                active.append(_Encoder(file, *coming.pop()))
            for encoder in active:
                encoder.add(frame, int(pts[frame.index + 1]))
            active = [encoder for encoder in active if not encoder.is_done]
            if not coming and not active:
                return
        if coming or active:
            raise MediaError(f"{file.path} ends before the timeline does")
    finally:
        for encoder in active:
            encoder.close()


class _Encoder:
    """Writes the frames of a span to a file."""

    def __init__(self, file: FilmFile, span: Span, path: Path) -> None:
        self._file, self._span = file, span
        self._start_pts = span.start_pts
        self._container = av.open(str(path), "w")
        self._stream: VideoStream | None = None
        self._durations: dict[int, int] = {}
        self.is_done = False

    def add(self, frame: Frame, next_pts: int) -> None:
        """Write the next frame, which is shown until the next one's time."""
        is_turned = bool(frame.picture.rotation)
        picture = frame.picture
        if is_turned:
            picture = VideoFrame.from_ndarray(frame.rgb(), format="rgb24")
        if self._stream is None:
            self._stream = self._open(picture, is_turned=is_turned)
            self._start_pts = frame.pts
        picture = picture.reformat(
            self._stream.width, self._stream.height, format=self._stream.pix_fmt
        )
        picture.pict_type = PictureType.NONE  # The encoder chooses.
        picture.pts, picture.time_base = frame.pts - self._start_pts, self._file.time_base
        self._durations[picture.pts] = next_pts - frame.pts
        self._write(picture)
        if frame.index == self._span.end_frame - 1:
            self._write(None)
            self.close()

    def close(self) -> None:
        """Close the file."""
        self.is_done = True
        self._container.close()

    def _write(self, picture: VideoFrame | None) -> None:
        assert self._stream is not None
        for packet in self._stream.encode(picture):
            if packet.pts is not None:  # The encoder would give each the mean.
                packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux(packet)

    def _open(self, picture: VideoFrame, *, is_turned: bool) -> VideoStream:
        rate = self._file.nominal_rate or Fraction(25)
        stream = self._container.add_stream("libx264", rate=rate, options=_OPTIONS)
        kind = picture.format.name if picture.format.name in _PIXEL_FORMATS else "yuv420p"
        if picture.width % 2 or picture.height % 2:  # Of halved colours there would be half a one.
            kind = "yuv444p"
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, kind
        context = stream.codec_context
        stream.time_base = context.time_base = self._file.time_base
        if not is_turned:
            context.sample_aspect_ratio = self._file.sample_aspect_ratio
            context.color_range, context.colorspace = picture.color_range, picture.colorspace
        return stream
