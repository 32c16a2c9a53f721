"""A film's own subtitles, and what was brought in of others, kept where search finds them."""

from dataclasses import replace
from pathlib import Path

from mastershot.core.movie import require_one_file
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.players.subtitles import subtitles_of
from mastershot.pipeline.edits import Imported, lane_name, put_lanes, timeline_file
from mastershot.store.frames import frame_times_of
from mastershot.store.library import Library


def import_subtitles(
    onto: str | Path,
    film: str | Path | None = None,
    *,
    track: int | None = None,
    name: str | None = None,
) -> Imported:
    """Add a film's own subtitles to its timeline on disk, as a lane that search finds words in.

    Args:
        onto: The timeline: ``timeline.json`` or its folder.
        film: The film's file; None takes the one that the timeline names.
        track: Index of the track, as ffprobe counts streams; None takes the default one, or the
            first of text.
        name: Name of the lane; None is ``subtitles``. A lane of that name is replaced.

    Raises:
        MastershotError: The timeline or the film cannot be read, or has no subtitles of text.
    """
    place = timeline_file(onto)
    timeline = Timeline.load(place)
    require_one_file(timeline.movie, "subtitles of its own")
    path = Path(timeline.movie.path if film is None else film)
    times = frame_times_of(timeline, place.parent)
    found = subtitles_of(path, timeline, times, track=track)
    lanes = tuple(replace(lane, name=lane_name(name or lane.name)) for lane in found)
    return Imported(lanes, put_lanes(place, timeline, lanes), None)


def keep_in_library(onto: str | Path, library: str | Path) -> None:
    """Keep a timeline on disk, with all its lanes, in a library in the place of the one it has.

    Raises:
        MastershotError: The timeline cannot be read, or the library not written.
    """
    place = timeline_file(onto)
    Library(library).put_timeline(Timeline.load(place), place.parent)
