import tempfile
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mastershot.mining import watch_counts
from mastershot.mining.settings import CoWatchSettings
from mastershot.mining.watch_counts import count_pairs

View = tuple[int, int, float]
ALL = CoWatchSettings(next_items=0)
DAY_S = 86_400.0


def saved(folder: Path, *files: list[View]) -> list[Path]:
    """Write views as `sorted_events` does."""
    paths = [folder / f"{number}.npy" for number in range(len(files))]
    kind = np.dtype([("viewer", "<i4"), ("movie", "<i4"), ("time_s", "<f8")])
    for path, views in zip(paths, files, strict=True):
        np.save(path, np.array(views, kind))
    return paths


def counted(
    folder: Path, *files: list[View], num_movies: int = 5, horizon: CoWatchSettings = ALL
) -> dict[tuple[int, int], int]:
    pieces = count_pairs(saved(folder, *files), num_movies, folder, horizon).pieces()
    return {(a, b): num for piece in pieces for a, b, num in zip(*piece, strict=True)}


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.permutations(range(5)), max_size=4), min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(1, 12),
)
def test_counts_are_those_of_a_plain_loop_however_few_pairs_are_held(
    files: list[list[list[int]]], next_items: int, held: int
) -> None:
    due: Counter[tuple[int, int]] = Counter()
    views: list[list[View]] = []
    for number, viewers in enumerate(files):
        views.append([(4 * number + v, m, 0.0) for v, seen in enumerate(viewers) for m in seen])
        for seen in viewers:
            for place, movie in enumerate(seen):
                last = place + 1 + next_items if next_items else None
                due.update((movie, later) for later in seen[place + 1 : last])
    with (
        tempfile.TemporaryDirectory() as name,
        patch.object(watch_counts, "_RUN_PAIRS", held),
    ):
        paths = saved(Path(name), *views)
        counts = count_pairs(paths, 5, Path(name), CoWatchSettings(next_items=next_items))
        pieces = [np.stack(piece) for piece in counts.pieces()]
    whole = np.concatenate([np.empty((3, 0), np.int64), *pieces], axis=1)
    assert [tuple(row) for row in whole.T] == [(*pair, due[pair]) for pair in sorted(due)]
    for side, total in ((0, counts.num_first), (1, counts.num_second)):
        of_side = Counter(pair[side] for pair in due.elements())
        assert total.tolist() == [of_side[movie] for movie in range(5)]
    firsts = [set(piece[0]) for piece in pieces]
    assert sum(map(len, firsts)) == len(set.union(set(), *firsts))  # a movie is in one piece


def test_a_piece_holds_no_more_pairs_than_are_held_unless_one_movie_has_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_counts, "_RUN_PAIRS", 4)
    seen: list[View] = [(0, movie, float(movie)) for movie in range(7)]
    pieces = list(count_pairs(saved(tmp_path, seen), 7, tmp_path, ALL).pieces())
    assert [(set(first.tolist()), len(first)) for first, _, _ in pieces] == [
        ({0}, 6), ({1}, 5), ({2}, 4), ({3}, 3), ({4, 5}, 3),
    ]  # fmt: skip


def test_the_end_of_the_horizon_belongs_to_it(tmp_path: Path) -> None:
    horizon = CoWatchSettings(next_items=0, within_days=1)
    views: list[View] = [(0, 0, 0.0), (0, 1, DAY_S), (0, 2, DAY_S + 1), (1, 3, 0.0), (1, 4, DAY_S)]
    assert counted(tmp_path, views, horizon=horizon) == {(0, 1): 1, (1, 2): 1, (3, 4): 1}


def test_one_viewer_s_last_movie_is_not_followed_by_the_next_viewer_s_first(tmp_path: Path) -> None:
    assert counted(tmp_path, [(0, 0, 5.0), (1, 1, 6.0)], [(2, 2, 7.0)], [(3, 3, 8.0)]) == {}
    assert counted(tmp_path, []) == {}


def test_keys_of_many_movies_do_not_overflow(tmp_path: Path) -> None:
    last = 3_000_000
    views: list[View] = [(0, last - 1, 0.0), (0, last - 2, 1.0)]
    assert counted(tmp_path, views, num_movies=last) == {(last - 1, last - 2): 1}
