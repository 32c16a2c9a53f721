"""What the starter sees beside words: which places a frame shows, and its last maps, pooled."""
# T frames, P places, D width of the last maps

from functools import cached_property
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import file_digest, parsing, read_metadata
from mastershot.encoders.images import Frames, ImagePreparation, prepare_frames
from mastershot.encoders.starter import (
    STARTER_FOLDER,
    STUDENT_FORMAT,
    STUDENT_SETTINGS,
    STUDENT_WEIGHTS,
    load_student,
    read_student,
    student_preparation,
)

BATCH_FRAMES = 4
"""Frames at once, always as many: others would change the last digits of what comes out."""


class PlaceFeatures:
    """A student of concepts whose first group is of places, such as the starter.

    Attributes:
        places: Names of the P places.
        width: D, of the pooled maps.
        weights_hash: Digest of its weights.
    """

    def __init__(self, folder: Path = STARTER_FOLDER) -> None:
        """Load the student of a folder.

        Raises:
            EncoderError: It does not hold a whole student, or one that names no places.
        """
        self._settings = read_student(folder)
        path = folder / STUDENT_SETTINGS
        if not self._settings.groups or self._settings.network != "fire":
            raise EncoderError(f"{path} describes no fire network of concepts; the starter is one")
        with parsing(path, "does not name its concepts"):
            first = read_metadata(path, STUDENT_FORMAT)["concepts"][0]
            self.places = tuple(map(str, first))
        self._network, _ = load_student(folder, self._settings)
        self.width = int(self._network.head.in_features)
        self.weights_hash = f"blake2b:{file_digest(folder / STUDENT_WEIGHTS).hex()[:32]}"

    @cached_property
    def _preparation(self) -> ImagePreparation:
        return student_preparation(self._settings.image_px, self._settings.detail_px)

    def encode(self, frames: Frames) -> tuple[FloatArray, FloatArray]:
        """Return the probability of each place, (T, P), and the pooled last maps, (T, D).

        Frames are RGB, and their sizes may differ.
        """
        parts = [self._encode(frames[at : at + BATCH_FRAMES]) for at in _starts(len(frames))]
        places, maps = zip(*parts, strict=True)
        return np.concatenate(places), np.concatenate(maps)

    def _encode(self, frames: Frames) -> tuple[FloatArray, FloatArray]:
        import torch

        with torch.inference_mode():
            pixels = prepare_frames(frames, self._preparation)
            filled = pixels.new_zeros(BATCH_FRAMES, *pixels.shape[1:])
            filled[: len(pixels)] = pixels
            found = self._network.maps(filled.to(memory_format=torch.channels_last))
            logits = found.outputs[:, : len(self.places)] / self._settings.temperature
            assert found.last is not None
            places, maps = logits.softmax(1), found.last.mean((2, 3))
        count = len(pixels)
        return places[:count].float().numpy(), maps[:count].float().numpy()


def _starts(count: int) -> range:
    return range(0, max(1, count), BATCH_FRAMES)
