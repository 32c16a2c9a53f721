"""Groups by affinity propagation."""

import numpy as np
import pytest
from tests.factories.toy_space import at_angles

from mastershot.curation.built import Group, group_labels

WATERS_AND_ROOMS = {
    "lake": 0, "pond": 3, "river": -3, "sea": 5,
    "office": 120, "study": 117, "library": 124,
}  # fmt: skip


def test_labels_that_lie_together_are_a_group_named_by_the_one_in_the_middle() -> None:
    found = group_labels(list(WATERS_AND_ROOMS), at_angles(WATERS_AND_ROOMS))
    assert [group.labels for group in found] == [
        ("lake", "pond", "river", "sea"), ("library", "office", "study"),
    ]  # fmt: skip
    assert all(group.exemplar in group.labels for group in found)


def test_groups_are_the_same_every_time() -> None:
    rng = np.random.default_rng(0)
    angles = {f"label {index}": float(rng.uniform(0, 360)) for index in range(60)}
    once = group_labels(list(angles), at_angles(angles))
    assert group_labels(list(angles), at_angles(angles)) == once
    assert sorted(name for group in once for name in group.labels) == sorted(angles)


def test_a_single_label_is_its_own_group() -> None:
    assert group_labels(["lake"], at_angles({"lake": 0})) == (Group("lake", ("lake",)),)
    two = group_labels(["lake", "office"], at_angles(WATERS_AND_ROOMS))
    assert sorted(name for group in two for name in group.labels) == ["lake", "office"]


def test_messages_that_never_settle_leave_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mastershot.curation.built._MAX_ROUNDS", 2)
    assert group_labels(list(WATERS_AND_ROOMS), at_angles(WATERS_AND_ROOMS)) == ()
