"""What every `ImageTextEncoder` must keep, run on each implementation."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.factories.models import (
    make_space_student,
    make_student,
    make_tiny_clip,
    make_tiny_siglip,
)

from mastershot.core.protocols import ImageTextEncoder
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.precision import computes_in_int8

MakeEncoder = Callable[[int], ImageTextEncoder]
TEXTS = ["A forest", "a kitchen at night, seen from the door", "", "日本 {label}", "street"]


@pytest.fixture(
    scope="module",
    params=[
        (make_tiny_clip, "float32"),
        (make_tiny_siglip, "float32"),
        (make_tiny_clip, "int8"),
        (make_tiny_siglip, "int8"),
        (make_student, "float32"),
        (make_space_student, "float32"),
    ],
    ids=lambda param: f"{param[0].__name__}-{param[1]}",
)
def make_encoder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MakeEncoder:
    """Loads the implementation afresh; weights differ by seed."""
    make_folder, precision = request.param
    if precision == "int8" and not computes_in_int8(torch.device("cpu")):
        pytest.skip("this processor has no VNNI instructions")

    def make(seed: int) -> ImageTextEncoder:
        folder = tmp_path_factory.mktemp("models") / "encoder"
        make_folder(folder, seed=seed)
        return load_encoder(folder, device="cpu", precision=precision)

    return make


@pytest.fixture(scope="module")
def encoder(make_encoder: MakeEncoder) -> ImageTextEncoder:
    return make_encoder(0)


def frames(number: int, height: int = 36, width: int = 64) -> np.ndarray:
    rng = np.random.default_rng(number)
    patches = rng.integers(0, 256, (number, height // 4, width // 4, 3), dtype=np.uint8)
    return patches.repeat(4, axis=1).repeat(4, axis=2)


def test_vectors_are_float32_of_unit_length_and_of_one_width(encoder: ImageTextEncoder) -> None:
    for vectors, number in (
        (encoder.encode_images(frames(11)), 11),
        (encoder.encode_texts(TEXTS), 5),
    ):
        assert vectors.dtype == np.float32
        assert vectors.shape == (number, encoder.space.width)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_frames_and_no_texts_give_no_vectors(encoder: ImageTextEncoder) -> None:
    for vectors in (encoder.encode_images(frames(0)), encoder.encode_images([])):
        assert vectors.shape == (0, encoder.space.width)
    assert encoder.encode_texts([]).shape == (0, encoder.space.width)
    assert encoder.encode_texts([]).dtype == np.float32


def test_a_frame_has_one_vector_whatever_batch_it_comes_in(encoder: ImageTextEncoder) -> None:
    batch = frames(19)
    together = encoder.encode_images(batch)
    alone = np.concatenate([encoder.encode_images(frame[None]) for frame in batch])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images(batch[::-1])[::-1], together, atol=1e-5)


def test_a_text_has_one_vector_whatever_batch_it_comes_in(encoder: ImageTextEncoder) -> None:
    together = encoder.encode_texts(TEXTS * 3)
    alone = np.concatenate([encoder.encode_texts([text]) for text in TEXTS * 3])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_frames_of_different_sizes_are_taken_as_a_list(encoder: ImageTextEncoder) -> None:
    small, large = frames(1), frames(1, 200, 120)
    together = encoder.encode_images([small[0], large[0]])
    apart = np.concatenate([encoder.encode_images(small), encoder.encode_images(large)])
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_different_frames_and_different_texts_have_different_vectors(
    encoder: ImageTextEncoder,
) -> None:
    for vectors in (encoder.encode_images(frames(6)), encoder.encode_texts(TEXTS)):
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -1)
        assert cosines.max() < 0.99999


def test_a_very_long_text_is_taken(encoder: ImageTextEncoder) -> None:
    vectors = encoder.encode_texts(["a street " * 500])
    np.testing.assert_allclose(np.linalg.norm(vectors), 1, atol=1e-5)


def test_the_same_checkpoint_is_the_same_space_on_every_load(make_encoder: MakeEncoder) -> None:
    one, other = make_encoder(0), make_encoder(0)
    assert one.space == other.space
    assert one.space.key == other.space.key
    np.testing.assert_array_equal(one.encode_texts(TEXTS), other.encode_texts(TEXTS))


def test_words_lie_in_the_space_of_the_frames(encoder: ImageTextEncoder) -> None:
    assert encoder.word_spaces[0] == encoder.space


def test_other_weights_are_another_space(make_encoder: MakeEncoder) -> None:
    one, other = make_encoder(0), make_encoder(1)
    assert one.space.weights_hash != other.space.weights_hash
    assert one.space.key != other.space.key


def test_the_scale_is_positive_and_the_prompt_has_a_place_for_the_label(
    encoder: ImageTextEncoder,
) -> None:
    assert encoder.logit_scale > 1
    assert encoder.label_template.count("{label}") == 1
