"""Splits keep films together and genres in their shares, whatever the order of trailers."""

from collections import Counter

import numpy as np
import pytest

from mastershot.core.errors import SettingError
from mastershot.datasets.genres.duplicates import Twins
from mastershot.pipeline.genres.films import groups_of, parse_shares, stratified_splits


def drawn(count: int, seed: int = 0) -> list[tuple[str, ...]]:
    rng = np.random.default_rng(seed)
    names, chances = ("Drama", "Comedy", "War", "Western"), (0.5, 0.4, 0.1, 0.04)
    rows = rng.random((count, 4)) < chances
    return [tuple(n for n, has in zip(names, row, strict=True) if has) for row in rows]


def test_every_genre_has_its_share_in_every_split() -> None:
    genres = drawn(1000)
    splits = stratified_splits(genres, list(range(1000)), [str(n) for n in range(1000)])
    for name in ("Drama", "Comedy", "War", "Western"):
        counts = Counter(s for s, one in zip(splits, genres, strict=True) if name in one)
        total = sum(counts.values())
        assert counts["train"] == pytest.approx(0.7 * total, abs=2)
        assert counts["val"] == pytest.approx(0.15 * total, abs=2)
        assert counts["test"] == pytest.approx(0.15 * total, abs=2)


def test_the_order_of_trailers_does_not_matter_and_the_seed_does() -> None:
    genres, keys = drawn(200), [f"k{n}" for n in range(200)]
    one = dict(zip(keys, stratified_splits(genres, list(range(200)), keys), strict=True))
    order = np.random.default_rng(1).permutation(200).tolist()
    shuffled = stratified_splits(
        [genres[n] for n in order], list(range(200)), [keys[n] for n in order]
    )
    assert dict(zip([keys[n] for n in order], shuffled, strict=True)) == one
    other = stratified_splits(genres, list(range(200)), keys, seed=1)
    assert dict(zip(keys, other, strict=True)) != one


def test_groups_stay_together() -> None:
    twins = [Twins(0, 5), Twins(5, 9), Twins(2, 3)]
    groups = groups_of(10, twins)
    assert groups == [0, 1, 2, 2, 4, 0, 6, 7, 8, 0]
    splits = stratified_splits(drawn(10), groups, [str(n) for n in range(10)])
    assert splits[0] == splits[5] == splits[9]
    assert splits[2] == splits[3]


@pytest.mark.parametrize("text", ["", "a", "0.5,0.6", "dev=1", "train=0.5,train=0.5", "1,0,0,0",
                                  "nan", "-1,2"])  # fmt: skip
def test_shares_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match="mean nothing"):
        parse_shares(text)


def test_shares_by_place_or_by_name() -> None:
    assert parse_shares("0.8,0.1,0.1") == {"train": 0.8, "val": 0.1, "test": 0.1}
    assert parse_shares("train=0.8, test=0.2") == {"train": 0.8, "val": 0.0, "test": 0.2}
