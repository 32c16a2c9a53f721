"""CLIP and SigLIP checkpoints: the numbers of transformers, and a sentence for a bad folder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.factories.models import make_tiny_clip, make_tiny_siglip, require_precision
from transformers import AutoTokenizer, CLIPModel, CLIPVisionConfig, SiglipModel

from mastershot.core.errors import EncoderError
from mastershot.encoders.image_text import TransformersEncoder
from mastershot.encoders.images import prepare_frames, read_preparation

TEXTS = ["A photo of a Forest", "kitchen", "a street at night"]
FRAMES = np.random.default_rng(0).integers(0, 256, (5, 9, 16, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("models") / "clip")


@pytest.fixture(scope="module")
def siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_siglip(tmp_path_factory.mktemp("models") / "siglip")


@pytest.fixture(params=["clip_folder", "siglip_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    """The folder of either kind."""
    return Path(request.getfixturevalue(request.param))


@pytest.fixture
def broken(clip_folder: Path, tmp_path: Path) -> Path:
    """A copy of a good folder, to be damaged."""
    return Path(shutil.copytree(clip_folder, tmp_path / "broken"))


def load(folder: Path, **options: str) -> TransformersEncoder:
    return TransformersEncoder(folder, name="tiny", **{"device": "cpu", **options})


def test_clip_logits_are_those_of_transformers(clip_folder: Path) -> None:
    encoder = load(clip_folder, precision="float32")
    ours = encoder.logit_scale * encoder.encode_images(FRAMES) @ encoder.encode_texts(TEXTS).T
    tokens = AutoTokenizer.from_pretrained(clip_folder)(TEXTS, padding=True, return_tensors="pt")
    pixels = prepare_frames(FRAMES, read_preparation(clip_folder))
    with torch.inference_mode():
        model = CLIPModel.from_pretrained(clip_folder)
        theirs = model(
            input_ids=tokens.input_ids, attention_mask=tokens.attention_mask, pixel_values=pixels
        )
    np.testing.assert_allclose(ours, theirs.logits_per_image.numpy(), atol=1e-3)


def test_siglip_logits_are_those_of_transformers_but_for_the_bias(siglip_folder: Path) -> None:
    encoder = load(siglip_folder, precision="float32")
    ours = encoder.logit_scale * encoder.encode_images(FRAMES) @ encoder.encode_texts(TEXTS).T
    tokens = AutoTokenizer.from_pretrained(siglip_folder)(
        TEXTS, padding="max_length", max_length=64, return_tensors="pt"
    )
    pixels = prepare_frames(FRAMES, read_preparation(siglip_folder))
    with torch.inference_mode():
        model = SiglipModel.from_pretrained(siglip_folder)
        theirs = model(input_ids=tokens.input_ids, pixel_values=pixels)
    expected = theirs.logits_per_image.numpy() - model.logit_bias.item()
    np.testing.assert_allclose(ours, expected, atol=1e-3)


def test_siglip_reads_words_in_lower_case(siglip_folder: Path) -> None:
    tokenizer = json.loads((siglip_folder / "tokenizer.json").read_text())
    assert tokenizer["normalizer"] == {"type": "Lowercase"}
    folder = siglip_folder.with_name("as-siglip-2")
    shutil.copytree(siglip_folder, folder)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer | {"normalizer": None}))
    encoder = load(folder)
    upper, lower = encoder.encode_texts(["A Street", "a street"])
    np.testing.assert_array_equal(upper, lower)


def test_bfloat16_is_close_to_float32_and_another_space(clip_folder: Path) -> None:
    exact, rounded = load(clip_folder, precision="float32"), load(clip_folder, precision="bfloat16")
    cosines = (exact.encode_images(FRAMES) * rounded.encode_images(FRAMES)).sum(axis=1)
    assert cosines.min() > 0.99
    assert rounded.logit_scale == pytest.approx(100, rel=1e-6)
    assert exact.space.weights_hash != rounded.space.weights_hash


def test_another_preparation_of_frames_is_another_space(clip_folder: Path, broken: Path) -> None:
    settings = json.loads((broken / "preprocessor_config.json").read_text())
    settings["resample"] = 2
    (broken / "preprocessor_config.json").write_text(json.dumps(settings))
    assert load(broken).space.weights_hash != load(clip_folder).space.weights_hash


def test_weights_in_several_files_are_loaded_and_all_named(clip_folder: Path, broken: Path) -> None:
    model = CLIPModel.from_pretrained(clip_folder)
    (broken / "model.safetensors").unlink()
    model.save_pretrained(broken, max_shard_size="10KB")
    shards = sorted(broken.glob("model-*.safetensors"))
    assert len(shards) > 1
    sharded = load(broken)
    np.testing.assert_array_equal(
        sharded.encode_texts(TEXTS), load(clip_folder).encode_texts(TEXTS)
    )
    before = sharded.space.weights_hash
    shards[-1].write_bytes(shards[-1].read_bytes()[:-1] + b"\x01")
    assert load(broken).space.weights_hash != before


def test_loading_writes_nothing_and_leaves_the_settings_of_transformers(
    clip_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(clip_folder).encode_images(FRAMES)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")


def test_one_string_instead_of_a_list_is_refused(clip_folder: Path) -> None:
    with pytest.raises(EncoderError, match="needs a list of texts; found the text 'street'"):
        load(clip_folder).encode_texts("street")


@pytest.mark.parametrize(
    "part", ["config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"]
)
def test_a_missing_file_is_named(part: str, broken: Path) -> None:
    (broken / part).unlink()
    with pytest.raises(EncoderError, match=f"{broken} lacks {part}; copy what is missing"):
        load(broken)


def test_weights_as_a_pickle_are_refused_unread(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken)
    (broken / "model.safetensors").unlink()
    (broken / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(EncoderError, match=r"a pickle \(pytorch_model.bin\), which can run code"):
        load(broken)
    assert not (broken / "ran").exists()


def test_code_beside_the_weights_is_not_run(broken: Path) -> None:
    (broken / "evil.py").write_text("raise SystemExit('ran')\nclass Evil: pass\n")
    for name in ("config.json", "tokenizer_config.json"):
        settings = json.loads((broken / name).read_text())
        settings["auto_map"] = {"AutoModel": "evil.Evil", "AutoTokenizer": ["evil.Evil", None]}
        (broken / name).write_text(json.dumps(settings))
    assert load(broken).encode_texts(TEXTS).shape == (3, 8)


def test_a_model_of_another_kind_is_named(broken: Path) -> None:
    (broken / "config.json").write_text(CLIPVisionConfig().to_json_string())
    with pytest.raises(EncoderError, match="type 'clip_vision_model'; clip and siglip are known"):
        load(broken)


def test_a_configuration_that_is_no_json_is_refused(broken: Path) -> None:
    (broken / "config.json").write_text("{")
    with pytest.raises(EncoderError, match=r"config.json cannot be read as JSON"):
        load(broken)


def test_cut_off_weights_are_refused(broken: Path) -> None:
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(EncoderError, match=f"{broken} cannot be loaded .SafetensorError: "):
        load(broken)


def test_a_damaged_tokenizer_is_refused(broken: Path) -> None:
    (broken / "tokenizer.json").write_text("{}")
    with pytest.raises(EncoderError, match=f"{broken} cannot be loaded .KeyError: "):
        load(broken)


@pytest.mark.parametrize(
    ("setting", "value", "number"), [("num_hidden_layers", 3, 16), ("intermediate_size", 32, 6)]
)
def test_weights_of_another_network_are_refused(
    setting: str, value: int, number: int, broken: Path
) -> None:
    config = json.loads((broken / "config.json").read_text())
    config["vision_config"][setting] = value
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match=f"{number} are missing or of another shape, such as v"):
        load(broken)


def test_a_network_that_cannot_be_is_refused(broken: Path) -> None:
    config = json.loads((broken / "config.json").read_text())
    config["vision_config"]["num_attention_heads"] = 3
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="not a multiple of the number of attention heads"):
        load(broken)


@pytest.mark.parametrize("index", [{}, {"weight_map": {"a": "../a.safetensors"}}])
def test_an_index_that_names_no_files_beside_it_is_refused(
    index: dict[str, object], broken: Path
) -> None:
    (broken / "model.safetensors").rename(broken.parent / "a.safetensors")
    (broken / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(EncoderError, match="does not name files beside it that hold weights"):
        load(broken)


def test_a_tokenizer_that_cannot_pad_is_refused(broken: Path) -> None:
    (broken / "tokenizer_config.json").unlink()
    with pytest.raises(EncoderError, match=r"names no pad_token in tokenizer_config.json"):
        load(broken)


def test_frames_prepared_for_another_size_are_refused(broken: Path) -> None:
    settings = json.loads((broken / "preprocessor_config.json").read_text())
    settings |= {"size": 64, "crop_size": 48}
    (broken / "preprocessor_config.json").write_text(json.dumps(settings))
    with pytest.raises(EncoderError, match="prepares frames of 48 pixels for a network of 32"):
        load(broken)


def test_int8_is_close_to_float32_and_another_space(folder: Path) -> None:
    require_precision("int8")
    exact, rounded = load(folder, precision="float32"), load(folder, precision="int8")
    cosines = (exact.encode_images(FRAMES) * rounded.encode_images(FRAMES)).sum(axis=1)
    assert 0.99 < cosines.min() < 1 - 1e-6
    assert exact.space.weights_hash != rounded.space.weights_hash


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_words_are_the_same_in_every_precision(precision: str, folder: Path) -> None:
    require_precision(precision)
    exact, rounded = load(folder, precision="float32"), load(folder, precision=precision)
    np.testing.assert_array_equal(exact.encode_texts(TEXTS), rounded.encode_texts(TEXTS))
    assert rounded.word_spaces[0] == rounded.space
    assert set(rounded.word_spaces) == set(exact.word_spaces)
    assert len({space.key for space in exact.word_spaces}) == 3


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_weights_that_overflow_are_not_hidden(precision: str, broken: Path) -> None:
    require_precision(precision)
    model = CLIPModel.from_pretrained(broken)
    with torch.no_grad():
        model.vision_model.encoder.layers[0].mlp.fc1.weight[0, 0] = torch.inf
    model.save_pretrained(broken)
    assert np.isnan(load(broken, precision=precision).encode_images(FRAMES)).any()


def test_a_missing_device_is_refused(clip_folder: Path) -> None:
    with pytest.raises(EncoderError, match="there is no device 'gpu' here"):
        load(clip_folder, device="gpu")


def test_an_unknown_precision_is_refused(clip_folder: Path) -> None:
    with pytest.raises(EncoderError, match="in float32, bfloat16, int8, not in 'int4'"):
        load(clip_folder, precision="int4")
