"""Sounds of windows to events, and what is heard in each shot (METHODS E)."""
# W windows, C classes, B blocks, S shots

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.core.lanes import ShotSound, SoundEvent
from mastershot.core.movie import Shot

BLOCK_S = 0.01
"""Levels are measured in blocks of this length."""

_FLOOR_DB = -120.0
_TIME_DIGITS, _SCORE_DIGITS = 4, 4

Times = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SoundRule:
    """When a sound counts as heard.

    Attributes:
        threshold: From which probability on a class is heard, whichever it is; a starting value.
        silence_db: Below which level of a block nothing is heard.
        speech: The classes any of which is speech.
        music: Those of music.
    """

    threshold: float = 0.3
    silence_db: float = -60.0
    speech: tuple[str, ...] = (
        "Speech",
        "Child speech, kid speaking",
        "Conversation",
        "Narration, monologue",
    )
    music: tuple[str, ...] = ("Music", "Singing")


@dataclass
class Stretch:
    """Sound without a gap, as it is heard, window after window.

    Attributes:
        start_s: When it starts, on the film's own clock.
        duration_s: How long it is so far.
        powers: Mean square of each block, the last may be shorter.
        centres_s: Centre of each window, from the start of the stretch.
        speech: Whether there is speech in each window.
        music: Whether there is music.
        events: The events that have ended, their times from the start of the stretch.
        kept: The scores that are kept of each window; nothing where none are.
    """

    start_s: float
    duration_s: float = 0.0
    powers: "array[float]" = field(default_factory=lambda: array("f"))
    centres_s: list[float] = field(default_factory=list)
    speech: list[bool] = field(default_factory=list)
    music: list[bool] = field(default_factory=list)
    events: list[SoundEvent] = field(default_factory=list)
    kept: list[FloatArray] = field(default_factory=list)


def cropped(one: Stretch, start_s: float, end_s: float) -> Stretch | None:
    """Return what of a stretch is heard between two times, to a block; None if nothing is.

    Where it is too short for the centre of a window, it has the window nearest to it.
    """
    first = math.ceil(round(max(0.0, start_s - one.start_s) / BLOCK_S, 3))
    offset_s = first * BLOCK_S
    duration_s = min(one.start_s + one.duration_s, end_s) - one.start_s - offset_s
    if duration_s < BLOCK_S:
        return None
    last = first + math.ceil(round(duration_s / BLOCK_S, 3))
    middle_s = offset_s + duration_s / 2
    inside = [n for n, at in enumerate(one.centres_s) if 0 <= at - offset_s <= duration_s] or [
        min(range(len(one.centres_s)), key=lambda n: abs(one.centres_s[n] - middle_s))
    ]

    def within(at_s: float) -> float:
        return min(max(at_s - offset_s, 0.0), duration_s)

    return Stretch(
        one.start_s + offset_s,
        duration_s,
        one.powers[first:last],
        [within(one.centres_s[n]) for n in inside],
        [one.speech[n] for n in inside],
        [one.music[n] for n in inside],
        [
            replace(
                event,
                start_s=within(event.start_s),
                end_s=within(event.end_s),
                peak_s=within(event.peak_s),
            )
            for event in one.events
            if event.start_s <= offset_s + duration_s and event.end_s >= offset_s
        ],
        [one.kept[n] for n in inside] if one.kept else [],
    )


class EventMerger:
    """Merges windows to events: runs of windows over the threshold, for each class."""

    def __init__(self, classes: Sequence[str], threshold: float) -> None:
        self._classes = classes
        # Scores are compared in their own type.
        self._threshold = np.float32(threshold)
        self._is_heard = np.zeros(len(classes), bool)
        self._starts_s = np.zeros(len(classes))
        self._best = np.zeros(len(classes), np.float32)
        self._last_s = 0.0

    def add(self, centre_s: float, scores: FloatArray) -> list[tuple[str, float, float, float]]:
        """Return the events that end before the next window: name, score, first and last centre."""
        heard = scores >= self._threshold
        ended = self._events(self._is_heard & ~heard)
        begins = heard & ~self._is_heard
        self._starts_s[begins], self._best[begins] = centre_s, 0
        self._best[heard] = np.maximum(self._best[heard], scores[heard])
        self._is_heard, self._last_s = heard, centre_s
        return ended

    def finish(self) -> list[tuple[str, float, float, float]]:
        """Return the events that are still heard, now that no window follows."""
        ended = self._events(self._is_heard)
        self._is_heard = np.zeros_like(self._is_heard)
        return ended

    def _events(self, which: npt.NDArray[np.bool_]) -> list[tuple[str, float, float, float]]:
        return [
            (self._classes[i], float(self._best[i]), float(self._starts_s[i]), self._last_s)
            for i in np.flatnonzero(which).tolist()
        ]


def film_events(stretches: Sequence[Stretch]) -> tuple[SoundEvent, ...]:
    """Return the events of all stretches on the film's own clock, by start, then by score."""
    events = (
        SoundEvent(
            one.name,
            round(one.score, _SCORE_DIGITS),
            *(
                round(stretch.start_s + at, _TIME_DIGITS)
                for at in (one.start_s, one.end_s, one.peak_s)
            ),
        )
        for stretch in stretches
        for one in stretch.events
    )
    return tuple(sorted(events, key=lambda one: (one.start_s, -one.score, one.name)))


def loudest_s(powers: Sequence[float], start_s: float, end_s: float) -> float:
    """Return the centre of the loudest block between two times of a stretch, of equal the first."""
    first = max(0, min(int(start_s / BLOCK_S), len(powers) - 1))
    part = np.asarray(powers[first : max(first + 1, int(np.ceil(end_s / BLOCK_S)))])
    return float((first + int(part.argmax()) + 0.5) * BLOCK_S)


def sounds_of_shots(
    shots: Sequence[Shot], stretches: Sequence[Stretch], rule: SoundRule
) -> list[ShotSound]:
    """Return what is heard in each shot; where the film has no sound it is silent.

    A window stands for the time that is nearer to its centre than to another's. The level of a shot
    is that of its blocks; time without sound counts as silence but has no level.
    """
    times, powers = _blocks(stretches)
    speech, music = (_Activity(stretches, name) for name in ("speech", "music"))
    found = []
    for shot in shots:
        start_s, end_s = shot.span.start_s, shot.span.end_s
        first, last = _blocks_of(times, start_s, end_s)
        length_s = max(end_s - start_s, BLOCK_S)
        peak_s, level_db = _level(times[first:last], powers[first:last])
        found.append(
            ShotSound(
                speech=_share(speech.between(start_s, end_s), length_s),
                music=_share(music.between(start_s, end_s), length_s),
                silence=_silence(powers[first:last], length_s, rule),
                loudness_db=level_db,
                peak_s=peak_s,
            )
        )
    return found


def silent_spans(
    stretches: Sequence[Stretch], rule: SoundRule, within_s: tuple[float, float], least_s: float
) -> list[tuple[float, float]]:
    """Return from when to when nothing is heard for at least so long, exact to a block.

    Time without sound counts as silence.

    Args:
        stretches: What is heard, on the film's own clock.
        rule: Below which level of a block nothing is heard.
        within_s: When the film starts and ends.
        least_s: Shortest silence.
    """
    centres, powers = _blocks(stretches)
    loud = centres[powers >= 10 ** (rule.silence_db / 10)]
    start_s, end_s = within_s
    starts = np.concatenate([[start_s], loud + BLOCK_S / 2])
    ends = np.concatenate([loud - BLOCK_S / 2, [end_s]])
    starts, ends = np.clip(starts, start_s, end_s), np.clip(ends, start_s, end_s)
    long = ends - starts >= least_s - BLOCK_S / 10
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))


def _share(part_s: float, length_s: float) -> float:
    return round(min(max(part_s / length_s, 0.0), 1.0), _SCORE_DIGITS)


def _level(times: Times, powers: Times) -> tuple[float | None, float]:
    """Return the centre of a shot's loudest block, None if all are zero, and its mean level."""
    if not powers.any():
        return None, _FLOOR_DB
    level_db = 10 * float(np.log10(powers.mean()))
    peak_s = round(float(times[powers.argmax()]), _TIME_DIGITS)
    return peak_s, round(max(level_db, _FLOOR_DB), 1)


def _silence(powers: Times, length_s: float, rule: SoundRule) -> float:
    loud = int((powers >= 10 ** (rule.silence_db / 10)).sum())
    silent_s = length_s - loud * BLOCK_S
    # The shot's edges cut blocks.
    whole = 0 < loud == len(powers) and silent_s < 2 * BLOCK_S
    return 0.0 if whole else _share(silent_s, length_s)


def _blocks_of(times: Times, start_s: float, end_s: float) -> tuple[int, int]:
    """Return the first block of a shot and the one past its last, by their centres.

    A shot too short for the centre of a block has the block that holds its middle, if there is one.
    """
    first, last = np.searchsorted(times, (start_s, end_s)).tolist()
    if first == last:
        off_s = np.abs(times[max(first - 1, 0) : first + 1] - (start_s + end_s) / 2)
        if off_s.min(initial=BLOCK_S) <= BLOCK_S / 2:
            first = max(first - 1, 0) + int(off_s.argmin())
            last = first + 1
    return first, last


def _blocks(stretches: Sequence[Stretch]) -> tuple[Times, Times]:
    """Return the centre of each block in order, (B,), and its mean square."""
    parts = [one.start_s + BLOCK_S * (np.arange(len(one.powers)) + 0.5) for one in stretches]
    times = np.concatenate([np.empty(0), *parts])
    powers = np.concatenate([np.empty(0), *(np.asarray(one.powers) for one in stretches)])
    order = np.argsort(times, kind="stable")
    return times[order], powers[order]


class _Activity:
    """How long something is heard between two times."""

    def __init__(self, stretches: Sequence[Stretch], name: str) -> None:
        edges, lengths = [0.0], [0.0]
        for one in sorted(stretches, key=lambda each: each.start_s):
            centres = np.asarray(one.centres_s)
            inner = (centres[1:] + centres[:-1]) / 2
            bounds = one.start_s + np.concatenate([[0.0], inner, [one.duration_s]])
            heard = np.diff(bounds) * np.asarray(getattr(one, name), float)
            edges += bounds.tolist()
            lengths += [0.0, *heard.tolist()]
        self._edges = np.maximum.accumulate(edges[1:]) if len(edges) > 1 else np.zeros(1)
        self._total = np.cumsum(lengths[1:]) if len(lengths) > 1 else np.zeros(1)

    def between(self, start_s: float, end_s: float) -> float:
        """Return for how many of the seconds it is heard."""
        before, after = np.interp((start_s, end_s), self._edges, self._total)
        return float(after - before)
