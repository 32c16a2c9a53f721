"""From scores of samples to moderation intervals, each with the evidence it rests on."""
# N samples, ascending in time

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.lanes import Evidence, EvidenceSource, ModerationInterval
from mastershot.core.movie import Shot
from mastershot.labelling.moderation.policy import ClassRule

MOST_EVIDENCE = 16
"""Of more samples the best are kept, so that a timeline stays small where every frame is scored."""

EVIDENCE_FOLDER = "evidence"
"""Where pictures of evidence lie, beside a timeline."""

_SHOWN_EVIDENCE = 4
_SAME_S = 1e-6
_DIGITS = 4

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Frames, or windows of sound, and the time that each stands for.

    Attributes:
        times_s: When each is shown, or its centre, shape (N,).
        starts_s: Where what it stands for starts.
        ends_s: Where that ends.
        frames: Their ordinals; None where they are of sound.
    """

    times_s: Times
    starts_s: Times
    ends_s: Times
    frames: IntArray | None = None


def cut_intervals(
    samples: Samples,
    scores: FloatArray,
    rule: ClassRule,
    *,
    threshold: float,
    found_by: tuple[EvidenceSource, str],
    movie_id: str,
    shots: Sequence[Shot],
) -> Iterator[ModerationInterval]:
    """Yield the intervals of a class in a detector's scores, (N,), by start.

    A sample counts from the threshold on, compared in the scores' own type. Samples whose times are
    no further apart than the rule's gap are one interval; shorter ones than its minimum are left
    out.

    Args:
        samples: What was scored.
        scores: Their scores for the class.
        rule: How the class is merged, and its severity.
        threshold: From which score on a sample counts.
        found_by: The source and the model.
        movie_id: The film.
        shots: Its shots.
    """
    places = np.flatnonzero(scores >= scores.dtype.type(threshold))
    if not len(places):
        return
    source, model = found_by
    gaps_s = samples.starts_s[places[1:]] - samples.ends_s[places[:-1]]
    shot_starts = [shot.span.start_s for shot in shots]
    shot_ends = [shot.span.end_s for shot in shots]
    for run in np.split(places, np.flatnonzero(gaps_s > rule.merge_gap_s + _SAME_S) + 1):
        start_s, end_s = float(samples.starts_s[run[0]]), float(samples.ends_s[run].max())
        if end_s - start_s < rule.min_duration_s - _SAME_S:
            continue
        first = bisect_right(shot_ends, start_s + _SAME_S)
        end = bisect_left(shot_starts, end_s - _SAME_S)
        yield ModerationInterval(
            id=interval_id(movie_id, rule.name, source, model, start_s, end_s),
            name=rule.name,
            source=source,
            model=model,
            severity=rule.severity,
            score=_rounded(scores[run].max()),
            start_s=start_s,
            end_s=end_s,
            shots=tuple(shot.id for shot in shots[first : max(first + 1, end)]),
            evidence=_evidence(samples, scores, run),
            num_evidence=len(run),
        )


def interval_id(
    movie_id: str, name: str, source: str, model: str, start_s: float, end_s: float
) -> str:
    """Return the id of an interval, which policies that cut the same one share."""
    text = f"{name}\n{source}\n{model}\n{start_s:.3f}\n{end_s:.3f}"
    return f"{movie_id}/m{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def by_start(intervals: Sequence[ModerationInterval]) -> tuple[ModerationInterval, ...]:
    """Return intervals by start, the gravest of equal ones first."""
    return tuple(
        sorted(intervals, key=lambda one: (one.start_s, -one.severity, -one.score, one.id))
    )


def shown_evidence(interval: ModerationInterval) -> list[Evidence]:
    """Return the frames that show why an interval was flagged, by time; none where it is heard.

    They are the four best of its evidence.
    """
    frames = [one for one in interval.evidence if one.frame is not None]
    best = sorted(frames, key=lambda one: -one.score)[:_SHOWN_EVIDENCE]
    return sorted(best, key=lambda one: one.time_s)


def evidence_name(frame: int) -> str:
    """Return the file name of a frame's picture."""
    return f"{frame:07}.jpg"


def _evidence(samples: Samples, scores: FloatArray, run: IntArray) -> tuple[Evidence, ...]:
    best = run[np.argsort(-scores[run], kind="stable")[:MOST_EVIDENCE]]
    return tuple(
        Evidence(
            float(samples.times_s[at]),
            _rounded(scores[at]),
            None if samples.frames is None else int(samples.frames[at]),
        )
        for at in sorted(best.tolist())
    )


def _rounded(score: np.float32) -> float:
    return round(float(score), _DIGITS)
