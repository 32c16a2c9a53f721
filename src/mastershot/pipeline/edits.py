"""Timelines to editors' formats, and what editors made of them back into timelines."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from mastershot.core.errors import EditsError, OutputError, SettingError, ShotListError
from mastershot.core.lanes import Interval, Lane, LaneRole
from mastershot.core.movie import Movie, Shot, Transition, shot_id
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import MadeBy, Timeline
from mastershot.exports.formats.catalogue import Format, format_named, format_of_file
from mastershot.exports.formats.lanes import MADE_LANES, Export, lanes_of
from mastershot.exports.formats.timecode import edit_clock, stated_number
from mastershot.media.probe import FilmFile, packet_times
from mastershot.media.video import is_variable_rate
from mastershot.shots.lists import ShotList, read_shot_list
from mastershot.store.files import write_whole
from mastershot.store.frames import frame_times_of

TIMELINE_FILE = "timeline.json"
_SHOT_FORMATS = ("edl", "otio", "fcpxml", "eaf")
_MOVED_S = Fraction(1, 2)
Purpose: TypeAlias = Literal["edits", "notes", "truth"]
"""What a file is imported as: edited shots, notes, or truth to compare with."""


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        path: The file or folder.
        notes: What the user should know of it.
    """

    path: Path
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """How cuts differ from those of a timeline, in frames.

    Attributes:
        moved: From where to where cuts moved, by half a second at most.
        removed: Cuts that are gone.
        added: Cuts that are new.
    """

    moved: tuple[tuple[int, int], ...] = ()
    removed: tuple[int, ...] = ()
    added: tuple[int, ...] = ()

    def sentence(self) -> str:
        """Return the changes in words, with their frames."""
        parts = []
        if self.moved:
            frames = (f"{before} → {after}" for before, after in self.moved)
            parts.append(f"{_cuts(self.moved)} moved ({', '.join(frames)})")
        for what, frames_ in (("removed", self.removed), ("added", self.added)):
            if frames_:
                count = str(len(frames_)) if parts else _cuts(frames_)
                parts.append(f"{count} {what} ({', '.join(map(str, frames_))})")
        return ", ".join(parts) or "every cut is where it was"


@dataclass(frozen=True)
class Imported:
    """What an import brought in.

    Attributes:
        lanes: The lanes that were added, as they are now called.
        replaced: Names of those that were there before.
        changes: How shots differ from the timeline's; None where the file has none.
    """

    lanes: tuple[Lane, ...]
    replaced: tuple[str, ...]
    changes: Changes | None


def export(
    timeline: Timeline | str | Path,
    to: str,
    out: str | Path | None = None,
    *,
    lanes: Sequence[str] | None = None,
    min_score: float = 0.0,
    start_timecode: str = "",
) -> Exported:
    """Write a timeline in the format of an editor, annotator or player.

    Args:
        timeline: The timeline, or where it is: ``timeline.json`` or its folder. Only there are the
            times of all frames, which a film at a variable frame rate needs to be exact.
        to: Name of the format; see ``mastershot export --help``.
        out: The file or folder to write; None is beside the timeline, under the film's name.
        lanes: Which lanes, in order; None takes all.
        min_score: What is scored lower is left out.
        start_timecode: Time code of the first frame in the editor's timeline, such as
            ``01:00:00:00``; empty takes the film's own, or zero.

    Raises:
        MastershotError: The timeline, the format, a lane, the time code or the file is wrong.
    """
    known = format_named(to)
    if not 0 <= min_score <= 1:  # False for what is no number, too.
        raise SettingError(f"a lowest score of {min_score:g} means nothing; it is from 0 to 1")
    found, folder = _opened(timeline)
    times = frame_times_of(found, folder)
    path = _where(known, found.movie, folder) if out is None else Path(out)
    film = Path(found.movie.path)
    chosen = lanes_of(found, times, lanes, min_score=min_score)
    notes = known.write(Export(found, times, chosen, start_timecode, film, folder), path)
    return Exported(path, notes)


def read_edits(path: str | Path, timeline: Timeline | str | Path) -> tuple[Lane, ...]:
    """Return what is in a file that an editor or annotator wrote, as lanes of a film.

    The format is that of the file's suffix, else of how it starts; a list of shots is read too.

    Args:
        path: The file.
        timeline: The film's timeline, or where it is.

    Raises:
        MastershotError: The timeline or the file cannot be read, or the file is of another film.
    """
    found, folder = _opened(timeline)
    path, times = Path(path), frame_times_of(found, folder)
    known = format_of_file(path)
    if known is None or known.read is None:
        return (_lane_of_list(read_shot_list(path), times),)
    return known.read(path, found, times)


def import_edits(
    path: str | Path,
    onto: str | Path,
    *,
    purpose: Purpose = "edits",
    name: str | None = None,
    start_timecode: str = "",
) -> Imported:
    """Add what is in a file to a timeline on disk, as lanes, and say how shots differ.

    Args:
        path: The file.
        onto: The timeline: ``timeline.json`` or its folder.
        purpose: What its shots are.
        name: Name of the lane of shots, and what the names of other lanes begin with; None takes
            the purpose. Lanes of these names that are there are replaced.
        start_timecode: Time code of the film's first frame in the file, where it is not the film's;
            of a film in reels, whose files have their own, that at which the list starts.

    Raises:
        MastershotError: The timeline or the file cannot be read or written, or do not fit.
    """
    if purpose not in get_args(Purpose):
        raise SettingError(f"{purpose!r} is no purpose; use {', '.join(get_args(Purpose))}")
    given, name = name, lane_name(purpose if name is None else name)
    place = timeline_file(onto)
    timeline = Timeline.load(place)
    times, stated = frame_times_of(timeline, place.parent), timeline
    if start_timecode:
        stated_number(start_timecode, edit_clock(times, timeline.movie.frame_rate).counting.rate)
        stated = replace(timeline, movie=replace(timeline.movie, timecode=start_timecode))
    path = Path(path)
    known = format_of_file(path)
    if known is None or known.read is None:
        read: tuple[Lane, ...] = (_lane_of_list(read_shot_list(path), times),)
    else:
        read = known.read(path, stated, times)
    shots = next((lane for lane in read if lane.role == "shots"), None)
    lanes = tuple(
        lane
        if lane.role == "subtitles" and given is None
        else _renamed(lane, name, purpose, alone=len(read) == 1)
        for lane in read
    )
    replaced = put_lanes(place, timeline, lanes)
    changes = None if shots is None else cut_changes(timeline, shots, times)
    return Imported(lanes, replaced, changes)


def put_lanes(place: Path, timeline: Timeline, lanes: Sequence[Lane]) -> tuple[str, ...]:
    """Add lanes to a timeline on disk; return the names of those that they replace."""
    names = {lane.name for lane in lanes}
    kept = tuple(lane for lane in timeline.lanes if lane.name not in names)
    try:
        write_whole(place, replace(timeline, lanes=(*kept, *lanes)).to_json().encode())
    except OSError as error:
        raise OutputError(f"{place} cannot be written: {error.strerror or error}") from error
    return tuple(lane.name for lane in timeline.lanes if lane.name in names)


def cut_changes(timeline: Timeline, shots: Lane, times: FrameTimes) -> Changes:
    """Return how the cuts of a lane of shots differ from those of a timeline."""
    before = {shot.span.first_frame for shot in timeline.shots} - {0}
    after = {interval.span.first_frame for interval in shots.intervals} - {0}
    gone, new = sorted(before - after), sorted(after - before)
    longest, pts = int(_MOVED_S / times.time_base), times.pts.tolist()
    near: list[tuple[int, int, int]] = []
    for other in new:
        low = bisect_left(gone, pts[other] - longest, key=pts.__getitem__)
        high = bisect_right(gone, pts[other] + longest, key=pts.__getitem__)
        near += ((abs(pts[one] - pts[other]), one, other) for one in gone[low:high])
    moved: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in sorted(near):
        if one not in moved and other not in taken:
            moved[one] = other
            taken.add(other)
    return Changes(
        tuple(sorted(moved.items())),
        tuple(one for one in gone if one not in moved),
        tuple(one for one in new if one not in taken),
    )


@dataclass(frozen=True)
class EditList:
    """A file of an editor whose shots are to be taken instead of detecting them.

    Attributes:
        path: The file.
        format: What it is.
        fingerprint: Sixteen hex digits that change when the file does.
    """

    path: Path
    format: Format
    fingerprint: str

    def shots_of(self, file: FilmFile) -> ShotList:
        """Return where shots of a film start, in seconds from its first frame.

        Raises:
            EditsError: The file cannot be read, does not fit the film, or has no shots; or the film
                lies in reels, of which it is not known before they are decoded when each starts.
        """
        assert self.format.read is not None
        if file.reels:
            raise EditsError(
                f"{self.path} cannot be taken as the shots of a film in {len(file.reels)} reels; "
                "analyse them without --shots, then bring the list in by `mastershot import`"
            )
        times = packet_times(file)
        timeline = _timeline_of_file(file, times)
        for lane in self.format.read(self.path, timeline, times):
            if lane.role == "shots" and lane.intervals:
                origin = int(times.pts[0]) * times.time_base
                starts = {one.span.start - origin for one in lane.intervals} | {Fraction(0)}
                return ShotList(self.path, "second", tuple(sorted(starts)))
        raise EditsError(f"{self.path} has no shots in it; name a list of shots")


def listed_shots(path: Path) -> ShotList | EditList:
    """Return a list of shots, or the file of an editor that has some.

    Raises:
        MastershotError: The list cannot be read.
    """
    known = format_of_file(path) if path.is_file() else None
    if known is None or known.name not in _SHOT_FORMATS:
        return read_shot_list(path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EditsError(f"{path} cannot be read: {error.strerror or error}") from error
    return EditList(path, known, digest[:16])


def _timeline_of_file(file: FilmFile, times: FrameTimes) -> Timeline:
    """Return a timeline of one shot of a film that was not decoded."""
    mean = times.num_frames / (int(times.pts[-1] - times.pts[0]) * times.time_base)
    nominal = file.nominal_rate
    is_nominal = nominal is not None and abs(nominal / mean - 1) < Fraction(1, 100)
    movie = Movie(
        id=file.id,
        path=str(file.path),
        content_hash=file.content_hash,
        frame_rate=nominal if nominal and is_nominal else mean.limit_denominator(1001),
        time_base=times.time_base,
        start_pts=int(times.pts[0]),
        end_pts=int(times.pts[-1]),
        num_frames=times.num_frames,
        width_px=file.width_px,
        height_px=file.height_px,
        sample_aspect_ratio=file.sample_aspect_ratio,
        has_audio=file.has_audio,
        variable_frame_rate=is_variable_rate(times.pts),
        timecode=file.timecode,
    )
    span = times.span(0, times.num_frames)
    return Timeline(
        movie, MadeBy("", ""), (Shot(shot_id(movie.id, 0), span, Transition("start", 0, 0)),)
    )


def _lane_of_list(shots: ShotList, times: FrameTimes) -> Lane:
    """Return a list of shots as a lane.

    Raises:
        ShotListError: It goes on after the film has ended.
    """
    if shots.unit == "second":
        half, start = Fraction(1, 2) * _frame_s(times), int(times.pts[0]) * times.time_base
        shift = 0 if shots.starts[0] >= start - half else start
        firsts = [times.frame_at(one + shift) for one in shots.starts]
    else:
        firsts = [int(one) for one in shots.starts]
    last = firsts[-1] if shots.last_frame is None else max(firsts[-1], shots.last_frame)
    if last >= times.num_frames:
        raise ShotListError(
            f"{shots.path} names frame {last}, but the film's last is {times.num_frames - 1}; it "
            "was made for another film or frame rate"
        )
    ends = (*firsts, times.num_frames)
    spans = (times.span(first, end) for first, end in pairwise(ends) if first < end)
    return Lane("shots", "shots", shots.path.name, tuple(map(Interval, spans)))


def _frame_s(times: FrameTimes) -> Fraction:
    return int(times.pts[-1] - times.pts[0]) * times.time_base / times.num_frames


def _renamed(lane: Lane, name: str, purpose: Purpose, *, alone: bool) -> Lane:
    is_shots = lane.role == "shots"
    roles: dict[Purpose, LaneRole] = {"edits": "shots", "notes": "notes", "truth": "truth"}
    role = roles[purpose] if is_shots else lane.role
    own = name if is_shots or alone else f"{name}-{lane.name}"
    return replace(lane, name=own, role=role)


def lane_name(name: str) -> str:
    """Return a name for a lane that is brought in.

    Raises:
        SettingError: It is none, or that of a lane that analysis makes.
    """
    if not name.strip() or "," in name or not name.isprintable():
        raise SettingError(f"{name!r} is no name of a lane: one letter at least, and no comma")
    if name in MADE_LANES:
        raise SettingError(f"lane {name!r} is one that analysis makes; choose another name")
    return name


def _opened(timeline: Timeline | str | Path) -> tuple[Timeline, Path | None]:
    if isinstance(timeline, Timeline):
        return timeline, None
    place = timeline_file(timeline)
    return Timeline.load(place), place.parent


def timeline_file(path: str | Path) -> Path:
    """Return where a timeline is, which is named by itself or by its folder."""
    return Path(path) / TIMELINE_FILE if Path(path).is_dir() else Path(path)


def _where(known: Format, movie: Movie, folder: Path | None) -> Path:
    stem = Path(movie.path).stem
    return (folder or Path()) / (f"{stem}{known.suffix}" if known.suffix else known.name)


def _cuts(cuts: Sequence[object]) -> str:
    return f"{len(cuts)} cut" if len(cuts) == 1 else f"{len(cuts)} cuts"
