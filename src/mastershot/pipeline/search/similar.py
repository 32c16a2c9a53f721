"""Which scenes of two films are alike, which films are, and which scenes are like one."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import LibraryError, SettingError, ShortMovieError
from mastershot.core.movie import Shot
from mastershot.core.text import printable
from mastershot.core.timeline import Timeline
from mastershot.mining.pairs import pairs_of_scenes
from mastershot.mining.settings import KEEP
from mastershot.pipeline.search.nearest import require_limit
from mastershot.pipeline.search.vectors import SceneSource, require_window
from mastershot.store.library import Library, LibraryMovie

_SCENE = re.compile(r"(?P<film>.+)/s(?P<index>\d{4,9})", re.DOTALL)


@dataclass(frozen=True)
class FoundScene:
    """A run of shots of a film.

    Attributes:
        movie_id: The film's id.
        path: The film's file as the user named it.
        scene_id: Its id if it is one of the film's own scenes; None for a window of shots.
        first_shot: Index of its first shot.
        end_shot: Index one past its last.
        start_s: When it starts.
        end_s: When it ends.
    """

    movie_id: str
    path: str
    scene_id: str | None
    first_shot: int
    end_shot: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class SharedLabel:
    """A label of both scenes, and how many shots of each it was kept or borrowed for."""

    name: str
    num_shots: int
    num_other_shots: int


@dataclass(frozen=True)
class SimilarScenes:
    """Two scenes that are alike.

    Attributes:
        score: Mean dot product of their shots (METHODS B4), or cosine of their encoder's vectors.
            Scores of two encoders do not compare.
        scene: The one that was asked for, or of the film that was.
        other: The other.
        shared: Labels that both have, the plain reason; those of most shots first.
        film_score: Where films were asked for, the mean score of the scene pairs of the two, by
            which films are ranked; else None.
        num_pairs: Their number; None where films were not asked for.
    """

    score: float
    scene: FoundScene
    other: FoundScene
    shared: tuple[SharedLabel, ...]
    film_score: float | None = None
    num_pairs: int | None = None

    @property
    def ranked_by(self) -> float:
        """The score that it was ranked by."""
        return self.score if self.film_score is None else self.film_score

    @property
    def said(self) -> str:
        """What that score is of, where films were asked for; else empty."""
        if self.film_score is None:
            return ""
        pairs = "1 pair" if self.num_pairs == 1 else f"{self.num_pairs:,} pairs"
        return f"mean of {pairs}, best {self.score:.3f}"


@dataclass(frozen=True)
class Similar:
    """What was found.

    Attributes:
        rows: Best first.
        view: Name of how scenes were seen.
        space: Whose vectors of frames were compared.
        title: What was asked, for a page.
        notes: Sentences on what was not compared.
    """

    rows: tuple[SimilarScenes, ...]
    view: str
    space: EmbeddingSpace
    title: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Match:
    """Two runs of shots before anything is known of them but their places."""

    score: float
    movie: LibraryMovie
    shots: tuple[int, int]
    other: LibraryMovie
    other_shots: tuple[int, int]
    film_score: float | None = None
    num_pairs: int | None = None

    @property
    def rank(self) -> float:
        """What it is ranked by."""
        return self.score if self.film_score is None else self.film_score


_Finder = Callable[[LibraryMovie], list[_Match]]


def find_similar(
    source: SceneSource,
    name: str | Path,
    other: str | Path | None = None,
    *,
    window: int | None = None,
    limit: int = 10,
) -> Similar:
    """Return the similar scenes of two films, the films similar to one, or scenes similar to one.

    Two films give the pairs of `mine_scene_pairs`. A film alone gives the others, ranked by the
    mean score of the pairs that it has with each, and the best of those pairs; of a short film
    there are few pairs, so chance counts more. A scene (``<film>/s<index>``) gives the scenes of
    all other films, or of the other named, as the library divides them.

    Args:
        source: The films of a library.
        name: A film, as `Library.movie` finds it, or a scene of one.
        other: The other film.
        window: Shots of a scene; None for as many as the view says. A scene by id has its own.
        limit: The most rows to return.

    Raises:
        SettingError: The limit or the window is below 1, both films are one, or a scene by id was
            given a window.
        LibraryError: A film or scene is not there, has no vectors, or all the others are unfit.
        ShortMovieError: A film that was named has fewer shots than a scene.
        EncoderError: The encoder gives no finite vector.
    """
    store, shots = source.store, source.view.num_shots if window is None else window
    require_limit(limit)
    require_window(shots)
    asked = _SCENE.fullmatch(str(name))
    movie = store.movie(asked["film"] if asked else name)
    others = [film for film in store.movies() if film.id != movie.id]
    if other is not None:
        others = [store.movie(other)]
        if others[0].id == movie.id:
            raise SettingError(f"{name} and {other} are of one film, {movie.path}; name two films")
    if asked and window is not None:
        raise SettingError(f"scene {name} has shots of its own; leave out --window")
    find = (
        _like_scene(source, movie, int(asked["index"]))
        if asked
        else _like_film(source, movie, shots, rank=other is None)
    )
    best, trouble = _best(find, others, limit, strict=other is not None)
    if not best:
        why = trouble[0] if trouble else f"{movie.path} is its only film"
        raise LibraryError(f"library {store.path} holds nothing to compare with {name}: {why}")
    return Similar(
        tuple(_told(store, best, by_id=bool(asked))),
        source.view.name,
        source.space,
        _title(movie, others[0] if other is not None else None, scene=bool(asked)),
        (f"not compared: {len(trouble):,} of {len(others):,} films; the first: {trouble[0]}",)
        if trouble
        else (),
    )


def _title(movie: LibraryMovie, other: LibraryMovie | None, *, scene: bool) -> str:
    """Return what was asked, in words."""
    name, where = printable(movie.name), "" if other is None else printable(other.name)
    if scene:
        return f"Like a scene of {name}" + (f", in {where}" if where else "")
    return f"{name} and {where}" if where else f"Films like {name}"


def _best(
    find: _Finder, films: Sequence[LibraryMovie], limit: int, *, strict: bool
) -> tuple[list[_Match], list[str]]:
    """Return the best that is found in the films, and why films that do not fit were passed over.

    Of equal ones those of the earlier film come first. No more than the limit are kept on the way.
    """
    best: list[_Match] = []
    trouble = []
    for film in films:
        try:
            best = sorted([*best, *find(film)], key=lambda match: -match.rank)[:limit]
        except (ShortMovieError, LibraryError) as error:
            if strict:
                raise
            trouble.append(str(error))
    return best, trouble


def _like_film(source: SceneSource, movie: LibraryMovie, window: int, *, rank: bool) -> _Finder:
    """Return what finds the scene pairs of a film; to rank films, the best of them."""
    rows = source.windows(movie, window)

    def find(film: LibraryMovie) -> list[_Match]:
        pairs = pairs_of_scenes(rows, source.windows(film, window), window, KEEP, 1.0)
        matches = [
            _Match(score, movie, (row, row + window), film, (column, column + window))
            for row, column, score in pairs
        ]
        if not rank:
            return matches
        mean = sum(match.score for match in matches) / len(matches)
        return [replace(matches[0], film_score=mean, num_pairs=len(matches))]

    return find


def _like_scene(source: SceneSource, movie: LibraryMovie, index: int) -> _Finder:
    """Return what finds how alike each of a film's own scenes is to one."""
    bounds = source.bounds(movie)
    if index >= len(bounds):
        raise LibraryError(
            f"{movie.path} has {len(bounds)} scenes, counted from 0; there is no scene {index}"
        )
    vector: FloatArray = source.scenes(movie)[index]
    own = (int(bounds[index][0]), int(bounds[index][1]))

    def find(film: LibraryMovie) -> list[_Match]:
        scores = source.scenes(film) @ vector
        return [
            _Match(float(score), movie, own, film, (int(first), int(end)))
            for score, (first, end) in zip(scores, source.bounds(film), strict=True)
        ]

    return find


def _told(store: Library, matches: Sequence[_Match], *, by_id: bool) -> Iterator[SimilarScenes]:
    timeline = _timelines(store)
    for match in matches:
        one, other = timeline(match.movie.id), timeline(match.other.id)
        yield SimilarScenes(
            match.score,
            _found(one, match.shots, by_id=by_id),
            _found(other, match.other_shots, by_id=by_id),
            _shared(one.shots[slice(*match.shots)], other.shots[slice(*match.other_shots)]),
            match.film_score,
            match.num_pairs,
        )


def _timelines(store: Library) -> Callable[[str], Timeline]:
    held: dict[str, Timeline] = {}

    def timeline(movie_id: str) -> Timeline:
        if movie_id not in held:
            held[movie_id] = store.timeline(movie_id)
        return held[movie_id]

    return timeline


def _found(timeline: Timeline, shots: tuple[int, int], *, by_id: bool) -> FoundScene:
    first, end = shots
    scene = timeline.scene_of(first) if by_id else None
    return FoundScene(
        timeline.movie.id,
        timeline.movie.path,
        None if scene is None else scene.id,
        first,
        end,
        timeline.shots[first].span.start_s,
        timeline.shots[end - 1].span.end_s,
    )


def _shared(shots: Sequence[Shot], others: Sequence[Shot]) -> tuple[SharedLabel, ...]:
    counts, other_counts = _label_counts(shots), _label_counts(others)
    shared = [
        SharedLabel(name, count, other_counts[name])
        for name, count in counts.items()
        if name in other_counts
    ]
    shared.sort(key=lambda label: (-min(label.num_shots, label.num_other_shots), label.name))
    return tuple(shared)


def _label_counts(shots: Sequence[Shot]) -> Counter[str]:
    """Return of how many shots each label is, be it the shot's own or borrowed from its scene."""
    return Counter(
        name for shot in shots for name in {*shot.kept, *(label.name for label in shot.borrowed)}
    )
