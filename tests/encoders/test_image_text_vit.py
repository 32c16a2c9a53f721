import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.factories.models import make_tiny_clip, make_tiny_vit
from transformers import ViTModel

from mastershot.core.errors import EncoderError, EncoderUnavailableError
from mastershot.encoders.catalogue import known_name, load_encoder, load_frame_encoder
from mastershot.encoders.image_text import VIT_NAME, VisionEncoder
from mastershot.encoders.images import prepare_frames, read_preparation

FRAMES = np.random.default_rng(0).integers(0, 256, (11, 40, 56, 3), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_vit(tmp_path_factory.mktemp("models") / "vit")


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "broken"))


def test_a_vector_is_the_class_token_at_unit_length(folder: Path) -> None:
    encoder = load_frame_encoder(folder, precision="float32")
    assert isinstance(encoder, VisionEncoder)
    vectors = encoder.encode_images(FRAMES)
    model = ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
    with torch.inference_mode():
        pixels = prepare_frames(FRAMES, read_preparation(folder))
        expected = model(pixel_values=pixels).last_hidden_state[:, 0].numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images([FRAMES[9]])[0], vectors[9], atol=1e-5)
    assert encoder.encode_images([]).shape == (0, 8)


def test_the_space_is_named_by_weights_and_pixels(folder: Path, broken: Path) -> None:
    space = load_frame_encoder(folder, precision="float32").space
    assert space.width == 8
    assert space == load_frame_encoder(broken, precision="float32").space
    settings = json.loads((broken / "preprocessor_config.json").read_text())
    (broken / "preprocessor_config.json").write_text(json.dumps(settings | {"resample": 3}))
    assert space != load_frame_encoder(broken, precision="float32").space


def test_a_plain_224_is_a_square_for_vit_and_the_shortest_edge_for_clip(broken: Path) -> None:
    settings = json.loads((broken / "preprocessor_config.json").read_text())
    (broken / "preprocessor_config.json").write_text(json.dumps(settings | {"size": 32}))
    preparation = read_preparation(broken)
    assert (preparation.resize_px, preparation.keep_aspect, preparation.size_px) == (32, False, 32)


def test_an_encoder_with_words_is_one_of_frames_as_well(tmp_path: Path) -> None:
    make_tiny_clip(tmp_path / "clip")
    one, other = load_frame_encoder(tmp_path / "clip"), load_encoder(tmp_path / "clip")
    assert one.space == other.space


def test_a_vit_cannot_name_places(folder: Path) -> None:
    with pytest.raises(EncoderError, match="of type 'vit'; clip and siglip are known"):
        load_encoder(folder)


@pytest.mark.parametrize("part", ["model.safetensors", "preprocessor_config.json"])
def test_a_missing_file_is_named(part: str, broken: Path) -> None:
    (broken / part).unlink()
    with pytest.raises(EncoderError, match=f"lacks {part}; copy what is missing"):
        load_frame_encoder(broken)


def test_weights_of_another_size_are_refused(broken: Path) -> None:
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"hidden_size": 16}))
    with pytest.raises(EncoderError, match=r"are not those of the network in its config\.json"):
        load_frame_encoder(broken)


def test_damaged_settings_are_reported(broken: Path) -> None:
    (broken / "config.json").write_text("{")
    with pytest.raises(EncoderError, match=r"config\.json cannot be read as JSON"):
        load_frame_encoder(broken)


def test_without_its_weights_one_sentence_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert known_name("vit-b16") == VIT_NAME
    with pytest.raises(EncoderUnavailableError, match=f"weights of encoder {VIT_NAME} are not on"):
        load_frame_encoder("vit-b16", download=False)
