"""Aegisub's list of keyframes: the frames at which a shot, or another interval, starts."""

from pathlib import Path

from mastershot.core.files import written_whole
from mastershot.exports.formats.lanes import Export, leading_lane


def write_keyframes(export: Export, path: Path) -> tuple[str, ...]:
    """Write the first frames of the shots, or of the first lane asked for, a line each, from 0.

    Raises:
        OutputError: The file cannot be written.
    """
    lane = leading_lane(export)
    frames = sorted({one.span.first_frame for one in lane.intervals})
    with written_whole(path) as file:
        # A rate of 0 leaves it to the video that Aegisub has open.
        file.write("# keyframe format v1\nfps 0\n")
        file.writelines(f"{frame}\n" for frame in frames)
    return ()
