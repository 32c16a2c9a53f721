import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.movies2scenes import FEATURE_NET, PIXEL_NET

from mastershot.core.errors import EncoderError, SettingError
from mastershot.training.movies2scenes.checkpoints import (
    SCENE_STEM,
    SHOT_STEM,
    describing,
    load_scene_encoder,
    load_shot_encoder,
    write_encoder,
)
from mastershot.training.movies2scenes.networks import (
    SceneShape,
    ShotEncoder,
    plain_views,
    scene_network,
    seeded,
    vit_settings,
)

FEATURES = {"network": "features", "width": 8, "depth": 1, "heads": 1}


def feature_encoder(folder: Path) -> Path:
    """Write an encoder of scenes of three shots, six numbers each."""
    shape = SceneShape(3, (6,))
    with seeded(1):
        network = scene_network(FEATURE_NET, shape)
    write_encoder(folder / "made", SCENE_STEM, FEATURE_NET, shape, network, metadata={"name": "é"})
    return folder / "made"


def pixel_encoder(folder: Path) -> Path:
    """Write an encoder of scenes of three shots, one keyframe of 16² each."""
    shape = SceneShape(3, (1, 16, 16, 3))
    network = scene_network(PIXEL_NET, shape)
    write_encoder(folder / "made", SCENE_STEM, PIXEL_NET, shape, network, metadata={})
    return folder / "made"


def shot_encoder(folder: Path, output: int = 5) -> Path:
    """Write an encoder of shots of three keyframes of 16²."""
    network = ShotEncoder(vit_settings(PIXEL_NET, 16), output)
    shape = SceneShape(1, (3, 16, 16, 3))
    metadata = {"output": output}
    write_encoder(folder / "made", SHOT_STEM, PIXEL_NET, shape, network, metadata=metadata)
    return folder / "made"


def test_a_folder_that_holds_no_encoder_is_said(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"holds no scene_encoder\.json"):
        load_scene_encoder(tmp_path)
    with pytest.raises(EncoderError, match=r"holds no shot_encoder\.json"):
        load_shot_encoder(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "is of format 'x'; this version reads mastershot/scene-encoder/1"),
        ({"network": {"width": 7}}, "does not describe an encoder"),
        ({"network": {"widhh": 8}}, "does not describe an encoder"),
        ({"row_shape": [6, 6]}, "does not describe an encoder"),
        ({"num_shots": "many"}, "does not describe an encoder"),
        ({"num_shots": 10**9}, "does not describe an encoder"),
        ({"network": {"network": "features", "width": 10**6, "heads": 1}}, "does not describe"),
        ({"network": {**FEATURES, "depth": 10**6, "width": 1}}, "weights in 1,000,000 blocks"),
        ({"network": {**FEATURES, "depth": 1.0}}, "depth is 1.0; it must be a whole number"),
        ({"network": {**FEATURES, "depth": True}}, "depth is True; it must be a whole number"),
        ({"network": [1]}, "does not describe an encoder"),
        ({"num_shots": float("inf")}, "num_shots is inf; it must be a whole number"),
        ({"row_shape": [float("inf")]}, "row_shape.0 is inf; it must be a whole number"),
        ({"row_shape": None}, "does not describe an encoder"),
        ({"row_shape": [2**26], "network": {**FEATURES, "width": 64}}, "weights in 1 blocks"),
        ({"network": {"width": 8, "heads": 2}, "row_shape": [1, 8, 8, 3]}, "lacks 'vit'|describe"),
        ({"row_shape": [7]}, "cannot be loaded"),
        ({"weights_sha256": "0"}, "is not the file that its description was written for"),
    ],
)
def test_a_description_that_cannot_be_is_said(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    made = feature_encoder(tmp_path)
    path = made / "scene_encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(EncoderError, match=sentence):
        load_scene_encoder(made)


@pytest.mark.parametrize(
    "vit",
    [
        {"width": 8.0}, {"width": 2**20, "heads": 1}, {"depth": 10**9, "width": 1, "heads": 1},
        {"mlp_ratio": float("nan")}, {"image_px": 2**20}, {"pixel_mean": [1]}, {"norm_eps": "x"},
        {"wide": 1}, [1], None,
    ],
)  # fmt: skip
def test_a_description_of_a_vit_that_cannot_be_is_said(tmp_path: Path, vit: object) -> None:
    made = pixel_encoder(tmp_path)
    path = made / "scene_encoder.json"
    saved = json.loads(path.read_text())
    saved["vit"] = {**saved["vit"], **vit} if isinstance(vit, dict) else vit
    path.write_text(json.dumps(saved))
    with pytest.raises(EncoderError, match="does not describe an encoder"):
        load_scene_encoder(made)


def test_damaged_weights_and_scenes_of_another_kind_are_said(tmp_path: Path) -> None:
    made = feature_encoder(tmp_path)
    encoder = load_scene_encoder(made)
    for scenes in (np.zeros((2, 3, 7), np.float32), np.zeros((2, 6), np.float32),
                   np.zeros((2, 3, 6), np.uint8), np.zeros((2, 0, 6), np.float32)):  # fmt: skip
        with pytest.raises(SettingError, match=r"this encoder takes features \(scenes, shots, 6\)"):
            encoder.encode(scenes)
    with pytest.raises(SettingError, match="0 shots with a stride of 0 hold no scene"):
        encoder.encode_film(np.zeros((0, 6), np.float32))
    weights = made / "scene_encoder.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_scene_encoder(made)


def test_a_saved_encoder_is_what_was_written_frozen(tmp_path: Path) -> None:
    encoder = load_scene_encoder(feature_encoder(tmp_path))
    with seeded(1):
        network = scene_network(FEATURE_NET, SceneShape(3, (6,))).eval()
    scenes = np.random.default_rng(0).normal(size=(70, 3, 6)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(scenes)).numpy()
    vectors = encoder.encode(scenes)  # in three batches
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(scenes.astype(np.float64)), vectors, atol=1e-5)
    assert encoder.metadata["name"] == "é"
    assert encoder.metadata["network"] == asdict(FEATURE_NET)
    assert not encoder.network.training
    assert not any(one.requires_grad for one in encoder.network.parameters())


@pytest.mark.parametrize("stride", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("num_shots", [1, 3, 7])
def test_the_scenes_of_a_film_begin_every_so_many_shots(
    tmp_path: Path, num_shots: int, stride: int
) -> None:
    encoder = load_scene_encoder(feature_encoder(tmp_path))
    film = np.random.default_rng(0).normal(size=(num_shots, 6)).astype(np.float32)
    starts = range(0, max(1, num_shots - 2), stride or 3)
    expected = [encoder.encode(film[None, start : start + 3])[0] for start in starts]
    vectors = encoder.encode_film(film, stride=stride)
    assert len(vectors) == len(expected)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    with pytest.raises(SettingError, match=rf"{num_shots} shots with a stride of -1 hold no scene"):
        encoder.encode_film(film, stride=-1)


def test_an_encoder_of_keyframes_takes_any_number_of_them_and_no_other_size_or_type(
    tmp_path: Path,
) -> None:
    encoder = load_scene_encoder(pixel_encoder(tmp_path))
    frames = np.random.default_rng(0).integers(0, 256, (2, 4, 2, 16, 16, 3), np.uint8)
    with torch.no_grad():
        expected = encoder.network(plain_views(torch.from_numpy(frames))).numpy()
    np.testing.assert_allclose(encoder.encode(frames), expected, atol=1e-5)
    for wrong in (frames.astype(np.float32), frames[..., :8, :, :], frames[..., :2], frames[0]):
        with pytest.raises(SettingError, match=r"takes keyframes of uint8 \(scenes, shots, 1, 16"):
            encoder.encode(wrong)


def test_a_shot_encoder_sees_the_middle_keyframe_and_is_no_scene_encoder(tmp_path: Path) -> None:
    made = shot_encoder(tmp_path)
    encoder = load_shot_encoder(made)
    frames = np.random.default_rng(0).integers(0, 256, (4, 3, 16, 16, 3), np.uint8)
    other = frames.copy()
    other[:, [0, 2]] = 0
    assert encoder.encode_film(frames).shape == (4, encoder.width) == (4, 5)
    assert np.array_equal(encoder.encode_film(frames), encoder.encode_film(other))
    with pytest.raises(EncoderError, match=r"holds no scene_encoder\.json; name the folder that a"):
        load_scene_encoder(made)


@pytest.mark.parametrize("output", [0, True, 2.0, "5", 2**30, 10**30])
def test_a_width_of_a_shots_feature_that_cannot_be_is_said(tmp_path: Path, output: object) -> None:
    path = shot_encoder(tmp_path) / "shot_encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "output": output}))
    with pytest.raises(EncoderError, match=r"does not describe an encoder: .* where a whole"):
        load_shot_encoder(path.parent)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["vit", "features"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["network", "width", "depth", "heads", "padded"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=30)
@given(key=st.sampled_from(["network", "num_shots", "row_shape", "format"]), value=ANYTHING)
def test_whatever_a_description_says_is_loaded_or_one_sentence(key: str, value: object) -> None:
    with TemporaryDirectory() as folder:
        made = feature_encoder(Path(folder))
        path = made / "scene_encoder.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
        with suppress(EncoderError):
            assert load_scene_encoder(made).encode(np.zeros((1, 3, 6), np.float32)).shape == (1, 8)


@pytest.mark.parametrize("key", ["network", "num_shots", "row_shape"])
def test_what_a_description_lacks_is_named(tmp_path: Path, key: str) -> None:
    path = feature_encoder(tmp_path) / "scene_encoder.json"
    saved = json.loads(path.read_text())
    del saved[key]
    path.write_text(json.dumps(saved))
    with pytest.raises(EncoderError, match=f"does not describe an encoder: it lacks '{key}'"):
        load_scene_encoder(path.parent)
    refused = pytest.raises(
        EncoderError, match=r"^x\.json does not describe a cat: Attri.* no tail$"
    )
    with refused, describing(Path("x.json"), "a cat"):
        raise AttributeError("no tail")


def test_an_encoder_appears_whole_and_what_a_kill_left_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made.part").mkdir()
    (tmp_path / "made.part" / "stray").touch()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            feature_encoder(tmp_path)
    assert not (tmp_path / "made").exists()
    made = feature_encoder(tmp_path)
    assert {path.name for path in made.iterdir()} == {
        "scene_encoder.json", "scene_encoder.safetensors",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
