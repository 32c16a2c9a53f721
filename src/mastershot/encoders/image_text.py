"""CLIP and SigLIP: frames and words into one space."""
# T frames, N texts, D width of the space

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import (
    check_folder,
    load_network,
    load_tokenizer,
    read_json,
    weight_files,
)
from mastershot.encoders.images import ImagePreparation, prepare_frames, read_preparation

if TYPE_CHECKING:
    import torch

LABEL_TEMPLATE = "A photo of a {label}, a type of background location"  # METHODS A4

# Frames or texts at once. A CPU gains nothing past 8 (bench/encoders.py); a GPU needs more to be
# busy, and its 64 was not measured.
BATCH_SIZES = {"cpu": 8, "cuda": 64}
PRECISIONS = ("float32", "bfloat16", "int8")
"""What the image tower may compute in; words are always encoded in float32."""


class TransformersEncoder:
    """A CLIP or SigLIP checkpoint as an `ImageTextEncoder`, run through transformers.

    SigLIP 2 checkpoints of one fixed image size are SigLIP checkpoints. Vectors are float32 and of
    unit length. Words are encoded in float32; the precision is that of frames. In float32 or int8
    on a CPU, a frame or text has the same vector to 1e-5 whatever batch it comes in. In bfloat16,
    which is used where the processor has it, a frame's cosine with its float32 vector is above
    0.9999 (ViT-B/32 with random weights), and batches may shift it by as much. In int8, which must
    be asked for, that cosine is above 0.999 with random weights, and lower with trained ones
    (docs/speed.md).

    Attributes:
        label_template: The prompt a label is put into.
    """

    label_template = LABEL_TEMPLATE

    def __init__(
        self, folder: Path, *, name: str, device: str | None = None, precision: str | None = None
    ) -> None:
        """Load a checkpoint.

        Args:
            folder: Where its config.json, weights, tokenizer.json and preprocessor settings are.
            name: What the space is called.
            device: Such as ``cpu`` or ``cuda:1``; a GPU if there is one.
            precision: One of `PRECISIONS`; None takes `fastest_float`.

        Raises:
            EncoderError: The folder lacks a part or holds another kind of model, or there is no
                such device or precision there.
        """
        self._folder = folder
        self._name = name
        self._kind = check_folder(folder)
        self._weights = weight_files(folder)
        self._preparation = read_preparation(folder)
        self._device = find_device(device)
        self._batch_size = BATCH_SIZES[self._device.type]
        self.precision = find_precision(precision, self._device)
        self._model = load_network(folder, self._kind)
        self._tokenizer = load_tokenizer(folder)
        self._check_image_size()
        self._logit_scale = float(self._model.logit_scale.exp())
        self._model.to(device=self._device)
        self._round_image_side()

    @property
    def space(self) -> EmbeddingSpace:
        """The space of the vectors; the first call reads the weights once more to name them."""
        return self.word_spaces[0]

    @cached_property
    def word_spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces of its frames in every precision, its own first: all hold the same words."""
        files = (self._folder / "tokenizer.json", *self._weights)
        digests = [file_digest(path) for path in files]
        others = (precision for precision in PRECISIONS if precision != self.precision)
        return tuple(
            EmbeddingSpace(self._name, self._hash_in(precision, digests), self._width)
            for precision in (self.precision, *others)
        )

    @property
    def logit_scale(self) -> float:
        """What a cosine is multiplied by before a softmax over labels, as the checkpoint learnt it.

        SigLIP adds a bias as well, which a softmax cancels.
        """
        return self._logit_scale

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        """Return one unit vector a frame, float32 (T, D).

        Args:
            images: RGB, uint8: a batch (T, H, W, 3), or frames (H, W, 3) whose sizes may differ.

        Raises:
            EncoderError: A frame is not uint8 of shape (H, W, 3).
        """
        import torch

        batches = []
        for first in range(0, len(images), self._batch_size):
            pixels = prepare_frames(images[first : first + self._batch_size], self._preparation)
            with torch.inference_mode():
                features = self._model.get_image_features(
                    pixel_values=pixels.to(self._device, pixel_dtype(self.precision))
                )
            batches.append(unit_vectors(features.pooler_output))
        return self._stack(batches)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, float32 (N, D); a text too long for the model is cut.

        Raises:
            EncoderError: One string was given where a list of strings is needed.
        """
        import torch

        if isinstance(texts, str):
            raise EncoderError(f"encode_texts needs a list of texts; found the text {texts!r}")
        batches = []
        for first in range(0, len(texts), self._batch_size):
            tokens = self._tokenize(texts[first : first + self._batch_size])
            with torch.inference_mode():
                features = self._model.get_text_features(**tokens)
            batches.append(unit_vectors(features.pooler_output))
        return self._stack(batches)

    def _round_image_side(self) -> None:
        """Put the weights that frames pass through into the precision they are computed in."""
        round_weights(self._model.vision_model, self.precision)
        if self._kind == "clip" and self.precision != "int8":
            round_weights(self._model.visual_projection, self.precision)

    @property
    def _width(self) -> int:
        config = self._model.config
        return int(
            config.projection_dim if self._kind == "clip" else config.vision_config.hidden_size
        )

    def _stack(self, batches: list[FloatArray]) -> FloatArray:
        return np.concatenate([np.zeros((0, self._width), np.float32), *batches])

    def _tokenize(self, texts: Sequence[str]) -> dict[str, "torch.Tensor"]:
        """Return the inputs of the text tower.

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
        return {name: tokens[name].to(self._device) for name in names}

    def _check_image_size(self) -> None:
        trained_px = self._model.config.vision_config.image_size
        if trained_px != self._preparation.size_px:
            raise EncoderError(
                f"encoder folder {self._folder} prepares frames of {self._preparation.size_px} "
                f"pixels for a network of {trained_px}; take both files from one checkpoint"
            )

    def _hash_in(self, precision: str, file_digests: Iterable[bytes]) -> str:
        return hash_of_all(self._folder, self._preparation, precision, file_digests)


def hash_of_all(
    folder: Path, preparation: ImagePreparation, precision: str, file_digests: Iterable[bytes]
) -> str:
    """Return a digest of all that a vector depends on: weights, network, pixels, precision."""
    settings = [read_json(folder / "config.json"), repr(preparation), f"torch.{precision}"]
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16)
    for part in file_digests:
        digest.update(part)
    return f"blake2b:{digest.hexdigest()}"


def fastest_float(device: "torch.device") -> str:
    """Return ``bfloat16`` where the processor computes in it, else ``float32``.

    Never int8, faster as it is: how labels fare in it was not measured on trained CLIP weights.
    """
    import torch

    if device.type == "cuda":
        computes_in_it = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()
        computes_in_it = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return "bfloat16" if computes_in_it else "float32"


def find_device(name: str | None) -> "torch.device":
    """Return the device of this name; a GPU if there is one and no name is given.

    Raises:
        EncoderError: There is no such device here.
    """
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        raise EncoderError(f"there is no device {name!r} here; cpu is always there") from error
    if device.type not in BATCH_SIZES:
        raise EncoderError(f"encoders run on cpu and cuda, not on {name!r}")
    return device


def find_precision(name: str | None, device: "torch.device") -> str:
    """Return the precision of this name; the faster float of the device if no name is given.

    Raises:
        EncoderError: Encoders, or this device, do not compute in it.
    """
    if name is None:
        return fastest_float(device)
    if name not in PRECISIONS:
        raise EncoderError(f"encoders compute in {', '.join(PRECISIONS)}, not in {name!r}")
    if name == "int8" and not computes_in_int8(device):
        raise EncoderError(
            "int8 needs a CPU with VNNI instructions, which this device is not; "
            f"{fastest_float(device)} is the fastest here"
        )
    return name


def computes_in_int8(device: "torch.device") -> bool:
    """Return True if it is a CPU that sums products of int8 exactly and faster than float32."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(
        capabilities.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8")
    )


def pixel_dtype(precision: str) -> "torch.dtype":
    """Return what pixels come in to a network of this precision."""
    import torch

    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def round_weights(network: "torch.nn.Module", precision: str) -> None:
    """Put a network's weights into the precision it is to compute in, on the spot."""
    from transformers.activations import QuickGELUActivation

    from mastershot.models.int8_linear import QuickGelu, quantise

    if precision != "int8":
        network.to(pixel_dtype(precision))
        return
    quantise(network)
    for module in network.modules():
        if isinstance(getattr(module, "activation_fn", None), QuickGELUActivation):
            module.activation_fn = QuickGelu()  # Of a fresh tensor, which it may write over.


def file_digest(path: Path) -> bytes:
    """Return the digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b()).digest()


def unit_vectors(features: "torch.Tensor") -> FloatArray:
    """Return features (T, D) at unit length, float32."""
    from torch.nn.functional import normalize

    vectors: FloatArray = normalize(features.float(), dim=-1).cpu().numpy()
    return vectors
