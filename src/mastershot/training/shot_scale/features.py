"""The vectors of many shots' frames, computed once and kept in blocks, so that a run resumes."""
# N shots, T frames of a shot, D width of a frame's vector

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import MastershotError
from mastershot.core.protocols import Encoder
from mastershot.media.sampling import RateClock
from mastershot.media.video import open_video
from mastershot.store.files import write_whole
from mastershot.training.engine.settings import OnProgress, no_progress

FEATURES = "features"
_SHOTS_A_BLOCK = 64


@dataclass(frozen=True, eq=False)
class ShotFeatures:
    """Sequences of vectors, one a shot.

    Attributes:
        shots: The vectors of each shot's frames in order, (T, D); none if it could not be read.
        unread: Why files were passed over, one text each.
    """

    shots: list[FloatArray]
    unread: list[str]


def gather_features(
    clips: Sequence[Path],
    encoder: Encoder,
    out: Path,
    *,
    rate_hz: float,
    max_steps: int,
    on_progress: OnProgress = no_progress,
) -> ShotFeatures:
    """Return the vectors of frames of every clip, from the folder where they were computed before.

    Files that cannot be read are passed over. Blocks belong to these clips, this encoder and this
    sampling; a damaged block is computed again.

    Raises:
        OSError: The folder cannot be written.
    """
    key = repr([encoder.space.key, rate_hz, max_steps, [str(clip) for clip in clips]])
    folder = out / FEATURES / hashlib.sha256(key.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    shots: list[FloatArray] = []
    unread: list[str] = []
    for first in range(0, len(clips), _SHOTS_A_BLOCK):
        path = folder / f"{first:07}.npz"
        block = clips[first : first + _SHOTS_A_BLOCK]
        kept = _read_block(path, len(block), encoder.space.width)
        if kept is None:
            write_whole(path, _encode_block(block, encoder, rate_hz, max_steps))
            kept = _read_block(path, len(block), encoder.space.width)
            assert kept is not None
        shots += kept.shots
        unread += kept.unread
        on_progress("encoding shots", first + len(block), len(clips), {})
    return ShotFeatures(shots, unread)


def frames_at_rate(clip: Path, *, rate_hz: float, max_frames: int) -> list[ImageArray]:
    """Return so many frames a second of a film, the first ones, RGB (H, W, 3).

    Raises:
        MediaError: The film cannot be read.
    """
    film = open_video(clip)
    frames = filter(RateClock(rate_hz, film.file.time_base).takes, film.frames())
    return [frame.rgb() for frame in islice(frames, max_frames)]


def _encode_block(clips: Sequence[Path], encoder: Encoder, rate_hz: float, max_steps: int) -> bytes:
    vectors = [np.zeros((0, encoder.space.width), np.float32)]
    lengths, unread = [], []
    for clip in clips:
        try:
            images = frames_at_rate(clip, rate_hz=rate_hz, max_frames=max_steps)
        except MastershotError as error:
            images = []
            unread.append(str(error))
        lengths.append(len(images))
        vectors.append(encoder.encode_images(images))
    buffer, joined, reasons = io.BytesIO(), np.concatenate(vectors), np.array(unread, np.str_)
    np.savez(buffer, vectors=joined, lengths=np.array(lengths, np.int64), unread=reasons)
    return buffer.getvalue()


def _read_block(path: Path, num_shots: int, width: int) -> ShotFeatures | None:
    """Return what a block holds, or None where it is missing or damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as block:
            vectors, lengths = block["vectors"], block["lengths"]
            unread = [str(reason) for reason in block["unread"]]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if len(lengths) != num_shots or vectors.shape != (lengths.sum(), width):
        return None
    return ShotFeatures(np.split(vectors, np.cumsum(lengths)[:-1]), unread)
