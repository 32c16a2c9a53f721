"""What verdicts on a queue amount to: precision of flags, agreement, and what was missed."""
# N items, R reviewers

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.evaluation.agreement import NO_VALUE, krippendorff_alpha
from mastershot.evaluation.bootstrap import Figure, Interval, binomial_figure
from mastershot.evaluation.reliability import risk_coverage
from mastershot.labelling.moderation.queue import (
    CONFIRM,
    FLAG_CHOICES,
    NONE,
    REJECT,
    UNSURE,
    Queue,
    QueueItem,
)
from mastershot.labelling.moderation.verdicts import (
    Decision,
    guideline_key,
    latest_decisions,
)

DISPUTED: Literal["disputed"] = "disputed"


@dataclass(frozen=True)
class FlagFigures:
    """How often flags of a class and source were right.

    Attributes:
        name: The class.
        source: Seen or heard.
        num_flags: How many were drawn.
        outcomes: How many were confirmed, rejected, unsure or disputed.
        precision: Share of the confirmed among the confirmed and rejected, as if flags were
            independent of each other.
        by_threshold: From which threshold on how many of those are flagged, and the share of them
            that is confirmed, highest threshold first.
    """

    name: str
    source: str
    num_flags: int
    outcomes: Mapping[str, int]
    precision: Figure
    by_threshold: tuple[tuple[float, int, float], ...]


@dataclass(frozen=True)
class Missed:
    """What was found in unflagged shots that were drawn at random.

    Attributes:
        name: The class; empty for any of them.
        num_missed: In how many of the shots that were decided it was found.
        share: In what share.
        number: In how many of all unflagged shots, by that: the estimate and its interval.
    """

    name: str
    num_missed: int
    share: Figure
    number: tuple[float, Interval]


@dataclass(frozen=True)
class ReviewReport:
    """What the verdicts on a queue amount to.

    Attributes:
        queue: What was reviewed.
        reviewers: Who, by name.
        num_reviewed: How many items have a verdict.
        flags: Of each class and source, in the order of the queue.
        missed: Of any class, then of each of the policy; nothing where no unflagged shot was
            decided.
        num_shots: How many unflagged shots were drawn.
        num_second: How many items need a second reviewer.
        lacking: Those of them that none, or only one, has reviewed.
        agreement: Share of items with two reviewers or more on which the first two agree.
        alpha: Krippendorff's alpha between all reviewers of intervals; NaN where not defined.
        disagreements: Items on which the first two differ, with each reviewer's verdict.
        num_other: Verdicts on these items by the words of another guideline, which do not count.
    """

    queue: Queue
    reviewers: tuple[str, ...]
    num_reviewed: int
    flags: tuple[FlagFigures, ...]
    missed: tuple[Missed, ...]
    num_shots: int
    num_second: int
    lacking: tuple[str, ...]
    agreement: Figure
    alpha: float
    disagreements: tuple[tuple[QueueItem, tuple[Decision, ...]], ...]
    num_other: int = 0


def report_on_queue(queue: Queue, decisions: Sequence[Decision]) -> ReviewReport:
    """Return what verdicts amount to; those on other items, or by other guidelines, do not count.

    Of a reviewer's verdicts on an item the last counts. What most of its reviewers tick decides;
    where no verdict has more than another, the item is disputed, and counts neither way.

    Raises:
        DatasetError: There is no verdict on the queue.
    """
    key_of = {item.id: guideline_key(queue, item) for item in queue.items}
    on_items = [one for one in decisions if one.item in key_of]
    held = latest_decisions(one for one in on_items if one.guideline == key_of[one.item])
    given = {item.id: tuple(held[item.id].values()) for item in queue.items if item.id in held}
    if not given:
        raise DatasetError(
            "there is no verdict on this queue yet; `mastershot moderation record` enters them"
        )
    outcomes = {item: _outcome(verdicts) for item, verdicts in given.items()}
    pairs = [(item, given.get(item.id, ())) for item in queue.items]
    twice = [(item, verdicts) for item, verdicts in pairs if len(verdicts) > 1]
    differing = [each for each in twice if set(each[1][0].ticked) != set(each[1][1].ticked)]
    return ReviewReport(
        queue=queue,
        reviewers=_reviewers(given),
        num_reviewed=len(given),
        flags=_flag_figures(queue, outcomes),
        missed=_missed(queue, outcomes),
        num_shots=len(queue.of_kind("shot")),
        num_second=sum(item.second for item in queue.items),
        lacking=tuple(item.id for item, each in pairs if item.second and len(each) < 2),
        agreement=binomial_figure(len(twice) - len(differing), len(twice)),
        alpha=_alpha(queue, given),
        disagreements=tuple(differing),
        num_other=sum(one.guideline != key_of[one.item] for one in on_items),
    )


def _reviewers(given: Mapping[str, Sequence[Decision]]) -> tuple[str, ...]:
    """Return who reviewed; names that differ in case alone are one, spelt as it came first."""
    found: dict[str, str] = {}
    for one in (one for each in given.values() for one in each):
        found.setdefault(one.reviewer.casefold(), one.reviewer)
    return tuple(sorted(found.values()))


def _outcome(verdicts: Sequence[Decision]) -> tuple[str, ...]:
    counts = Counter(tuple(sorted(one.ticked)) for one in verdicts).most_common(2)
    is_tie = len(counts) > 1 and counts[0][1] == counts[1][1]
    return (DISPUTED,) if is_tie else counts[0][0]


def _flag_figures(queue: Queue, outcomes: Mapping[str, tuple[str, ...]]) -> tuple[FlagFigures, ...]:
    groups: dict[tuple[str, str], list[QueueItem]] = {}
    for item in queue.of_kind("flag"):
        groups.setdefault((item.name, item.source), []).append(item)
    found = []
    for (name, source), items in groups.items():
        decided = [item for item in items if outcomes.get(item.id, ("",))[0] in (CONFIRM, REJECT)]
        right = np.array([outcomes[item.id] == (CONFIRM,) for item in decided], np.bool_)
        counts = Counter(outcomes[item.id][0] for item in items if item.id in outcomes)
        found.append(
            FlagFigures(
                name,
                source,
                len(items),
                {one: counts[one] for one in (*FLAG_CHOICES, DISPUTED)},
                binomial_figure(int(right.sum()), len(right)),
                _by_threshold(np.array([item.score for item in decided], np.float32), right),
            )
        )
    return tuple(found)


def _by_threshold(scores: Any, right: Any) -> tuple[tuple[float, int, float], ...]:
    if not len(scores):
        return ()
    curve = risk_coverage(scores, right)
    counts = np.rint(curve.coverage * len(scores)).astype(int)
    rows = zip(curve.thresholds.tolist(), counts.tolist(), curve.accuracy.tolist(), strict=True)
    return tuple((round(threshold, 4), count, share) for threshold, count, share in rows)


def _missed(queue: Queue, outcomes: Mapping[str, tuple[str, ...]]) -> tuple[Missed, ...]:
    """Return what the drawn shots tell of all unflagged ones; unsure and disputed ones do not."""
    ticked = [
        outcomes[item.id]
        for item in queue.of_kind("shot")
        if outcomes.get(item.id, (UNSURE,))[0] not in (UNSURE, DISPUTED)
    ]
    if not ticked:
        return ()
    found = []
    for name in ("", *queue.guidelines):
        hits = sum(one != (NONE,) if not name else name in one for one in ticked)
        share, total = binomial_figure(hits, len(ticked)), queue.num_unflagged
        # What was looked at is known, whatever the interval says of the rest.
        low = max(hits, share.interval.low * total)
        high = min(total - len(ticked) + hits, share.interval.high * total)
        found.append(Missed(name, hits, share, (share.value * total, Interval(low, high))))
    return tuple(found)


def _alpha(queue: Queue, given: Mapping[str, Sequence[Decision]]) -> float:
    columns = {name.casefold(): place for place, name in enumerate(_reviewers(given))}
    rows = []
    for item in queue.of_kind("flag"):
        row = [NO_VALUE] * len(columns)
        for one in given.get(item.id, ()):
            row[columns[one.reviewer.casefold()]] = FLAG_CHOICES.index(one.ticked[0])
        rows.append(row)
    return krippendorff_alpha(np.array(rows, np.int64)) if rows else float("nan")


def review_facts(report: ReviewReport) -> dict[str, object]:
    """Return a report as JSON takes it; what the data do not define is null."""
    queue = report.queue
    return {
        "policy": queue.policy,
        "policy_fingerprint": queue.fingerprint,
        "num_items": len(queue.items),
        "num_reviewed": report.num_reviewed,
        "num_by_other_guidelines": report.num_other,
        "reviewers": report.reviewers,
        "num_flags": queue.num_flags,
        "num_flags_drawn": len(queue.of_kind("flag")),
        "flags": [
            {
                "class": one.name,
                "source": one.source,
                "num_flags": one.num_flags,
                **one.outcomes,
                "precision": _figure(one.precision),
                "by_threshold": [
                    {"threshold": threshold, "num_flags": count, "precision": share}
                    for threshold, count, share in one.by_threshold
                ],
            }
            for one in report.flags
        ],
        "num_unflagged": queue.num_unflagged,
        "num_unflagged_drawn": report.num_shots,
        "missed": [
            {
                "class": one.name or "any",
                "num_missed": one.num_missed,
                "share": _figure(one.share),
                "number": {"value": one.number[0], **vars(one.number[1])},
            }
            for one in report.missed
        ],
        "second_review": {
            "num_needed": report.num_second,
            "complete": not report.lacking,
            "lacking": report.lacking,
            "agreement": _figure(report.agreement),
            "krippendorff_alpha": None if np.isnan(report.alpha) else report.alpha,
            "disagreements": [
                {
                    "item": item.id,
                    "film": item.film,
                    "class": item.name,
                    "start_s": item.start_s,
                    "verdicts": {one.reviewer: one.ticked for one in verdicts},
                }
                for item, verdicts in report.disagreements
            ],
        },
        "not_covered": queue.uncovered,
    }


def _figure(figure: Figure) -> dict[str, float | int | None]:
    values = {"value": figure.value, **vars(figure.interval), "num_items": figure.num_items}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}
