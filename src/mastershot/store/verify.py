"""What is wrong with a library: unreadable tables, leftovers, damaged rows, missing films."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import MastershotError, MediaError
from mastershot.media.probe import content_hash
from mastershot.store.lance import equals
from mastershot.store.library import Library, LibraryMovie
from mastershot.store.run import Run, run_id, undated_json_of, wrong_id
from mastershot.store.tables import TABLES_OF_A_RUN, embeddings_table, find_leftovers, of_run

if TYPE_CHECKING:
    import pyarrow as pa

_ORDER = {
    "movies": ["id"],
    "runs": ["run_id"],
    "shots": ["index"],
    "scenes": ["index"],
    "labels": ["level", "item_id", "borrowed", "rank"],
    "sounds": ["name", "start_s"],
    "subtitles": ["first_frame", "end_frame", "text"],
    "traits": ["index"],
    "genres": ["name"],
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a library.

    Attributes:
        kind: A ``table`` cannot be read, ``leftover`` rows belong to no film, a film's
            ``rows`` or ``vectors`` are damaged, or its ``file`` is missing or another one now.
        text: The sentence the user reads.
        movie_id: The film it concerns; None when it concerns a whole table.
    """

    kind: Literal["table", "leftover", "rows", "vectors", "file"]
    text: str
    movie_id: str | None = None


def find_problems(library: Library, *, hashes: bool = False) -> Iterator[Problem]:
    """Yield all that is wrong; with ``hashes``, the file of every film is read whole."""
    try:
        films, spaces = library.movies(), library.spaces()
    except MastershotError as error:
        yield Problem("table", str(error))
        return
    runs = {film.id: film.run_id for film in films}
    for name in (*TABLES_OF_A_RUN, *(embeddings_table(space.key) for space in spaces)):
        yield from _or_unreadable(_leftover_problems(library, name, runs))
    for film in films:
        yield from _or_unreadable(_film_problems(library, film), film.id)
        for space in spaces:
            yield from _or_unreadable(_vector_problems(library, film, space), film.id)
        yield from _or_unreadable(_file_problems(library, film, with_hash=hashes), film.id)


def _or_unreadable(problems: Iterator[Problem], movie_id: str | None = None) -> Iterator[Problem]:
    """Yield the problems, and one more if a table cannot be read in search of them."""
    try:
        yield from problems
    except MastershotError as error:
        yield Problem("table", str(error), movie_id)


def _leftover_problems(library: Library, name: str, runs: Mapping[str, str]) -> Iterator[Problem]:
    for movie_id, _, num_rows in find_leftovers(library.tables, name, runs):
        text = (
            f"{num_rows} rows of {name} belong to no film of the library ({movie_id}); "
            "`mastershot library repair` drops them"
        )
        yield Problem("leftover", text, movie_id)


def _film_problems(library: Library, film: LibraryMovie) -> Iterator[Problem]:
    """Yield how a film's rows differ from those that its timeline and pictures turn into."""
    timeline = library.timeline(film.id)
    stored = {"movies": library.tables.rows("movies", where=equals("id", film.id))}
    for table in TABLES_OF_A_RUN:
        stored[table] = library.tables.rows(table, where=of_run(film.id, film.run_id))
    if not stored["traits"].num_rows:
        del stored["traits"]  # An earlier version added the film; `Library.repair` adds them.
    shots = stored["shots"].select(["id", "thumb"]).to_pylist()
    pictures = {row["id"]: row["thumb"] for row in shots if row["thumb"] is not None}
    run = Run(timeline, pictures)
    expected = run.rows() | {"movies": run.movie_row(file=film.file, size_bytes=film.size_bytes)}
    wrong = [_difference(table, stored[table], expected[table]) for table in stored]
    wrong.append(wrong_id(timeline))
    kept = undated_json_of(stored["runs"].to_pylist()[0], name=film.path)
    if not any(wrong) and run_id(kept, pictures) != film.run_id:
        wrong.append("its timeline or a picture is not the one that was added")
    for text in filter(None, wrong):
        yield Problem("rows", f"film {film.id} ({film.path}): {text}", film.id)


def _difference(table: str, stored: "pa.Table", expected: "pa.Table") -> str | None:
    """Return how the rows of one film differ from those that its timeline turns into."""
    if stored.num_rows != expected.num_rows:
        return f"{stored.num_rows} rows in {table} instead of {expected.num_rows}"
    # The run's id is compared on its own; packed bytes may differ between builds of zlib.
    columns = [name for name in expected.column_names if name not in {"run_id", "timeline"}]
    order = [(name, "ascending") for name in _ORDER[table]]
    stored, expected = stored.sort_by(order), expected.sort_by(order)
    wrong = [name for name in columns if not stored[name].equals(expected[name])]
    return f"{', '.join(wrong)} in {table} differ from the timeline" if wrong else None


def _vector_problems(
    library: Library, film: LibraryMovie, space: EmbeddingSpace
) -> Iterator[Problem]:
    table = embeddings_table(space.key)
    rows = library.tables.rows(table, where=equals("movie_id", film.id))
    frames = rows["frame"].to_numpy()
    width = rows.schema.field("vector").type.list_size
    values = rows["vector"].combine_chunks().flatten().to_numpy()
    checks = {
        f"vectors have width {width} instead of {space.width}": width != space.width,
        "a frame has two vectors": len(np.unique(frames)) != len(frames),
        "a frame lies outside the film": not space.of_windows
        and ((frames < 0) | (frames >= film.num_frames)).any(),
        "a vector is not finite": rows["vector"].null_count or not np.isfinite(values).all(),
    }
    for text, is_wrong in checks.items():
        if is_wrong:
            yield Problem("vectors", f"film {film.id} ({film.path}) in {table}: {text}", film.id)


def _file_problems(library: Library, film: LibraryMovie, *, with_hash: bool) -> Iterator[Problem]:
    """Yield a problem for each of a film's files that is missing or another one now."""
    try:
        movie = library.timeline(film.id).movie
    except MastershotError:
        movie = None  # Which is a problem of its rows.
    content = movie.part.content_hash if movie and movie.part else film.content_hash
    reels = movie.reels if movie else ()
    hashes = [reel.content_hash for reel in reels] or [content]
    files = film.files(movie) if movie else [film.file]
    for number, (file, expected) in enumerate(zip(files, hashes, strict=True)):
        size_bytes = None if number else film.size_bytes  # That of the first is known.
        if text := _file_problem(Path(file), size_bytes, expected if with_hash else None):
            yield Problem("file", text, film.id)


def _file_problem(file: Path, size_bytes: int | None, expected_hash: str | None) -> str:
    """Return what is wrong with a file; nothing where it is what was added."""
    try:
        found_bytes = file.stat().st_size
        if size_bytes not in {None, found_bytes}:
            return (
                f"{file} has {found_bytes:,} bytes instead of {size_bytes:,}: it is not the "
                "film that was added"
            )
        if expected_hash is not None and content_hash(file) != expected_hash:
            return f"{file} has other content than the film that was added"
    except OSError as error:
        return f"{file} cannot be read: {error.strerror or error}"
    except MediaError as error:
        return str(error)
    return ""
