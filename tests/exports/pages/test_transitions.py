from mastershot.exports.pages.transitions import TransitionMap, map_transitions
from mastershot.labelling.transitions import LabelTransitions

ROWS = (
    LabelTransitions("bar", 9.0, 0.5, (("street", 0.1), ("club", 0.4))),
    LabelTransitions("street", 8.0, 0.9, (("attic", 0.1),)),
    LabelTransitions("club", 7.0, 0.6, (("bar", 0.4),)),
    LabelTransitions("attic", 1.0, 1.0, ()),
)


def test_labels_that_follow_each_other_stand_side_by_side() -> None:
    assert map_transitions(ROWS, 3) == TransitionMap(
        ("bar", "club", "street"),
        ((0.5, 0.4, 0.1), (0.4, 0.6, 0.0), (0.0, 0.0, 0.9)),
    )
    whole = map_transitions(ROWS)
    assert whole is not None
    assert whole.labels == ("bar", "club", "street", "attic")


def test_fewer_than_two_labels_have_no_map() -> None:
    assert map_transitions(ROWS[:1]) is None
    assert map_transitions(()) is None
