"""A movie, its shots and its scenes; every id is derived from content, never random."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from mastershot.core.errors import MediaError
from mastershot.core.labels import LabelScore
from mastershot.core.lanes import ShotSound
from mastershot.core.time import Span

TransitionKind: TypeAlias = Literal["start", "cut", "fade", "dissolve", "wipe"]

SCALE_NAMES: Mapping[str, str] = {
    "ECS": "extreme close-up",
    "CS": "close-up",
    "MS": "medium shot",
    "FS": "full shot",
    "LS": "long shot",
}
"""The shot scales of MovieShots in words (METHODS A6)."""

SCALES = tuple(SCALE_NAMES)
"""Their short names, the closest first."""


def likeliest_scale(scale: Mapping[str, float]) -> str:
    """Return which of `SCALES` is most likely, of equal ones the closest."""
    return max(SCALES, key=scale.__getitem__)


@dataclass(frozen=True)
class Reel:
    """One of the files of a film that lies in several, such as the reels of a feature.

    A frame of the film is frame ``frame - first_frame`` of the reel, and is shown in the file at
    ``file_start_pts`` plus the time since the reel's start.

    Attributes:
        path: The file as the user named it.
        content_hash: BLAKE2b digest of its bytes.
        first_frame: Ordinal in the film of its first frame.
        end_frame: Ordinal one past its last frame.
        start_pts: When its first frame is shown, on the film's clock, in the film's time base.
        end_pts: When it ends, likewise: where the next reel starts.
        file_start_pts: Timestamp of its first frame in its own file.
        file_time_base: Seconds per unit of that.
        timecode: SMPTE time code of its first frame, as the file says it; empty without one.
    """

    path: str
    content_hash: str
    first_frame: int
    end_frame: int
    start_pts: int
    end_pts: int
    file_start_pts: int
    file_time_base: Fraction
    timecode: str = ""


@dataclass(frozen=True)
class Part:
    """Where a film lies in a file that holds several, such as a recorded tape.

    Timestamps of a part are those of the file, so only frames are counted anew: frame N of the part
    is frame ``first_frame + N`` of the file.

    Attributes:
        number: Which film of the file it is, from 1.
        count: How many films the file was divided into.
        movie_id: Id of the file as one film.
        content_hash: BLAKE2b digest of the file's bytes.
        first_frame: Ordinal in the file of the part's first frame.
        file_start_pts: Timestamp of the file's first frame.
    """

    number: int
    count: int
    movie_id: str
    content_hash: str
    first_frame: int
    file_start_pts: int


@dataclass(frozen=True)
class Movie:
    """What a film's file is.

    Attributes:
        id: First sixteen hex digits of the content hash: the same file, the same id anywhere.
        path: The file as the user named it; of several reels, the first.
        content_hash: BLAKE2b digest of the file's bytes, as ``blake2b:<32 hex digits>``; of several
            reels, or of a part of a file, one that follows from the digests of the files.
        frame_rate: Nominal frames per second; under a variable rate, the mean.
        time_base: Seconds per timestamp unit.
        start_pts: Timestamp of the first frame; not 0 under a start offset.
        end_pts: Timestamp at which the last frame stops being shown.
        num_frames: Number of frames the decoder delivers.
        width_px: Width of a frame as shown: after rotation, before sample aspect ratio.
        height_px: Height likewise.
        sample_aspect_ratio: Width of a pixel over its height, as shown.
        has_audio: True if the file holds an audio stream.
        variable_frame_rate: True if frames are not evenly spaced.
        copyright: What the file's copyright tag says of its makers and licence; empty without one.
        timecode: SMPTE time code of its first frame, as the file's own time code track or tag says
            it, such as ``01:00:00:00``; empty without one.
        reels: The files that the film lies in, in order; empty where it is one file.
        part: Where it lies in a file of several films; None where the file is this film.
    """

    id: str
    path: str
    content_hash: str
    frame_rate: Fraction
    time_base: Fraction
    start_pts: int
    end_pts: int
    num_frames: int
    width_px: int
    height_px: int
    sample_aspect_ratio: Fraction
    has_audio: bool
    variable_frame_rate: bool
    copyright: str = ""
    timecode: str = ""
    reels: tuple[Reel, ...] = ()
    part: Part | None = None

    @property
    def duration_s(self) -> float:
        return float((self.end_pts - self.start_pts) * self.time_base)


def require_one_file(movie: Movie, what: str) -> None:
    """Refuse a film whose frames are not all those of one file, where they are to be read again.

    Raises:
        MediaError: It lies in several reels, or in a part of a file.
    """
    if movie.reels:
        lies = f"lies in {len(movie.reels)} reels; join them to one file and analyse that"
    elif movie.part is not None:
        lies = f"is a part of {movie.path}; cut it out to a file and analyse that"
    else:
        return
    raise MediaError(f"{what} can be had of films in one file only, and {movie.id} {lies}")


@dataclass(frozen=True)
class DamagedSpan:
    """A span of a film of which frames are missing, because they could not be decoded.

    Attributes:
        start_pts: Timestamp at which the last frame before it stops being shown.
        end_pts: Timestamp of the first frame after it; of where the missing frames would have
            ended, after the last frame of the film.
        time_base: Seconds per timestamp unit.
        frames_missing: How many frames are missing, estimated from how long a frame is shown.
    """

    start_pts: int
    end_pts: int
    time_base: Fraction
    frames_missing: int

    @property
    def start_s(self) -> float:
        """The start in seconds, on the film's own clock."""
        return float(self.start_pts * self.time_base)

    @property
    def end_s(self) -> float:
        """The end likewise."""
        return float(self.end_pts * self.time_base)


def movie_id(content_hash: str) -> str:
    """Return the id of the movie with this content hash."""
    return content_hash.partition(":")[2][:16]


@dataclass(frozen=True)
class Transition:
    """How a shot begins.

    Attributes:
        kind: A cut, or the kind of gradual transition; ``start`` where the film starts with the
            picture. A ``fade`` goes to, comes from, or passes through one colour.
        start_frame: First frame in which the picture changes; for a cut and for the start, the
            shot's first frame.
        end_frame: First frame after it that is whole; equal to ``start_frame`` for a cut.
        through: The colour of a fade; None for all else.
    """

    kind: TransitionKind
    start_frame: int
    end_frame: int
    through: Literal["black", "white"] | None = None


@dataclass(frozen=True)
class People:
    """Who is seen in the sampled frames of a shot; heights are shares of the picture's, in [0, 1].

    Attributes:
        faces: The most faces in one frame.
        persons: The most persons in one frame.
        tallest_face: Height of the tallest face; 0 where there is none.
        tallest_person: Height of the tallest person; 0 where there is none.
    """

    faces: int
    persons: int
    tallest_face: float
    tallest_person: float


ScaleSource: TypeAlias = Literal["classifier", "words", "people"]


@dataclass(frozen=True)
class Shot:
    """One unbroken run of frames of one camera.

    Attributes:
        id: ``<movie id>/<index, five digits>``.
        span: Where it lies, exact.
        transition_in: How it begins.
        labels: The best labels (at most 5), best first; None when no label was computed.
        kept: Names of the labels that METHODS A5 keeps; empty when the shot is unsure.
        borrowed: Where the shot itself is unsure, the labels its scene is sure of.
        thumb: Path of its picture, relative to the timeline; None when there is none.
        sampled_frames: Ordinals of the frames its labels and scene rest on, to be cited as
            evidence; empty when none was sampled, or all were (sampling ``every``).
        scale: How likely each of `SCALES` is, summing to 1; None when unknown.
        people: Who is seen in it; None when the step that looks for people did not run.
        scale_by: What the scale was found by: a trained classifier, words, or the heights of
            faces and persons; None when it is unknown.
        sound: What is heard in it; None when the film has no sound or the step did not run.
        setting: ``INT`` or ``EXT``; None when the step did not run.
        time_of_day: ``DAY`` or ``NIGHT`` likewise.
    """

    id: str
    span: Span
    transition_in: Transition
    labels: tuple[LabelScore, ...] | None = None
    kept: tuple[str, ...] = ()
    borrowed: tuple[LabelScore, ...] = ()
    thumb: str | None = None
    sampled_frames: tuple[int, ...] = ()
    scale: Mapping[str, float] | None = None
    people: People | None = None
    scale_by: ScaleSource | None = None
    sound: ShotSound | None = None
    setting: LabelScore | None = None
    time_of_day: LabelScore | None = None

    @property
    def likeliest_scale(self) -> str | None:
        """The scale that is most likely; None where none is known."""
        return None if self.scale is None else likeliest_scale(self.scale)


@dataclass(frozen=True)
class Scene:
    """A run of consecutive shots that belong together.

    Attributes:
        id: ``<movie id>/s<index, four digits>``.
        first_shot: Index of its first shot.
        end_shot: Index one past its last shot.
        span: Where it lies, exact.
        labels: The best labels of its shots' mean score; None when no label was computed.
        setting: ``INT``, ``EXT`` or ``INT/EXT``; None when the step did not run.
        time_of_day: ``DAY`` or ``NIGHT`` likewise.
        heading: As a script would write it, such as ``INT. KITCHEN - NIGHT``, of what is sure;
            None where nothing is.
    """

    id: str
    first_shot: int
    end_shot: int
    span: Span
    labels: tuple[LabelScore, ...] | None = None
    setting: LabelScore | None = None
    time_of_day: LabelScore | None = None
    heading: str | None = None


def shot_id(movie: str, index: int) -> str:
    """Return the id of a movie's shot, such as ``9f0c…/00012``."""
    return f"{movie}/{index:05}"


def scene_id(movie: str, index: int) -> str:
    """Return the id of a movie's scene, such as ``9f0c…/s0003``."""
    return f"{movie}/s{index:04}"
