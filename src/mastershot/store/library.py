"""A library: many films' timelines, pictures and vectors in one folder on an embedded store."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import LibraryError
from mastershot.core.movie import Movie
from mastershot.core.names import FilmNames, NamedFilm
from mastershot.core.text import printable
from mastershot.core.timeline import Timeline
from mastershot.store.features import LibraryFeatures
from mastershot.store.files import write_whole
from mastershot.store.folder import complete_library, make_library, require_library
from mastershot.store.lance import LanceTables, equals
from mastershot.store.run import Run, timeline_of, traits_of, wrong_id
from mastershot.store.tables import (
    TABLES_OF_A_RUN,
    Row,
    embeddings_table,
    find_leftovers,
    of_run,
    read_path,
    schemas,
    stored_path,
)

_ID = re.compile("[0-9a-f]{16}")
_NUM_NAMED = 5


@dataclass(frozen=True)
class LibraryMovie:
    """One film of a library, as a list of films shows it.

    Attributes:
        id: The film's id.
        path: Its file as the user named it.
        content_hash: Digest of the file's bytes.
        duration_s: How long it runs.
        num_frames: Number of its frames.
        num_shots: Number of its shots.
        num_scenes: Number of its scenes; None when scenes were not found.
        run_id: Names the analysis that the library holds: its settings and what it found.
        file: The film's file when it was added, as an absolute path.
        size_bytes: Size of that file then; None if it was not there.
    """

    id: str
    path: str
    content_hash: str
    duration_s: float
    num_frames: int
    num_shots: int
    num_scenes: int | None
    run_id: str
    file: str
    size_bytes: int | None

    @property
    def name(self) -> str:
        """The name of its file."""
        return Path(self.path).name

    def files(self, movie: Movie) -> list[str]:
        """Return its files as absolute paths, in order: of a film in several reels, theirs.

        Args:
            movie: The film by its timeline.
        """
        folder, own = Path(self.file).parent, os.path.dirname(movie.path)  # noqa: PTH120
        return [
            # Reels were named from the same folder as the first of them.
            os.path.normpath(folder / os.path.relpath(reel.path, own or "."))
            for reel in movie.reels
        ] or [self.file]

    @property
    def names(self) -> NamedFilm:
        """The names it may be called by."""
        return NamedFilm(self.id, (self.path, self.file))


class Library:
    """Films and what is known of them, kept in a folder ``NAME.mastershot``.

    A film exists once its row in ``movies`` names its run, which is written last; rows that a
    killed writer left are invisible, and the next writer clears them away.

    Every method raises `LibraryError` if a table cannot be read or written.
    """

    def __init__(self, path: str | Path, *, create: bool = False) -> None:
        """Open a library; with ``create``, make it unless there is one."""
        self.path = Path(path).absolute()
        self.tables = LanceTables(self.path)
        self._changes = self.path / "changing"
        if create:
            make_library(self.tables)
        require_library(self.path)
        complete_library(self.tables)

    def movies(self) -> list[LibraryMovie]:
        """Return all films, by path."""
        return sorted(self._movies(), key=lambda film: (film.path, film.id))

    def movie(self, name: str | Path) -> LibraryMovie:
        """Return the film that a name means: its id, path, file name, stem, or the start of one.

        `FilmNames` says which of them comes first.

        Raises:
            LibraryError: The name means no film, or more than one.
        """
        text = os.fspath(name)
        if _ID.fullmatch(text) and (found := self._movies(equals("id", text))):
            return found[0]
        films = self.movies()
        names = FilmNames(film.names for film in films)
        found = [films[place] for place in names.places(text, absolute=_absolute(text))]
        if len(found) == 1:
            return found[0]
        if found:
            named = ", ".join(f"{film.path} ({film.id})" for film in found[:_NUM_NAMED])
            more = f" and {len(found) - _NUM_NAMED} more" if len(found) > _NUM_NAMED else ""
            raise LibraryError(
                f"'{printable(text)}' names {len(found)} films of library {self.path}: "
                f"{named}{more}; give an id, or more of the path"
            )
        close = " or ".join(f"'{other}'" for other in names.close_to(text))
        hint = f"; did you mean {close}?" if close else ""
        raise LibraryError(
            f"library {self.path} holds no film '{printable(text)}'; "
            f"`mastershot library ls --library {self.path}` lists those it holds{hint}"
        )

    def timeline(self, movie_id: str) -> Timeline:
        """Return a film's timeline, equal to the one that was put.

        Raises:
            LibraryError: The library does not hold the film.
            TimelineError: What is kept is not a timeline.
        """
        timeline = self.find(movie_id)
        if timeline is None:
            raise LibraryError(f"library {self.path} holds no film {movie_id!r}")
        return timeline

    def find(self, movie_id: str) -> Timeline | None:
        """Return a film's timeline, or None if the library does not hold the film.

        Raises:
            TimelineError: What is kept is not a timeline.
        """
        run = self._run(movie_id)
        if run is None:
            return None
        kept = self.tables.rows("runs", where=of_run(movie_id, run)).to_pylist()
        if len(kept) == 1:
            name = f"the timeline of film {movie_id} in library {self.path}"
            return timeline_of(kept[0], name=name)
        if self._run(movie_id) != run:  # another run took its place just now
            return self.find(movie_id)
        raise LibraryError(
            f"library {self.path} holds {len(kept)} timelines of film {movie_id} instead of "
            "one; remove the film and add it again"
        )

    def thumb(self, shot_id: str) -> bytes | None:
        """Return a shot's picture as JPEG, or None if there is no such shot or picture."""
        movie_id = shot_id.partition("/")[0]
        where = f"{of_run(movie_id, self._run(movie_id) or '')} AND {equals('id', shot_id)}"
        pictures = self.tables.rows("shots", where=where, columns=["thumb"])["thumb"].to_pylist()
        return pictures[0] if pictures else None

    def spaces(self) -> list[EmbeddingSpace]:
        """Return the spaces that the library holds vectors of, by key."""
        rows = self.tables.rows("spaces").sort_by("key").to_pylist()
        return [EmbeddingSpace(row["model"], row["weights_hash"], row["width"]) for row in rows]

    def features(self, movie_id: str) -> LibraryFeatures:
        """Return the store of a film's vectors; its timeline may come later."""
        return LibraryFeatures(self.tables, movie_id)

    def put_timeline(
        self, timeline: Timeline, thumbs: Mapping[str, bytes] | Path | None = None
    ) -> bool:
        """Keep a film's timeline in the place of any other; return False if it was kept already.

        Killed at any moment, the film is as it was before or as it is after.

        Args:
            timeline: The film's timeline; its ids must be the derived ones.
            thumbs: The shots' pictures as JPEG, by shot id; or the folder ``thumb`` is relative to.

        Raises:
            LibraryError: An id is not the derived one, or a picture cannot be read.
        """
        _require_storable(timeline)
        pictures = thumbs if isinstance(thumbs, Mapping) else _pictures(timeline, thumbs)
        run, movie = Run(timeline, pictures), timeline.movie
        file = _absolute(movie.path)
        row = run.movie_row(file=file, size_bytes=_size_bytes(file))
        with self._writing():
            stored = self.tables.rows("movies", where=equals("id", movie.id))
            if stored.equals(row):
                return False
            with self._changing(movie.id):
                if run.id not in stored["run_id"].to_pylist():
                    for name, rows in run.rows().items():
                        self.tables.append(name, rows)
                self.tables.upsert("movies", row, key="id")
                if stored.num_rows:
                    self._drop_runs(movie.id, keep=run.id)
            for name in ("movies", *TABLES_OF_A_RUN):
                self.tables.tidy_when_fragmented(name)
        return True

    def remove(self, name: str | Path) -> LibraryMovie:
        """Remove the film that a name means (see `movie`), its vectors included, and return it.

        Killed early, it leaves vectors that the film would find if it were added again, and
        that `repair` drops.
        """
        film = self.movie(name)
        with self._writing(), self._changing(film.id):
            self.tables.delete("movies", equals("id", film.id))
            self._drop_runs(film.id, keep=None)
            for table in self._vector_tables():
                self.tables.delete(table, equals("movie_id", film.id))
        return film

    def repair(self) -> int:
        """Drop rows that belong to no film, compact every table, and return the number of rows.

        Vectors of a film whose analysis has not finished belong to no film yet: they go too. Films
        that an earlier version added get what their shots are searched by beside words.
        """
        dropped = 0
        with self._writing():
            runs = {film.id: film.run_id for film in self._movies()}
            for name in (*TABLES_OF_A_RUN, *self._vector_tables()):
                for _, where, _ in find_leftovers(self.tables, name, runs):
                    dropped += self.tables.delete(name, where)
            self._add_traits(runs)
            for name in (*schemas(), *self._vector_tables()):
                self.tables.tidy(name)
        return dropped

    def _add_traits(self, runs: Mapping[str, str]) -> None:
        kept = self.tables.rows("traits", columns=["run_id"])["run_id"].unique().to_pylist()
        for movie_id, run in runs.items():
            if run not in kept:
                self.tables.append("traits", traits_of(self.timeline(movie_id), run))

    def dump(self) -> dict[str, list[Row]]:
        """Return the rows of every table, sorted and undated: equal means the same content."""
        names = (*schemas(), *self._vector_tables())
        content = {name: self.tables.rows(name).to_pylist() for name in names}
        for row in content["runs"]:
            row["created"] = ""
        return {name: sorted(rows, key=repr) for name, rows in content.items()}

    def _movies(self, where: str | None = None) -> list[LibraryMovie]:
        columns = [field.name for field in fields(LibraryMovie)]
        rows = self.tables.rows("movies", where=where, columns=columns).to_pylist()
        for row in rows:
            row |= {"path": read_path(row["path"]), "file": read_path(row["file"])}
        return [LibraryMovie(**row) for row in rows]

    def _run(self, movie_id: str) -> str | None:
        rows = self.tables.rows("movies", where=equals("id", movie_id), columns=["run_id"])
        return rows["run_id"][0].as_py() if rows.num_rows else None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other writers out, and clear away what a killed one left."""
        with self.tables.writing():
            with self.tables.reporting_errors("cannot be written"):
                left = self._changes.read_text("utf-8") if self._changes.exists() else None
            if left is not None:
                self._drop_runs(left, keep=self._run(left))
                self._changes.unlink()
            yield

    @contextmanager
    def _changing(self, movie_id: str) -> Iterator[None]:
        """Note which film is being changed; the note stays if the block does not finish."""
        with self.tables.reporting_errors("cannot be written"):
            write_whole(self._changes, movie_id.encode())
        yield
        with self.tables.reporting_errors("cannot be written"):
            self._changes.unlink()

    def _drop_runs(self, movie_id: str, *, keep: str | None) -> None:
        where = equals("movie_id", movie_id)
        if keep is not None:
            where += f" AND NOT {equals('run_id', keep)}"
        for name in TABLES_OF_A_RUN:
            self.tables.delete(name, where)

    def _vector_tables(self) -> list[str]:
        return [embeddings_table(space.key) for space in self.spaces()]


def _require_storable(timeline: Timeline) -> None:
    wrong = wrong_id(timeline)
    if wrong is not None:
        raise LibraryError(f"the timeline of {timeline.movie.path} cannot be kept: {wrong}")
    try:
        stored_path(timeline.movie.path)
    except UnicodeEncodeError as error:
        raise LibraryError(
            f"the timeline's film has the path {timeline.movie.path!a}, which can name no file"
        ) from error


def _absolute(path: str) -> str:
    """Return a path from the root; what can be no path stays as it is."""
    try:
        return str(Path(path).resolve())
    except (OSError, ValueError, RuntimeError):
        return path


def _size_bytes(file: str) -> int | None:
    try:
        return Path(file).stat().st_size
    except OSError:
        return None


def _pictures(timeline: Timeline, folder: Path | None) -> dict[str, bytes]:
    """Return the pictures that the shots name, by shot id."""
    pictures = {}
    for shot in timeline.shots:
        if folder is not None and shot.thumb is not None:
            path = folder / shot.thumb
            if not path.resolve().is_relative_to(folder.resolve()):
                raise LibraryError(f"picture {shot.thumb} of shot {shot.id} lies outside {folder}")
            try:
                pictures[shot.id] = path.read_bytes()
            except OSError as error:
                raise LibraryError(f"picture {path} cannot be read: {error.strerror}") from error
    return pictures
