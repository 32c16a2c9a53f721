"""The folder of a library: what makes it one, and how a new one is made."""

import json
import os
from pathlib import Path

from mastershot.core.errors import LibraryError
from mastershot.core.files import reporting_errors
from mastershot.store.files import write_whole
from mastershot.store.lance import LanceTables
from mastershot.store.tables import ADDED_TABLES, SCHEMA, schemas

_MARKER = "library.json"


def is_library(folder: Path) -> bool:
    """Return True if a folder was made as a library, whatever it is called."""
    return (folder / _MARKER).is_file()


def require_library(folder: Path) -> None:
    """Raise `LibraryError` unless the folder is a library that this version reads."""
    with reporting_errors(LibraryError, f"library {folder} cannot be read"):
        if not folder.exists():
            raise LibraryError(
                f"no library at {folder}; "
                f"`mastershot library add FILM --library {folder}` makes one"
            )
        if not folder.is_dir():
            raise LibraryError(f"{folder} is a file, not a library; a library is a folder")
        try:
            text = (folder / _MARKER).read_text("utf-8")
        except FileNotFoundError as error:
            raise LibraryError(
                f"{folder} is not a library: it holds no {_MARKER}; name another folder, or a new "
                "one to `mastershot library add`"
            ) from error
    try:
        marker = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LibraryError(f"library {folder} is damaged: its {_MARKER} is not JSON") from error
    found = marker.get("schema") if isinstance(marker, dict) else None
    if found != SCHEMA:
        raise LibraryError(f"library {folder} has schema {found!r}; this version reads {SCHEMA!r}")


def make_library(tables: LanceTables) -> None:
    """Make an empty library; a library stays as it is, a half-made one is completed.

    Raises:
        LibraryError: Something else is in its place, or the folder cannot be written.
    """
    folder = tables.folder
    with tables.reporting_errors("cannot be made"):
        if folder.exists() and not folder.is_dir():
            raise LibraryError(f"{folder} is a file, so no library can be made there")
        folder.mkdir(parents=True, exist_ok=True)
        ours = {".lock", f"{_MARKER}.tmp", *(f"{name}.lance" for name in schemas())}
        foreign = sorted({path.name for path in folder.iterdir()} - ours)
        if (folder / _MARKER).exists():
            return
        if foreign:
            raise LibraryError(
                f"{folder} is not a library and not empty (it holds {foreign[0]}); "
                "name another folder"
            )
    with tables.writing(), tables.reporting_errors("cannot be made"):
        for name, schema in schemas().items():
            tables.create(name, schema)
        write_whole(folder / _MARKER, json.dumps({"schema": SCHEMA}).encode())


def complete_library(tables: LanceTables) -> None:
    """Make the tables that a library of an earlier version lacks, unless it is read-only."""
    missing = [name for name in ADDED_TABLES if not tables.has(name)]
    if not missing or not os.access(tables.folder, os.W_OK):
        return
    with tables.writing():
        for name in missing:
            tables.create(name, schemas()[name])
