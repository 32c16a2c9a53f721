"""Checkpoints run through transformers: CLIP and SigLIP, frames and words in one space; and ViT."""
# T frames, N texts, D width of the space

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import (
    check_folder,
    file_digest,
    load_network,
    load_tokenizer,
    read_json,
    weight_files,
)
from mastershot.encoders.images import Frames, prepare_frames, read_preparation
from mastershot.encoders.precision import (
    BATCH_SIZES,
    PRECISIONS,
    encode_batches,
    find_device,
    find_precision,
    pixel_dtype,
    round_weights,
)

if TYPE_CHECKING:
    from torch import Tensor

LABEL_TEMPLATE = "A photo of a {label}, a type of background location"  # METHODS A4
VIT_ALIAS = "vit-b16"
VIT_NAME = "google/vit-base-patch16-224-in21k"
"""ViT-B/16 of ImageNet-21K on the Hugging Face hub (Dosovitskiy et al. 2021, arXiv:2010.11929)."""


class VisionEncoder:
    """A checkpoint as an `Encoder` of frames: here a ViT; `TransformersEncoder` adds words.

    A frame's vector is the class token after the last normalisation, at unit length: our choice,
    for MovieCLIP says no more than "768 dim embedding from ViT-B/16" (section 5.2).
    """

    kinds: tuple[str, ...] = ("vit",)

    def __init__(
        self, folder: Path, *, name: str, device: str | None = None, precision: str | None = None
    ) -> None:
        """Load a checkpoint.

        Args:
            folder: Its config.json, weights, preprocessor settings; of words, tokenizer.json.
            name: What the space is called.
            device: Such as ``cpu`` or ``cuda:1``; None is a GPU if there is one.
            precision: One of `PRECISIONS`; None takes `fastest_float`.

        Raises:
            EncoderError: The folder lacks a part or holds another kind of model, or this machine
                has no such device or precision.
        """
        self._folder = folder
        self._name = name
        self._kind = check_folder(folder, self.kinds)
        self._hashed_files = weight_files(folder)
        self._preparation = read_preparation(folder)
        self._device = find_device(device)
        self._batch_size = BATCH_SIZES[self._device.type]
        self.precision = find_precision(precision, self._device)
        self._model = load_network(folder, self._kind).to(device=self._device)
        self._round_image_side()
        config = self._model.config
        network = getattr(config, "vision_config", config)
        self._width = int(config.projection_dim if self._kind == "clip" else network.hidden_size)

    @cached_property
    def space(self) -> EmbeddingSpace:
        """The space of the vectors; the first call reads the weights once more to name them."""
        return self._space_in(self.precision)

    def encode_images(self, images: Frames) -> FloatArray:
        """Return one unit vector a frame, float32 (T, D), of RGB frames whose sizes may differ.

        Raises:
            EncoderError: A frame is not uint8 of shape (H, W, 3).
        """
        return encode_batches(
            images, self._encode_frames, batch_size=self._batch_size, width=self._width
        )

    def _encode_frames(self, frames: Frames) -> FloatArray:
        pixels = prepare_frames(frames, self._preparation)
        return _unit_vectors(self._features(pixels.to(self._device, pixel_dtype(self.precision))))

    def _features(self, pixels: "Tensor") -> "Tensor":
        features: Tensor = self._model(pixel_values=pixels).last_hidden_state[:, 0]
        return features

    def _round_image_side(self) -> None:
        """Put the weights that frames pass through into the precision they are computed in."""
        round_weights(self._model, self.precision)

    @cached_property
    def _file_digests(self) -> list[bytes]:
        return [file_digest(path) for path in self._hashed_files]

    def _space_in(self, precision: str) -> EmbeddingSpace:
        """Return a space named by all that a vector depends on: weights, network, pixels, words."""
        config = read_json(self._folder / "config.json")
        settings = [config, repr(self._preparation), f"torch.{precision}"]
        digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16)
        for part in self._file_digests:
            digest.update(part)
        return EmbeddingSpace(self._name, f"blake2b:{digest.hexdigest()}", self._width)


class TransformersEncoder(VisionEncoder):
    """A CLIP or SigLIP checkpoint as an `ImageTextEncoder`.

    SigLIP 2 checkpoints of one fixed image size are SigLIP checkpoints. Words are encoded in
    float32; the precision is that of frames. In float32 or int8 on a CPU, a frame or text has the
    same vector to 1e-5 whatever batch it comes in. In bfloat16, a frame's cosine with its float32
    vector is above 0.9999 (ViT-B/32 with random weights), and batches may shift it by as much. In
    int8, it is above 0.999 with random weights, and lower with trained ones (docs/speed.md).

    SigLIP's logits have a bias as well as a scale, which a softmax over labels cancels.
    """

    kinds = ("clip", "siglip")
    label_template = LABEL_TEMPLATE

    def __init__(
        self, folder: Path, *, name: str, device: str | None = None, precision: str | None = None
    ) -> None:
        """Load a checkpoint as `VisionEncoder` does, of frames prepared for its network's size."""
        super().__init__(folder, name=name, device=device, precision=precision)
        self._tokenizer = load_tokenizer(folder)
        self._hashed_files.insert(0, folder / "tokenizer.json")
        self.logit_scale = float(self._model.logit_scale.cpu().exp())
        network_px, size_px = self._model.config.vision_config.image_size, self._preparation.size_px
        if network_px != size_px:
            raise EncoderError(
                f"encoder folder {folder} prepares frames of {size_px} pixels for a network of "
                f"{network_px}; take both files from one checkpoint"
            )

    @cached_property
    def word_spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces of its frames in every precision, its own first: all hold the same words."""
        others = (precision for precision in PRECISIONS if precision != self.precision)
        return (self.space, *map(self._space_in, others))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, float32 (N, D); a text too long for the model is cut.

        Raises:
            EncoderError: One string was given where a list of strings is needed.
        """
        if isinstance(texts, str):
            raise EncoderError(f"encode_texts needs a list of texts; found the text {texts!r}")
        return encode_batches(
            texts, self._encode_words, batch_size=self._batch_size, width=self._width
        )

    def _encode_words(self, texts: Sequence[str]) -> FloatArray:
        """Return the vectors of one batch.

        CLIP pads to the longest text and masks what it padded. SigLIP was trained on texts padded
        to its full length, without a mask, and on lower case: its own tokenizer lowers, SigLIP 2's
        does not.
        """
        siglip = self._kind == "siglip"
        tokens = self._tokenizer(
            [text.lower() for text in texts] if siglip else list(texts),
            padding="max_length" if siglip else "longest",
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        names = ("input_ids",) if siglip else ("input_ids", "attention_mask")
        inputs = {name: tokens[name].to(self._device) for name in names}
        return _unit_vectors(self._model.get_text_features(**inputs).pooler_output)

    def _features(self, pixels: "Tensor") -> "Tensor":
        features: Tensor = self._model.get_image_features(pixel_values=pixels).pooler_output
        return features

    def _round_image_side(self) -> None:
        round_weights(self._model.vision_model, self.precision)
        if self._kind == "clip" and self.precision != "int8":
            round_weights(self._model.visual_projection, self.precision)


def _unit_vectors(features: "Tensor") -> FloatArray:
    """Return features (T, D) at unit length, float32."""
    from torch.nn.functional import normalize

    vectors: FloatArray = normalize(features.float(), dim=-1).cpu().numpy()
    return vectors
