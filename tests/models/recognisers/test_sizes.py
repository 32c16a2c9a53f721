from copy import deepcopy

import pytest
import torch
from tests.factories.published_sizes import CONVOLUTIONAL, PublishedSize, measure

from mastershot.core.errors import SettingError
from mastershot.models.checkpointing import checkpoint_blocks
from mastershot.models.recognisers.build import RECOGNISERS, Shape, build_recogniser
from mastershot.models.recognisers.slowfast import slow_frames

NAMES = [size.name for size in CONVOLUTIONAL]


@pytest.mark.parametrize("size", CONVOLUTIONAL, ids=NAMES)
def test_networks_are_as_large_as_published(size: PublishedSize) -> None:
    parameters, giga_macs = measure(size)
    assert abs(parameters / 1e6 - size.parameters) < 10**-size.decimals - 1e-9
    assert giga_macs == pytest.approx(size.giga_macs - size.giga_macs_left_out, rel=0.02)


def small(name: str, depth: float = 1 / 3) -> tuple[torch.nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    frames = 8 if RECOGNISERS[name].reads == "clips" else None
    network = build_recogniser(
        name, num_classes=4, width=1 / 8, depth=depth, frames=frames, size_px=64
    )
    shape = (3, 3, 8, 64, 64) if RECOGNISERS[name].reads == "clips" else (3, 3, 64, 64)
    return network, torch.randn(shape)


@pytest.mark.parametrize("depth", [1 / 3, 1])
@pytest.mark.parametrize("name", NAMES)
def test_a_share_of_a_network_gives_logits_and_a_gradient_to_every_weight(
    name: str, depth: float
) -> None:
    network, inputs = small(name, depth)
    logits = network(inputs)
    assert logits.shape == (3, 4)
    assert logits.isfinite().all()
    for batch in (inputs, torch.randn_like(inputs), torch.randn_like(inputs)):
        network(batch).square().sum().backward()  # One input may leave a channel at 0.
    for weights in network.parameters():
        assert weights.grad is not None
        assert weights.grad.isfinite().all()
        assert weights.grad.any()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "vit_b16"])
def test_blocks_can_be_computed_again_in_the_backward_pass(name: str) -> None:
    network, inputs = small(name)

    other = deepcopy(network)
    assert checkpoint_blocks(other) >= 4
    for one in (network, other):
        torch.manual_seed(1)  # of dropout
        one(inputs).square().sum().backward()
    for found, expected in zip(other.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, atol=1e-6, rtol=1e-4)
    statistics = dict(network.named_buffers())
    assert all(torch.equal(found, statistics[name]) for name, found in other.named_buffers())
    assert any(found.any() for name, found in other.named_buffers() if "mean" in name)


@pytest.mark.parametrize("name", NAMES)
def test_a_deeper_and_a_wider_network_has_more_weights(name: str) -> None:
    def count(width: float, depth: float) -> int:
        with torch.device("meta"):
            network = build_recogniser(name, num_classes=4, width=width, depth=depth, size_px=64)
        return sum(weights.numel() for weights in network.parameters())

    assert count(1 / 8, 1 / 3) < count(1 / 8, 1) < count(1 / 2, 1)


@pytest.mark.parametrize("name", [n for n in NAMES if RECOGNISERS[n].reads == "clips"])
def test_the_order_of_frames_matters(name: str) -> None:
    network, inputs = small(name)
    with torch.inference_mode():
        network.eval()
        assert not torch.allclose(network(inputs), network(inputs.flip(2)), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_alone_gives_what_it_gives_among_others(name: str) -> None:
    network, inputs = small(name)
    with torch.inference_mode():
        network.eval()
        torch.testing.assert_close(network(inputs[1:2]), network(inputs)[1:2], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("frames", "steps"), [(32, [0, 4, 8, 13, 17, 22, 26, 31]), (8, [0, 7]), (4, [0]), (5, [0, 4])]
)
def test_the_slow_pathway_reads_a_fourth_of_the_frames(frames: int, steps: list[int]) -> None:
    clip = torch.arange(frames).view(1, 1, -1, 1, 1).float()
    assert slow_frames(clip).flatten().tolist() == steps


def test_slowfast_reads_clips_of_any_number_of_frames() -> None:
    network = build_recogniser("slowfast_r50", num_classes=4, width=1 / 8, depth=1 / 3)
    for frames in (1, 3, 5, 9):
        assert network.eval()(torch.randn(1, 3, frames, 32, 32)).shape == (1, 4)


def test_a_vit_refuses_frames_that_its_patches_do_not_tile() -> None:
    with pytest.raises(SettingError, match="patches of 16 pixels do not tile a frame of 40"):
        build_recogniser("vit_b16", num_classes=4, size_px=40)


def test_a_shape_keeps_heads_and_groups_whole_and_a_block_in_each_stage() -> None:
    shape = Shape(width=1 / 8, depth=1 / 6)
    assert (shape.channels(64), shape.channels(64, 16), shape.channels(3)) == (8, 16, 1)
    assert (shape.blocks(2), shape.blocks(12)) == (1, 2)
