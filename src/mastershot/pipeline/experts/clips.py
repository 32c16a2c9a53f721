"""The expert of motion by a network of clips: features of each shot, such as those of I3D."""
# N clips, D width of a feature

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, ImageArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.datasets.genres.table import Expert
from mastershot.encoders.recogniser import (
    TrainedRecogniser,
    find_recogniser,
    load_published_recogniser,
)
from mastershot.media.probe import FilmFile
from mastershot.media.sampling import clip_frames
from mastershot.media.video import Frame
from mastershot.pipeline.experts.vectors import ClipVectors
from mastershot.pipeline.experts.watching import Seen, Watcher

PUBLISHED_MOTION = "i3d_inception"
"""The network that a file of weights is taken to be of: Inception I3D, as trained on Kinetics."""


def load_motion_network(path: Path) -> TrainedRecogniser:
    """Return a network of clips: a trained recogniser's folder, or a file of I3D's weights.

    Raises:
        SettingError: The folder holds no recogniser, or one that reads vectors.
        EncoderError: The weights are damaged, or of another network.
    """
    if path.is_file():
        return load_published_recogniser(path, PUBLISHED_MOTION)
    network = TrainedRecogniser(find_recogniser(path))
    if network.card.reads_vectors:
        raise SettingError(
            f"{path} holds a recogniser of frames' vectors, {network.card.network}; the expert "
            "motion takes one of clips"
        )
    return network


class NetworkExpert:
    """How a clip moves: what goes into the last layer of a network of clips."""

    def __init__(self, network: TrainedRecogniser) -> None:
        self._network = network
        space, card = network.space, network.card
        made = {
            "network": card.network,
            "weights_hash": space.weights_hash,
            "frames": card.frames,
            "size_px": card.size_px,
        }
        self.described = Expert("motion", space.width, made_by=made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what sees one trailer."""
        return _Clips(self._network, max_lag_frames)


class _Clips(Watcher):
    sees_all = True

    def __init__(self, network: TrainedRecogniser, max_lag_frames: int) -> None:
        self._kept = _Kept()
        self._vectors = ClipVectors(network.space, network, self._kept, max_lag_frames)

    def see(self, frame: Frame, points: ImageArray) -> None:
        self._vectors.add(frame)

    def sample(self, frames: Sequence[Frame], clip: range) -> None:
        self._vectors.end_shot(clip.start, clip.stop)

    def finish(self, seen: Seen) -> FloatArray:
        self._vectors.finish()
        spans = [clip.span for clip in seen.clips]
        middles = [clip_frames(one.first_frame, one.end_frame, 1)[0] for one in spans]
        return np.stack([self._kept.rows[middle] for middle in middles])


class _Kept:
    """Keeps the vectors of one trailer's clips in memory, under their middle frames."""

    def __init__(self) -> None:
        self.rows: dict[int, FloatArray] = {}

    def missing(self, space: EmbeddingSpace, frames: IntArray) -> IntArray:
        return np.array([one for one in frames.tolist() if one not in self.rows], np.int64)

    def put(self, embeddings: Embeddings) -> None:
        for frame, row in zip(embeddings.frames.tolist(), embeddings.vectors, strict=True):
            self.rows.setdefault(frame, row)

    def get(self, space: EmbeddingSpace, frames: IntArray | None = None) -> Embeddings:
        chosen = np.array(sorted(self.rows), np.int64) if frames is None else frames
        return Embeddings(space, chosen, np.stack([self.rows[one] for one in chosen.tolist()]))

    def clear(self) -> None:
        self.rows.clear()
