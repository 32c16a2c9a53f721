"""Our tensors are the ones a checkpoint's own processor would have made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.factories import reference

from mastershot.core.errors import EncoderError
from mastershot.encoders.images import (
    ImagePreparation,
    prepare_frames,
    read_preparation,
    resize_frames,
)

CLIP = ImagePreparation(
    resize_px=224,
    keep_aspect=True,
    size_px=224,
    interpolation="bicubic",
    rescale=1 / 255,
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)
SIGLIP = ImagePreparation(
    resize_px=224,
    keep_aspect=False,
    size_px=224,
    interpolation="bicubic",
    rescale=1 / 255,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)
SHAPES = [(480, 854), (1080, 1920), (720, 404), (1, 1), (3, 2), (224, 224), (224, 301), (90, 160)]
CLIP_SETTINGS: dict[str, Any] = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "CLIPFeatureExtractor",
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": 224,
}


def random_frame(height: int, width: int) -> np.ndarray:
    """Half noise, half large patches, so that both fine and flat parts are there."""
    rng = np.random.default_rng(height * 10_000 + width)
    noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    patches = rng.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    patches = patches.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    return np.where(np.arange(width)[None, :, None] < width // 2, noise, patches)


def assert_same_pixels(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Within 1/255 on at least 99 % of pixels, and on average within a fifth of that.

    torch's 8-bit kernels round their weights: in strong one-sided shrinking of noise a pixel in a
    thousand is off by more.
    """
    assert ours.shape == theirs.shape
    difference = np.abs(ours.astype(float) - theirs.astype(float))
    assert (difference <= 1.001).mean() >= 0.99
    assert difference.mean() <= 0.2


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("shape", [(48, 85), (70, 40), (1, 1), (3, 2), (32, 50), (300, 20)])
def test_a_frame_is_resized_as_pil_does_written_as_plain_loops(
    shape: tuple[int, int], interpolation: str
) -> None:
    frame = random_frame(*shape)
    kernel = getattr(reference, interpolation)
    stretched = ImagePreparation(32, False, 32, interpolation, 1 / 255, (0, 0, 0), (1, 1, 1))
    expected = reference.resize(frame, 32, 32, kernel)
    ours = resize_frames(frame[None], stretched)[0].permute(1, 2, 0).numpy()
    assert_same_pixels(ours, expected)
    assert (ours == expected).mean() > 0.97

    cropped = ImagePreparation(32, True, 32, interpolation, 1 / 255, (0, 0, 0), (1, 1, 1))
    height, width = (int(32 * edge / min(shape)) for edge in shape)
    top, left = (height - 32) // 2, (width - 32) // 2
    expected = reference.resize(frame, height, width, kernel)[top : top + 32, left : left + 32]
    assert_same_pixels(resize_frames(frame[None], cropped)[0].permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_a_random_frame_comes_out_as_from_the_processor_of_transformers(
    kind: str, shape: tuple[int, int]
) -> None:
    assert_as_processor(kind, random_frame(*shape))


@pytest.mark.parametrize("film", ["big_buck_bunny_480p_30s.mp4", "chaplin.mp4"])
@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_a_real_frame_comes_out_as_from_the_processor_of_transformers(
    kind: str, film: str, real_data: Path
) -> None:
    import av

    with av.open(str(real_data / "films" / film)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in (0, 40):
                assert_as_processor(kind, frame.to_ndarray(format="rgb24"))
            if index == 40:
                break


def assert_as_processor(kind: str, frame: np.ndarray) -> None:
    pytest.importorskip("PIL", reason="the processors of transformers need Pillow")
    import transformers

    if kind == "clip":
        processor, preparation = transformers.CLIPImageProcessor(), CLIP
    else:
        processor, preparation = transformers.SiglipImageProcessor(), SIGLIP
    theirs = processor(frame, input_data_format="channels_last", return_tensors="np")
    ours = prepare_frames([frame], preparation).numpy()
    levels = 255 * np.asarray(preparation.std)[:, None, None]
    assert_same_pixels(ours * levels, theirs["pixel_values"] * levels)


def test_a_grey_frame_becomes_its_normalised_level_everywhere() -> None:
    tensor = prepare_frames(np.full((1, 30, 50, 3), 51, np.uint8), CLIP)
    assert tensor.shape == (1, 3, 224, 224)
    for channel, mean, std in zip(tensor[0], CLIP.mean, CLIP.std, strict=True):
        np.testing.assert_allclose(channel.numpy(), (0.2 - mean) / std, rtol=1e-5)


def test_frames_of_different_sizes_go_in_together() -> None:
    frames = [random_frame(30, 50), random_frame(80, 20)]
    together = prepare_frames(frames, SIGLIP)
    for row, frame in zip(together, frames, strict=True):
        assert (row == prepare_frames(frame[None], SIGLIP)[0]).all()


def test_a_view_and_a_read_only_frame_are_taken_and_left_unchanged() -> None:
    frame = random_frame(60, 80)
    mirrored = frame[:, ::-1]
    locked = mirrored.copy()
    locked.flags.writeable = False
    assert torch.equal(resize_frames(mirrored[None], CLIP), resize_frames(locked[None], CLIP))
    assert (locked == mirrored).all()


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((3, 32, 32), np.uint8),
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((32, 32, 3), np.float32),
        np.zeros((0, 32, 3), np.uint8),
    ],
)
def test_what_is_not_a_frame_is_refused_with_its_type_and_shape(frame: np.ndarray) -> None:
    with pytest.raises(EncoderError, match=r"must be RGB, uint8, of shape \(H, W, 3\); found"):
        prepare_frames([frame], CLIP)


def test_settings_as_openai_wrote_them_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, CLIP_SETTINGS) == CLIP


def test_settings_as_transformers_writes_them_are_read(tmp_path: Path) -> None:
    square = {"height": 224, "width": 224}
    clip = CLIP_SETTINGS | {"size": {"shortest_edge": 224}, "crop_size": square}
    siglip = {"size": square, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 3}
    assert read(tmp_path, clip) == CLIP
    assert read(tmp_path, siglip) == SIGLIP


def test_settings_nested_in_processor_config_go_first(tmp_path: Path) -> None:
    nested = {"image_processor": CLIP_SETTINGS | {"resample": 2}}
    (tmp_path / "processor_config.json").write_text(json.dumps(nested))
    assert read(tmp_path, CLIP_SETTINGS).interpolation == "bilinear"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"do_resize": False}, "do_resize is off"),
        ({"do_normalize": False}, "do_normalize is off"),
        ({"do_pad": True}, "do_pad is on"),
        ({"resample": 1}, r"resample is 1; 2 \(bilinear\) and 3 \(bicubic\) are known"),
        ({"size": {"longest_edge": 224}}, "is neither a shortest edge nor a square"),
        ({"size": {"height": 224, "width": 200}}, "is neither a shortest edge nor a square"),
        ({"do_center_crop": False}, "not cropped to a square"),
        ({"crop_size": 256}, "a crop of 256 pixels does not fit into 224"),
        ({"image_mean": [0.5]}, r"image_mean is \[0.5\]; three numbers are needed"),
        ({"image_std": None}, "image_std is None; three numbers are needed"),
    ],
)
def test_settings_this_version_cannot_follow_are_refused(
    change: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(EncoderError, match=sentence):
        read(tmp_path, CLIP_SETTINGS | change)


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"config.json asks .* it lacks 'image_std'"):
        read(tmp_path, {k: v for k, v in CLIP_SETTINGS.items() if k != "image_std"})


def test_settings_that_are_no_json_object_are_refused(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(EncoderError, match="cannot be read as JSON"):
        read_preparation(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("[]")
    with pytest.raises(EncoderError, match="must hold a JSON object; found list"):
        read_preparation(tmp_path)


def test_a_folder_without_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"lacks preprocessor_config.json"):
        read_preparation(tmp_path)


def read(folder: Path, settings: dict[str, Any]) -> ImagePreparation:
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return read_preparation(folder)
