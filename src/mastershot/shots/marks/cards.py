"""Slates and credits: text on a plain ground at the beginning or the end of a film."""
# T frames, R runs

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mastershot.core.embeddings import IntArray
from mastershot.shots.marks.measures import Measures
from mastershot.shots.marks.runs import (
    Flags,
    Seconds,
    are_long,
    chosen,
    flags_of,
    long_runs,
    runs_of,
    without_short_gaps,
)
from mastershot.shots.marks.settings import MarkSettings

_DROPOUT_S = 0.3  # Text does not go and come again within less.
_LONG_S, _MANY_LINES = 5.0, 2  # So much text for so long need neither stand nor roll.
_STANDING = 0.5  # share of a card's frames in which text stands or rolls
_HARD = 0.7  # share of its light that a card has at once when it is cut to
_BESIDE_S = 5.0  # Longest black between colour bars and a slate.
_BLACK_AFTER_S = 1.0  # Least black after a slate that no bars are beside.


@dataclass(frozen=True, eq=False)
class Cards:
    """What slates and credits are told by.

    Attributes:
        measures: Those of the film's frames, (T,).
        times_s: When they are shown, (T + 1,).
        settings: The thresholds.
        black: Which frames are in black, (T,).
        bars: Which are in colour bars, (T,).
    """

    measures: Measures
    times_s: Seconds
    settings: MarkSettings
    black: Flags
    bars: Flags

    @cached_property
    def texts(self) -> IntArray:
        """Runs of frames in which text stands or rolls, (R, 2)."""
        is_text = self.measures["text"] & ~self.black & ~self.bars
        flags = without_short_gaps(is_text, self.times_s, _DROPOUT_S)
        runs = long_runs(flags, self.times_s, self.settings.card_s)
        steady = [self._is_steady(first, end) for first, end in runs.tolist()]
        return chosen(runs, np.array(steady, bool))

    def _is_steady(self, first: int, end: int) -> bool:
        """Return True if text stands or rolls up, or if much of it goes on for long."""
        part = self.measures[first:end]
        part = part[part["text"]]
        is_long = self.times_s[end] - self.times_s[first] >= _LONG_S
        if is_long and np.median(part["lines"]) >= _MANY_LINES:
            return True
        return bool(((part["shift"] > 0) | part["still"]).mean() >= _STANDING)

    @cached_property
    def standing(self) -> IntArray:
        """Runs of a plain picture, text or not, in which nothing moves, (R, 2)."""
        edges = np.flatnonzero(~self.measures["held"])
        runs = np.stack([edges, np.append(edges[1:], len(self.measures))], axis=1)
        plain = self.measures["plain"][runs[:, 0]] & ~(self.black | self.bars)[runs[:, 0]]
        return chosen(runs, plain & are_long(runs, self.times_s, self.settings.card_s))

    def is_hard(self, frame: int, inside: IntArray) -> bool:
        """Return True if a card has its light at once where a run of it begins or ends.

        Args:
            frame: The frame beside the run, before or after it.
            inside: The run's frames, from that end on.
        """
        if not 0 <= frame < len(self.measures):
            return True
        light = self.measures["light"].astype(np.float64)
        beside, full = light[frame], float(np.median(light[inside]))
        return bool(abs(light[inside[0]] - beside) >= _HARD * abs(full - beside))


def slates_of(cards: Cards) -> IntArray:
    """Return the slates: standing cards at the film's head, cut in and out, beside colour bars.

    Without bars, a card of at least ``slate_lines`` lines between the film's first frame, or black
    from there on, and a second of black.
    """
    head = _head(cards)
    num_bars = int(cards.bars[:head].sum())
    found = []
    for first, end in _candidates(cards, head):
        inside = np.arange(first, end)
        if not (cards.is_hard(first - 1, inside) and cards.is_hard(end, inside[::-1])):
            continue
        if num_bars:
            if _is_beside_bars(cards, first, end):
                found.append((first, end))
        elif _is_alone(cards, first, end):
            found.append((first, end))
    return np.array(found, np.int64).reshape(-1, 2)


def _candidates(cards: Cards, head: int) -> list[tuple[int, int]]:
    both = np.concatenate([cards.texts, cards.standing])
    flags = flags_of(both, len(cards.measures)) & ~cards.black & ~cards.bars
    return [(first, end) for first, end in runs_of(flags[:head]).tolist() if end < len(flags)]


def _head(cards: Cards) -> int:
    """Return the first frame that is neither black, bars, text nor a plain standing picture."""
    both = np.concatenate([cards.texts, cards.standing])
    known = flags_of(both, len(cards.measures)) | cards.black | cards.bars
    known = without_short_gaps(known, cards.times_s, _DROPOUT_S)
    return len(known) if known.all() else int(known.argmin())


def _is_beside_bars(cards: Cards, first: int, end: int) -> bool:
    """Return True if there is nothing, or a little black, between a card and colour bars."""
    times_s, bars = cards.times_s, runs_of(cards.bars)
    gaps = [(last, first) for last in bars[bars[:, 1] <= first, 1][-1:].tolist()]
    gaps += [(end, later) for later in bars[bars[:, 0] >= end, 0][:1].tolist()]
    return any(
        times_s[until] - times_s[since] <= _BESIDE_S
        and (since == until or bool(cards.black[since:until].mean() > 0.5))
        for since, until in gaps
    )


def _is_alone(cards: Cards, first: int, end: int) -> bool:
    is_first = first == 0 or bool(cards.black[:first].all())
    after = runs_of(cards.black[end:])
    dark_s = 0.0
    if len(after) and after[0, 0] == 0:
        dark_s = float(cards.times_s[end + after[0, 1]] - cards.times_s[end])
    lines = float(np.median(cards.measures["lines"][first:end]))
    return is_first and dark_s >= _BLACK_AFTER_S and lines >= cards.settings.slate_lines


def credits_of(cards: Cards, slates: Flags) -> IntArray:
    """Return opening and closing credits: cards and rolling text near the film's ends, (R, 2).

    Cards are one run if what lies between two takes little time, frames not counted in which lines
    of text are seen behind something.
    """
    times_s, settings = cards.times_s, cards.settings
    texts = cards.texts[~slates[cards.texts[:, 0]]]
    if not len(texts):
        return texts
    empty_s = np.concatenate([[0.0], np.cumsum(np.diff(times_s) * ~cards.measures["mixed"])])
    gaps_s = empty_s[texts[1:, 0]] - empty_s[texts[:-1, 1]]
    parts = np.split(texts, np.flatnonzero(gaps_s > settings.card_gap_s) + 1)
    found = np.array([(part[0, 0], part[-1, 1]) for part in parts], np.int64)
    lengths_s = np.diff(times_s) * ~(cards.black | cards.bars | slates)
    elapsed_s = np.concatenate([[0.0], np.cumsum(lengths_s)])
    most_s = min(settings.edge_s, settings.edge_share * float(elapsed_s[-1]))
    is_near = elapsed_s[found[:, 0]] <= most_s
    is_near |= elapsed_s[-1] - elapsed_s[found[:, 1]] <= most_s
    return chosen(found, is_near)
