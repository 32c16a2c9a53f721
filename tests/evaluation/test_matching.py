"""Pairs against brute force."""

from itertools import combinations, permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mastershot.datasets.boundaries.boundary import Boundary
from mastershot.evaluation.matching import assign, match_boundaries

INTERVALS = st.lists(
    st.tuples(st.integers(0, 24), st.sampled_from([0, 0, 1, 4, 9])), max_size=5, unique=True
)


def boundaries(spans: list[tuple[int, int]]) -> list[Boundary]:
    return [
        Boundary("dissolve" if length else "cut", start, start + length)
        for start, length in sorted(spans)
    ]


def touch(found: Boundary, true: Boundary, tolerance: int) -> bool:
    places = range(true.start - tolerance, true.end + tolerance + 1)
    return any(found.start <= place <= found.end for place in places)


def distance(found: Boundary, true: Boundary) -> int:
    return abs(found.start - true.start) + abs(found.end - true.end)


def best_by_brute_force(
    found: list[Boundary], true: list[Boundary], tolerance: int
) -> tuple[int, int]:
    """Return the most pairs there can be, and their least distance in sum."""
    for count in range(min(len(found), len(true)), 0, -1):
        sums = [
            sum(distance(found[f], true[t]) for f, t in zip(rows, columns, strict=True))
            for rows in combinations(range(len(found)), count)
            for columns in permutations(range(len(true)), count)
            if all(touch(found[f], true[t], tolerance) for f, t in zip(rows, columns, strict=True))
        ]
        if sums:
            return count, min(sums)
    return 0, 0


@given(INTERVALS, INTERVALS, st.sampled_from([0, 1, 2, 6]))
def test_there_is_no_better_way_to_pair(
    one: list[tuple[int, int]], other: list[tuple[int, int]], tolerance: int
) -> None:
    found, true = boundaries(one), boundaries(other)
    pairs = match_boundaries(found, true, tolerance=tolerance)
    assert len({f for f, _ in pairs}) == len({t for _, t in pairs}) == len(pairs)
    assert all(touch(found[f], true[t], tolerance) for f, t in pairs)
    total = sum(distance(found[f], true[t]) for f, t in pairs)
    assert (len(pairs), total) == best_by_brute_force(found, true, tolerance)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.8]))
def test_any_table_of_distances_is_solved(rows: int, columns: int, seed: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    distances = generator.integers(0, 9, (rows, columns)).astype(float)
    allowed = generator.random((rows, columns)) < share
    pairs = assign(distances, allowed)
    best = (0, 0.0)
    for count in range(1, min(rows, columns) + 1):
        sums = [
            sum(distances[pair] for pair in zip(some, others, strict=True))
            for some in combinations(range(rows), count)
            for others in permutations(range(columns), count)
            if all(allowed[pair] for pair in zip(some, others, strict=True))
        ]
        best = (count, min(sums)) if sums else best
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert (len(pairs), sum(distances[pair] for pair in pairs)) == best


def test_pairing_in_order_of_time_would_lose_a_pair() -> None:
    # The long dissolve comes first and would take the first cut, the only one the second can have.
    found = [Boundary("dissolve", 0, 30), Boundary("cut", 5, 5)]
    true = [Boundary("cut", 4, 4), Boundary("cut", 29, 29)]
    assert match_boundaries(found, true, tolerance=1) == [(0, 1), (1, 0)]


def test_of_several_the_nearest_is_taken_and_each_only_once() -> None:
    found = [Boundary("cut", at, at) for at in (98, 100, 101)]
    true = [Boundary("cut", 100, 100)]
    assert match_boundaries(found, true, tolerance=2) == [(1, 0)]
    both = [Boundary("cut", 98, 98), Boundary("cut", 100, 100)]
    assert match_boundaries(found, both, tolerance=2) == [(0, 0), (1, 1)]


def test_what_is_not_accepted_is_not_paired() -> None:
    found, true = [Boundary("cut", 5, 5)], [Boundary("dissolve", 3, 9)]
    assert match_boundaries(found, true, tolerance=0) == [(0, 0)]
    assert match_boundaries(found, true, tolerance=0, accepts=lambda f, t: f.kind == t.kind) == []


def test_thousands_that_may_all_be_paired_with_each_other_are_paired_in_order() -> None:
    found = [Boundary("cut", at, at) for at in range(0, 900, 3)]
    true = [Boundary("cut", at, at) for at in range(1, 901, 3)]
    pairs = match_boundaries(found, true, tolerance=10_000)
    assert pairs == [(place, place) for place in range(300)]
