"""What lies along a film beside its shots: sounds, marks, moderation, lanes, all by start."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mastershot.core.errors import TimelineError
from mastershot.core.time import Span

MarkKind: TypeAlias = Literal["black", "silence", "bars", "letterbox", "credits", "slate", "static"]
EvidenceSource: TypeAlias = Literal["seen", "heard"]
LaneRole: TypeAlias = Literal["shots", "notes", "subtitles", "script", "truth"]

_MOST_BEYOND_S = {"seen": 1.0, "heard": 86_400.0}
"""How far beyond a film's frames a moderation interval may lie: what is seen, by what times are
rounded; what is heard, a day, because sound may go on without pictures."""


@dataclass(frozen=True)
class Mark:
    """A run of frames that is technical, or that says something of how the film was cut.

    Attributes:
        kind: ``black`` pictures, ``silence``, colour ``bars``, bars above and below or beside
            the picture that come or go (``letterbox``), rolling or standing ``credits``, a
            ``slate``, or a ``static`` picture in which nothing moves.
        span: Where it lies, exact.
    """

    kind: MarkKind
    span: Span


@dataclass(frozen=True)
class Interval:
    """A run of frames with a text.

    Attributes:
        span: Where it lies, exact.
        text: What is said of it; may be empty.
        score: How sure that is, in [0, 1]; None where nobody scored it.
    """

    span: Span
    text: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Lane:
    """Intervals of one kind, by start; they may overlap.

    Attributes:
        name: The lane's name, unique within a timeline.
        role: What it is: ``shots`` as somebody edited them, ``notes`` on spans of the film,
            ``subtitles``, a ``script`` aligned with the film, or ``truth`` to compare with.
        source: Name of the file it came from; empty where it was made here.
        intervals: The intervals.
    """

    name: str
    role: LaneRole
    source: str
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class SoundEvent:
    """A sound that is heard without a break.

    Attributes:
        name: Its class, as AudioSet names it.
        score: The highest probability of the class meanwhile.
        start_s: When it is first heard, on the film's own clock, to half a window (METHODS E).
        end_s: When it is last heard, likewise; at least ``start_s``.
        peak_s: Its loudest moment, to 5 ms: that of a click, to be held against the picture.
    """

    name: str
    score: float
    start_s: float
    end_s: float
    peak_s: float


@dataclass(frozen=True)
class ShotSound:
    """What is heard in a shot.

    Attributes:
        speech: Share of its time in which there is speech, in [0, 1].
        music: Share in which there is music.
        silence: Share in which nothing is heard, or the film has no sound.
        loudness_db: Mean level in dB below a full-scale square wave (dBFS, root mean square of the
            mono mix), at least -120, which stands for digital silence.
        peak_s: Its loudest moment, to 5 ms, on the film's own clock; None if there
            is none but digital silence.
    """

    speech: float
    music: float
    silence: float
    loudness_db: float
    peak_s: float | None = None


@dataclass(frozen=True)
class Evidence:
    """One sample that a moderation interval rests on.

    Attributes:
        time_s: When the frame is shown, or the centre of the window of sound, on the film's clock.
        score: What the detector gives it for the interval's class, in [0, 1].
        frame: Ordinal of the frame; None where it is sound.
    """

    time_s: float
    score: float
    frame: int | None = None


@dataclass(frozen=True)
class ModerationInterval:
    """A run of samples in which a detector finds what a policy asks to be reviewed.

    Attributes:
        id: ``<movie>/m`` and eight hex digits of class, source, model and times: the same interval
            has the same id under any policy.
        name: Its class, such as ``violence``.
        source: Whether it is ``seen`` in frames or ``heard``.
        model: What found it.
        severity: How grave the policy holds it, from 1 to 5.
        score: The highest score of its evidence.
        start_s: Where what its first sample stands for starts, on the film's own clock.
        end_s: Where what its last sample stands for ends.
        shots: Ids of the shots it touches; none where it is heard beyond the last frame.
        evidence: The samples it rests on, by time: at least one, at most the best 16.
        num_evidence: How many there are.
    """

    id: str
    name: str
    source: EvidenceSource
    model: str
    severity: int
    score: float
    start_s: float
    end_s: float
    shots: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    num_evidence: int


@dataclass(frozen=True)
class ModerationCoverage:
    """Whether a class that a policy names was looked, or listened, for.

    Attributes:
        name: The class.
        source: Whether it would be ``seen`` or ``heard``.
        status: ``covered`` where a detector scored the film for it, else ``not covered``: then no
            interval of it says nothing about the film.
        models: The detectors that did.
        reason: Why it is not covered, or what part of the film is; may be empty.
    """

    name: str
    source: EvidenceSource
    status: Literal["covered", "not covered"]
    models: tuple[str, ...] = ()
    reason: str = ""


def check_moderation(one: ModerationInterval, film: Span) -> None:
    """Check an interval against the film, from its first frame to the end of its last.

    Raises:
        TimelineError: It lacks evidence of its source, or lies beyond the film.
    """
    seen = one.source == "seen"
    if not one.evidence or any((sample.frame is not None) != seen for sample in one.evidence):
        raise TimelineError(
            f"moderation interval {one.id} is {one.source}, but has no evidence that is"
        )
    for sample in one.evidence:
        if sample.frame is not None and not 0 <= sample.frame < film.end_frame:
            raise TimelineError(
                f"moderation interval {one.id} rests on frame {sample.frame}; the film has frames "
                f"0 to {film.end_frame - 1}"
            )
    beyond_s = _MOST_BEYOND_S[one.source]
    first_s, last_s = film.start_s - beyond_s, film.end_s + beyond_s
    for time_s in (one.start_s, one.end_s, *(sample.time_s for sample in one.evidence)):
        if not first_s <= time_s <= last_s:
            raise TimelineError(
                f"moderation interval {one.id} names {time_s:g} s; it is {one.source}, and the "
                f"film lasts from {film.start_s:g} to {film.end_s:g} s"
            )
    if one.end_s < one.start_s:
        raise TimelineError(
            f"moderation interval {one.id} starts at {one.start_s:g} s and ends before that, at "
            f"{one.end_s:g} s"
        )
