"""What lies along a film beside its shots: sounds, marks and lanes, all by start."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mastershot.core.time import Span

MarkKind: TypeAlias = Literal["black", "silence", "bars", "letterbox", "credits", "slate", "static"]
LaneRole: TypeAlias = Literal["shots", "notes", "subtitles", "script", "truth"]


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
