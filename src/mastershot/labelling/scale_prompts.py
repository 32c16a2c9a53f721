"""Shot scale in words, for encoders that map frames and words to one space."""
# D width of the encoder's space

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.movie import SCALES
from mastershot.core.protocols import ImageTextEncoder

SCALE_PROMPTS = {
    "ECS": ("an extreme close-up shot of an eye or a mouth", "an extreme close-up of a detail"),
    "CS": ("a close-up shot of a face", "a head and shoulders close-up of a person"),
    "MS": ("a medium shot of a person from the waist up", "a medium shot of people talking"),
    "FS": ("a full shot of a person from head to toe", "a full shot that shows the whole body"),
    "LS": ("a long shot of a distant figure in a landscape", "a wide shot taken from far away"),
}
"""Two prompts a scale, after the definitions of MovieShots; ours, and not tuned on anything."""


def encode_scales(encoder: ImageTextEncoder) -> FloatArray:
    """Return one unit vector a scale, shape (5, D), in the order of `SCALES`.

    It is the mean of its prompts' vectors, as Radford et al. 2021 (section 3.1.4) pool prompts.
    """
    prompts = [prompt for scale in SCALES for prompt in SCALE_PROMPTS[scale]]
    means = encoder.encode_texts(prompts).reshape(len(SCALES), -1, encoder.space.width).mean(axis=1)
    vectors: FloatArray = means / np.linalg.norm(means, axis=1, keepdims=True)
    return vectors
