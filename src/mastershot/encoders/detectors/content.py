"""Scores of sexual content of single frames, by the MobileNet v2 of nsfwjs.

Only the scores are kept here; what a film's frames say together is for moderation to judge.
"""
# T frames

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mastershot.core.embeddings import DETECTOR, EmbeddingSpace, FloatArray, ImageArray
from mastershot.encoders.detectors.packaged import NSFW_MOBILENET
from mastershot.encoders.images import ImagePreparation, prepare_frames
from mastershot.encoders.precision import encode_batches

if TYPE_CHECKING:
    from mastershot.models.mobilenet_v2 import MobileNetV2

CONTENT_CLASSES = ("Drawing", "Hentai", "Neutral", "Porn", "Sexy")
"""The classes of the network, in the order of its scores."""

_SIZE_PX = 224
_PREPARATION = ImagePreparation(_SIZE_PX, False, _SIZE_PX, "bilinear", rescale=1 / 255)
_BATCH_SIZE = 8


class ContentClassifier:
    """Scores frames; its vectors are the probabilities of `CONTENT_CLASSES`.

    Attributes:
        longest_side_px: The size it wants frames scaled down to.
    """

    longest_side_px = 640

    def __init__(self) -> None:
        """Load the network.

        Raises:
            EncoderError: The file of the package is missing or damaged.
        """
        self._network = _load_network()

    @cached_property
    def space(self) -> EmbeddingSpace:
        """The space of the scores by these weights."""
        name, weights_hash = f"{DETECTOR}sexual-content", NSFW_MOBILENET.weights_hash
        return EmbeddingSpace(name, weights_hash, len(CONTENT_CLASSES))

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        """Return the probability of each class for each RGB frame, shape (T, 5)."""

        def score(part: Sequence[ImageArray]) -> FloatArray:
            pixels = prepare_frames(part, _PREPARATION)
            scores: FloatArray = self._network(pixels).softmax(1).numpy()
            return scores

        return encode_batches(images, score, batch_size=_BATCH_SIZE, width=self.space.width)


def _load_network() -> "MobileNetV2":
    from safetensors.torch import load

    from mastershot.models.loading import fit_weights
    from mastershot.models.mobilenet_v2 import MobileNetV2

    network = MobileNetV2(len(CONTENT_CLASSES))
    weights = load(NSFW_MOBILENET.read())  # The bytes are known, by their digest.
    weights = {name: half.float() for name, half in weights.items()}
    fit_weights(network, weights, NSFW_MOBILENET.path)
    return network.eval().requires_grad_(False)
