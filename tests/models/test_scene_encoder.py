from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.factories.reference import interpolated_rows
from tests.factories.shapes import TINY_FEATURES, TINY_VIT

from mastershot.core.errors import SettingError
from mastershot.models.scene_encoder import (
    FeatureSceneEncoder,
    PaddedSceneEncoder,
    PixelSceneEncoder,
    ProjectionHead,
    spread_weights,
)
from mastershot.models.vit import VisionTransformer, ViTSettings


def pixel_encoder() -> PixelSceneEncoder:
    torch.manual_seed(0)
    return PixelSceneEncoder(TINY_VIT)


def feature_encoder() -> FeatureSceneEncoder:
    torch.manual_seed(0)
    encoder = FeatureSceneEncoder(TINY_FEATURES)
    for weights in encoder.parameters():
        torch.nn.init.normal_(weights, std=0.4)
    return encoder


def test_a_scene_of_one_frame_is_what_the_plain_vit_says_bit_for_bit() -> None:
    encoder = pixel_encoder()
    plain = VisionTransformer(TINY_VIT)
    plain.load_state_dict(encoder.vit.state_dict())
    frames = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(encoder(frames[:, None]), plain(frames))


def test_frames_are_stacked_along_the_height_of_one_picture() -> None:
    encoder = pixel_encoder()
    frames = torch.rand(2, 3, 3, 32, 32) * 255
    # Two rows and two columns of patches a frame; three frames are a grid of 6 × 2.
    rows = encoder.vit.positions.detach().view(2, 2, 8)
    stacked = [interpolated_rows(rows[:, column].numpy(), 6) for column in range(2)]
    positions = torch.from_numpy(np.stack(stacked, 1)).float().view(12, 8)
    tokens = torch.cat([encoder.vit.patch_tokens(frames[:, index]) for index in range(3)], 1)
    torch.testing.assert_close(encoder(frames), encoder.vit.read(tokens, positions))


@pytest.mark.parametrize("num_frames", [1, 2, 9, 27])
def test_any_number_of_frames_becomes_one_vector(num_frames: int) -> None:
    frames = torch.rand(2, num_frames, 3, 32, 32) * 255
    assert pixel_encoder()(frames).shape == (2, 8)


def test_the_order_of_the_frames_matters() -> None:
    encoder = pixel_encoder()
    torch.nn.init.normal_(encoder.vit.positions)
    frames = torch.rand(1, 3, 3, 32, 32) * 255
    assert not torch.allclose(encoder(frames), encoder(frames.flip(1)), atol=1e-4)


@pytest.mark.parametrize("shape", [(2, 0, 3, 32, 32), (2, 3, 32, 32)])
def test_a_scene_without_a_frame_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="with a frame or more is needed"):
        pixel_encoder()(torch.zeros(shape))


def test_scenes_of_another_frame_size_are_refused() -> None:
    with pytest.raises(SettingError, match=r"do not fit a network for \(batch, 3, 32, 32\)"):
        pixel_encoder()(torch.zeros(2, 4, 3, 16, 16))


@pytest.mark.parametrize("filling", [0.0, 1e6, float("nan")])
def test_padding_changes_nothing_whatever_it_holds(filling: float) -> None:
    encoder = feature_encoder()
    num_shots = torch.tensor([1, 3, 4, 6])
    features = torch.randn(4, 6, 5)
    for scene, length in enumerate(num_shots):
        features[scene, length:] = filling
    together = encoder(features, num_shots)
    alone = [encoder(features[scene : scene + 1, :n]) for scene, n in enumerate(num_shots)]
    torch.testing.assert_close(together, torch.cat(alone))
    together.sum().backward()
    assert all(weights.grad.isfinite().all() for weights in encoder.parameters())


def test_rows_of_zeros_are_no_shots_at_a_scenes_end_and_are_shots_before_it() -> None:
    encoder = feature_encoder()
    padded = PaddedSceneEncoder(TINY_FEATURES)
    padded.load_state_dict(encoder.state_dict())
    num_shots = torch.tensor([1, 3, 4, 6])
    features = torch.randn(4, 6, 5)
    for scene, length in enumerate(num_shots):
        features[scene, length:] = 0
    features[2, 1] = 0
    assert torch.equal(padded(features), encoder(features, num_shots))
    assert not torch.allclose(padded(features[:3]), encoder(features[:3]))
    with pytest.raises(SettingError, match="scenes of 0 to 6 shots do not fit 6 slots"):
        padded(features * torch.tensor([0, 1, 1, 1])[:, None, None])


@pytest.mark.parametrize(("num_positions", "num_shots"), [(4, 4), (4, 1), (4, 3), (4, 9), (1, 5)])
def test_positions_are_spread_over_a_scene_as_a_plain_loop_does(
    num_positions: int, num_shots: int
) -> None:
    positions = torch.randn(num_positions, 3)
    weights = spread_weights(torch.tensor([num_shots]), num_shots, num_positions)[0]
    expected = interpolated_rows(positions.numpy(), num_shots)
    np.testing.assert_allclose(weights @ positions, expected, rtol=1e-5, atol=1e-5)


def test_as_many_shots_as_positions_get_each_its_own() -> None:
    assert torch.equal(spread_weights(torch.tensor([9]), 9, 9)[0], torch.eye(9))


def test_every_weight_of_the_feature_encoder_has_a_gradient() -> None:
    encoder = feature_encoder()
    vectors = encoder(torch.randn(3, 4, 5))
    assert vectors.shape == (3, 8)
    (vectors * torch.randn(3, 8)).sum().backward()
    assert all(weights.grad is not None and weights.grad.any() for weights in encoder.parameters())


@pytest.mark.parametrize("shape", [(2, 0, 5), (2, 4, 6), (4, 5)])
def test_features_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match=r"\(batch, shots, 5\) with a shot or more"):
        feature_encoder()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("num_shots", "sentence"),
    [
        ([0, 2], "scenes of 0 to 2 shots do not fit 4 slots; each needs 1 to 4"),
        ([1, 5], "scenes of 1 to 5 shots do not fit 4 slots"),
        ([1], r"numbers of shots of shape \(1,\) do not fit 2 scenes"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(num_shots: list[int], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        feature_encoder()(torch.zeros(2, 4, 5), torch.tensor(num_shots))


def test_a_feature_encoder_without_positions_is_refused() -> None:
    with pytest.raises(SettingError, match="num_positions is 0; it must be 1 or more"):
        replace(TINY_FEATURES, num_positions=0)


@pytest.mark.parametrize("hidden", [None, 16])
def test_a_head_gives_vectors_of_length_one(hidden: int | None) -> None:
    vectors = ProjectionHead(8, 6, hidden=hidden)(torch.randn(3, 8))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))


@pytest.mark.slow
def test_the_papers_scenes_go_through_the_papers_network() -> None:
    encoder = PixelSceneEncoder(ViTSettings())
    with torch.inference_mode():
        assert encoder(torch.zeros(1, 9, 3, 128, 128)).shape == (1, 768)
