"""The scene pairs of a whole library: one table from a similarity and each movie's features."""

# P film pairs of a part

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import MastershotError, MiningError, OutputError, ShortMovieError
from mastershot.core.similarity import SimilarityTable
from mastershot.datasets.tables.pair_table import ScenePairs, join_pairs, pairs_made_by, write_pairs
from mastershot.mining.pairs import ScenePairList, pairs_of_scenes, scene_means
from mastershot.mining.settings import PairSettings

FeaturesOf = Callable[[str], FloatArray | None]
"""Gives a movie's shot features, floating point (shots, width); None if the library lacks it."""

_PART_PAIRS = 256
_CACHE_BYTES = 1 << 30
_PAPER = PairSettings()


@dataclass(frozen=True)
class PairReport:
    """Counts of mining a table of similar movies.

    Attributes:
        num_rows: Rows of the table of similar movies.
        num_mirrored: Rows of b and a where another is of a and b; mined once.
        num_mined: Pairs of movies that scenes were mined of.
        num_skipped: Pairs of movies of which one is missing, too short or damaged.
        num_scene_pairs: Pairs of scenes found.
        missing: Movies that the library does not hold.
        short: Movies with fewer shots than a scene.
        damaged: Movies whose features cannot be used, each with the reason.
    """

    num_rows: int
    num_mirrored: int
    num_mined: int
    num_skipped: int
    num_scene_pairs: int
    missing: tuple[str, ...]
    short: tuple[str, ...]
    damaged: tuple[tuple[str, str], ...]


def mine_library(
    table: SimilarityTable,
    features: FeaturesOf,
    path: str | Path,
    settings: PairSettings = _PAPER,
    *,
    made_by: Mapping[str, Any],
) -> PairReport:
    """Write the scene pairs of all similar movies to a Parquet file; return what was found.

    After a kill at any point the next call goes on: finished parts lie in ``<path>.parts`` until
    the file is whole. A whole file that was made the same way is not made again. Features are
    asked for movie by movie; at most 1 GB of them, or two movies, are in memory.

    Args:
        table: The similar movies.
        features: Shot features of a movie, as `E_movie`'s first layer gives them (METHODS B4).
        path: The file to write; `read_pairs` reads it.
        settings: How scenes are paired.
        made_by: What the features are from: model, weights' hash. Another value starts anew.

    Raises:
        OutputError: The file cannot be written.
        MiningError: Features of two movies differ in width.
        DatasetError: The file exists and is not a table of scene pairs.
    """
    path, work = Path(path), _film_pairs(table)
    about = {"settings": asdict(settings), "features": dict(made_by)}
    job = _fingerprint(about, table, work)
    done = pairs_made_by(path) if path.exists() else {}
    if done.get("job") == job:
        return _report_of(done["report"])
    folder = path.with_name(f"{path.name}.parts")
    library = _Library(table.movies, features, settings.window)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error
    parts = []
    for first in range(0, len(work), _PART_PAIRS):
        parts.append(folder / f"{job}-{first:09}.parquet")
        if not parts[-1].exists():
            _mine_part(library, work[first : first + _PART_PAIRS], settings, parts[-1])
    report = _summary(len(table), len(work), [pairs_made_by(part) for part in parts])
    join_pairs(path, parts, {**about, "job": job, "report": asdict(report)})
    with suppress(OSError):
        for leftover in folder.glob("*.parquet*"):
            leftover.unlink()
        folder.rmdir()
    return report


@dataclass
class _Library:
    """Window means of movies, the most recent kept, and why others have none."""

    movies: tuple[str, ...]
    features: FeaturesOf
    window: int
    held: OrderedDict[int, FloatArray] = field(default_factory=OrderedDict)
    trouble: dict[int, tuple[str, str]] = field(default_factory=dict)

    def means(self, place: int) -> FloatArray | None:
        """Return a movie's window means, None if it has none."""
        if place not in self.held and place not in self.trouble:
            self._load(place)
        if place not in self.held:
            return None
        self.held.move_to_end(place)
        return self.held[place]

    def _load(self, place: int) -> None:
        """Hold a movie's window means, or note why it has none."""
        movie = self.movies[place]
        try:
            found = self.features(movie)
            if found is None:
                self.trouble[place] = "missing", f"the library does not hold movie {movie!r}"
                return
            means = scene_means(found, self.window, f"movie {movie!r}")
        except ShortMovieError as error:
            self.trouble[place] = "short", str(error)
            return
        except (MastershotError, OSError) as error:
            self.trouble[place] = "damaged", str(error)
            return
        first = next(iter(self.held), place)
        width = self.held.get(first, means).shape[1]
        if means.shape[1] != width:
            raise MiningError(
                f"shot features of movie {movie!r} are {means.shape[1]} wide and those of "
                f"{self.movies[first]!r} {width}; all must come from one encoder"
            )
        self.held[place] = means
        while len(self.held) > 2 and sum(x.nbytes for x in self.held.values()) > _CACHE_BYTES:
            self.held.popitem(last=False)


def _film_pairs(table: SimilarityTable) -> list[tuple[int, int]]:
    """Return each unordered pair of movies once, by its first movie."""
    pairs = zip(table.movie.tolist(), table.similar.tolist(), strict=True)
    return sorted({(min(pair), max(pair)) for pair in pairs})


def _mine_part(
    library: _Library, work: Sequence[tuple[int, int]], settings: PairSettings, part: Path
) -> None:
    """Write the scene pairs of some pairs of movies, and which movies were skipped."""
    mined: list[tuple[tuple[int, int], ScenePairList]] = []
    for pair in work:
        rows, columns = library.means(pair[0]), library.means(pair[1])
        if rows is None or columns is None:
            continue
        found = pairs_of_scenes(rows, columns, settings.window, settings.keep, settings.consider)
        mined.append((pair, found))
    places = {place for pair in work for place in pair} & library.trouble.keys()
    skipped = [(library.movies[place], *library.trouble[place]) for place in sorted(places)]
    about = {"num_mined": len(mined), "num_film_pairs": len(work), "skipped": skipped}
    pairs = _columns(library.movies, mined)
    write_pairs(part, [pairs], {**about, "num_scene_pairs": len(pairs)})


def _columns(
    movies: tuple[str, ...], mined: Sequence[tuple[tuple[int, int], ScenePairList]]
) -> ScenePairs:
    rows = [(a, row, b, column) for (a, b), found in mined for row, column, _ in found]
    scores = np.array([score for _, found in mined for _, _, score in found], np.float32)
    a, row, b, column = np.array(rows, np.int64).reshape(-1, 4).T
    used, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    names = tuple(movies[place] for place in used)
    return ScenePairs(names, places[: len(a)], row, places[len(a) :], column, scores)


def _summary(num_rows: int, num_film_pairs: int, parts: Sequence[Mapping[str, Any]]) -> PairReport:
    kinds: dict[str, dict[str, str]] = {"missing": {}, "short": {}, "damaged": {}}
    for part in parts:
        for movie, kind, sentence in part["skipped"]:
            kinds[kind][movie] = sentence
    num_mined = sum(part["num_mined"] for part in parts)
    return PairReport(
        num_rows=num_rows,
        num_mirrored=num_rows - num_film_pairs,
        num_mined=num_mined,
        num_skipped=num_film_pairs - num_mined,
        num_scene_pairs=sum(part["num_scene_pairs"] for part in parts),
        missing=tuple(kinds["missing"]),
        short=tuple(kinds["short"]),
        damaged=tuple(kinds["damaged"].items()),
    )


def _report_of(values: Mapping[str, Any]) -> PairReport:
    """Return a report that was saved as JSON."""
    damaged = tuple((movie, sentence) for movie, sentence in values["damaged"])
    lists = {name: tuple(values[name]) for name in ("missing", "short")}
    return PairReport(**{**values, **lists, "damaged": damaged})


def _fingerprint(
    about: Mapping[str, Any], table: SimilarityTable, work: Sequence[tuple[int, int]]
) -> str:
    """Return sixteen hex digits that name what is mined, how, and from which features."""
    text = json.dumps([about, table.movies, work], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
