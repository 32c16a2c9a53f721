"""Which found boundaries are which true ones: one to one, as many as can be, and the nearest."""
# F found boundaries, T true ones

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mastershot.datasets.boundaries.boundary import Boundary
from mastershot.evaluation.bootstrap import BoolArray, RealArray

Accepts = Callable[[Boundary, Boundary], bool]
"""Whether a found boundary may stand for a true one that it touches."""


def match_boundaries(
    found: Sequence[Boundary],
    true: Sequence[Boundary],
    *,
    tolerance: float,
    accepts: Accepts | None = None,
) -> list[tuple[int, int]]:
    """Return pairs of a found and a true boundary, by place, ascending.

    A boundary lies from its ``start`` to its ``end``, both inclusive, in terms of the first frame
    of a new shot; a cut is one place. Two may be paired if they come within the tolerance of each
    other: ``found.start <= true.end + tolerance`` and ``found.end >= true.start - tolerance``. Of
    all ways to pair each with at most one other, this is one that has the most pairs, and of those
    the least sum of distances between starts and between ends. (Pairing in order of time, as is
    usual, may have fewer pairs where intervals differ in length.)

    Args:
        found: Boundaries found.
        true: Boundaries that are there.
        tolerance: In frames.
        accepts: What else must hold of a pair.
    """
    pairs: list[tuple[int, int]] = []
    for places_F, places_T in _clusters(found, true, tolerance):
        places = _allowed(found, true, places_F, places_T, tolerance)
        if accepts is not None:
            for row, column in np.argwhere(places).tolist():
                places[row, column] = accepts(found[places_F[row]], true[places_T[column]])
        distances = _distances(found, true, places_F, places_T)
        pairs += [(places_F[f], places_T[t]) for f, t in assign(distances, places)]
    return sorted(pairs)


def assign(distances: RealArray, allowed: BoolArray) -> list[tuple[int, int]]:
    """Return allowed pairs of rows and columns: the most of them, at the least sum of distances.

    This is the assignment problem with a price on every pair that is not allowed higher than all
    distances together, solved by shortest augmenting paths (Kuhn, "The Hungarian method for the
    assignment problem", Naval Research Logistics Quarterly 2, 1955; in the form with potentials, of
    cubic time). Distances are finite and not negative, shape (F, T), as is ``allowed``.
    """
    if not allowed.any():
        return []
    if allowed.size == 1:
        return [(0, 0)]
    if len(allowed) > allowed.shape[1]:
        return sorted((row, column) for column, row in assign(distances.T, allowed.T))
    price = 1.0 + float(distances[allowed].max()) * len(allowed)
    column_of_row = _cheapest(np.where(allowed, distances, price))
    return [(row, column) for row, column in enumerate(column_of_row) if allowed[row, column]]


def _cheapest(costs: RealArray) -> list[int]:
    """Return the column of each row in the cheapest assignment; rows are no more than columns."""
    num_rows, num_columns = costs.shape
    # Column 0 stands for the row that is to be placed; row 0 for none.
    row_potential, column_potential = np.zeros(num_rows + 1), np.zeros(num_columns + 1)
    row_of, came_from = np.zeros(num_columns + 1, np.int64), np.zeros(num_columns + 1, np.int64)
    for row in range(1, num_rows + 1):
        row_of[0], column = row, 0
        shortest, done = np.full(num_columns + 1, np.inf), np.zeros(num_columns + 1, np.bool_)
        while True:
            done[column] = True
            here = row_of[column]
            step = costs[here - 1] - row_potential[here] - column_potential[1:]
            nearer = np.flatnonzero(~done[1:] & (step < shortest[1:])) + 1
            shortest[nearer], came_from[nearer] = step[nearer - 1], column
            column = int(np.where(done, np.inf, shortest).argmin())
            length = shortest[column]
            row_potential[row_of[done]] += length
            column_potential[done] -= length
            shortest[~done] -= length
            if row_of[column] == 0:
                break
        while column:
            before = int(came_from[column])
            row_of[column], column = row_of[before], before
    columns = np.zeros(num_rows, np.int64)
    placed = np.flatnonzero(row_of[1:])
    columns[row_of[placed + 1] - 1] = placed
    return [int(column) for column in columns]


def _clusters(
    found: Sequence[Boundary], true: Sequence[Boundary], tolerance: float
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield places of boundaries that may touch, directly or by others, with some of either."""
    spans = [(one.start - tolerance, one.end + tolerance, 0, at) for at, one in enumerate(found)]
    spans += [(one.start, one.end, 1, at) for at, one in enumerate(true)]
    cluster: tuple[list[int], list[int]] = [], []
    reached = -np.inf
    for start, end, side, at in sorted(spans):
        if start > reached:
            if all(cluster):
                yield cluster
            cluster = [], []
        cluster[side].append(at)
        reached = max(reached, end)
    if all(cluster):
        yield cluster


def _ends(boundaries: Sequence[Boundary], places: Sequence[int]) -> RealArray:
    rows = [(boundaries[at].start, boundaries[at].end) for at in places]
    return np.array(rows, np.float64).T


def _allowed(
    found: Sequence[Boundary],
    true: Sequence[Boundary],
    places_F: Sequence[int],
    places_T: Sequence[int],
    tolerance: float,
) -> BoolArray:
    starts_F, ends_F = _ends(found, places_F)
    starts_T, ends_T = _ends(true, places_T)
    is_early_enough = starts_F[:, None] <= ends_T + tolerance
    is_late_enough = ends_F[:, None] >= starts_T - tolerance
    allowed: BoolArray = is_early_enough & is_late_enough
    return allowed


def _distances(
    found: Sequence[Boundary],
    true: Sequence[Boundary],
    places_F: Sequence[int],
    places_T: Sequence[int],
) -> RealArray:
    starts_F, ends_F = _ends(found, places_F)
    starts_T, ends_T = _ends(true, places_T)
    gaps: RealArray = np.abs(starts_F[:, None] - starts_T) + np.abs(ends_F[:, None] - ends_T)
    return gaps
