"""The vectors of one film's frames, in a folder of chunks or in a library's tables."""

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import EncoderError, OutputError
from mastershot.core.files import reporting_errors
from mastershot.core.protocols import FeatureStore
from mastershot.store.files import exclusive, write_whole
from mastershot.store.lance import LanceTables, equals
from mastershot.store.tables import embeddings_rows, embeddings_schema, embeddings_table, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK_NAME = re.compile(r"[0-9a-f]{16}-(?P<first>\d+)-(?P<end>\d+)-(?P<digest>[0-9a-f]{16})")
_NO_FRAMES: IntArray = np.empty(0, np.int64)


class FolderFeatures:
    """Feature store of one film: a folder of chunks, each written whole or not at all.

    A chunk holds what one `put` added. Its name states its space, its half-open range of frames
    and the digest of its bytes; a file that is not what its name says counts as absent, and the
    next `put` over its range removes it. A folder that cannot be read or written is an
    `OutputError`, a value that is not finite an `EncoderError`.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._frames_of: dict[str, IntArray] = {}

    def missing(self, space: EmbeddingSpace, frames: IntArray) -> IntArray:
        """Return those of the frames that have no vector in this space yet, ascending."""
        wanted = np.unique(frames)
        for path in self._chunks(space, wanted):
            wanted = np.setdiff1d(wanted, self._frames(path))
        return wanted

    def put(self, embeddings: Embeddings) -> None:
        """Keep the vectors; a frame that has one already keeps it."""
        with self._writing():
            for leftover in self._folder.glob("*.tmp"):
                leftover.unlink()
            for path in self._chunks(embeddings.space, embeddings.frames):
                if not len(self._frames(path)):
                    path.unlink()
            fresh = _fresh(self, embeddings)
            if len(fresh):
                space, frames, buffer = fresh.space, fresh.frames, io.BytesIO()
                vectors, model, weights_hash = fresh.vectors, space.model, space.weights_hash
                np.savez(
                    buffer, frames=frames, vectors=vectors, model=model, weights_hash=weights_hash
                )
                data = buffer.getvalue()
                name = f"{space.key}-{frames[0]:07}-{frames[-1] + 1:07}-{_digest(data)}.npz"
                write_whole(self._folder / name, data)

    def get(self, space: EmbeddingSpace, frames: IntArray | None = None) -> Embeddings:
        """Return the vectors of these frames, or of all that are kept, ascending by frame.

        Only chunks that hold one of the frames are read, one at a time.

        Raises:
            KeyError: A frame that was asked for has no vector.
        """
        paths = self._chunks(space, frames)
        if frames is None:
            frames = np.concatenate([_NO_FRAMES, *map(self._frames, paths)])
        wanted = np.unique(frames)
        vectors = np.empty((len(wanted), space.width), np.float32)
        found = np.zeros(len(wanted), np.bool_)
        for path in paths:
            _, rows, chunk_rows = np.intersect1d(wanted, self._frames(path), return_indices=True)
            chunk = _read_chunk(path) if len(rows) else None
            if chunk is not None:
                vectors[rows] = chunk[1][chunk_rows]
                found[rows] = True
        _require_all(space, wanted, found=wanted[found])
        return Embeddings(space, wanted, vectors)

    def clear(self) -> None:
        """Remove every vector, because the film's frames are not the same any more."""
        with self._writing():
            for path in self._folder.glob("*.npz"):
                if _CHUNK_NAME.fullmatch(path.stem):
                    path.unlink()
        self._frames_of.clear()

    def _chunks(self, space: EmbeddingSpace, frames: IntArray | None) -> list[Path]:
        """Return the chunks that may hold one of the frames, by what their names say."""
        chunks = []
        for path in sorted(self._folder.glob(f"{space.key}-*.npz")):
            if name := _CHUNK_NAME.fullmatch(path.stem):
                first, end = int(name["first"]), int(name["end"])
                if frames is None or ((frames >= first) & (frames < end)).any():
                    chunks.append(path)
        return chunks

    def _frames(self, path: Path) -> IntArray:
        """Return the frames of a chunk, none if it is damaged; a chunk is checked once."""
        if path.name not in self._frames_of:
            chunk = _read_chunk(path)
            if chunk is None:
                return _NO_FRAMES
            self._frames_of[path.name] = chunk[0]
        return self._frames_of[path.name]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with reporting_errors(OutputError, f"features cannot be kept in {self._folder}"):
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self._folder / ".lock"):
                yield


class LibraryFeatures:
    """Feature store of one film of a library, which may not have its timeline yet.

    A table that cannot be read or written is a `LibraryError`, a value that is not finite an
    `EncoderError`.
    """

    def __init__(self, tables: LanceTables, movie_id: str) -> None:
        self._tables = tables
        self._movie_id = movie_id

    def missing(self, space: EmbeddingSpace, frames: IntArray) -> IntArray:
        """Return those of the frames that have no vector in this space yet, ascending."""
        return np.setdiff1d(frames, self._rows(space, frames, ["frame"])["frame"].to_numpy())

    def put(self, embeddings: Embeddings) -> None:
        """Keep the vectors in one commit; a frame that has one already keeps it."""
        space, name = embeddings.space, embeddings_table(embeddings.space.key)
        with self._tables.writing():
            fresh = _fresh(self, embeddings)
            if not len(fresh):
                return
            if not self._tables.rows("spaces", where=equals("key", space.key)).num_rows:
                self._tables.create(name, embeddings_schema(space.width))
                row = {"key": space.key, **asdict(space)}
                self._tables.append("spaces", table_of("spaces", [row]))
            self._tables.append(name, embeddings_rows(self._movie_id, fresh))
            self._tables.tidy_when_fragmented(name)

    def get(self, space: EmbeddingSpace, frames: IntArray | None = None) -> Embeddings:
        """Return the vectors of these frames, or of all that are kept, ascending by frame.

        Raises:
            KeyError: A frame that was asked for has no vector.
        """
        table = self._rows(space, frames, ["frame", "vector"])
        kept = table["frame"].to_numpy()
        vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, space.width)
        wanted = np.unique(kept if frames is None else frames)
        _, _, rows = np.intersect1d(wanted, kept, return_indices=True)
        _require_all(space, wanted, found=kept[rows])
        return Embeddings(space, wanted, vectors[rows])

    def clear(self) -> None:
        """Remove every vector, because the film's frames are not the same any more."""
        with self._tables.writing():
            for key in self._tables.rows("spaces", columns=["key"])["key"].to_pylist():
                self._tables.delete(embeddings_table(key), equals("movie_id", self._movie_id))

    def _rows(
        self, space: EmbeddingSpace, frames: IntArray | None, columns: list[str]
    ) -> "pa.Table":
        """Return the rows that the library holds in the range that the frames span."""
        nothing = embeddings_schema(space.width).empty_table().select(columns)
        where = equals("movie_id", self._movie_id)
        if frames is not None:
            if not len(frames):
                return nothing
            where += f" AND frame >= {frames.min()} AND frame <= {frames.max()}"
        if not self._tables.rows("spaces", where=equals("key", space.key)).num_rows:
            return nothing
        return self._tables.rows(embeddings_table(space.key), where=where, columns=columns)


def _fresh(store: FeatureStore, embeddings: Embeddings) -> Embeddings:
    """Return the part of the embeddings that the store does not hold yet."""
    frames, vectors = embeddings.frames, embeddings.vectors
    assert (np.diff(frames) > 0).all(), "frames must ascend"
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise EncoderError(
            f"{embeddings.space.model} gave frame {frames[~finite][0]} a vector that is not "
            "finite; its weights are damaged or overflow in this precision"
        )
    new = np.isin(frames, store.missing(embeddings.space, frames))
    return Embeddings(embeddings.space, frames[new], vectors[new])


def _require_all(space: EmbeddingSpace, wanted: IntArray, *, found: IntArray) -> None:
    absent = np.setdiff1d(wanted, found)
    if len(absent):
        raise KeyError(f"{len(absent)} frames, first {absent[0]}, have no vector of {space.model}")


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _read_chunk(path: Path) -> tuple[IntArray, FloatArray] | None:
    """Return a chunk's frames and vectors, or None if its bytes are not what its name says."""
    with reporting_errors(OutputError, f"features cannot be read: {path}"):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
    if path.stem.rpartition("-")[2] != _digest(data):
        return None
    with np.load(io.BytesIO(data), allow_pickle=False) as chunk:
        return chunk["frames"], chunk["vectors"]
