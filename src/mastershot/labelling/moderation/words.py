"""Moderation in words: what an encoder of frames and words is asked, and its scores of frames."""
# T frames, L descriptions, D width of the encoder's space

import hashlib
import json

import numpy as np

from mastershot.core.embeddings import DETECTOR, EmbeddingSpace, FloatArray
from mastershot.core.protocols import ImageTextEncoder
from mastershot.labelling.moderation.policy import MODERATION_CLASSES
from mastershot.labelling.weak_labels import encode_prompts

PROMPTS = {
    "sex": ("a film still of people having sex", "a film still of naked people in bed"),
    "suggestive": ("a film still of an erotic dance", "a film still of a person in underwear"),
    "violence": ("a film still of a bloody fight", "a film still of a person shooting a gun"),
    "drug use": ("a film still of a person taking drugs", "a film still of a person smoking"),
}
"""Two prompts a class; ours, and not tuned on anything."""

OTHERS = (
    ("a film still of people talking", "a film still of a person's face"),
    ("a film still of a landscape", "a film still of a building"),
    ("a film still of a room", "a film still of people at work"),
    ("a film still of animals", "a frame of an animated film"),
    ("a film still of a crowd", "a film still of a car"),
    ("a black frame", "a frame with titles and credits"),
)
"""What else a frame may show, so that a softmax has somewhere to go."""


def encode_moderation(encoder: ImageTextEncoder) -> FloatArray:
    """Return one unit vector a description, (L, D): those of the classes in order, then others."""
    return encode_prompts(encoder, [*(PROMPTS[name] for name in MODERATION_CLASSES), *OTHERS])


def score_words(frames: FloatArray, described: FloatArray, logit_scale: float) -> FloatArray:
    """Return the softmax over all descriptions of each frame, for the classes alone, (T, 4).

    Unit vectors of frames have shape (T, D), those of `encode_moderation` (L, D).
    """
    logits = logit_scale * (frames @ described.T)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = weights / weights.sum(axis=1, keepdims=True)
    return np.asarray(shares[:, : len(MODERATION_CLASSES)], np.float32)


def words_space(encoder: ImageTextEncoder) -> EmbeddingSpace:
    """Return the space of an encoder's scores: of its weights, its scale and these prompts."""
    rests_on = [encoder.space.weights_hash, encoder.logit_scale, PROMPTS, OTHERS]
    digest = hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()[:32]
    name = f"{DETECTOR}moderation-words:{encoder.space.model}"
    return EmbeddingSpace(name, f"sha256:{digest}", len(MODERATION_CLASSES))
