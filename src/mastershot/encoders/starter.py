"""A distilled student as an encoder; the one that ships with the package is the default.

It is fast and needs no download. A student of concepts recognises places and things, and a frame's
vector is the convex combination of their names' sentence vectors: ConSE (Norouzi et al. 2014,
arXiv:1312.5650, section 3.2). A student of a space maps into the space of its teacher.
"""
# T frames, N concepts, D width of the space

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray
from mastershot.encoders.images import ImagePreparation, prepare_frames
from mastershot.encoders.precision import encode_batches
from mastershot.encoders.student import (
    STUDENT_WEIGHTS,
    StudentSettings,
    load_student,
    read_student,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor

STARTER_FOLDER = Path(__file__).parent / "starter_weights"
STARTER_NAME = "mastershot/starter"
_BATCH_SIZE = 8  # Frames at once; of more, the maps no longer fit the caches.


class TextEncoder(Protocol):
    """Maps texts to unit vectors."""

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, shape (N, D)."""
        ...


class StudentEncoder:
    """A distilled network as an `ImageTextEncoder`.

    Vectors are float32 and of unit length; a frame has the same vector whatever batch it comes in.

    Attributes:
        label_template: The prompt a label is put into.
        logit_scale: What a cosine is multiplied by before a softmax over labels.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        load_text: Callable[[StudentSettings], TextEncoder],
        device: "torch.device",
    ) -> None:
        """Load a student from its folder.

        Args:
            folder: Its settings and weights.
            name: What its space is called.
            load_text: Makes the encoder of its words, at the first one.
            device: Where frames are encoded.

        Raises:
            EncoderError: The folder does not hold a whole student.
        """
        self._folder = folder
        self._name = name
        self._settings = read_student(folder)
        self.label_template = self._settings.label_template
        self.logit_scale = self._settings.logit_scale
        network, concepts = load_student(folder, self._settings)
        self._network = network.to(device)
        self._concepts = None if concepts is None else concepts.to(device)
        self._device = device
        self._load_text = load_text
        self._preparation = student_preparation(self._settings.image_px)

    @cached_property
    def space(self) -> EmbeddingSpace:
        """The space of the vectors, named by the student's settings and weights."""
        digest = hashlib.blake2b(digest_size=16)
        # The path of its teacher on this machine does not change what it computes.
        digest.update(repr(replace(self._settings, text_encoder="")).encode())
        digest.update((self._folder / STUDENT_WEIGHTS).read_bytes())
        return EmbeddingSpace(self._name, f"blake2b:{digest.hexdigest()}", self._settings.width)

    @property
    def word_spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces of its words: its own."""
        return (self.space,)

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        """Return one unit vector a frame, float32 (T, D).

        Args:
            images: RGB, uint8: a batch (T, H, W, 3), or frames (H, W, 3) whose sizes may differ.

        Raises:
            EncoderError: A frame is not uint8 of shape (H, W, 3).
        """
        return encode_batches(
            images, self._encode_frames, batch_size=_BATCH_SIZE, width=self._settings.width
        )

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, float32 (N, D).

        Raises:
            EncoderError: One string was given where a list of strings is needed.
        """
        return self._text.encode_texts(texts)

    @cached_property
    def _text(self) -> TextEncoder:
        return self._load_text(self._settings)

    def _encode_frames(self, frames: ImageArray | Sequence[ImageArray]) -> FloatArray:
        import torch
        from torch.nn.functional import normalize

        pixels = prepare_frames(frames, self._preparation)
        # Batches of one size: others take other kernels, whose sums end in other digits.
        filled = pixels.new_zeros(_BATCH_SIZE, *pixels.shape[1:])
        filled[: len(pixels)] = pixels
        outputs = self._network(filled.to(self._device, memory_format=torch.channels_last))
        if self._concepts is not None:
            outputs = conse(outputs, self._concepts, self._settings)
        vectors: FloatArray = normalize(outputs, dim=-1)[: len(pixels)].cpu().numpy()
        return vectors


def conse(logits: "Tensor", concepts: "Tensor", settings: StudentSettings) -> "Tensor":
    """Return the convex combination of the best concepts' vectors, (T, D), not yet of unit length.

    Args:
        logits: One row a frame, one column a concept, (T, N).
        concepts: Unit vector of each concept's name, (N, D).
        settings: Temperature, number of concepts, weight of each group of concepts.
    """
    import torch

    groups = torch.split(logits / settings.temperature, list(settings.groups), 1)
    weighted = zip(groups, settings.group_weights, strict=True)
    probabilities = torch.cat([weight * group.softmax(1) for group, weight in weighted], 1)
    best = probabilities.topk(settings.num_concepts, dim=1)
    weights = best.values / best.values.sum(1, keepdim=True)
    return (weights.unsqueeze(-1) * concepts[best.indices]).sum(1)


def student_preparation(image_px: int) -> ImagePreparation:
    """Return how a student wants its frames: squeezed into a square, values 0…255."""
    return ImagePreparation(
        resize_px=image_px,
        keep_aspect=False,
        size_px=image_px,
        interpolation="bilinear",
        rescale=1.0,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
    )
