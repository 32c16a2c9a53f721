"""Vectors that remember which space they live in, so that two spaces are never mixed."""

import hashlib
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.int64]
ImageArray: TypeAlias = npt.NDArray[np.uint8]

RECOGNISER = "recogniser:"
"""What the name of a recogniser's features begins with."""

DETECTOR = "detector:"
"""What the name of a detector's findings, or a classifier's scores, of frames begins with."""

WINDOWS = f"{DETECTOR}windows:"
"""What the name of scores of windows of sound begins with: their ordinals are of no frames."""


@dataclass(frozen=True)
class EmbeddingSpace:
    """The space an encoder maps into; equal only when vectors may be compared.

    Attributes:
        model: The encoder's name, such as ``openai/clip-vit-base-patch32``; the same weights under
            another name are the same space.
        weights_hash: Digest of its weights and of how frames are prepared for them.
        width: Number of dimensions, D.
    """

    model: str = field(compare=False)
    weights_hash: str
    width: int

    @property
    def of_recogniser(self) -> bool:
        """Whether its vectors are a recogniser's features of shots, not an encoder's of frames."""
        return self.model.startswith(RECOGNISER)

    @property
    def of_detector(self) -> bool:
        """Whether its vectors are findings in frames, which are read, not compared."""
        return self.model.startswith(DETECTOR)

    @property
    def of_windows(self) -> bool:
        """Whether its rows are windows of sound, which may be more than there are frames."""
        return self.model.startswith(WINDOWS)

    @property
    def key(self) -> str:
        """Sixteen hex digits that name the space in files and tables."""
        text = f"{self.weights_hash}\n{self.width}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of one space, one row a frame.

    Attributes:
        space: Where the vectors live.
        frames: Ordinal of each row's frame, ascending, shape (N,).
        vectors: The vectors, shape (N, D), float32.
    """

    space: EmbeddingSpace
    frames: IntArray
    vectors: FloatArray

    def __post_init__(self) -> None:
        assert self.vectors.shape == (len(self.frames), self.space.width), self.vectors.shape

    def __len__(self) -> int:
        return len(self.frames)
