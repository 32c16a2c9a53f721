"""Pictures of the frames that moderation intervals rest on."""
# S side of a square in pixels

from collections.abc import Sequence
from pathlib import Path

from mastershot.core.errors import MediaError, OutputError
from mastershot.core.files import replacing, reporting_errors
from mastershot.core.lanes import ModerationInterval
from mastershot.core.timeline import Timeline
from mastershot.labelling.moderation.intervals import evidence_name, shown_evidence
from mastershot.media.clips import Clip, ClipReader
from mastershot.media.pictures import JpegWriter

_SIDE_PX = 256
_MOST_PICTURES = 240


def write_evidence(timeline: Timeline, folder: Path) -> int:
    """Write a picture of each frame that is shown as evidence, as squares; return how many.

    Pictures that are there already stay. Others are read from the film by random access. Where that
    cannot be done (the film is gone or changed, lies in reels, or has to be decoded from its start)
    none is written, and pages show the pictures of shots instead.

    Raises:
        OutputError: The folder cannot be written.
    """
    with reporting_errors(OutputError, f"pictures of evidence cannot be written to {folder}"):
        frames = [
            (frame, time_s)
            for frame, time_s in _frames(timeline.moderation or ())[:_MOST_PICTURES]
            if not (folder / evidence_name(frame)).is_file()
        ]
        movie = timeline.movie
        if not frames or movie.reels or movie.part is not None:
            return 0
        written, reader, jpeg = 0, ClipReader(max_open=1), JpegWriter()
        try:
            for frame, time_s in frames:
                half_s = 0.5 / float(movie.frame_rate)
                clip = Clip(Path(movie.path), time_s, time_s + half_s)
                try:
                    image = reader.read(clip, num_frames=1, size_px=_SIDE_PX)[0]
                except MediaError:
                    break
                folder.mkdir(parents=True, exist_ok=True)
                with replacing(folder / evidence_name(frame)) as partial:
                    partial.write_bytes(jpeg.encode(image))
                written += 1
                if reader.num_from_start:
                    break
        finally:
            reader.close()
        return written


def _frames(intervals: Sequence[ModerationInterval]) -> list[tuple[int, float]]:
    """Return the frames to show and their times: of the gravest intervals first, each once."""
    ordered = sorted(intervals, key=lambda one: (-one.severity, -one.score))
    found = {
        one.frame: one.time_s
        for interval in ordered
        for one in shown_evidence(interval)
        if one.frame is not None
    }
    return list(found.items())
