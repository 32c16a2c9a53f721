"""A data set of genres in numbers: trailers of each genre, of each length, and of each year."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mastershot.datasets.genres.table import SPLITS, GenreDataset, Trailer

_MOST_BINS = 24
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Bin:
    """One bar.

    Attributes:
        name: What it holds, such as ``Drama``, ``1990-1999`` or ``3``.
        by_split: Its trailers in each split, by name; trailers without a split are under ``""``.
    """

    name: str
    by_split: dict[str, int]

    @property
    def count(self) -> int:
        """All of its trailers."""
        return sum(self.by_split.values())


@dataclass(frozen=True)
class GenreStatistics:
    """The figures of a data set.

    Attributes:
        name: What the data set is called.
        num_trailers: Its trailers.
        num_clips: Their clips, which are shots.
        genres: Trailers of each genre, the most frequent first; a trailer may be in several.
        genres_a_trailer: Trailers by their number of genres.
        clips_a_trailer: Trailers by their number of clips.
        years: Trailers by year of release; empty where no year is known.
        without_year: Trailers whose year is not known.
        splits: The splits that there are.
    """

    name: str
    num_trailers: int
    num_clips: int
    genres: tuple[Bin, ...]
    genres_a_trailer: tuple[Bin, ...]
    clips_a_trailer: tuple[Bin, ...]
    years: tuple[Bin, ...]
    without_year: int
    splits: tuple[str, ...]

    @property
    def histograms(self) -> dict[str, tuple[Bin, ...]]:
        """All of them by name."""
        return {
            "genres": self.genres,
            "genres a trailer": self.genres_a_trailer,
            "clips a trailer": self.clips_a_trailer,
            "years": self.years,
        }


def genre_statistics(data: GenreDataset) -> GenreStatistics:
    """Return the figures of a data set."""
    trailers = data.trailers
    splits = tuple(name for name in (*SPLITS, "") if any(one.split == name for one in trailers))

    def bin_of(name: str, some: Sequence[Trailer]) -> Bin:
        counts = Counter(one.split for one in some)
        return Bin(name, {split: counts[split] for split in splits})

    def bins(value_of: Callable[[Trailer], int | None]) -> tuple[Bin, ...]:
        values = {one.id: value for one in trailers if (value := value_of(one)) is not None}
        if not values:
            return ()
        low, high = min(values.values()), max(values.values())
        width = _width(low, high)
        starts = range(low // width * width, high + 1, width)
        return tuple(
            bin_of(
                str(start) if width == 1 else f"{start}-{start + width - 1}",
                [
                    one
                    for one in trailers
                    if values.get(one.id, start - 1) // width * width == start
                ],
            )
            for start in starts
        )

    genres = [bin_of(name, [t for t in trailers if name in t.genres]) for name in data.genres]
    return GenreStatistics(
        name=data.name,
        num_trailers=len(trailers),
        num_clips=int(data.starts[-1]),
        genres=tuple(sorted(genres, key=lambda one: (-one.count, one.name))),
        genres_a_trailer=bins(lambda one: len(one.genres)),
        clips_a_trailer=bins(lambda one: one.num_clips),
        years=bins(lambda one: one.year),
        without_year=sum(one.year is None for one in trailers),
        splits=splits,
    )


def _width(low: int, high: int) -> int:
    """Return the width of bins of whole numbers: 1, 2 or 5 times a power of ten."""
    scale = 1
    while True:
        for step in _STEPS:
            if (high // (step * scale)) - (low // (step * scale)) < _MOST_BINS:
                return step * scale
        scale *= 10
