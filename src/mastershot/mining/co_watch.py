"""Movies that the same viewers watched one after the other (Movies2Scenes 4.1.1, METHODS B2)."""

# N movies, a and b two of them; c(a, b) viewers who watched b after a

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.similarity import NUM_SIMILAR, SimilarityTable
from mastershot.datasets.tables.watch_log import WatchLog
from mastershot.mining.settings import CoWatchSettings
from mastershot.mining.similarity import checked_places
from mastershot.mining.watch_counts import PairCounts, Pairs, count_pairs
from mastershot.mining.watch_events import sorted_events


@dataclass(frozen=True)
class CoWatch:
    """Similarity by a viewing log.

    Attributes:
        log: The views.
        settings: What counts and how it ranks.
    """

    log: WatchLog
    settings: CoWatchSettings = field(default_factory=CoWatchSettings)

    def similar(self, movies: Sequence[str], *, num_similar: int = NUM_SIMILAR) -> SimilarityTable:
        """Return for each movie those that most viewers watched after it.

        Only views of these movies count; of a viewer's views of a movie the first does. The log is
        read once, in pieces, and sorted on disk; memory grows with viewers and movies, not with
        views. Of movies that rank equal the earlier one in ``movies`` comes first. The table's
        ``made_by`` holds an `EventReport` as ``events``, and in ``num_pairs`` the distinct pairs
        of a movie and one watched after it, before `min_viewers`.

        Raises:
            MiningError: A movie is named twice.
            DatasetError: The log is unreadable, or no view in it is of one of the movies at a
                possible time.
            SettingError: The number is below 1.
        """
        place_of, settings = checked_places(movies, num_similar), self.settings
        num_pairs, rows = 0, []
        with TemporaryDirectory(prefix="mastershot-") as folder:
            events, report = sorted_events(self.log, place_of, Path(folder))
            counts = count_pairs(events, len(movies), Path(folder), settings)
            for piece in counts.pieces():
                num_pairs += len(piece[0])
                rows.append(_ranked(counts, piece, settings, num_similar))
        empty = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
        movie, similar, scores = (np.concatenate(parts) for parts in zip(empty, *rows, strict=True))
        about = {
            "measure": settings.rank_by,
            "next_items": settings.next_items or None,
            "within_s": settings.within_days * 86_400 or None,
            "min_viewers": settings.min_viewers,
            "prior": settings.prior,
            "events": asdict(report),
            "num_pairs": num_pairs,
        }
        return SimilarityTable(tuple(movies), movie, similar, scores, about)


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
    if settings.rank_by == "lift":
        total = counts.num_first.sum()
        expected = counts.num_first[movie] / total * counts.num_second[similar]
        scores /= expected + settings.prior
    order = np.lexsort((similar, -viewers, -scores, movie))
    movie = movie[order]
    rank = np.arange(len(order)) - np.searchsorted(movie, movie)
    kept = order[rank < num_similar]
    return movie[rank < num_similar], similar[kept], scores[kept].astype(np.float32)
