"""ViT: frames into a space of its own, without words; what MovieCLIP's LSTM-ViT looks through."""
# T frames, D width of the space

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray
from mastershot.encoders.checkpoint import check_folder, load_network, weight_files
from mastershot.encoders.image_text import (
    BATCH_SIZES,
    file_digest,
    find_device,
    find_precision,
    hash_of_all,
    pixel_dtype,
    round_weights,
    unit_vectors,
)
from mastershot.encoders.images import prepare_frames, read_preparation

VIT_ALIAS = "vit-b16"
VIT_NAME = "google/vit-base-patch16-224-in21k"
"""ViT-B/16 of ImageNet-21K on the Hugging Face hub (Dosovitskiy et al. 2021, arXiv:2010.11929)."""


class VitEncoder:
    """A ViT checkpoint as an `Encoder`, run through transformers.

    A frame's vector is the class token after the last normalisation, put to unit length. MovieCLIP
    says no more than "768 dim embedding from ViT-B/16" (section 5.2); which one is our choice.
    """

    def __init__(
        self, folder: Path, *, name: str, device: str | None = None, precision: str | None = None
    ) -> None:
        """Load a checkpoint; the arguments are those of `TransformersEncoder`.

        Raises:
            EncoderError: The folder lacks a part or holds another kind of model, or there is no
                such device or precision there.
        """
        check_folder(folder, ("vit",))
        self._folder = folder
        self._name = name
        self._preparation = read_preparation(folder)
        self._device = find_device(device)
        self._precision = find_precision(precision, self._device)
        self._model = load_network(folder, "vit").to(device=self._device)
        round_weights(self._model, self._precision)

    @cached_property
    def space(self) -> EmbeddingSpace:
        """The space of the vectors; the first call reads the weights once more to name them."""
        files = map(file_digest, weight_files(self._folder))
        digest = hash_of_all(self._folder, self._preparation, self._precision, files)
        return EmbeddingSpace(self._name, digest, self._width)

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        """Return one unit vector a frame, float32 (T, D).

        Args:
            images: RGB, uint8: a batch (T, H, W, 3), or frames (H, W, 3) whose sizes may differ.

        Raises:
            EncoderError: A frame is not uint8 of shape (H, W, 3).
        """
        import torch

        at_once = BATCH_SIZES[self._device.type]
        parts = [np.zeros((0, self._width), np.float32)]
        for first in range(0, len(images), at_once):
            pixels = prepare_frames(images[first : first + at_once], self._preparation)
            pixels = pixels.to(self._device, pixel_dtype(self._precision))
            with torch.inference_mode():
                found = self._model(pixel_values=pixels)
            parts.append(unit_vectors(found.last_hidden_state[:, 0]))
        return np.concatenate(parts)

    @property
    def _width(self) -> int:
        return int(self._model.config.hidden_size)
