"""AST (Gong et al. 2021, arXiv:2104.01778): a transformer over the spectrogram of some sound."""
# N stretches of sound, D width of a vector

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import (
    file_digest,
    load_network,
    one_line,
    quiet,
    read_json,
    weight_files,
)

_KIND = "audio-spectrogram-transformer"
_NEEDED = ("config.json", "preprocessor_config.json", "model.safetensors")


class SpectrogramEncoder:
    """Maps sound to what its checkpoint's last layer would see, the pooled output.

    Attributes:
        name: That of its folder.
        width: D.
        weights_hash: Digest of its weights.
    """

    def __init__(self, folder: Path) -> None:
        """Load a checkpoint of AST from a folder; nothing is asked of a hub.

        Raises:
            EncoderError: A file is missing or damaged, or of another network.
        """
        missing = [name for name in _NEEDED if not (folder / name).is_file()]
        if missing:
            raise EncoderError(f"{folder} lacks {', '.join(missing)} of a checkpoint of AST")
        kind = read_json(folder / "config.json").get("model_type")
        if kind != _KIND:
            raise EncoderError(f"{folder} holds a model of type {kind!r}; the expert is {_KIND!r}")
        self._network = load_network(folder, "ast")
        self._extract = _extractor(folder)
        self.name, self.width = folder.resolve().name, int(self._network.config.hidden_size)
        digests = [file_digest(path).hex()[:32] for path in weight_files(folder)]
        self.weights_hash = f"blake2b:{'+'.join(digests)}"

    def encode(self, sounds: Sequence[FloatArray]) -> FloatArray:
        """Return a vector of each stretch of mono sound at 16 kHz, float32 (N, D).

        What is longer than the checkpoint hears, mostly 10.24 s, is cut at its end.
        """
        import torch

        rows = np.empty((len(sounds), self.width), np.float32)
        with torch.inference_mode():
            for row, sound in zip(rows, sounds, strict=True):  # one by one: equal in any batch
                inputs = self._extract(sound, sampling_rate=16_000, return_tensors="pt")
                row[:] = self._network(inputs["input_values"]).pooler_output[0].numpy()
        return rows


def _extractor(folder: Path) -> Any:
    from transformers import ASTFeatureExtractor

    try:
        with quiet():
            return ASTFeatureExtractor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EncoderError(f"{folder} cannot be loaded ({one_line(error)})") from error
