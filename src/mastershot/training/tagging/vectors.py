"""Vectors of shots' frames for networks that read them: from a table, or encoded once and kept."""
# B batch, T frames of a shot, D width of a frame's vector

import hashlib
import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import DatasetError, MediaError
from mastershot.core.protocols import Encoder
from mastershot.datasets.tables.feature_table import FeatureTable, read_features, writing_features
from mastershot.media.clips import Clip
from mastershot.media.sampling import RateClock
from mastershot.media.video import Frame, open_video
from mastershot.store.files import exclusive, write_whole
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.tagging.clips import by_film, film_identity, name_of
from mastershot.training.tagging.settings import VectorSettings
from mastershot.training.tagging.shots import TaggedShot

_FRAMES_AT_ONCE = 64
# Tables may round times to milliseconds.
_ROUNDING_S = 0.0006


@dataclass(frozen=True)
class ReadVectors:
    """What could be read of the shots asked for.

    Attributes:
        sequences: The vectors of each shot that could be read, (T, D).
        found: Their places among those asked for, (B,).
        problems: Why the others could not be, by shot.
    """

    sequences: Sequence[FloatArray]
    found: IntArray
    problems: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class ShotVectors:
    """The vectors of shots' frames, in a table.

    Attributes:
        table: The vectors of each shot.
        places: Place of each shot in the table, -1 where it has none.
        max_steps: Vectors of a shot that are used, from the first on.
        space: What made the vectors; None where a table does not say.
        unread: Why some have none, by shot.
    """

    table: FeatureTable
    places: IntArray
    max_steps: int
    space: EmbeddingSpace | None
    unread: Mapping[int, str]

    def read(self, rows: Sequence[int]) -> ReadVectors:
        """Return the vectors of the shots at these places."""
        found = [place for place, row in enumerate(rows) if self.places[row] >= 0]
        sequences = [self.table.rows(int(self.places[rows[p]]))[: self.max_steps] for p in found]
        problems = {
            row: self.unread.get(row, "it has no vectors: no frame of it could be read")
            for row in rows
            if self.places[row] < 0
        }
        return ReadVectors(sequences, np.array(found, np.int64), problems)


def read_vectors(folder: Path, shots: Sequence[TaggedShot], max_steps: int) -> ShotVectors:
    """Return the vectors of shots from a table whose items are named ``<video>/<file>``.

    Raises:
        DatasetError: There is no such table, or it has none of the shots.
    """
    table = read_features(folder)
    place_of = {item: place for place, item in enumerate(table.items)}
    places = np.array([place_of.get(name_of(shot), -1) for shot in shots], np.int64)
    if (places < 0).all():
        raise DatasetError(f"features {folder} have none of the shots, such as {name_of(shots[0])}")
    space, made = None, table.made_by.get("space")
    if made is not None:
        try:
            space = EmbeddingSpace(**made)
        except TypeError as error:
            raise DatasetError(f"features {folder} name a space that is none: {made!r}") from error
    return ShotVectors(table, places, max_steps, space, {})


def encode_shots(
    shots: Sequence[TaggedShot],
    encoder: Encoder,
    settings: VectorSettings,
    folder: Path,
    on_progress: OnProgress = no_progress,
) -> ShotVectors:
    """Return the vectors of all shots' frames, encoding films that the folder does not hold yet.

    Each film is decoded once; its frames are taken at the rate as `analyze` takes them: ticks of
    one clock over the whole film, and where a shot lies between two, its middle frame.

    Raises:
        OutputError: The folder cannot be written.
        DatasetError: No shot can be read.
    """
    space, unread = encoder.space, dict[int, str]()
    kept = folder / f"{space.key}-{settings.rate_hz:g}-{settings.max_steps}"
    kept.mkdir(parents=True, exist_ok=True)
    with exclusive(kept / "lock"):
        films = dict(_films(shots, unread))
        if not films:
            raise DatasetError(f"no shot can be read, the first because {_first(unread)}")
        key = "\n".join(f"{name} {film.rows}" for name, film in films.items())
        joined = kept / f"shots-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"
        if not joined.exists():
            made_by = {"space": vars(space), "rate_hz": settings.rate_hz}
            with writing_features(
                joined, width=space.width, dtype="float32", made_by=made_by
            ) as add:
                for done, (name, film) in enumerate(films.items()):
                    sequences = _encoded(film, encoder, settings, kept / f"{name}.npz")
                    for row, sequence in zip(film.rows, sequences, strict=True):
                        if len(sequence):
                            add(str(row), sequence)
                    on_progress("encoding frames", done + 1, len(films), {})
    table = read_features(joined)
    row_of = np.full(len(shots), -1, np.int64)
    row_of[np.array(table.items, np.int64)] = np.arange(len(table))
    return ShotVectors(table, row_of, settings.max_steps, space, unread)


def _join(
    folder: Path,
    sequences: Mapping[int, FloatArray],
    space: EmbeddingSpace,
    settings: VectorSettings,
) -> None:
    """Write the vectors of all shots that have some as one table."""
    if not any(map(len, sequences.values())):
        raise DatasetError("no frame of any shot can be read, in any film")
    made_by = {"space": vars(space), "rate_hz": settings.rate_hz}
    with writing_features(folder, width=space.width, dtype="float32", made_by=made_by) as add:
        for row, sequence in sequences.items():
            if len(sequence):
                add(str(row), sequence)


@dataclass(frozen=True)
class _FilmShots:
    """A film's shots: their places in the run's list, and in the film, in the order of time."""

    film: Path
    rows: Sequence[int]
    places: Sequence[Clip]


def _films(shots: Sequence[TaggedShot], unread: dict[int, str]) -> Iterator[tuple[str, _FilmShots]]:
    """Yield each film's shots by a name for them; those without a film go to the unread."""
    for film, rows in by_film(shots):
        try:
            if film is None:
                raise MediaError("no film is known of it")
            places = [place for row in rows if (place := shots[row].place) is not None]
            spans = [(place.start_s, place.end_s) for place in places]
            key = repr((film_identity(film), spans)).encode("utf-8", "surrogateescape")
        except MediaError as error:
            unread |= dict.fromkeys(rows, str(error))
            continue
        name = hashlib.blake2b(key, digest_size=12).hexdigest()
        yield name, _FilmShots(film, rows, places)


def _encoded(
    film: _FilmShots, encoder: Encoder, settings: VectorSettings, block: Path
) -> list[FloatArray]:
    """Return the vectors of each shot's frames, none of one that cannot be read."""
    width = encoder.space.width
    sequences = _read_block(block, len(film.rows), width)
    if sequences is None:
        try:
            write_whole(block, _encode_film(film.film, film.places, encoder, settings))
        except MediaError:
            return [np.zeros((0, width), np.float32)] * len(film.rows)
        sequences = _read_block(block, len(film.rows), width)
        assert sequences is not None, block
    return sequences


def _first(unread: Mapping[int, str]) -> str:
    return next(iter(unread.values()), "there is none")


def _encode_film(
    film: Path, places: Sequence[Clip], encoder: Encoder, settings: VectorSettings
) -> bytes:
    """Return the block of a film: vectors of its shots' frames, and how many each has."""
    frames_of: list[list[FloatArray]] = [[] for _ in places]
    waiting: list[tuple[int, Frame]] = []

    def encode() -> None:
        vectors = encoder.encode_images([frame.rgb() for _, frame in waiting])
        for (shot, _), vector in zip(waiting, vectors, strict=True):
            frames_of[shot].append(vector)
        waiting.clear()

    for shot, frame in _frames_of_shots(film, places, settings):
        waiting.append((shot, frame))
        if len(waiting) == _FRAMES_AT_ONCE:
            encode()
    if waiting:
        encode()
    buffer = io.BytesIO()
    lengths = np.array([len(vectors) for vectors in frames_of], np.int64)
    vectors = np.array([vector for shot in frames_of for vector in shot], np.float32)
    np.savez(buffer, vectors=vectors.reshape(-1, encoder.space.width), lengths=lengths)
    return buffer.getvalue()


def _frames_of_shots(
    film: Path, places: Sequence[Clip], settings: VectorSettings
) -> Iterator[tuple[int, Frame]]:
    """Yield each frame that is to be encoded, with the number of its shot; shots begin in order."""
    video, counts = open_video(film), [0] * len(places)
    base = video.file.time_base
    clock = RateClock(settings.rate_hz, base)
    middles: dict[int, Frame] = {}
    begun: list[int] = []
    upcoming = 0
    for frame in video.frames():
        time_s = float(frame.pts * base) + _ROUNDING_S
        while upcoming < len(places) and (places[upcoming].start_s or -math.inf) <= time_s:
            begun.append(upcoming)
            upcoming += 1
        ticked = clock.takes(frame)
        for shot in list(begun):
            start_s, end_s = places[shot].start_s, places[shot].end_s
            if end_s is not None and time_s >= end_s:
                begun.remove(shot)
                if (middle := middles.pop(shot, None)) is not None:
                    yield shot, middle
            elif ticked and counts[shot] < settings.max_steps:
                counts[shot] += 1
                middles.pop(shot, None)
                yield shot, frame
            elif not counts[shot] and _is_by_middle(time_s, start_s, end_s):
                middles[shot] = frame
    yield from middles.items()


def _is_by_middle(time_s: float, start_s: float | None, end_s: float | None) -> bool:
    """Return True for the frame in the middle of a shot and those before it."""
    return end_s is None or time_s - 2 * _ROUNDING_S <= ((start_s or 0.0) + end_s) / 2


def _read_block(path: Path, num_shots: int, width: int) -> list[FloatArray] | None:
    """Return the vectors of a film's shots, or None where the block is missing or damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as block:
            vectors, lengths = block["vectors"], block["lengths"]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if len(lengths) != num_shots or vectors.shape != (lengths.sum(), width):
        return None
    return np.split(vectors, np.cumsum(lengths)[:-1])
