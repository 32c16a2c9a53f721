"""A data set of genres in numbers: every trailer is in one bin of each histogram."""

from pathlib import Path

from mastershot.datasets.genres.statistics import genre_statistics
from mastershot.datasets.genres.table import GenreDataset, Trailer


def data_of(*trailers: Trailer) -> GenreDataset:
    return GenreDataset(Path("nowhere"), "some", ("Drama", "War", "Western"), {}, trailers)


def test_trailers_are_counted_by_genre_length_year_and_split() -> None:
    found = genre_statistics(
        data_of(
            Trailer("a", "", 1999, "train", ("War", "Drama"), 30),
            Trailer("b", "", 1999, "test", ("War",), 31),
            Trailer("c", "", None, "", (), 4),
            Trailer("d", "", 2001, "train", ("War",), 55),
        )
    )
    assert [(one.name, one.count) for one in found.genres] == [
        ("War", 3), ("Drama", 1), ("Western", 0),
    ]  # fmt: skip
    assert found.splits == ("train", "test", "")
    assert found.genres[0].by_split == {"train": 2, "test": 1, "": 0}
    assert [(one.name, one.count) for one in found.years] == [("1999", 2), ("2000", 0), ("2001", 1)]
    assert found.without_year == 1
    lengths = {one.name: one.count for one in found.clips_a_trailer}
    assert {name: n for name, n in lengths.items() if n} == {"0-4": 1, "30-34": 2, "55-59": 1}
    assert [(one.name, one.count) for one in found.genres_a_trailer] == [
        ("0", 1), ("1", 2), ("2", 1),
    ]  # fmt: skip
    assert (found.num_trailers, found.num_clips) == (4, 120)


def test_bins_are_few_whatever_the_values() -> None:
    found = genre_statistics(
        data_of(
            Trailer("a", "", -7, "", ("War",), 0), Trailer("b", "", 10**9, "", ("War",), 12_345)
        )
    )
    assert 2 <= len(found.years) <= 24
    assert 2 <= len(found.clips_a_trailer) <= 24
    for bins in (found.years, found.clips_a_trailer):
        assert sum(one.count for one in bins) == 2
        assert bins[0].count == bins[-1].count == 1
