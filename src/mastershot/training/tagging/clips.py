"""Clips of shots for networks that read frames: decoded when needed, and kept if asked for."""
# B batch, T frames of a clip, H = W pixels of a side

import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import ImageArray, IntArray
from mastershot.core.errors import MediaError
from mastershot.core.files import replacing
from mastershot.media.clips import Clip, ClipReader
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

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of a clip: (T, H, W, 3)."""
        return self.frames, self.size_px, self.size_px, 3


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
    """Clips of shots; each worker has a few films open, and tries none of its failures again.

    Attributes:
        shots: The shots.
        size: The size of their clips.
        cache: Folder where decoded clips are kept, a file each, for later epochs and other runs;
            None keeps none.
    """

    shots: Sequence[TaggedShot]
    size: ClipSize
    cache: Path | None = None
    _reader: ClipReader | None = field(default=None, init=False)
    _failed: dict[int, str] = field(default_factory=dict, init=False)

    def read(self, rows: Sequence[int]) -> ReadClips:
        """Return the clips of the shots at these places."""
        clips: list[ImageArray] = [np.zeros((0, *self.size.shape), np.uint8)]
        found = []
        for place, row in enumerate(rows):
            if row in self._failed:
                continue
            try:
                clips.append(self._clip(row)[None])
                found.append(place)
            except MediaError as error:
                self._failed[row] = str(error)
        problems = {row: self._failed[row] for row in rows if row in self._failed}
        return ReadClips(np.concatenate(clips), np.array(found, np.int64), problems)

    def decode_missing(self, on_progress: OnProgress = no_progress) -> None:
        """Decode all clips that the cache lacks, film by film.

        Raises:
            OSError: The cache cannot be written.
        """
        for done, (_, rows) in enumerate(films := list(by_film(self.shots))):
            for row in rows:
                self.read([row])
            on_progress("decoding clips", done + 1, len(films), {})

    def __getstate__(self) -> dict[str, object]:
        """Return what another process needs: open films stay here."""
        return {**self.__dict__, "_reader": None}

    def _clip(self, row: int) -> ImageArray:
        shot = self.shots[row]
        if shot.place is None:
            raise MediaError(f"no film is known of {name_of(shot)}")
        kept = None if self.cache is None else self._kept_at(shot.place)
        if kept is not None and (clip := self._read_kept(kept)) is not None:
            return clip
        if self._reader is None:
            self._reader = ClipReader()
        frames, size_px = self.size.frames, self.size.size_px
        clip = self._reader.read(shot.place, num_frames=frames, size_px=size_px)
        if kept is not None:
            _write(kept, clip)
        return clip

    def _kept_at(self, place: Clip) -> Path:
        key = (*film_identity(place.path), place.start_s, place.end_s, *self.size.shape)
        digest = hashlib.blake2b(repr(key).encode("utf-8", "surrogateescape"), digest_size=12)
        name = digest.hexdigest()
        assert self.cache is not None
        return self.cache / name[:2] / f"{name[2:]}.npy"

    def _read_kept(self, path: Path) -> ImageArray | None:
        """Return a kept clip, or None where there is none or it is damaged."""
        try:
            clip: ImageArray = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return clip if clip.shape == self.size.shape and clip.dtype == np.uint8 else None


def name_of(shot: TaggedShot) -> str:
    """Return a shot's name as split files have it."""
    return f"{shot.video}/{shot.file}"


def by_film(shots: Sequence[TaggedShot]) -> Iterator[tuple[Path | None, list[int]]]:
    """Yield each film with its shots' places, in the order of time."""

    def key(row: int) -> tuple[str, float, int]:
        place = shots[row].place
        return ("", 0.0, 0) if place is None else (str(place.path), place.start_s or 0.0, row)

    for film, rows in groupby(sorted(range(len(shots)), key=key), lambda row: key(row)[0]):
        yield (Path(film) if film else None), list(rows)


@lru_cache(maxsize=1 << 16)
def film_identity(film: Path) -> tuple[str, int, int]:
    """Return what tells a film's file from another: its path, size and time of change.

    Raises:
        MediaError: There is no such film.
    """
    try:
        stat = film.stat()
    except OSError as error:
        raise MediaError(f"{film} cannot be read: {error.strerror}") from error
    return str(film.resolve()), stat.st_size, stat.st_mtime_ns


def _write(path: Path, clip: ImageArray) -> None:
    """Write a clip; several processes may write the same one at once."""
    buffer = io.BytesIO()
    np.save(buffer, clip, allow_pickle=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, ending=f".{os.getpid()}.part") as partial:
        partial.write_bytes(buffer.getvalue())
