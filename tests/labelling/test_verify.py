"""Verdicts as tables, and the evaluation subset they make."""

from collections.abc import Sequence

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.tables.records import LabelledShot
from mastershot.labelling.verdicts import Verdict
from mastershot.labelling.verify import clip_of_shot, evaluation_subset, gather_ratings

SHOWN = ("bar", "zoo", "inn")


def verdict(
    shot: str, rater: str, ticked: Sequence[str] = (), shown: tuple[str, ...] = SHOWN
) -> Verdict:
    return Verdict(shot, rater, shown, tuple(ticked), "2025-01-01T00:00:00Z")


VERDICTS = [
    verdict("a/1.mp4", "ann", ["bar"]),
    verdict("a/1.mp4", "bob", ["bar", "zoo"]),
    verdict("a/2.mp4", "ann", ["inn"]),
    verdict("a/2.mp4", "bob", ["inn"]),
    verdict("b/1.mp4", "ann"),
    verdict("b/1.mp4", "cat", ["bar"]),
    verdict("c/1.mp4", "cat", ["zoo"], ("zoo", "bar")),
]


def test_verdicts_worked_by_hand() -> None:
    found = gather_ratings(VERDICTS)
    assert (found.raters, found.num_verdicts) == (("ann", "bob", "cat"), 7)
    assert found.confirmed == {
        "a/1.mp4": ("bar",), "a/2.mp4": ("inn",), "b/1.mp4": (), "c/1.mp4": ("zoo",),
    }  # fmt: skip
    assert found.dropped == ("b/1.mp4",)
    assert found.confirmed_table.astype(int).tolist() == [
        [1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 0, 0],
    ]  # fmt: skip
    # Columns are ann, bob, cat; rows the labels of a/1, a/2, b/1 and c/1 in the order shown.
    assert found.ticks.tolist() == [
        [1, 1, -1], [0, 1, -1], [0, 0, -1], [0, 0, -1], [0, 0, -1], [1, 1, -1],
        [0, -1, 1], [0, -1, 0], [0, -1, 0], [-1, -1, 1], [-1, -1, 0],
    ]  # fmt: skip
    assert found.clips == ("a", "a", "b", "c")
    assert found.clips_of_ticks == ("a",) * 6 + ("b",) * 3 + ("c",) * 2


def test_more_than_half_of_the_raters_confirm_by_default() -> None:
    found = gather_ratings(VERDICTS, above_share=0.49)
    assert found.confirmed["a/1.mp4"] == ("bar", "zoo")
    assert found.dropped == ()


def test_a_rater_who_changes_their_mind_counts_once() -> None:
    found = gather_ratings([*VERDICTS, verdict("a/2.mp4", "ann"), verdict("a/2.mp4", "bob")])
    assert found.num_verdicts == 7
    assert found.dropped == ("a/2.mp4", "b/1.mp4")


def test_the_order_of_the_verdicts_of_others_does_not_matter() -> None:
    one, other = gather_ratings(VERDICTS), gather_ratings(VERDICTS[::-1])
    assert one.confirmed == other.confirmed
    assert np.array_equal(one.ticks, other.ticks)


def test_verdicts_that_make_no_table_are_an_error() -> None:
    with pytest.raises(DatasetError, match="there is no verdict yet"):
        gather_ratings([])
    with pytest.raises(DatasetError, match=r"shot a/1\.mp4 was shown to some raters with other"):
        gather_ratings([*VERDICTS, verdict("a/1.mp4", "cat", shown=("bar",))])


def test_the_evaluation_subset_holds_what_was_confirmed() -> None:
    confirmed = {
        "v_a_seg_0_10/1.mp4": ("phone booth", "bar", "booth"),
        "b/1.mp4": ("house",),
        "b/2.mp4": (),
    }
    subset = evaluation_subset(confirmed, Taxonomy("index", ("bar", "booth")))
    assert subset.shots == (LabelledShot("v_a_seg_0_10", "1.mp4", (1, 0)),)
    assert (subset.num_shots, subset.num_unsure, subset.num_outside) == (3, 1, 1)


def test_a_shot_names_its_clip() -> None:
    assert clip_of_shot("v_a_b_seg_0_10/v_a_b_seg_0_10-Scene-001.mp4") == "a_b"
