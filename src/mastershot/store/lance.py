"""The embedded store under a library: tables in a folder, and errors as sentences."""

import os
import re
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.core.errors import LibraryError
from mastershot.store.files import exclusive

if TYPE_CHECKING:
    import pyarrow as pa

MANY_FRAGMENTS = 128
"""Every commit adds a fragment; with more small ones than this a table is compacted."""

INDEX_FROM_ROWS = 100_000
"""From this size on, the rows of one film are found through an index."""

_READERS_MAY_TAKE = timedelta(minutes=10)
"""How long a superseded version stays readable for those who opened it."""


class LanceTables:
    """The tables of one folder. Every call opens the newest version, so nothing is stale.

    Whatever the store, Arrow or the disk complains about becomes a `LibraryError`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep every other writer out while the block runs."""
        with ExitStack() as stack:
            with self.told("cannot be written"):
                stack.enter_context(exclusive(self.folder / ".lock"))
            yield

    def create(self, name: str, schema: "pa.Schema") -> None:
        """Make an empty table; one that is there stays as it is."""
        with self.told("cannot be written", name):
            self._database.create_table(name, schema=schema, exist_ok=True)

    def append(self, name: str, rows: "pa.Table") -> None:
        """Add rows in one commit; no rows, no commit."""
        if rows.num_rows:
            with self.told("cannot be written", name):
                self._open(name).add(rows)

    def upsert(self, name: str, rows: "pa.Table", *, key: str) -> None:
        """Add rows, or replace those with the same key, in one commit."""
        with self.told("cannot be written", name):
            merge = self._open(name).merge_insert(key)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def delete(self, name: str, where: str) -> int:
        """Delete rows in one commit and return their number; no rows, no commit."""
        with self.told("cannot be written", name):
            table = self._open(name)
            num_rows: int = table.count_rows(where)
            if num_rows:
                table.delete(where)
            return num_rows

    def rows(
        self, name: str, *, where: str | None = None, columns: Sequence[str] | None = None
    ) -> "pa.Table":
        """Return the rows that fulfil an SQL condition, in no particular order."""
        with self.told("cannot be read", name):
            query = self._open(name).search()
            if where is not None:
                query = query.where(where)
            if columns is not None:
                query = query.select(list(columns))
            rows = query.to_arrow()
            rows.validate(full=True)
            return rows

    def batches(self, name: str, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """Yield some columns of a whole table in pieces, however large it is."""
        with self.told("cannot be read", name):
            yield from self._open(name).search().select(list(columns)).to_batches()

    def schema(self, name: str) -> "pa.Schema":
        """Return the columns that a table has on disk."""
        with self.told("cannot be read", name):
            return self._open(name).schema

    def version(self, name: str) -> int:
        """Return a table's version, which grows with every commit."""
        with self.told("cannot be read", name):
            return int(self._open(name).version)

    def tidy_when_fragmented(self, name: str) -> None:
        """Compact a table that many small commits have made slow; only while `writing`."""
        with self.told("cannot be read", name):
            fragments = self._open(name).stats()["fragment_stats"]
        if fragments["num_small_fragments"] > MANY_FRAGMENTS:
            self.tidy(name)

    def tidy(self, name: str) -> None:
        """Compact a table, index it once it is large, drop old versions and killed writes.

        Files that no version names are dropped whatever their age: safe only while `writing`.
        """
        from lancedb.index import Bitmap

        with self.told("cannot be written", name):
            table = self._open(name)
            large = table.count_rows() >= INDEX_FROM_ROWS and "movie_id" in table.schema.names
            if large and not table.list_indices():
                table.create_index("movie_id", config=Bitmap())
            table.optimize(cleanup_older_than=_READERS_MAY_TAKE, delete_unverified=True)

    @cached_property
    def _database(self) -> Any:
        import lancedb

        return lancedb.connect(self._utf8_path())

    def _utf8_path(self) -> str:
        """Return a path of the folder that Lance can be told, whatever the folder is called."""
        folder = str(self.folder.resolve())
        try:
            folder.encode()
        except UnicodeEncodeError:
            # The kernel's own name for a folder that this process holds open.
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            weakref.finalize(self, os.close, opened)
            return f"/proc/self/fd/{opened}"
        return folder

    def _open(self, name: str) -> Any:
        return self._database.open_table(name)

    @contextmanager
    def told(self, trouble: str, table: str | None = None) -> Iterator[None]:
        """Turn what goes wrong in the block into a sentence about this library."""
        try:
            yield
        except BaseException as error:
            if not _is_of_the_store(error):
                raise
            where = "" if table is None else f"table {table}: "
            raise LibraryError(
                f"library {self.folder} {trouble}: {where}{_reason(error)}"
            ) from error


def equals(column: str, value: str) -> str:
    """Return the SQL condition that a column equals a text, whatever is in the text."""
    return f"{column} = {quoted(value)}"


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _is_of_the_store(error: BaseException) -> bool:
    """Say if lancedb, Arrow or the disk raised this; a Rust panic's class cannot be imported."""
    import pyarrow as pa

    known = (OSError, RuntimeError, ValueError, pa.ArrowException)
    return isinstance(error, known) or type(error).__name__ in {"RustPanic", "PanicException"}


def _reason(error: BaseException) -> str:
    """Return the cause in a few words, without the places in the store's own source."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    number = re.search(r"\(os error (\d+)\)", str(error))
    if number:
        return os.strerror(int(number[1]))
    first_line = str(error).removeprefix("lance error: ").partition("\n")[0]
    return re.sub(r", /\S+\.rs:\d+:\d+$", "", first_line)[:300]
