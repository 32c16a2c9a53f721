import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.core.movie import SCALES
from mastershot.evaluation.agreement import NO_VALUE, krippendorff_alpha
from mastershot.labelling.verdicts import Verdict
from mastershot.labelling.verify import NOT_RATED, gather_ratings
from mastershot.pipeline.verification import scale_reliability, scale_shares, verify_labels

TICKS = {
    ("a/1.mp4", "ann"): ["bar"],
    ("a/1.mp4", "bob"): ["bar", "zoo"],
    ("a/2.mp4", "ann"): ["inn"],
    ("a/2.mp4", "bob"): ["inn"],
    ("b/1.mp4", "ann"): [],
    ("b/1.mp4", "cat"): ["bar"],
    ("c/1.mp4", "cat"): ["bar"],
}
VERDICTS = [
    Verdict(shot, rater, ("bar", "zoo", "inn"), tuple(ticked), "2025-01-01T00:00:00Z")
    for (shot, rater), ticked in TICKS.items()
]


def test_a_verification_worked_by_hand() -> None:
    found = verify_labels(VERDICTS)
    assert (len(found.confirmed), found.num_raters, found.num_verdicts) == (4, 3, 7)
    assert found.dropped == ("b/1.mp4",)
    assert (found.agreement.best.value, found.agreement.any.value) == (0.5, 0.75)
    assert found.agreement.best.num_items == 4


def test_alpha_is_over_every_label_shown_and_drawn_by_clips() -> None:
    found = verify_labels(VERDICTS).alpha
    assert NOT_RATED == NO_VALUE
    assert found.value == pytest.approx(krippendorff_alpha(gather_ratings(VERDICTS).ticks))
    assert found.interval.low <= found.value <= found.interval.high
    assert found.num_items == 2  # clips with a label that two people saw


def test_one_rater_alone_has_no_alpha() -> None:
    assert np.isnan(verify_labels(VERDICTS[:1]).alpha.value)


def test_shots_weigh_what_they_were_drawn_for() -> None:
    weights = {"a/1.mp4": 1.0, "a/2.mp4": 1.0, "b/1.mp4": 6.0, "c/1.mp4": 2.0}
    found = verify_labels(VERDICTS, weights=weights).agreement
    assert found.best.value == pytest.approx((1 + 2) / 10)
    assert found.any.value == pytest.approx((1 + 1 + 2) / 10)


def test_a_shot_that_was_not_drawn_is_an_error() -> None:
    with pytest.raises(DatasetError, match=r"a/2\.mp4 has a verdict but was not drawn"):
        verify_labels(VERDICTS, weights={"a/1.mp4": 1.0})


def test_the_scales_of_dropped_shots_are_shares_with_intervals() -> None:
    shots = [f"v{number}/1.mp4" for number in range(40)]
    shares = scale_shares(shots, ["CS"] * 30 + ["ECS"] * 10)
    assert list(shares) == list(SCALES)
    assert [figure.value for figure in shares.values()] == [0.25, 0.75, 0, 0, 0]
    assert shares["CS"].interval.low < 0.75 < shares["CS"].interval.high
    assert shares["LS"].interval.high == 0


def test_an_unknown_scale_is_an_error() -> None:
    with pytest.raises(DatasetError, match="shot scale 'XL' is none of ECS, CS, MS, FS, LS"):
        scale_shares(["a/1.mp4"], ["XL"])


def scored(scale: str) -> dict[str, float]:
    return dict.fromkeys(SCALES, 0.1) | {scale: 0.6}


def test_reliability_by_scale_worked_by_hand() -> None:
    scales = {"a/1.mp4": scored("CS"), "a/2.mp4": scored("LS"), "b/1.mp4": scored("CS")}
    found = scale_reliability(VERDICTS, scales)
    assert {scale: figure.value for scale, figure in found.items()} == {
        "CS": 0.5, "LS": 0.0, None: 1.0,
    }  # fmt: skip
    assert (found["CS"].interval.low, found["CS"].interval.high) == (0, 1)
    one_film = scale_reliability(VERDICTS, scales, film_of_clip={"a": "f", "b": "f"})["CS"]
    assert one_film.interval.low == one_film.interval.high == 0.5
    weights = {"a/1.mp4": 3.0, "a/2.mp4": 1.0, "b/1.mp4": 1.0, "c/1.mp4": 1.0}
    assert scale_reliability(VERDICTS, scales, weights=weights)["CS"].value == 0.75


def test_a_shot_that_lacks_the_score_of_a_scale_is_an_error() -> None:
    with pytest.raises(DatasetError, match=r"a/1\.mp4 has scores of CS; they are due of ECS, CS"):
        scale_reliability(VERDICTS, {"a/1.mp4": {"CS": 1.0}})
    with pytest.raises(DatasetError, match="has scores of no scale"):
        scale_reliability(VERDICTS, {"a/1.mp4": {}})
