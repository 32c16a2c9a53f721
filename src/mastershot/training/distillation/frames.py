"""The frames a student is trained on, gathered once into one file that is read as needed."""
# F frames, S side of a square in pixels

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import MastershotError, MediaError, SettingError
from mastershot.datasets.tables.pictures import TABLE_SUFFIX, read_labelled_pictures
from mastershot.media.films import VIDEO_SUFFIXES
from mastershot.media.pictures import STILL_SUFFIXES, read_still
from mastershot.media.sampling import RateClock
from mastershot.media.video import open_video
from mastershot.store.files import write_whole
from mastershot.store.folder import is_library
from mastershot.store.library import Library
from mastershot.training.distillation.settings import FrameSource, files_of_pattern
from mastershot.training.engine.augmentations import square
from mastershot.training.engine.settings import OnProgress, no_progress

FRAME_PX = 176
POOL_PIXELS = "frames.bin"
POOL_INDEX = "frames.json"


@dataclass(frozen=True)
class FramePool:
    """Frames squeezed into squares, on disk, with their true aspect ratios.

    Attributes:
        squares: RGB, uint8 (F, S, S, 3), mapped from the file.
        aspects: Width over height of each frame, (F,).
        names: File name of each picture; frames of films and of tables add ``@<frame>``.
        sources: Index of each frame's source, (F,).
        labels: Label of each frame of a table that has some, else empty.
    """

    squares: ImageArray
    aspects: NDArray[np.float32]
    names: tuple[str, ...]
    sources: NDArray[np.int64]
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def images(self, rows: Tensor) -> Tensor:
        """Return these frames, RGB values 0…255, float32 (G, 3, S, S)."""
        return torch.from_numpy(self.squares[rows.numpy()]).permute(0, 3, 1, 2).float()


def gather_frames(
    sources: tuple[FrameSource, ...], folder: Path, on_progress: OnProgress = no_progress
) -> FramePool:
    """Return the frames of all sources, from the folder if they were gathered there before.

    Files that cannot be read are passed over; ``frames.json`` states why. It is removed to gather
    frames anew after the content of a source has changed.

    Raises:
        SettingError: A source does not exist, or no frame was found in it.
        LibraryError: A source is a library that cannot be read.
    """
    read = [(source.path, source.rate_hz) for source in sources]
    key = hashlib.sha256(repr([read, FRAME_PX, "labels"]).encode()).hexdigest()[:16]
    index = _gathered(folder, key)
    if index is None:
        (folder / POOL_INDEX).unlink(missing_ok=True)
        rows, unread = _write_squares(sources, folder / POOL_PIXELS, on_progress)
        index = {"key": key, "unread": unread, "rows": rows}
        write_whole(folder / POOL_INDEX, json.dumps(index).encode())
    names, aspects, of_sources, labels = zip(*index["rows"], strict=True)
    shape = (len(names), FRAME_PX, FRAME_PX, 3)
    squares = np.memmap(folder / POOL_PIXELS, np.uint8, "r", shape=shape)
    return FramePool(
        squares, np.array(aspects, np.float32), names, np.array(of_sources, np.int64), labels
    )


def unread_files(folder: Path) -> list[str]:
    """Return why files were passed over when the folder's frames were gathered, one text each."""
    return list(json.loads((folder / POOL_INDEX).read_text("utf-8"))["unread"])


def _gathered(folder: Path, key: str) -> dict[str, Any] | None:
    """Return the index of what was gathered for this key, or None if that is not complete."""
    try:
        index: dict[str, Any] = json.loads((folder / POOL_INDEX).read_text("utf-8"))
        size_bytes = (folder / POOL_PIXELS).stat().st_size
        whole = size_bytes == len(index["rows"]) * FRAME_PX * FRAME_PX * 3
        return index if whole and index["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_squares(
    sources: tuple[FrameSource, ...], path: Path, on_progress: OnProgress
) -> tuple[list[tuple[str, float, int, str]], list[str]]:
    """Write all frames as squares; return each one's row of the index, and what is unread."""
    files_of = [source_files(source) for source in sources]
    total, done = sum(map(len, files_of)), 0
    rows: list[tuple[str, float, int, str]] = []
    unread: list[str] = []
    with path.open("wb") as out:
        for index, (source, files) in enumerate(zip(sources, files_of, strict=True)):
            before = len(rows)
            for file in files:
                try:
                    for name, picture, label in _pictures(file, source.rate_hz, unread):
                        out.write(square(picture, FRAME_PX).tobytes())
                        rows.append((name, picture.shape[1] / picture.shape[0], index, label))
                except MastershotError as error:
                    unread.append(str(error))
                done += 1
                on_progress("frames", done, total, {})
            if len(rows) == before:
                why = f"; the first problem: {unread[-1]}" if unread else ""
                raise SettingError(f"no picture or film that can be read is in {source.path}{why}")
    return rows, unread


def source_files(source: FrameSource) -> list[Path]:
    """Return the pictures, films and tables of a source.

    Raises:
        SettingError: It does not exist.
        LibraryError: It is a library that cannot be read.
    """
    path = Path(source.path)
    if files := files_of_pattern(path):
        return files
    if not path.exists():
        raise SettingError(
            f"frames {path} do not exist; name a folder, a picture, a film, a pattern or a library"
        )
    if is_library(path):
        return [Path(movie.file) for movie in Library(path).movies()]
    if not path.is_dir():
        return [path]
    wanted = STILL_SUFFIXES | VIDEO_SUFFIXES | {TABLE_SUFFIX}
    items = (item for item in path.rglob("*") if item.suffix.lower() in wanted)
    return sorted(item for item in items if item.is_file())


def _pictures(
    file: Path, rate_hz: float, unread: list[str]
) -> Iterator[tuple[str, ImageArray, str]]:
    """Yield name, picture and label, which may be empty, of each frame of a file.

    Of a picture of a table that cannot be read the reason is added to ``unread`` instead.
    """
    suffix = file.suffix.lower()
    if suffix in STILL_SUFFIXES:
        yield file.name, read_still(file), ""
    elif suffix == TABLE_SUFFIX:
        for row, (label, content) in enumerate(read_labelled_pictures(file)):
            name = f"{file.name}@{row}"
            try:
                picture = read_still(file.with_name(name), content)
            except MediaError as error:
                unread.append(str(error))
                continue
            yield name, picture, label
    else:
        film = open_video(file)
        for frame in filter(RateClock(rate_hz, film.file.time_base).takes, film.frames()):
            yield f"{file.name}@{frame.index}", frame.rgb(longest_side_px=2 * FRAME_PX), ""
