"""Similar scenes of two films, films similar to one, and scenes similar to one."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import LibraryError, SettingError, ShortMovieError
from mastershot.core.text import printable
from mastershot.core.timeline import Timeline
from mastershot.mining.pairs import pairs_of_scenes
from mastershot.mining.settings import KEEP
from mastershot.pipeline.search.nearest import require_limit
from mastershot.pipeline.search.vectors import SceneSource, left_out
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
        score: Mean dot product of their shots (METHODS B4), or cosine of their encoder's vectors;
            scores of two encoders do not compare.
        scene: The scene that was named, or one of the film that was.
        other: The other scene.
        shared: Labels of both, those of most shots first.
        film_score: Where films are ranked, the mean score of the two films' scene pairs; else None.
        num_pairs: Where films are ranked, how many pairs there are; else None.
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
    def score_note(self) -> str:
        """What that score is the mean of, where films are ranked; else empty."""
        if self.film_score is None:
            return ""
        pairs = "1 pair" if self.num_pairs == 1 else f"{self.num_pairs:,} pairs"
        return f"mean of {pairs}, best {self.score:.3f}"


@dataclass(frozen=True)
class Similar:
    """What was found.

    Attributes:
        rows: Best first.
        view: Name of the `SceneView`.
        space: Whose vectors of frames were compared.
        title: What was asked for, for a page.
        notes: Sentences on what was not compared.
    """

    rows: tuple[SimilarScenes, ...]
    view: str
    space: EmbeddingSpace
    title: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Match:
    """Two runs of shots by their places: of the film that was named, and of another."""

    score: float
    shots: tuple[int, int]
    other: LibraryMovie
    other_shots: tuple[int, int]
    film_score: float | None = None
    num_pairs: int | None = None


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
    mean score of the pairs that it has with each, and the best of those pairs; a short film has
    few pairs, so its mean varies more. A scene (``<film>/s<index>``) gives the scenes of all other
    films, or of the one named, which may be its own, as the library divides them; itself it is not
    among them. Films are named as for `Library.movie`; ``window`` is the shots of a scene, None the
    view's number.

    Raises:
        SettingError: The limit or the window is below 1, both films are one and no scene is named,
            or a scene by id was given a window.
        LibraryError: The library does not hold a film or scene, it has no vectors, or no other
            film can be compared.
        ShortMovieError: A film that was named has fewer shots than a scene.
        EncoderError: The encoder gives no finite vector.
    """
    store, num_shots = source.store, source.view.num_shots if window is None else window
    require_limit(limit)
    if num_shots < 1:
        raise SettingError(f"a scene of {num_shots} shots means nothing; it has 1 or more")
    scene = _SCENE.fullmatch(str(name))
    movie = store.movie(scene["film"] if scene else name)
    others = [film for film in store.movies() if film.id != movie.id]
    if other is not None:
        others = [store.movie(other)]
        if others[0].id == movie.id and not scene:
            raise SettingError(f"{name} and {other} are of one film, {movie.path}; name two films")
    if scene and window is not None:
        raise SettingError(f"scene {name} has shots of its own; leave out --window")
    if scene:
        find = _like_scene(source, movie, int(scene["index"]))
    else:
        find = _like_film(source, movie, num_shots, rank=other is None)
    title = f"Like a scene of {movie.name}" if scene else f"Films like {movie.name}"
    if other is not None:
        title = f"{title}, in {others[0].name}" if scene else f"{movie.name} and {others[0].name}"
    asked = _Asked(str(name), movie, title, by_id=bool(scene))
    return _found_in(source, asked, find, others, limit, strict=other is not None)


def find_scenes_like(source: SceneSource, name: str, *, limit: int = 10) -> Similar:
    """Return the scenes most like one (``<film>/s<index>``), of its own film and of all others.

    Itself it is not among them. Films whose scenes were not found are left out, with a note.

    Raises:
        SettingError: The limit is below 1, or the name is no scene's.
        LibraryError: The library does not hold the scene, it has no vectors, or no other scene.
        EncoderError: The encoder gives no finite vector.
    """
    require_limit(limit)
    scene = _SCENE.fullmatch(name)
    if scene is None:
        raise SettingError(f"{name!r} names no scene; a scene is named like FILM/s0003")
    movie = source.store.movie(scene["film"])
    find = _like_scene(source, movie, int(scene["index"]))
    films = [movie, *(film for film in source.store.movies() if film.id != movie.id)]
    asked = _Asked(name, movie, f"Like a scene of {movie.name}", by_id=True)
    return _found_in(source, asked, find, films, limit, strict=False)


@dataclass(frozen=True)
class _Asked:
    name: str
    movie: LibraryMovie
    title: str
    by_id: bool


def _found_in(
    source: SceneSource,
    asked: _Asked,
    find: _Finder,
    films: Sequence[LibraryMovie],
    limit: int,
    *,
    strict: bool,
) -> Similar:
    """Return the best matches of what was asked for in films."""
    store, movie = source.store, asked.movie
    best, problems = _best(find, films, limit, strict=strict)
    if not best:
        why = problems[0] if problems else f"{movie.path} is its only film"
        raise LibraryError(
            f"library {store.path} holds nothing to compare with {asked.name}: {why}"
        )
    return Similar(
        tuple(_rows(store, movie, best, by_id=asked.by_id)),
        source.view.name,
        source.space,
        printable(asked.title),
        left_out("compared", problems, len(films)),
    )


def _best(
    find: _Finder, films: Sequence[LibraryMovie], limit: int, *, strict: bool
) -> tuple[list[_Match], list[str]]:
    """Return the best matches in the films, and why films that do not fit were left out.

    Of equal ones those of the earlier film come first. No more than the limit are kept on the way.
    """

    def rank(match: _Match) -> float:
        return -(match.score if match.film_score is None else match.film_score)

    best: list[_Match] = []
    problems = []
    for film in films:
        try:
            best = sorted([*best, *find(film)], key=rank)[:limit]
        except (ShortMovieError, LibraryError) as error:
            if strict:
                raise
            problems.append(str(error))
    return best, problems


def _like_film(source: SceneSource, movie: LibraryMovie, window: int, *, rank: bool) -> _Finder:
    """Return what finds the scene pairs of a film; to rank films, the best of them."""
    rows = source.windows(movie, window)

    def find(film: LibraryMovie) -> list[_Match]:
        pairs = pairs_of_scenes(rows, source.windows(film, window), window, KEEP, 1.0)
        matches = [
            _Match(score, (row, row + window), film, (column, column + window))
            for row, column, score in pairs
        ]
        if not rank:
            return matches
        mean = sum(match.score for match in matches) / len(matches)
        return [replace(matches[0], film_score=mean, num_pairs=len(matches))]

    return find


def _like_scene(source: SceneSource, movie: LibraryMovie, index: int) -> _Finder:
    """Return what scores each scene of a film by how like it is to one of the movie's.

    Of the movie itself, each other scene.
    """
    bounds = source.bounds(movie).tolist()
    if index >= len(bounds):
        raise LibraryError(
            f"{movie.path} has {len(bounds)} scenes, counted from 0; there is no scene {index}"
        )
    vector = source.scenes(movie)[index]

    def find(film: LibraryMovie) -> list[_Match]:
        scores = (source.scenes(film) @ vector).tolist()
        pairs = list(zip(scores, source.bounds(film).tolist(), strict=True))
        if film.id == movie.id:
            del pairs[index]
            if not pairs:
                raise LibraryError(f"{movie.path} has no other scene")
        return [_Match(score, tuple(bounds[index]), film, tuple(other)) for score, other in pairs]

    return find


def _rows(
    store: Library, movie: LibraryMovie, matches: Sequence[_Match], *, by_id: bool
) -> Iterator[SimilarScenes]:
    timeline = cache(store.timeline)
    for match in matches:
        (scene, counts), (other, other_counts) = (
            _found(timeline(film.id), *shots, by_id=by_id)
            for film, shots in ((movie, match.shots), (match.other, match.other_shots))
        )
        common = counts & other_counts  # the smaller count of each
        shared = tuple(
            SharedLabel(name, counts[name], other_counts[name])
            for name in sorted(common, key=lambda name: (-common[name], name))
        )
        yield SimilarScenes(match.score, scene, other, shared, match.film_score, match.num_pairs)


def _found(
    timeline: Timeline, first: int, end: int, *, by_id: bool
) -> tuple[FoundScene, Counter[str]]:
    """Return a run of shots, and how many of them each label was kept or borrowed for."""
    scene = timeline.scene_of(first) if by_id else None
    shots, scene_id = timeline.shots[first:end], None if scene is None else scene.id
    times_s = (shots[0].span.start_s, shots[-1].span.end_s)
    names = ({*shot.kept, *(label.name for label in shot.borrowed)} for shot in shots)
    found = FoundScene(timeline.movie.id, timeline.movie.path, scene_id, first, end, *times_s)
    return found, Counter(chain.from_iterable(names))
