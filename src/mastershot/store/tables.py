"""The tables of a library and their columns."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from mastershot.core.embeddings import Embeddings, EmbeddingSpace
from mastershot.store.lance import equals

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "mastershot/library/1"
TABLES_OF_A_RUN = ("runs", "shots", "scenes", "labels")
"""Their rows count only when the row of their film in ``movies`` names their run."""

Row: TypeAlias = dict[str, Any]

_RUN = {"movie_id": "text", "run_id": "text"}
_SPAN = {
    "first_frame": "int64",
    "end_frame": "int64",
    "start_pts": "int64",
    "end_pts": "int64",
    "start_s": "real",
    "end_s": "real",
}
_COLUMNS = {
    "movies": {
        "id": "text",
        "path": "text",
        "content_hash": "text",
        "frame_rate": "text",
        "time_base": "text",
        "start_pts": "int64",
        "end_pts": "int64",
        "duration_s": "real",
        "num_frames": "int64",
        "width_px": "int32",
        "height_px": "int32",
        "sample_aspect_ratio": "text",
        "has_audio": "bool",
        "variable_frame_rate": "bool",
        "num_shots": "int32",
        "num_scenes": "int32",
        "run_id": "text",
        "file": "text",
        "size_bytes": "int64",
    },
    "runs": {**_RUN, "version": "text", "created": "text", "steps": "text", "timeline": "bytes"},
    "shots": {
        **_RUN,
        "index": "int32",
        "id": "text",
        **_SPAN,
        "transition": "text",
        "transition_start_frame": "int64",
        "transition_end_frame": "int64",
        "scene_index": "int32",
        "kept": "texts",
        "thumb": "bytes",
    },
    "scenes": {
        **_RUN,
        "index": "int32",
        "id": "text",
        "first_shot": "int32",
        "end_shot": "int32",
        **_SPAN,
    },
    "labels": {
        **_RUN,
        "level": "text",
        "item_id": "text",
        "borrowed": "bool",
        "rank": "int32",
        "name": "text",
        "score": "real",
        "unsure": "bool",
    },
    "spaces": {"key": "text", "model": "text", "weights_hash": "text", "width": "int32"},
}


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
        table: pa.schema([(name, types[kind]) for name, kind in columns.items()])
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


def space_rows(space: EmbeddingSpace) -> "pa.Table":
    """Return the one row that says what a table of vectors holds."""
    return table_of("spaces", [{"key": space.key, **asdict(space)}])


def of_run(movie_id: str, run_id: str) -> str:
    """Return the SQL condition that finds the rows of one run of a film."""
    return f"{equals('movie_id', movie_id)} AND {equals('run_id', run_id)}"


def table_of(name: str, rows: list[Row]) -> "pa.Table":
    """Return rows as a piece of the table of that name."""
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=schemas()[name])
