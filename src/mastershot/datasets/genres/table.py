"""A data set of trailers: genres, splits, and vectors of several experts, clip by clip.

Its folder holds ``trailers.csv``, one row a trailer; ``card.json``, which names genres and experts
and says how all was made; and for each expert ``experts/<name>.npy``, one row a clip, in the order
of the trailers. A row of NaN says that the expert has nothing to say of a clip: silence, a missing
track, no words. Of an expert in pieces (sound, in stretches of about a second) a row holds several
vectors, and NaN fills it up.
"""
# T trailers, N clips of all or some of them, P pieces of a clip, D width, G genres

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import make_folder, replacing, reporting_errors, written_whole
from mastershot.datasets.files import read_table, read_text

SCHEMA = "mastershot/genres/1"
CARD, TRAILERS, EXPERTS = "card.json", "trailers.csv", "experts"
SPLITS = ("train", "val", "test")
_COLUMNS = ("id", "title", "year", "split", "genres", "clips", "content_hash")
_WHAT = "data set of genres"


@dataclass(frozen=True)
class Trailer:
    """One trailer, or film.

    Attributes:
        id: Unique within the data set.
        title: Its title; may be empty.
        year: Year of release, where known.
        split: One of `SPLITS`, or empty.
        genres: Its genres; empty where nobody stated them.
        num_clips: How many clips it has.
        content_hash: Of its file, where it was made from one; equal files are one film.
    """

    id: str
    title: str
    year: int | None
    split: str
    genres: tuple[str, ...]
    num_clips: int
    content_hash: str = ""


@dataclass(frozen=True)
class Expert:
    """What gives each clip a vector.

    Attributes:
        name: ``location``, ``image``, ``motion``, ``audio``, ``text``, or another one.
        width: Numbers of a vector.
        pieces: How many vectors a clip has at most; 0 for one, not in pieces.
        made_by: How it was made: network, weights, settings.
    """

    name: str
    width: int
    pieces: int = 0
    made_by: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a clip's row: (D,), or (P, D) in pieces."""
        return (self.pieces, self.width) if self.pieces else (self.width,)


@dataclass(frozen=True, eq=False)
class GenreDataset:
    """A data set as it lies on disk; vectors are read as they are asked for.

    Attributes:
        folder: Where it lies.
        name: What it is called.
        genres: All genres, in the order of scores.
        experts: Its experts, by name.
        trailers: The trailers, in the order of their clips.
        made_by: How it was made, and from what.
    """

    folder: Path
    name: str
    genres: tuple[str, ...]
    experts: Mapping[str, Expert]
    trailers: tuple[Trailer, ...]
    made_by: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def starts(self) -> IntArray:
        """The first clip of each trailer, and the number of clips, (T + 1,)."""
        return np.cumsum([0, *(one.num_clips for one in self.trailers)])

    @cached_property
    def truth(self) -> npt.NDArray[np.bool_]:
        """Which genres each trailer has, (T, G)."""
        place = {name: index for index, name in enumerate(self.genres)}
        truth = np.zeros((len(self.trailers), len(self.genres)), bool)
        for row, trailer in enumerate(self.trailers):
            truth[row, [place[name] for name in trailer.genres]] = True
        return truth

    def split(self, name: str) -> IntArray:
        """Return the places of a split's trailers that have a clip and a genre."""
        found = [
            place
            for place, one in enumerate(self.trailers)
            if one.split == name and one.num_clips and one.genres
        ]
        return np.array(found, np.int64)

    def vectors(self, expert: str, trailer: int) -> FloatArray:
        """Return an expert's vectors of a trailer's clips, float32 (N, D), or (N, P, D) in pieces.

        A clip of which the expert says nothing is NaN.

        Raises:
            DatasetError: The file cannot be read.
        """
        file, first = self._files[expert], int(self.starts[trailer])
        count = int(self.starts[trailer + 1]) - first
        with reporting_errors(DatasetError, f"{_WHAT} {file.path} cannot be read"):
            rows = np.fromfile(
                file.path, file.dtype, count * file.items, offset=file.offset_of(first)
            )
        return rows.reshape(count, *self.experts[expert].shape).astype(np.float32)

    @cached_property
    def _files(self) -> dict[str, "_VectorFile"]:
        num_clips = int(self.starts[-1])
        return {
            name: _vector_file(self.folder / EXPERTS / f"{name}.npy", (num_clips, *expert.shape))
            for name, expert in self.experts.items()
        }


@dataclass(frozen=True)
class _VectorFile:
    path: Path
    dtype: "np.dtype[Any]"
    items: int  # numbers of a row
    data_at: int  # bytes

    def offset_of(self, row: int) -> int:
        return self.data_at + row * self.items * self.dtype.itemsize


def _vector_file(path: Path, shape: tuple[int, ...]) -> _VectorFile:
    """Return where the rows of an array file lie, without reading them."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{_WHAT} has no vectors that can be read in {path}: {error}") from error
    if array.shape != shape or array.dtype not in (np.float16, np.float32):
        raise DatasetError(
            f"{path} holds {array.dtype} of shape {array.shape}; by the card and the trailers it "
            f"should be float16 or float32 of shape {shape}"
        )
    assert isinstance(array, np.memmap)
    return _VectorFile(path, array.dtype, int(np.prod(shape[1:])), int(array.offset))


def read_genre_dataset(folder: str | Path) -> GenreDataset:
    """Return a data set; its vectors stay on disk.

    Raises:
        DatasetError: A file is missing, damaged, or contradicts another.
    """
    folder = Path(folder)
    text = read_text(folder / CARD, what=f"card of the {_WHAT}")
    try:
        card = json.loads(text)
        if not isinstance(card, dict):
            raise DatasetError(f"{folder / CARD} is no card of a {_WHAT}: it holds no JSON object")
        if card["schema"] != SCHEMA:
            raise DatasetError(
                f"{folder / CARD} has schema {card['schema']!r}; this version reads {SCHEMA!r}"
            )
        genres = tuple(map(str, card["genres"]))
        experts = {
            str(name): Expert(
                str(name), int(one["width"]), int(one.get("pieces", 0)), dict(one["made_by"])
            )
            for name, one in card["experts"].items()
        }
        made_by, name = dict(card.get("made_by", {})), str(card["name"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DatasetError(f"{folder / CARD} is no card of a {_WHAT}: {reason}") from error
    trailers = _read_trailers(folder / TRAILERS, set(genres))
    data = GenreDataset(folder, name, genres, experts, trailers, made_by)
    _ = data._files  # Contradictions are found now, not hours later.
    return data


def _read_trailers(path: Path, genres: set[str]) -> tuple[Trailer, ...]:
    trailers: dict[str, Trailer] = {}
    for row in read_table(path, _COLUMNS, what=f"trailers of the {_WHAT}"):
        named = tuple(name for name in row["genres"].split("|") if name)
        if unknown := [name for name in named if name not in genres]:
            raise row.error(f"genre {unknown[0]!r} is not on the card")
        if row["id"] in trailers or not row["id"]:
            raise row.error(f"id {row['id']!r} is empty or not the first of its kind")
        if row["split"] and row["split"] not in SPLITS:
            raise row.error(f"split {row['split']!r} is none of {', '.join(SPLITS)}")
        year = row.whole("year") if row["year"] else None
        trailers[row["id"]] = Trailer(
            row["id"], row["title"], year, row["split"], named, row.whole("clips"),
            row["content_hash"],
        )  # fmt: skip
    return tuple(trailers.values())


def write_genre_dataset(
    folder: Path,
    trailers: Sequence[Trailer],
    vectors_of: Callable[[Trailer], Mapping[str, FloatArray]],
    *,
    name: str,
    genres: Sequence[str],
    experts: Sequence[Expert],
    made_by: Mapping[str, Any],
    dtype: type[np.floating[Any]] = np.float16,
) -> GenreDataset:
    """Write a data set, trailer by trailer, and return it.

    Args:
        folder: Where it goes; its files are replaced.
        trailers: The trailers, each with the number of its clips.
        vectors_of: Returns a trailer's vectors by expert, (N, D) or (N, P, D), NaN where there is
            nothing; an expert that it leaves out has nothing to say of the trailer.
        name: What the data set is called.
        genres: All genres.
        experts: All experts.
        made_by: How it was made, and from what, with licences.
        dtype: What vectors are kept in, float16 or float32.

    Raises:
        DatasetError: Vectors are not of the expert's width, or of another number of clips.
        OutputError: It cannot be written.
    """
    make_folder(folder / EXPERTS)
    num_clips = sum(one.num_clips for one in trailers)
    with reporting_errors(OutputError, f"{_WHAT} {folder} cannot be written"):
        _write_vectors(folder / EXPERTS, trailers, vectors_of, experts, num_clips, np.dtype(dtype))
    with written_whole(folder / TRAILERS, newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS)
        for one in trailers:
            year = "" if one.year is None else one.year
            table.writerow([one.id, one.title, year, one.split, "|".join(one.genres),
                            one.num_clips, one.content_hash])  # fmt: skip
    card = {
        "schema": SCHEMA,
        "name": name,
        "genres": list(genres),
        "experts": {one.name: _without_name(one) for one in experts},
        "made_by": dict(made_by),
    }
    with written_whole(folder / CARD) as file:
        file.write(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return read_genre_dataset(folder)


def _without_name(expert: Expert) -> dict[str, Any]:
    return {key: value for key, value in asdict(expert).items() if key != "name"}


def _write_vectors(
    folder: Path,
    trailers: Sequence[Trailer],
    vectors_of: Callable[[Trailer], Mapping[str, FloatArray]],
    experts: Sequence[Expert],
    num_clips: int,
    dtype: "np.dtype[Any]",
) -> None:
    with ExitStack() as stack:
        files = {}
        for one in experts:
            partial = stack.enter_context(replacing(folder / f"{one.name}.npy"))
            files[one.name] = stack.enter_context(partial.open("wb"))
            header = {
                "descr": np.lib.format.dtype_to_descr(dtype),
                "fortran_order": False,
                "shape": (num_clips, *one.shape),
            }
            np.lib.format.write_array_header_2_0(files[one.name], header)
        for trailer in trailers:
            found = vectors_of(trailer)
            for one in experts:
                rows = found.get(one.name)
                shape = (trailer.num_clips, *one.shape)
                if rows is None:
                    rows = np.full(shape, np.nan, np.float32)
                if rows.shape != shape:
                    raise DatasetError(
                        f"vectors of expert {one.name} of trailer {trailer.id} have shape "
                        f"{rows.shape}; by the card and its number of clips it should be {shape}"
                    )
                files[one.name].write(np.ascontiguousarray(rows, dtype).tobytes())
