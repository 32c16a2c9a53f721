from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.evaluation.bootstrap import binomial_figure
from mastershot.labelling.moderation.queue import FLAG_CHOICES, Queue, QueueItem
from mastershot.labelling.moderation.verdicts import Decision, guideline_key
from mastershot.pipeline.moderation.report import report_on_queue, review_facts

CLASSES = ("sex", "violence")


def flag(number: int, score: float, *, second: bool = False, name: str = "sex") -> QueueItem:
    return QueueItem(f"f/m{number}", "flag", "film.mp4", 1.0, 2.0, FLAG_CHOICES, second, name,
                     "seen", "nsfw", 4, score)  # fmt: skip


def shot(number: int, *, second: bool = False) -> QueueItem:
    choices = (*CLASSES, "none", "unsure")
    return QueueItem(f"f/{number}", "shot", "film.mp4", 1.0, 2.0, choices, second)


def queue_of(*items: QueueItem, num_unflagged: int = 100) -> Queue:
    guidelines = dict.fromkeys(CLASSES, "Confirm.")
    uncovered = {"film.mp4": ("violence (seen)",)}
    return Queue("default", "f" * 16, guidelines, 0, 9, num_unflagged, uncovered, items)


def said(item: QueueItem, reviewer: str, *ticked: str) -> Decision:
    key = guideline_key(queue_of(item), item)
    return Decision(item.id, reviewer, ticked, "", "undated", guideline=key)


def test_precision_counts_what_was_decided_and_names_the_rest() -> None:
    items = [flag(n, 0.9 - n / 10) for n in range(5)]
    ticks = ["confirm", "confirm", "reject", "unsure"]
    given = [said(item, "Ann", tick) for item, tick in zip(items, ticks, strict=False)]
    report = report_on_queue(queue_of(*items), given)
    (sex,) = report.flags
    assert sex.outcomes == {"confirm": 2, "reject": 1, "unsure": 1, "disputed": 0}
    assert (sex.num_flags, report.num_reviewed) == (5, 4)
    assert sex.precision == binomial_figure(2, 3)
    assert [(at, count) for at, count, _ in sex.by_threshold] == [(0.9, 1), (0.8, 2), (0.7, 3)]
    assert [share for _, _, share in sex.by_threshold] == pytest.approx([1, 1, 2 / 3])


def test_the_last_verdict_of_a_reviewer_counts() -> None:
    item = flag(0, 0.9)
    report = report_on_queue(
        queue_of(item), [said(item, "Ann", "confirm"), said(item, "Ann", "reject")]
    )
    assert report.flags[0].outcomes["reject"] == 1
    assert report.disagreements == ()


def test_disagreement_is_listed_and_disputed_until_a_third_settles_it() -> None:
    item = flag(0, 0.9, second=True)
    given = [said(item, "Ann", "confirm"), said(item, "Bob", "reject")]
    report = report_on_queue(queue_of(item), given)
    assert report.flags[0].outcomes["disputed"] == 1
    assert np.isnan(report.flags[0].precision.value)
    ((listed, verdicts),) = report.disagreements
    assert (listed, [one.reviewer for one in verdicts]) == (item, ["Ann", "Bob"])
    assert report.agreement.value == 0
    settled = report_on_queue(queue_of(item), [*given, said(item, "Cid", "confirm")])
    assert settled.flags[0].outcomes["confirm"] == 1
    assert len(settled.disagreements) == 1


def test_second_reviews_that_are_lacking_are_named() -> None:
    items = [flag(0, 0.9, second=True), flag(1, 0.8, second=True), flag(2, 0.7)]
    given = [said(items[0], "Ann", "confirm"), said(items[0], "Bob", "confirm"),
             said(items[1], "Ann", "reject"), said(items[2], "Ann", "reject")]  # fmt: skip
    report = report_on_queue(queue_of(*items), given)
    assert (report.num_second, report.lacking) == (2, (items[1].id,))
    assert report.agreement == binomial_figure(1, 1)
    alone = [said(items[1], "Ann", "reject"), said(items[1], "Ann", "confirm")]
    assert report_on_queue(queue_of(*items), alone).lacking == (items[0].id, items[1].id)


def test_agreement_beyond_chance_is_that_of_all_intervals() -> None:
    items = [flag(n, 0.5) for n in range(4)]

    def report(ticks: Sequence[str]) -> float:
        given = [
            said(item, "Ann", "confirm" if n < 2 else "reject") for n, item in enumerate(items)
        ]
        given += [said(item, "Bob", tick) for item, tick in zip(items, ticks, strict=True)]
        return report_on_queue(queue_of(*items), given).alpha

    assert report(["confirm", "confirm", "reject", "reject"]) == pytest.approx(1)
    assert report(["reject", "reject", "confirm", "confirm"]) < 0


def test_a_verdict_by_other_words_does_not_count() -> None:
    first, other = flag(0, 0.9), flag(1, 0.8)
    given = [said(first, "Ann", "confirm"), replace(said(other, "Ann", "confirm"), guideline="x")]
    report = report_on_queue(queue_of(first, other), given)
    assert (report.num_reviewed, report.num_other) == (1, 1)


def test_a_reviewer_is_no_second_one_by_another_spelling_of_the_name() -> None:
    item = flag(0, 0.9, second=True)
    given = [said(item, "Ann", "confirm"), said(item, "ANN", "confirm")]
    report = report_on_queue(queue_of(item), given)
    assert report.lacking == (item.id,)
    other = flag(1, 0.8)
    given = [said(item, "Ann", "confirm"), said(other, "ANN", "confirm")]
    assert report_on_queue(queue_of(item, other), given).reviewers == ("Ann",)


def test_what_was_missed_is_estimated_from_the_drawn_shots() -> None:
    items = [shot(n) for n in range(10)]
    given = [said(item, "Ann", "none") for item in items[:7]]
    given += [said(items[7], "Ann", "violence"), said(items[8], "Ann", "unsure")]
    report = report_on_queue(queue_of(*items, num_unflagged=400), given)
    every, sex, violence = report.missed
    assert (every.num_missed, sex.num_missed, violence.num_missed) == (1, 0, 1)
    assert every.share == binomial_figure(1, 8)  # The unsure one, and the tenth, tell nothing.
    value, interval = every.number
    assert value == pytest.approx(50)
    assert interval.low == pytest.approx(400 * every.share.interval.low)
    assert interval.high == pytest.approx(400 * every.share.interval.high)
    assert sex.number[1].low == 0
    assert sex.number[1].high > 0


def test_what_was_looked_at_bounds_the_number_that_was_missed() -> None:
    items = [shot(n) for n in range(4)]
    given = [said(items[0], "Ann", "sex")] + [said(item, "Ann", "none") for item in items[1:]]
    report = report_on_queue(queue_of(*items, num_unflagged=4), given)
    interval = report.missed[0].number[1]
    assert (interval.low, interval.high) == (1, 1)  # All unflagged shots were looked at.


def test_without_drawn_shots_nothing_is_said_of_misses() -> None:
    report = report_on_queue(queue_of(flag(0, 0.9)), [said(flag(0, 0.9), "Ann", "confirm")])
    assert report.missed == ()


def test_verdicts_on_other_queues_do_not_count() -> None:
    with pytest.raises(DatasetError, match="no verdict on this queue yet; `mastershot moderation"):
        report_on_queue(queue_of(flag(0, 0.9)), [said(flag(7, 0.9), "Ann", "confirm")])


def test_the_report_as_json_has_what_is_not_defined_as_null() -> None:
    item = flag(0, 0.9, second=True)
    facts = review_facts(report_on_queue(queue_of(item), [said(item, "Ann", "unsure")]))
    (flags,) = facts["flags"]  # type: ignore[misc]
    assert flags["precision"] == {"value": None, "low": None, "high": None, "num_items": 0}
    assert facts["second_review"]["lacking"] == (item.id,)  # type: ignore[index]
    assert facts["second_review"]["krippendorff_alpha"] is None  # type: ignore[index]
    assert facts["not_covered"] == {"film.mp4": ("violence (seen)",)}
