"""Movies that the same viewers watched one after the other (Movies2Scenes 4.1.1, METHODS B2)."""

# N movies, a and b two of them; c(a, b) viewers who watched b after a

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.core.similarity import NUM_SIMILAR, SimilarityTable, places_of
from mastershot.datasets.tables.watch_log import WatchLog
from mastershot.mining.watch_counts import PairCounts, Pairs, count_pairs
from mastershot.mining.watch_events import EventReport, sorted_events

Measure = Literal["lift", "count"]


@dataclass(frozen=True)
class CoWatchSettings:
    """What counts as watched after, and how movies are ranked; the paper publishes neither.

    Attributes:
        measure: ``count`` ranks by c(a, b), as the paper words it; ``lift`` by
            c(a, b) / (expected + prior), where expected = c(a, any) c(any, b) / c(any, any) is
            what the popularity of both alone would give; without the prior it is e to the PMI.
        next_items: How many of a viewer's next movies count; None for all later ones.
        within_s: How much later the later one may be watched; None for any time.
        min_viewers: Pairs that fewer viewers watched are left out.
        prior: Expected viewers added to each pair, so that two movies that one viewer happened to
            see are not the most similar of all.
        latest_s: Views later than this, in seconds since 1970, are impossible; None is now.
    """

    measure: Measure = "lift"
    next_items: int | None = 5
    within_s: float | None = None
    min_viewers: int = 2
    prior: float = 1.0
    latest_s: float | None = None

    def __post_init__(self) -> None:
        if self.measure not in ("lift", "count"):
            raise SettingError(f"co-watch has no measure {self.measure!r}; give lift or count")
        if self.next_items is not None and self.next_items < 1:
            raise SettingError(f"the next {self.next_items} movies are none; give 1 or more")
        if self.within_s is not None and not self.within_s > 0:
            raise SettingError(f"within {self.within_s} s nothing is watched; give more than 0")
        if self.min_viewers < 1:
            raise SettingError(f"{self.min_viewers} viewers are none; give 1 or more")
        if not 0 <= self.prior < np.inf:
            raise SettingError(f"a prior of {self.prior} means nothing; give 0 or more")


@dataclass(frozen=True)
class CoWatchReport:
    """What a log held, and what was left out.

    Attributes:
        events: What became of its views.
        num_pairs: Distinct pairs of a movie and one watched after it, before `min_viewers`.
        num_without_neighbours: Movies of the library that have no similar one.
    """

    events: EventReport
    num_pairs: int
    num_without_neighbours: int


@dataclass(frozen=True)
class CoWatch:
    """Similarity by a viewing log.

    Attributes:
        log: The views.
        settings: What counts and how it ranks.
    """

    log: WatchLog
    settings: CoWatchSettings = CoWatchSettings()

    def similar(self, movies: Sequence[str], *, num_similar: int = NUM_SIMILAR) -> SimilarityTable:
        """Return the table of `co_watched`."""
        return co_watched(self.log, movies, self.settings, num_similar=num_similar)[0]


def co_watched(
    log: WatchLog,
    movies: Sequence[str],
    settings: CoWatchSettings = CoWatchSettings(),
    *,
    num_similar: int = NUM_SIMILAR,
) -> tuple[SimilarityTable, CoWatchReport]:
    """Return for each movie those that most viewers watched after it, and what the log held.

    Views of other movies are passed over, as if the library's were all there are. Of a viewer's
    views of a movie the first counts. The log is read once, in pieces, and sorted on disk; memory
    grows with viewers and movies, not with views. Of movies that rank equal the earlier one in
    ``movies`` comes first.

    Raises:
        MiningError: A movie is named twice.
        DatasetError: The log is unreadable, or no view in it is of a movie of the library at a
            possible time.
        SettingError: The number is below 1.
    """
    if num_similar < 1:
        raise SettingError(f"{num_similar} similar movies a movie are none; ask for 1 or more")
    place_of = places_of(movies)
    with TemporaryDirectory(prefix="mastershot-") as folder:
        events, report = sorted_events(log, place_of, Path(folder), latest_s=settings.latest_s)
        counts = count_pairs(
            events,
            len(movies),
            Path(folder),
            next_items=settings.next_items,
            within_s=settings.within_s,
        )
        num_pairs = 0
        rows = []
        for piece in counts.pieces():
            num_pairs += len(piece[0])
            rows.append(_ranked(counts, piece, settings, num_similar))
    empty = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    movie, similar, scores = (np.concatenate(parts) for parts in zip(empty, *rows, strict=True))
    about = {"measure": "co-watch", **asdict(settings), "events": asdict(report)}
    table = SimilarityTable(tuple(movies), movie, similar, scores, about)
    num_lonely = len(table.without_neighbours)
    return table, CoWatchReport(report, num_pairs, num_lonely)


def _ranked(
    counts: PairCounts,
    piece: Pairs,
    settings: CoWatchSettings,
    num_similar: int,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the best rows (movie, similar, score) of some movies, best first."""
    often = piece[2] >= settings.min_viewers
    movie, similar, viewers = (column[often] for column in piece)
    scores = viewers.astype(np.float64)
    if settings.measure == "lift":
        total = counts.num_first.sum()
        expected = counts.num_first[movie] / total * counts.num_second[similar]
        scores /= expected + settings.prior
    order = np.lexsort((similar, -viewers, -scores, movie))
    movie = movie[order]
    rank = np.arange(len(order)) - np.searchsorted(movie, movie)
    kept = order[rank < num_similar]
    return movie[rank < num_similar], similar[kept], scores[kept].astype(np.float32)
