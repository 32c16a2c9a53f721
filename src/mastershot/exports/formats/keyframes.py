"""Aegisub's list of keyframes: the frames at which a shot, or another interval, starts."""

from pathlib import Path

from mastershot.core.files import written_whole
from mastershot.exports.formats.lanes import Export, leading_lane


def write_keyframes(export: Export, path: Path) -> tuple[str, ...]:
    """Write the first frames of the shots, or of the first lane asked for, a line each, from 0.

    Of a part of a tape they are the tape's frames; of reels, those of all joined to one file.

    Raises:
        OutputError: The file cannot be written.
    """
    lane, movie = leading_lane(export), export.timeline.movie
    before = 0 if movie.part is None else movie.part.first_frame
    frames = sorted({before + one.span.first_frame for one in lane.intervals})
    with written_whole(path) as file:
        # A rate of 0 leaves it to the video that Aegisub has open.
        file.write("# keyframe format v1\nfps 0\n")
        file.writelines(f"{frame}\n" for frame in frames)
    if not movie.reels:
        return ()
    return (f"the film lies in {len(movie.reels)} files; frames are those of all joined to one",)
