"""Clips of shots for networks that read frames: decoded when needed, or once and then kept."""
# B batch, S shots of a film, T frames of a clip, H = W pixels of a side

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import ImageArray, IntArray
from mastershot.core.errors import MediaError
from mastershot.media.clips import Clip, ClipReader
from mastershot.store.files import write_whole
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.tagging.shots import TaggedShot


@dataclass(frozen=True)
class ClipSize:
    """The size of a network's clips.

    Attributes:
        frames: Frames, evenly spaced over a shot.
        size_px: Edge of each, squeezed into a square.
    """

    frames: int
    size_px: int


@dataclass(frozen=True)
class ReadClips:
    """What could be read of the shots asked for.

    Attributes:
        clips: Frames of those that could be read, uint8 RGB (B, T, H, W, 3).
        found: Their places among those asked for, (B,).
        problems: Why the others could not be, by shot.
    """

    clips: ImageArray
    found: IntArray
    problems: Mapping[int, str]


@dataclass(eq=False)
class FilmClips:
    """Clips that are decoded when they are asked for; each worker keeps a few films open."""

    shots: Sequence[TaggedShot]
    size: ClipSize
    _reader: ClipReader | None = field(default=None, init=False)

    def read(self, rows: Sequence[int]) -> ReadClips:
        """Return the clips of the shots at these places."""
        if self._reader is None:
            self._reader = ClipReader()
        clips, found, problems = [_no_clips(self.size)], [], {}
        for place, row in enumerate(rows):
            shot = self.shots[row]
            try:
                if shot.place is None:
                    raise MediaError(f"no film is known of {name_of(shot)}")
                clips.append(read_clip(self._reader, shot.place, self.size)[None])
                found.append(place)
            except MediaError as error:
                problems[row] = str(error)
        return ReadClips(np.concatenate(clips), np.array(found, np.int64), problems)

    def __getstate__(self) -> dict[str, object]:
        """Return what another process needs: open films stay here."""
        return {**self.__dict__, "_reader": None}


@dataclass(eq=False)
class KeptClips:
    """Clips that were decoded before, in one memory-mapped file a film.

    Attributes:
        shots: The shots.
        size: The size of their clips.
        places: File and row of each shot's clip, None where its film could not be read.
        unread: Why, by shot.
    """

    shots: Sequence[TaggedShot]
    size: ClipSize
    places: Sequence[tuple[Path, int] | None]
    unread: Mapping[int, str]

    def read(self, rows: Sequence[int]) -> ReadClips:
        """Return the clips of the shots at these places."""
        clips, found, problems = [_no_clips(self.size)], [], {}
        for place, row in enumerate(rows):
            kept = self.places[row]
            if kept is None:
                problems[row] = self.unread[row]
                continue
            clips.append(_mapped(kept[0])[kept[1]][None])
            found.append(place)
        return ReadClips(np.concatenate(clips), np.array(found, np.int64), problems)


def keep_clips(
    shots: Sequence[TaggedShot],
    size: ClipSize,
    folder: Path,
    on_progress: OnProgress = no_progress,
) -> KeptClips:
    """Return the clips of all shots, after decoding each film that has no file in the folder yet.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places: list[tuple[Path, int] | None] = [None] * len(shots)
    unread: dict[int, str] = {}
    for done, (film, rows) in enumerate(films := list(by_film(shots))):
        try:
            path = _kept_film(film, [shots[row].place for row in rows], size, folder)
            for number, row in enumerate(rows):
                places[row] = (path, number)
        except MediaError as error:
            unread |= dict.fromkeys(rows, str(error))
        on_progress("decoding clips", done + 1, len(films), {})
    return KeptClips(shots, size, places, unread)


def name_of(shot: TaggedShot) -> str:
    """Return a shot's name as split files have it."""
    return f"{shot.video}/{shot.file}"


def read_clip(reader: ClipReader, place: Clip, size: ClipSize) -> ImageArray:
    """Return a shot's clip, uint8 (T, H, W, 3).

    Raises:
        MediaError: Its film cannot be read.
    """
    clip: ImageArray = reader.read(place, num_frames=size.frames, size_px=size.size_px)
    return clip


def by_film(shots: Sequence[TaggedShot]) -> Iterator[tuple[Path | None, list[int]]]:
    """Yield each film with its shots' places, in the order of time."""

    def key(row: int) -> tuple[str, float, int]:
        place = shots[row].place
        return ("", 0.0, 0) if place is None else (str(place.path), place.start_s or 0.0, row)

    for film, rows in groupby(sorted(range(len(shots)), key=key), lambda row: key(row)[0]):
        yield (Path(film) if film else None), list(rows)


def film_key(film: Path, places: Sequence[Clip | None], *more: object) -> str:
    """Return what tells shots of a film apart: the file, the spans, and what else is given.

    Raises:
        MediaError: There is no such film.
    """
    try:
        stat = film.stat()
    except OSError as error:
        raise MediaError(f"{film} cannot be read: {error.strerror}") from error
    spans = [None if place is None else (place.start_s, place.end_s) for place in places]
    key = (str(film.resolve()), stat.st_size, stat.st_mtime_ns, spans, more)
    return hashlib.blake2b(repr(key).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _kept_film(
    film: Path | None, places: Sequence[Clip | None], size: ClipSize, folder: Path
) -> Path:
    """Return the file of a film's clips, written now unless it was before."""
    if film is None:
        raise MediaError("no film is known of it")
    path = folder / f"{film.stem}-{film_key(film, places, size)}.npy"
    if not path.exists():
        reader = ClipReader()
        clips = [read_clip(reader, place, size) for place in places if place]
        reader.close()
        _write(path, np.stack(clips))
    return path


def _write(path: Path, clips: ImageArray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, clips, allow_pickle=False)
    write_whole(path, buffer.getvalue())


def _no_clips(size: ClipSize) -> ImageArray:
    return np.zeros((0, size.frames, size.size_px, size.size_px, 3), np.uint8)


@lru_cache(maxsize=256)
def _mapped(path: Path) -> ImageArray:
    clips: ImageArray = np.load(path, mmap_mode="r", allow_pickle=False)
    return clips
