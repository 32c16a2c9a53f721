import pytest

from mastershot.core.errors import ShotListError
from mastershot.datasets.boundaries.boundary import Boundary, BoundaryList, boundaries_between


def between(*shots: tuple[int, int]) -> tuple[Boundary, ...]:
    return boundaries_between(shots, [f"line {n}" for n, _ in enumerate(shots, 1)], name="list")


def test_shots_that_follow_each_other_are_cut_and_frames_between_are_gradual() -> None:
    assert between((0, 38), (43, 285), (286, 378)) == (
        Boundary("gradual", 39, 43),
        Boundary("cut", 286, 286),
    )
    assert between((0, 9)) == ()
    # Two shots of BBC's tenth episode share a frame.
    assert between((23852, 23931), (23931, 24162))[0] == Boundary("cut", 23931, 23931)


@pytest.mark.parametrize(
    ("shots", "message"),
    [
        ([], "list names no shot; it should name one a line"),
        ([(0, 5), (9, 7)], r"list, line 2: a shot from frame 9 to 7 should start at 0 or later"),
        ([(-3, 5)], r"list, line 1: a shot from frame -3 to 5 should"),
        ([(0, 50), (20, 70)], r"line 2: it is out of order: a shot from frame 20 follows one from"),
        ([(50, 60), (0, 49)], "out of order"),
    ],
)
def test_shots_that_contradict_each_other_are_refused(
    shots: list[tuple[int, int]], message: str
) -> None:
    with pytest.raises(ShotListError, match=message):
        between(*shots)


def test_boundaries_are_in_order_and_a_cut_has_no_length() -> None:
    with pytest.raises(ShotListError, match="list is out of order: the boundary at frame 7 foll"):
        BoundaryList("list", (Boundary("cut", 9, 9), Boundary("cut", 7, 7)))
    with pytest.raises(ShotListError, match="cut from frame 5 to 8 should"):
        BoundaryList("list", (Boundary("cut", 5, 8),))
    with pytest.raises(ShotListError, match="wipe from frame 9 to 8 should"):
        BoundaryList("list", (Boundary("wipe", 9, 8),))


def test_a_list_is_shifted_and_a_piece_of_it_counts_from_its_own_start() -> None:
    found = BoundaryList("list", (Boundary("cut", 10, 10), Boundary("wipe", 40, 60)), 100)
    later = found.shifted(5)
    assert later.boundaries == (Boundary("cut", 15, 15), Boundary("wipe", 45, 65))
    assert later.end_frame == 105
    with pytest.raises(ShotListError, match="cut from frame -1"):
        found.shifted(-11)
    assert found.piece(10, 90).boundaries == (Boundary("wipe", 30, 50),)  # 10 is its start, no cut
    assert found.piece(45, 30).boundaries == (Boundary("wipe", 0, 15),)  # Its middle is inside.
    assert found.piece(55, 30).boundaries == ()
    assert found.piece(0, 45).boundaries == (Boundary("cut", 10, 10),)
    assert found.piece(90, 30).end_frame == 10
