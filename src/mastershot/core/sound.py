"""What is heard in a film: events, and figures of a shot."""

from dataclasses import dataclass


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
