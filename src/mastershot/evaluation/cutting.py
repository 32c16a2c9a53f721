"""How a film is cut, in numbers: shot lengths, cutting rate over time, scene lengths."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mastershot.core.errors import SettingError
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline


@dataclass(frozen=True)
class CuttingStatistics:
    """The shot lengths of one film, summed up.

    Attributes:
        num_shots: Number of shots.
        num_left_out: How many of them hold or touch a damaged span; their lengths count nowhere.
        average_shot_s: Average shot length (ASL): the film's length over its number of shots.
        median_shot_s: Median shot length (MSL), which one very long shot does not move.
        shortest_shot_s: Length of the shortest shot.
        longest_shot_s: Length of the longest shot.
        shot_deviation_s: Standard deviation of the lengths; the film is the whole population,
            so the sum of squares is divided by the number of shots.
        cuts_per_minute: Boundaries between shots, of whatever kind, per minute of film.
        scene_lengths_s: Length of each scene in order; None when scenes were not found.
    """

    num_shots: int
    num_left_out: int
    average_shot_s: float
    median_shot_s: float
    shortest_shot_s: float
    longest_shot_s: float
    shot_deviation_s: float
    cuts_per_minute: float
    scene_lengths_s: tuple[float, ...] | None


@dataclass(frozen=True)
class CuttingRate:
    """How fast a film cuts at evenly spaced moments.

    Attributes:
        window_s: Length of the window that boundaries were counted in.
        times_s: The moments, on the file's own clock, from the film's start to its end.
        cuts_per_minute: Boundaries per minute in the window centred on each moment.
    """

    window_s: float
    times_s: tuple[float, ...]
    cuts_per_minute: tuple[float, ...]


def cutting_statistics(timeline: Timeline) -> CuttingStatistics:
    """Return the film's shot-length statistics, exact up to the final rounding to a float.

    ASL is Salt's measure ("Statistical Style Analysis of Motion Pictures", Film Quarterly 28:1,
    1974); ASL, MSL and the deviation are the figures Cinemetrics gives for a film. Sums run over
    integer timestamps, so no rounding gathers over a long film.
    """
    whole = [shot.span for shot in timeline.shots if not is_damaged(shot.span, timeline)]
    spans = whole or [shot.span for shot in timeline.shots]
    lengths = np.array([span.end_pts - span.start_pts for span in spans], dtype=np.int64)
    unit_s, num_shots = timeline.movie.time_base, len(timeline.shots)
    total_s = int(lengths.sum()) * unit_s
    num_cuts = num_shots - 1 if len(spans) == num_shots else len(spans)
    scenes = timeline.scenes
    return CuttingStatistics(
        num_shots=num_shots,
        num_left_out=num_shots - len(whole),
        average_shot_s=float(total_s / len(spans)),
        median_shot_s=float(Fraction(float(np.median(lengths))) * unit_s),
        shortest_shot_s=float(int(lengths.min()) * unit_s),
        longest_shot_s=float(int(lengths.max()) * unit_s),
        shot_deviation_s=float(np.std(lengths)) * float(unit_s),
        cuts_per_minute=float(num_cuts * 60 / total_s) if total_s else 0.0,
        scene_lengths_s=None if scenes is None else tuple(s.span.duration_s for s in scenes),
    )


def is_damaged(span: Span, timeline: Timeline) -> bool:
    """Return True if frames are missing within or beside a span, so that its length is unknown."""
    return any(
        gap.start_pts <= span.end_pts and gap.end_pts >= span.start_pts for gap in timeline.damaged
    )


def cutting_rate(timeline: Timeline, *, window_s: float, num_samples: int) -> CuttingRate:
    """Return the cutting rate in a sliding window, at evenly spaced moments of the film.

    The window [t - window/2, t + window/2) is clipped to the film, and the count is divided by
    what is left of it, so that the film's ends are not biased towards slow.

    Raises:
        SettingError: The window is not longer than 0, or fewer than 2 samples are asked for.
    """
    if not window_s > 0 or num_samples < 2:
        raise SettingError(
            f"a cutting rate needs a window above 0 s and at least 2 moments, not {window_s:g} s "
            f"and {num_samples}"
        )
    start_s, end_s = timeline.shots[0].span.start_s, timeline.shots[-1].span.end_s
    cuts_s = np.array([shot.span.start_s for shot in timeline.shots[1:]], dtype=np.float64)
    times_s = np.linspace(start_s, end_s, num_samples)
    low_s = np.maximum(times_s - window_s / 2, start_s)
    high_s = np.minimum(times_s + window_s / 2, end_s)
    num_cuts = np.searchsorted(cuts_s, high_s) - np.searchsorted(cuts_s, low_s)
    clipped_s = high_s - low_s
    rates = np.divide(num_cuts * 60, clipped_s, out=np.zeros(num_samples), where=clipped_s > 0)
    return CuttingRate(window_s, tuple(times_s.tolist()), tuple(rates.tolist()))
