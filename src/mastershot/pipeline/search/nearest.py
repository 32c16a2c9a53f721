"""The shots of a library that lie nearest to a query: exact, over every vector that it holds."""
# T frames of a block, D width of the space

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import EmbeddingSpaceError, LibraryError, SettingError
from mastershot.core.movie import shot_id
from mastershot.encoders.catalogue import DEFAULT_ENCODER, ENCODERS
from mastershot.pipeline.search.filters import Chosen, ShotFilter, choose_shots
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.store.library import Library as FilmStore
from mastershot.store.library import LibraryMovie
from mastershot.store.reading import StoredShot, first_frames, stored_shots, vector_blocks

_ATTEMPTS = 3
_NO_SHOTS = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Query:
    """What is searched for, as a vector.

    Attributes:
        space: The vector's space.
        vector: A unit vector, float32 (D,).
        other_spaces: Spaces it may be compared in as well: the same weights in other precisions.
    """

    space: EmbeddingSpace
    vector: FloatArray
    other_spaces: tuple[EmbeddingSpace, ...] = ()


@dataclass(frozen=True)
class Hit(StoredShot):
    """One shot that a search found; `Library.thumb` gives its picture.

    Attributes:
        movie_id: Its film's id.
        path: The film's file as the user named it.
        score: Cosine of the query with the nearest frame, in [-1, 1]; scores of two encoders do
            not compare.
        frame: Ordinal of that frame; of frames equally near, the first.
        heard: The sound it was found by, whose probability is the score and whose loudest moment
            the frame; None for a shot that was found otherwise.
        said: The subtitle it was found by, with whose first frame it appears; None likewise.
        said_s: When that subtitle appears, on the film's own clock.
    """

    movie_id: str
    path: str
    score: float
    frame: int
    heard: str | None = None
    said: str | None = None
    said_s: float | None = None


class Hits(list[Hit]):
    """The shots that a search found, best first, and what was searched.

    Attributes:
        space: The space that the query and the frames were compared in; None where no film has
            vectors, and shots were found by their sound alone.
        num_films_not_searched: Films of the library without a vector in that space.
        notes: Sentences on what was not searched.
    """

    def __init__(
        self,
        hits: Iterable[Hit],
        space: EmbeddingSpace | None,
        num_films_not_searched: int,
        notes: tuple[str, ...],
    ) -> None:
        super().__init__(hits)
        self.space = space
        self.num_films_not_searched = num_films_not_searched
        self.notes = notes


def nearest_shots(
    store: FilmStore, query: Query, *, limit: int = 10, only: ShotFilter | None = None
) -> Hits:
    """Return the shots nearest to a query: best first, then by film and time.

    A shot's score is the best cosine of its frames that have a vector, not their mean, which would
    hide what is seen in few frames, as in a pan; so more sampled frames give more chances. Vectors
    of the same weights in another precision are searched too: they differ very little. Every vector
    is compared, in blocks, and some twenty bytes a shot are kept between them. A film that is added
    or removed meanwhile may be found or not. With ``only``, no other shots are found.

    Raises:
        SettingError: The limit is below 1.
        EmbeddingSpaceError: The library holds no vectors of the query's spaces.
        LibraryError: The library cannot be read, or changes faster than it can be searched.
    """
    require_limit(limit)
    spaces = _held_spaces(store, query)
    for _ in range(_ATTEMPTS):
        if (hits := _search_once(store, query, spaces, limit, only)) is not None:
            return hits
    raise LibraryError(
        f"library {store.path} changed under each of {_ATTEMPTS} searches; search again once no "
        "film is being added, or check it with `mastershot library verify`"
    )


def require_limit(limit: int) -> None:
    """Raise `SettingError` unless a search may return anything."""
    if isinstance(limit, bool) or not isinstance(limit, (int, np.integer)):
        raise SettingError(f"limit is {limit!r}; it is a whole number, 1 or more")
    if limit < 1:
        raise SettingError(f"the limit is {limit}; it is 1 or more, or nothing is found")


def held_word_spaces(store: FilmStore) -> list[EmbeddingSpace]:
    """Return the spaces of encoders of words that the library holds vectors in."""
    return [
        space
        for space in store.spaces()
        if space != COLOR_SPACE
        and not space.of_recogniser
        and not space.of_detector
        and any(True for _ in vector_blocks(store.tables, space))
    ]


def word_spaces(store: FilmStore) -> list[EmbeddingSpace]:
    """Return the spaces of encoders of words that the library holds vectors in, at least one.

    Raises:
        LibraryError: It holds none, or cannot be read.
    """
    if not (spaces := held_word_spaces(store)):
        raise LibraryError(
            f"library {store.path} holds no film with vectors of an encoder of words; "
            f"{_add_command(store, DEFAULT_ENCODER)} adds one"
        )
    return spaces


def _held_spaces(store: FilmStore, query: Query) -> list[EmbeddingSpace]:
    held, space = word_spaces(store), query.space
    if searched := [other for other in (space, *query.other_spaces) if other in held]:
        return searched
    models = sorted({other.model for other in held})
    problem = f"library {store.path} holds no vectors of {space.model}, but of {', '.join(models)}"
    if space.model in models:
        problem = (
            f"the vectors of {space.model} in library {store.path} are of other weights than "
            f"{space.model} has here, so they do not compare"
        )
    raise EmbeddingSpaceError(f"{problem}; {_add_command(store, space.model)} makes some")


def _add_command(store: FilmStore, encoder: str) -> str:
    """Return the command that adds an encoder's vectors of a film."""
    named = "/" in encoder or encoder in {row.alias for row in ENCODERS}
    name = encoder if named else "FOLDER"
    return f"`mastershot library add FILM --library {store.path} --encoder {name}`"


class _Film:
    """The best score of each of a film's shots so far, and the frame that has it."""

    def __init__(self, movie: LibraryMovie, starts: IntArray) -> None:
        self.movie = movie
        self.scores = np.full(len(starts), -np.inf, np.float32)
        self.frames = np.zeros(len(starts), np.int64)
        self._starts = starts

    def take(self, frames: IntArray, scores: FloatArray) -> None:
        """Take the scores of some frames; of equal scores in a shot the first frame's counts."""
        shots = np.searchsorted(self._starts, frames, side="right") - 1
        order = np.lexsort((frames, -scores, shots))
        shots, firsts = np.unique(shots[order], return_index=True)
        frames, scores = frames[order[firsts]], scores[order[firsts]]
        earlier = (scores == self.scores[shots]) & (frames < self.frames[shots])
        better = (scores > self.scores[shots]) | earlier
        self.scores[shots[better]] = scores[better]
        self.frames[shots[better]] = frames[better]


def _search_once(
    store: FilmStore,
    query: Query,
    spaces: Sequence[EmbeddingSpace],
    limit: int,
    only: ShotFilter | None,
) -> Hits | None:
    """Return the hits, or None if the library changed so that they do not fit together."""
    movies, starts = store.movies(), first_frames(store.tables)
    if any(len(starts.get(movie.run_id, ())) != movie.num_shots for movie in movies):
        return None
    films = {movie.id: _Film(movie, starts[movie.run_id]) for movie in movies}
    blocks = chain.from_iterable(vector_blocks(store.tables, space) for space in spaces)
    for movie_id, block in blocks:
        if movie_id in films:
            # Not `@`: its last bits depend on where in a block a row stands, einsum's do not.
            films[movie_id].take(block.frames, np.einsum("td,d->t", block.vectors, query.vector))
    chosen = None if only is None else choose_shots(store, movies, only)
    best = _best(list(films.values()), limit, chosen)
    ids = [shot_id(film.movie.id, index) for film, index in best]
    runs = {film.movie.run_id for film, _ in best}
    shots = {shot.id: shot for shot in stored_shots(store.tables, ids, runs=runs)}
    if len(shots) < len(ids):
        return None
    hits = (
        Hit(
            **asdict(shots[id]),
            movie_id=film.movie.id,
            path=film.movie.path,
            score=float(film.scores[index]),
            frame=int(film.frames[index]),
        )
        for id, (film, index) in zip(ids, best, strict=True)
    )
    found = _with_notes(hits, store, query.space, films.values())
    if chosen is not None:
        found.notes += chosen.notes
    return found


def _best(films: Sequence[_Film], limit: int, chosen: Chosen | None) -> list[tuple[_Film, int]]:
    """Return the best shots, each as its film and index; of equal scores the earlier first."""
    scores = np.concatenate(
        [np.empty(0, np.float32), *(_scores_of(film, chosen) for film in films)]
    )
    starts = np.cumsum([0, *(len(film.scores) for film in films)])
    places = np.argsort(-scores, kind="stable")[:limit]
    places = places[np.isfinite(scores[places])]
    owners = np.searchsorted(starts, places, side="right") - 1
    indices = (places - starts[owners]).tolist()
    return [(films[owner], index) for owner, index in zip(owners.tolist(), indices, strict=True)]


def _scores_of(film: _Film, chosen: Chosen | None) -> FloatArray:
    """Return the scores of a film's shots, the lowest for those that are not to be found."""
    if chosen is None:
        return film.scores
    scores = np.full_like(film.scores, -np.inf)
    shots = chosen.shots.get(film.movie.run_id, _NO_SHOTS)
    scores[shots] = film.scores[shots]
    return scores


def _with_notes(
    hits: Iterable[Hit], store: FilmStore, space: EmbeddingSpace, films: Collection[_Film]
) -> Hits:
    """Return the hits with sentences on all that was not searched."""
    missing = [film.scores == -np.inf for film in films]
    num_films = sum(bool(shots.all()) for shots in missing)
    num_shots = sum(int(shots.sum()) for shots in missing if not shots.all())
    command = _add_command(store, space.model)
    notes = []
    if num_films:
        notes.append(
            f"not searched: {num_films:,} of {len(films):,} films, without vectors of "
            f"{space.model}; {command} gives a film its vectors"
        )
    if num_shots:
        notes.append(
            f"not searched: {num_shots:,} of the shots of the other films, none of whose frames "
            f"has a vector of {space.model}; {command} completes a film"
        )
    return Hits(hits, space, num_films, tuple(notes))
