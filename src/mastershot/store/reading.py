"""Reading across the films of a library: their shots, and the vectors of a space.

Each function raises `LibraryError` if a table cannot be read.
"""
# S shots, D width of the space

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Literal

import numpy as np

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import LibraryError
from mastershot.core.movie import shot_id
from mastershot.store.lance import LanceTables, equals, quoted
from mastershot.store.library import Library, LibraryMovie
from mastershot.store.tables import embeddings_table

Pooling = Literal["mean", "middle"]

_IDS_AT_ONCE = 500
_SOUNDS_AT_ONCE = 1000
_COLUMNS = ("id", "run_id", "first_frame", "end_frame", "start_s", "end_s", "kept")


@dataclass(frozen=True)
class StoredShot:
    """One shot of a library, as its row says.

    Attributes:
        id: The shot's id.
        run_id: The analysis that found it.
        first_frame: Ordinal of its first frame.
        end_frame: Ordinal one past its last frame.
        start_s: When it starts.
        end_s: When it ends.
        kept: Names of its kept labels.
    """

    id: str
    run_id: str
    first_frame: int
    end_frame: int
    start_s: float
    end_s: float
    kept: tuple[str, ...]


@dataclass(frozen=True)
class StoredSound:
    """One sound that is heard in a film of a library; see `SoundEvent` for the rest.

    Attributes:
        run_id: The analysis that found it.
    """

    run_id: str
    name: str
    score: float
    start_s: float
    end_s: float
    peak_s: float


@dataclass(frozen=True)
class StoredLine:
    """One subtitle of a film of a library.

    Attributes:
        run_id: The analysis it was kept with.
        text: What is said.
        first_frame: Ordinal of the frame with which it appears.
        start_s: When that is, on the film's own clock.
    """

    run_id: str
    text: str
    first_frame: int
    start_s: float


@dataclass(frozen=True)
class StoredTraits:
    """What is sure of a shot of a library beside its labels; None where nothing is.

    Attributes:
        run_id: The analysis that found it.
        index: Of the shot in its film.
        setting: ``INT`` or ``EXT``.
        time_of_day: ``DAY`` or ``NIGHT``.
        heading: That of its scene.
        scale: The likeliest one.
        people: The most faces or persons in one frame, whichever are more.
    """

    run_id: str
    index: int
    setting: str | None
    time_of_day: str | None
    heading: str | None
    scale: str | None
    people: int | None


def stored_traits(tables: LanceTables) -> Iterator[StoredTraits]:
    """Yield the traits of each shot, in no order; none of films that earlier versions added.

    Those of runs that a killed writer left are among them.
    """
    if not tables.has("traits"):  # A library of an earlier version that cannot be written.
        return
    for batch in tables.batches("traits", [each.name for each in fields(StoredTraits)]):
        yield from (StoredTraits(**row) for row in batch.to_pylist())


def stored_genres(tables: LanceTables) -> dict[str, set[str]]:
    """Return the runs whose film is given each genre, by the genre; those of all models.

    Runs that a killed writer left are among them.
    """
    found: dict[str, set[str]] = {}
    if tables.has("genres"):  # Else a library of an earlier version that cannot be written.
        rows = tables.rows("genres", columns=["run_id", "name", "chosen"]).to_pylist()
        for row in rows:
            runs = found.setdefault(row["name"], set())
            if row["chosen"]:
                runs.add(row["run_id"])
    return found


def steps_of_runs(tables: LanceTables) -> dict[str, set[str]]:
    """Return the steps that each run took, by its id."""
    rows = tables.rows("runs", columns=["run_id", "steps"]).to_pylist()
    with tables.reporting_errors("cannot be read", "runs"):
        return {row["run_id"]: set(json.loads(row["steps"])) for row in rows}


def first_frames(tables: LanceTables) -> dict[str, IntArray]:
    """Return the first frame of each shot, ascending, by the id of the film's run.

    Runs that a killed writer left are among them.
    """
    rows = tables.rows("shots", columns=["run_id", "first_frame"])
    runs = rows.group_by("run_id").aggregate([("first_frame", "list")])
    starts = zip(runs["run_id"].to_pylist(), runs["first_frame_list"], strict=True)
    return {run: np.sort(frames.values.to_numpy()) for run, frames in starts}


def scene_bounds(tables: LanceTables) -> dict[str, IntArray]:
    """Return first and end shot of each scene, in the film's order, by the id of the film's run."""
    rows = tables.rows("scenes", columns=["run_id", "first_shot", "end_shot"])
    runs = rows.group_by("run_id").aggregate([("first_shot", "list"), ("end_shot", "list")])
    columns = (runs[name] for name in ("run_id", "first_shot_list", "end_shot_list"))
    return {
        run.as_py(): np.sort(np.stack([first.values.to_numpy(), end.values.to_numpy()], 1), axis=0)
        for run, first, end in zip(*columns, strict=True)
    }


def stored_shots(
    tables: LanceTables, ids: Sequence[str], *, runs: Collection[str]
) -> list[StoredShot]:
    """Return those of the shots that one of the runs found, in no order."""
    one_of_runs = f"run_id IN ({', '.join(map(quoted, sorted(runs)))})"
    shots = []
    for first in range(0, len(ids), _IDS_AT_ONCE):
        part = ", ".join(map(quoted, ids[first : first + _IDS_AT_ONCE]))
        rows = tables.rows("shots", where=f"id IN ({part}) AND {one_of_runs}", columns=_COLUMNS)
        shots += [StoredShot(**row | {"kept": tuple(row["kept"])}) for row in rows.to_pylist()]
    return shots


def shots_of_run(tables: LanceTables, run: str) -> list[StoredShot]:
    """Return the shots that a run found, in the film's order."""
    rows = tables.rows("shots", where=equals("run_id", run), columns=_COLUMNS)
    shots = (StoredShot(**row | {"kept": tuple(row["kept"])}) for row in rows.to_pylist())
    return sorted(shots, key=lambda shot: shot.first_frame)


def stored_sounds(
    tables: LanceTables, names: Collection[str], runs: Sequence[str]
) -> Iterator[StoredSound]:
    """Yield the sounds of these classes in these runs: the surest first, then by run and start."""
    if not tables.has("sounds"):  # A library of an earlier version that cannot be written.
        return
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [each.name for each in fields(StoredSound)]
    one_of = ", ".join(map(quoted, sorted(names)))
    rows = tables.rows("sounds", where=f"name IN ({one_of})", columns=columns)
    with tables.reporting_errors("cannot be read", "sounds"):
        place = pc.index_in(
            rows["run_id"], value_set=pa.array(runs, rows.schema.field("run_id").type)
        )
        rows = rows.append_column("place", place).filter(pc.is_valid(place))
        order = [("score", "descending"), ("place", "ascending"), ("start_s", "ascending")]
        rows = rows.sort_by(order).select(columns)
    for batch in rows.to_batches(max_chunksize=_SOUNDS_AT_ONCE):
        yield from (StoredSound(**row) for row in batch.to_pylist())


def stored_lines(tables: LanceTables, words: Collection[str]) -> Iterator[StoredLine]:
    """Yield the subtitles that hold each of some words, of letters and digits, as they are read.

    Words may be parts of longer ones; runs that a killed writer left are among them.
    """
    if not tables.has("subtitles"):  # A library of an earlier version that cannot be written.
        return
    columns = [each.name for each in fields(StoredLine)]
    holds = " AND ".join(f"lower(text) LIKE {quoted(f'%{word}%')}" for word in sorted(words))
    for row in tables.rows("subtitles", where=holds, columns=columns).to_pylist():
        yield StoredLine(**row)


def vector_blocks(tables: LanceTables, space: EmbeddingSpace) -> Iterator[tuple[str, Embeddings]]:
    """Yield every vector of a space in blocks of some thousand frames of one film, and its id.

    Blocks come in no order, a film's in several pieces; vectors of films without a
    timeline come too. Only some blocks are in memory at once, however large the library.
    """
    name = embeddings_table(space.key)
    for batch in tables.batches(name, ["movie_id", "frame", "vector"]):
        with tables.reporting_errors("cannot be read", name):
            if any(column.null_count for column in batch.columns):
                raise ValueError("a row lacks its film, its frame or its vector")
            films = batch["movie_id"].dictionary_encode()
            codes, frames = films.indices.to_numpy(), batch["frame"].to_numpy()
            vectors = batch["vector"].flatten().to_numpy().reshape(len(frames), space.width)
        order = np.lexsort((frames, codes))
        bounds = np.searchsorted(codes[order], np.arange(len(films.dictionary) + 1))
        for movie_id, (first, end) in zip(films.dictionary, pairwise(bounds), strict=True):
            rows = order[first:end]
            yield movie_id.as_py(), Embeddings(space, frames[rows], vectors[rows])


def feature_space(
    library: Library, encoder: str = "", *, last: Collection[EmbeddingSpace] = ()
) -> EmbeddingSpace:
    """Return the one space whose vectors to use.

    Args:
        encoder: The encoder or recogniser that made them, as for `is_called`; empty for the only
            encoder.
        last: Spaces to use only where the library holds no other but those of recognisers.

    Raises:
        LibraryError: The library holds no vectors, none of the encoder, or those of several.
    """
    spaces = [space for space in library.spaces() if not space.of_detector]
    if encoder:
        found = [space for space in spaces if is_called(space, encoder)]
    else:
        by_frame = [space for space in spaces if not space.of_recogniser]
        found = [space for space in by_frame if space not in last] or by_frame or spaces
    if len(found) == 1:
        return found[0]
    if not spaces and not encoder:
        raise LibraryError(
            f"library {library.path} holds no vectors; analyse its films with an encoder"
        )
    several = encoder and found
    named = Counter(space.model for space in spaces)
    held = ", ".join(
        space.model if named[space.model] == 1 else f"{space.model}@{space.key[:8]}"
        for space in (found if several else spaces)
    )
    raise LibraryError(
        f"library {library.path} holds several vectors of {encoder}; name one: {held}"
        if several
        else f"library {library.path} holds vectors of {held or 'none'}; name the encoder to use"
    )


def is_called(space: EmbeddingSpace, name: str) -> bool:
    """Return True if a space has this name, or this name, @ and the first digits of its key."""
    model, _, key = name.rpartition("@")
    with_key = bool(key) and space.model == model and space.key.startswith(key)
    return space.model == name or with_key


def shot_vectors(
    library: Library,
    movie: LibraryMovie,
    starts: IntArray,
    space: EmbeddingSpace,
    *,
    pooling: Pooling = "mean",
) -> FloatArray:
    """Return a film's shots, one row each, float32 (S, D).

    Args:
        starts: First frame of each of the film's shots, ascending.
        pooling: The mean of a shot's frames, or the middle one, as Movies2Scenes has it.

    Raises:
        LibraryError: A shot has no vector of the space, or the library cannot be read.
    """
    kept = library.features(movie.id).get(space)
    bounds = [*np.searchsorted(kept.frames, starts).tolist(), len(kept)]
    rows = np.empty((len(starts), space.width), np.float32)
    for index, (first, end) in enumerate(pairwise(bounds)):
        if first == end:
            raise LibraryError(
                f"shot {shot_id(movie.id, index)} of {movie.path} has no vector of {space.model}; "
                "analyse the film anew with that encoder"
            )
        vectors = kept.vectors[first:end]
        rows[index] = vectors.mean(axis=0) if pooling == "mean" else vectors[len(vectors) // 2]
    return rows
