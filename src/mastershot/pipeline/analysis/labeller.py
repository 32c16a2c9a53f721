"""Labels by words: an encoder, with the labels it is to find."""

from dataclasses import dataclass
from functools import cached_property

from mastershot.core.embeddings import FloatArray
from mastershot.core.labels import Taxonomy
from mastershot.core.protocols import ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.labelling.weak_labels import encode_labels


@dataclass(frozen=True)
class Labeller:
    """An encoder with the labels it is to find.

    Attributes:
        encoder: Maps frames and words to one space.
        taxonomy: The labels.
    """

    encoder: ImageTextEncoder
    taxonomy: Taxonomy

    @cached_property
    def label_vectors(self) -> FloatArray:
        """One unit vector a label, shape (L, D), in taxonomy order; encoded on first use."""
        return encode_labels(self.encoder, self.taxonomy)

    def made(self) -> Json:
        """Return what a timeline keeps of how scores of labels were made."""
        return {
            "encoder": self.encoder.space.model,
            "weights_hash": self.encoder.space.weights_hash,
            "taxonomy": self.taxonomy.name,
            "taxonomy_fingerprint": self.taxonomy.fingerprint,
            "template": self.encoder.label_template,
            "logit_scale": self.encoder.logit_scale,
        }
