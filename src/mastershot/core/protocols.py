"""Protocols: the methods that a detector, encoder, store or similarity must have."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, ImageArray, IntArray
from mastershot.core.movie import Transition
from mastershot.core.similarity import NUM_SIMILAR, SimilarityTable


class ShotDetector(Protocol):
    """Finds a film's cuts from its frames in order."""

    max_lag_frames: int
    """A cut is reported at most this many frames after it happened."""
    changed: bool
    """Whether a shot may start at the latest frame, by its picture and the one before; False where
    cuts are reported soon enough."""

    def process(self, *, frame: int, pts: int, image: ImageArray) -> list[int]:
        """Take the next frame, BGR, shape (H, W, 3); return the cuts known by now.

        A cut is the ordinal of the first frame of the new shot. Cuts come in ascending order.
        """
        ...

    def finish(self) -> list[int]:
        """Return the cuts that only the end of the film settles."""
        ...

    def transitions(self) -> list[Transition]:
        """Return how each shot begins, the first included; call it after `finish`."""
        ...

    def scores(self) -> Mapping[str, FloatArray]:
        """Return what is to be kept of every frame, by name, arrays of one row a frame."""
        ...


class Encoder(Protocol):
    """Maps a batch of frames to vectors of one space."""

    @property
    def space(self) -> EmbeddingSpace: ...

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        """Return one unit vector a frame, shape (T, D), from RGB frames (T, H, W, 3)."""
        ...


class ImageTextEncoder(Encoder, Protocol):
    """Maps frames and words to one space, where closeness is meaning."""

    @property
    def logit_scale(self) -> float:
        """What a cosine is multiplied by before a softmax over labels; 100 for OpenAI CLIP."""
        ...

    @property
    def label_template(self) -> str:
        """The prompt a label is put into, with ``{label}`` in it; it belongs to the encoder."""
        ...

    @property
    def word_spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces whose frames its words may be compared with, its own first."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, shape (N, D)."""
        ...


class FeatureStore(Protocol):
    """Keeps the vectors of a film's frames, so that no frame is encoded twice."""

    def missing(self, space: EmbeddingSpace, frames: IntArray) -> IntArray:
        """Return those of the frames that have no vector in this space yet, ascending."""
        ...

    def put(self, embeddings: Embeddings) -> None:
        """Keep the vectors; a frame that has one already keeps it."""
        ...

    def get(self, space: EmbeddingSpace, frames: IntArray | None = None) -> Embeddings:
        """Return the vectors of these frames, or of all that are kept, ascending by frame.

        Raises:
            KeyError: A frame that was asked for has no vector.
        """
        ...

    def clear(self) -> None:
        """Remove all vectors, because the film's frames have changed."""
        ...


class MovieSimilarity(Protocol):
    """Finds similar movies from what is known of them (METHODS B2)."""

    def similar(self, movies: Sequence[str], *, num_similar: int = NUM_SIMILAR) -> SimilarityTable:
        """Return for each of these movies the most similar among them, best first.

        A movie of which nothing is known has no neighbour and is nobody's.

        Raises:
            MiningError: A movie is named twice.
            SettingError: The number is below 1.
        """
        ...


class ModerationDetector(Protocol):
    """Scores frames for moderation; a package of the user's own may bring one.

    ``longest_side_px``, if it has it, is the size it wants frames scaled down to, else 640.
    """

    classes: tuple[str, ...]
    """What it finds, each once, such as ``violence``."""
    version: str
    """Changes whenever its scores do: scores kept of another version are not used."""

    def score_frames(self, frames: Sequence[ImageArray]) -> FloatArray:
        """Return the probability of each class for each RGB frame (H, W, 3), shape (T, C)."""
        ...
