"""The embedded store under a library: tables in a folder, and errors as sentences."""

import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.core.errors import LibraryError
from mastershot.core.files import reporting_errors
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
            with self.reporting_errors("cannot be written"):
                stack.enter_context(exclusive(self.folder / ".lock"))
            yield

    def create(self, name: str, schema: "pa.Schema") -> None:
        """Make an empty table, unless there is one."""
        with self.reporting_errors("cannot be written", name):
            self._database.create_table(name, schema=schema, exist_ok=True)

    def has(self, name: str) -> bool:
        """Return True if there is a table of this name."""
        return (self.folder / f"{name}.lance").is_dir()

    def append(self, name: str, rows: "pa.Table") -> None:
        """Add rows in one commit; no rows, no commit."""
        if rows.num_rows:
            with self._open(name, "written") as table:
                table.add(rows)

    def upsert(self, name: str, rows: "pa.Table", *, key: str) -> None:
        """Add rows, or replace those with the same key, in one commit."""
        with self._open(name, "written") as table:
            merge = table.merge_insert(key)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def delete(self, name: str, where: str) -> int:
        """Delete rows in one commit and return their number; no rows, no commit."""
        with self._open(name, "written") as table:
            num_rows: int = table.count_rows(where)
            if num_rows:
                table.delete(where)
            return num_rows

    def rows(
        self, name: str, *, where: str | None = None, columns: Sequence[str] | None = None
    ) -> "pa.Table":
        """Return the rows that fulfil an SQL condition, in no particular order."""
        with self._open(name, "read") as table:
            query = table.search()
            if where is not None:
                query = query.where(where)
            if columns is not None:
                query = query.select(list(columns))
            rows = query.to_arrow()
            rows.validate(full=True)
            return rows

    def batches(self, name: str, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """Yield some columns of a whole table in pieces, however large it is."""
        with self._open(name, "read") as table:
            yield from table.search().select(list(columns)).to_batches()

    def version(self, name: str) -> int:
        """Return a table's version, which grows with every commit."""
        with self._open(name, "read") as table:
            return int(table.version)

    def tidy_when_fragmented(self, name: str) -> None:
        """Compact a table that many small commits have made slow; only while `writing`."""
        with self._open(name, "read") as table:
            fragments = table.stats()["fragment_stats"]
        if fragments["num_small_fragments"] > MANY_FRAGMENTS:
            self.tidy(name)

    def tidy(self, name: str) -> None:
        """Compact a table, index it once it is large, drop old versions and killed writes.

        Files that no version names are dropped whatever their age: safe only while `writing`.
        """
        from lancedb.index import Bitmap

        with self._open(name, "written") as table:
            large = table.count_rows() >= INDEX_FROM_ROWS and "movie_id" in table.schema.names
            if large and not table.list_indices():
                table.create_index("movie_id", config=Bitmap())
            table.optimize(cleanup_older_than=_READERS_MAY_TAKE, delete_unverified=True)

    @cached_property
    def _database(self) -> Any:
        import lancedb

        folder = str(self.folder.resolve())
        try:
            folder.encode()
        except UnicodeEncodeError:
            # Lance takes UTF-8 alone: this is the kernel's own name for a folder held open.
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            weakref.finalize(self, os.close, opened)
            folder = f"/proc/self/fd/{opened}"
        return lancedb.connect(folder)

    @contextmanager
    def _open(self, name: str, purpose: str) -> Iterator[Any]:
        """Return the newest version of a table to be ``read`` or ``written``."""
        with self.reporting_errors(f"cannot be {purpose}", name):
            yield self._database.open_table(name)

    def reporting_errors(
        self, failure: str, table: str | None = None
    ) -> AbstractContextManager[None]:
        """Turn what goes wrong in a block into a sentence about this library."""
        where = "" if table is None else f": table {table}"
        return reporting_errors(LibraryError, f"library {self.folder} {failure}{where}")


def equals(column: str, value: str) -> str:
    """Return the SQL condition that a column equals a text, whatever is in the text."""
    return f"{column} = {quoted(value)}"


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
