"""The tables of a library: columns, paths as text, and rows that a killed writer left."""

import os
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote_from_bytes, unquote_to_bytes

from mastershot.core.embeddings import Embeddings
from mastershot.store.lance import LanceTables, equals

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "mastershot/library/1"
TABLES_OF_A_RUN = ("runs", "shots", "scenes", "labels", "sounds", "subtitles", "traits", "genres")
"""Their rows count only when the row of their film in ``movies`` names their run."""

ADDED_TABLES = ("sounds", "subtitles", "traits", "genres")
"""Those that libraries of earlier versions lack."""

Row: TypeAlias = dict[str, Any]

_PATH_SCHEME = "file:"

_RUN = "movie_id text, run_id text"
_SPAN = (
    "first_frame int64, end_frame int64, start_pts int64, end_pts int64, start_s real, end_s real"
)
_COLUMNS = {
    "movies": """
        id text, path text, content_hash text, frame_rate text, time_base text,
        start_pts int64, end_pts int64, duration_s real, num_frames int64,
        width_px int32, height_px int32, sample_aspect_ratio text, has_audio bool,
        variable_frame_rate bool, num_shots int32, num_scenes int32, run_id text,
        file text, size_bytes int64
    """,
    "runs": f"{_RUN}, version text, created text, steps text, timeline bytes",
    "shots": f"""
        {_RUN}, index int32, id text, {_SPAN}, transition text, transition_start_frame int64,
        transition_end_frame int64, scene_index int32, kept texts, thumb bytes
    """,
    "scenes": f"{_RUN}, index int32, id text, first_shot int32, end_shot int32, {_SPAN}",
    "labels": f"""
        {_RUN}, level text, item_id text, borrowed bool, rank int32, name text, score real,
        unsure bool
    """,
    "sounds": f"{_RUN}, name text, score real, start_s real, end_s real, peak_s real",
    "subtitles": f"{_RUN}, text text, {_SPAN}",
    "traits": f"""
        {_RUN}, index int32, setting text, time_of_day text, heading text, scale text, people int32
    """,
    "genres": f"{_RUN}, name text, score real, chosen bool",
    "spaces": "key text, model text, weights_hash text, width int32",
}
"""The columns of each table and their types, as SQL lists them."""


def schemas() -> "dict[str, pa.Schema]":
    """Return the columns of every table that each library has."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "bytes": pa.binary(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "real": pa.float64(),
        "bool": pa.bool_(),
    }
    return {
        table: pa.schema([(name, types[kind]) for name, kind in map(str.split, columns.split(","))])
        for table, columns in _COLUMNS.items()
    }


def embeddings_table(space_key: str) -> str:
    """Return the name of the table that holds the vectors of one space."""
    return f"embeddings_{space_key}"


def embeddings_schema(width: int) -> "pa.Schema":
    """Return the columns of a table of vectors with this many dimensions."""
    import pyarrow as pa

    vector = pa.list_(pa.float32(), width)
    return pa.schema([("movie_id", pa.string()), ("frame", pa.int64()), ("vector", vector)])


def embeddings_rows(movie_id: str, embeddings: Embeddings) -> "pa.Table":
    """Return one row a frame."""
    import pyarrow as pa

    width = embeddings.space.width
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.vectors.ravel()), width)
    columns = [[movie_id] * len(embeddings), embeddings.frames, vectors]
    return pa.table(columns, schema=embeddings_schema(width))


def of_run(movie_id: str, run_id: str) -> str:
    """Return the SQL condition that finds the rows of one run of a film."""
    return f"{equals('movie_id', movie_id)} AND {equals('run_id', run_id)}"


def table_of(name: str, rows: list[Row]) -> "pa.Table":
    """Return rows as a piece of the table of that name."""
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=schemas()[name])


def find_leftovers(
    tables: LanceTables, name: str, runs: Mapping[str, str]
) -> list[tuple[str, str, int]]:
    """Return film, SQL condition and number of the rows of a table that a killed writer left.

    Args:
        name: One of `TABLES_OF_A_RUN`, or a table of vectors, where only the film counts.
        runs: The run of each film of the library, by the film's id.
    """
    import pyarrow as pa

    columns = ["movie_id", "run_id"] if name in TABLES_OF_A_RUN else ["movie_id"]
    num_rows: Counter[tuple[str, ...]] = Counter()
    for batch in tables.batches(name, columns):
        groups = pa.Table.from_batches([batch]).group_by(columns).aggregate([([], "count_all")])
        for group in groups.to_pylist():
            num_rows[tuple(group[column] for column in columns)] += group["count_all"]
    return [
        (key[0], " AND ".join(map(equals, columns, key)), count)
        for key, count in sorted(num_rows.items())
        if key[0] not in runs or key[1:] not in {(), (runs[key[0]],)}
    ]


def stored_path(path: str) -> str:
    """Return a path as a table keeps it: as it is, or as ``file:caf%E9.mp4`` if it is no UTF-8.

    Raises:
        UnicodeEncodeError: It is no file name at all.
    """
    return path if _is_utf8(path) and read_path(path) == path else _uri(path)


def read_path(stored: str) -> str:
    """Return the path that `stored_path` made this of; what it did not make stays as it is."""
    if not stored.startswith(_PATH_SCHEME):
        return stored
    path = os.fsdecode(unquote_to_bytes(stored.removeprefix(_PATH_SCHEME)))
    needs_uri = path.startswith(_PATH_SCHEME) or not _is_utf8(path)
    return path if needs_uri and _uri(path) == stored else stored


def _is_utf8(path: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in path)


def _uri(path: str) -> str:
    return _PATH_SCHEME + quote_from_bytes(os.fsencode(path))
