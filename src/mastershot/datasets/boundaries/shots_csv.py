"""Our own table of shots, ``shots.csv``, and hand-made ones of its kind.

Columns ``first_frame`` and, where there are some, ``end_frame`` (one past the last frame),
``transition`` (how the shot begins: cut, fade, dissolve, wipe, gradual, start), and
``transition_start`` and ``transition_end`` for its extent. `mastershot analyze` writes no extents
into its table: there a gradual transition is a point, the shot's first frame. Its timeline has
them.
"""

from pathlib import Path
from typing import cast, get_args

from mastershot.core.errors import DatasetError, ShotListError
from mastershot.datasets.boundaries.boundary import Boundary, BoundaryKind, BoundaryList
from mastershot.datasets.files import Row, read_table


def read_shots_csv(path: Path) -> BoundaryList:
    """Return the boundaries of such a table.

    Raises:
        ShotListError: The table is unreadable, empty, of other columns, or out of order.
    """
    name = f"shot list {path}"
    try:
        rows = read_table(path, ("first_frame",), what="shot list")
        if not rows:
            raise ShotListError(f"{name} has a header but no shot below it")
        found = [boundary for row in rows if (boundary := _boundary(row)) is not None]
        end = rows[-1].whole("end_frame") if rows[-1].get("end_frame") else None
    except DatasetError as error:
        raise ShotListError(str(error)) from error
    return BoundaryList(name, tuple(found), end_frame=end)


def _boundary(row: Row) -> Boundary | None:
    """Return how a shot begins; None for the film's first shot."""
    first, kind = row.whole("first_frame"), row.get("transition") or "cut"
    if kind == "start" or first == 0:
        return None
    if kind not in get_args(BoundaryKind):
        known = ", ".join((*get_args(BoundaryKind), "start"))
        raise row.error(f"transition is {kind!r}, which should be one of {known}")
    start, end = first, first
    if kind != "cut" and row.get("transition_start") and row.get("transition_end"):
        start, end = row.whole("transition_start"), row.whole("transition_end")
    return Boundary(cast(BoundaryKind, kind), start, end)
