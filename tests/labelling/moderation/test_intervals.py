from dataclasses import replace

import numpy as np
import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.lanes import ModerationInterval
from mastershot.labelling.moderation.intervals import (
    MOST_EVIDENCE,
    Samples,
    by_start,
    cut_intervals,
    shown_evidence,
)
from mastershot.labelling.moderation.policy import ClassRule

FILM = make_timeline(shot_frames=(24, 24, 24), scene_shots=None)
RULE = ClassRule("violence", 4, "Confirm.", {"seen": 0.5})
# Four frames, one a half second; each stands for the half second around it.
TIMES = np.array([0.25, 0.75, 1.25, 1.75]) + FILM.shots[0].span.start_s
SAMPLES = Samples(TIMES, TIMES - 0.25, TIMES + 0.25, np.array([6, 18, 30, 42]))


def cut(scores: list[float], *, samples: Samples = SAMPLES, threshold: float = 0.5,
        **changes: float) -> list[ModerationInterval]:  # fmt: skip
    found = cut_intervals(
        samples,
        np.array(scores, np.float32),
        replace(RULE, **changes),  # type: ignore[arg-type]
        threshold=threshold,
        found_by=("seen", "blood"),
        movie_id=FILM.movie.id,
        shots=FILM.shots,
    )
    return list(found)


def test_samples_over_the_threshold_that_touch_are_one_interval() -> None:
    (one,) = cut([0.9, 0.6, 0.1, 0.1])
    start_s = FILM.shots[0].span.start_s
    assert (one.start_s, one.end_s) == (
        pytest.approx(start_s, abs=1e-4),
        pytest.approx(start_s + 1, abs=1e-4),
    )
    assert [(each.frame, each.score) for each in one.evidence] == [(6, 0.9), (18, 0.6)]
    assert (one.score, one.num_evidence, one.severity) == (0.9, 2, 4)
    assert (one.source, one.model) == ("seen", "blood")


def test_a_gap_is_bridged_only_by_a_policy_that_says_so() -> None:
    scores = [0.9, 0.1, 0.1, 0.8]
    assert len(cut(scores)) == 2
    assert len(cut(scores, merge_gap_s=0.9)) == 2
    (one,) = cut(scores, merge_gap_s=1.0)
    assert [each.frame for each in one.evidence] == [6, 42]
    assert one.num_evidence == 2


def test_short_intervals_are_left_out() -> None:
    scores = [0.9, 0.1, 0.9, 0.9]
    assert len(cut(scores)) == 2
    (one,) = cut(scores, min_duration_s=0.6)
    assert [each.frame for each in one.evidence] == [30, 42]


def test_a_score_at_the_threshold_counts_in_its_own_precision() -> None:
    assert float(np.float32(0.7)) < 0.7
    assert len(cut([0.7, 0, 0, 0], threshold=0.7)) == 1
    assert cut([0.6999, 0, 0, 0], threshold=0.7) == []


def test_nothing_over_the_threshold_is_no_interval() -> None:
    assert cut([0.4, 0.4, 0.4, 0.4]) == []


def test_an_interval_names_every_shot_that_it_touches_and_no_other() -> None:
    (one,) = cut([0.9, 0.1, 0.1, 0.1])
    assert one.shots == (FILM.shots[0].id,)
    (wide,) = cut([0.1, 0.9, 0.9, 0.1])
    assert wide.shots == tuple(shot.id for shot in FILM.shots[:2])
    beyond = Samples(np.array([99.0]), np.array([98.8]), np.array([99.2]))
    (heard,) = cut([0.9], samples=beyond)
    assert heard.shots == ()
    assert heard.evidence[0].frame is None


def test_the_best_evidence_is_kept_in_order_of_time() -> None:
    count = 3 * MOST_EVIDENCE
    times = FILM.shots[0].span.start_s + np.arange(count) / 100
    samples = Samples(times, times, times + 0.01, np.arange(count))
    (one,) = cut(np.linspace(0.5, 0.9, count).tolist(), samples=samples)
    assert one.num_evidence == count
    frames = [each.frame for each in one.evidence]
    assert frames == list(range(count - MOST_EVIDENCE, count))
    assert [each.frame for each in shown_evidence(one)] == frames[-4:]


def test_the_same_interval_has_the_same_id_under_another_policy() -> None:
    (one,), (other,) = cut([0.9, 0, 0, 0]), cut([0.9, 0, 0, 0], threshold=0.8, severity=2)
    assert one.id == other.id
    (longer,) = cut([0.9, 0.9, 0, 0])
    assert longer.id != one.id


def test_intervals_come_by_start_the_gravest_first() -> None:
    first, second = cut([0.9, 0, 0, 0.6])
    graver = replace(first, severity=5)
    assert by_start([second, first, graver]) == (graver, first, second)
