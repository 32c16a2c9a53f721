import pytest
import torch
from tests.factories import video_swin as reference
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mastershot.core.errors import EncoderError
from mastershot.models.loading import fit_weights
from mastershot.models.recognisers.build import build_recogniser
from mastershot.models.recognisers.published import load_published
from mastershot.models.recognisers.video_swin import (
    SwinBlock,
    VideoSwin,
    VideoSwinSettings,
    Windows,
    published_weights,
)

NAMES = {
    "torchvision": reference.TORCHVISION,
    "mmaction2": reference.MMACTION,
    "the paper's code": reference.PAPER,
}
SMALL = reference.Shape(width=8, heads=2, depths=(2, 2, 2, 1), window=(2, 3, 3), classes=4)
# Frames of a clip of 224², 10⁹ multiplications with additions, and where it says so.
PUBLISHED_GFLOPS = [
    (32, 282, "Liu et al. 2022, arXiv:2106.13230, table 1; mmaction2's model zoo"),
    # 32 frames take twice as much: every window covers 8 frames of tokens, and there are half.
    (16, 140.667, "torchvision's Swin3D_B_Weights, which does not say of how many frames"),
]
PUBLISHED_PARAMETERS = 88_048_984  # torchvision's Swin3D_B_Weights; table 1 says 88.1 M


def network_of(shape: reference.Shape) -> VideoSwin:
    settings = VideoSwinSettings(shape.width, shape.heads, shape.depths, shape.window)
    return VideoSwin(shape.classes, settings).eval().requires_grad_(False)


def clips_of(num_clips: int, *size: int) -> Tensor:
    return torch.randn(num_clips, 3, *size, generator=torch.Generator().manual_seed(1))


def full_size(frames: int = 32) -> VideoSwin:
    with torch.device("meta"):
        network = build_recogniser("video_swin_b", num_classes=400, frames=frames)
    assert isinstance(network, VideoSwin)
    return network.eval()


@pytest.mark.parametrize(
    "size",
    [
        (8, 40, 52),  # shifted along all three edges, padding along two, windows larger than it
        (5, 33, 30),  # patches and windows reach into padding along all three edges
        (2, 24, 24),  # one frame of tokens
        (1, 5, 3),  # less than a patch, and one window
    ],
)
def test_the_logits_are_those_of_loops_over_windows(size: tuple[int, int, int]) -> None:
    network = network_of(SMALL)
    stored = reference.published(reference.TORCHVISION, SMALL)
    assert load_published(network, "video_swin_b", stored, "swin.pth")
    clips = clips_of(1, *size)
    expected = reference.logits(clips[0], stored, reference.TORCHVISION, SMALL)
    torch.testing.assert_close(network(clips)[0].double(), expected, atol=1e-4, rtol=0)
    features = reference.features(clips[0], stored, reference.TORCHVISION, SMALL)
    torch.testing.assert_close(network.features(clips)[0].double(), features, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(8, 64, 64), (18, 32, 36)])
def test_windows_of_the_published_size_give_the_same_as_loops(size: tuple[int, int, int]) -> None:
    shape = reference.Shape(width=8, heads=1, depths=(2, 2), classes=3)
    network = network_of(shape)
    stored = reference.published(reference.TORCHVISION, shape)
    load_published(network, "video_swin_b", stored, "swin.pth")
    clips = clips_of(1, *size)
    expected = reference.logits(clips[0], stored, reference.TORCHVISION, shape)
    torch.testing.assert_close(network(clips)[0].double(), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("publisher", ["mmaction2", "the paper's code"])
def test_the_same_weights_under_other_names_give_the_same(publisher: str) -> None:
    names, network, clips = NAMES[publisher], network_of(SMALL), clips_of(1, 6, 20, 28)
    stored = reference.published(names, SMALL)
    assert load_published(network, "video_swin_b", stored, "swin.pth")
    expected = reference.logits(clips[0], stored, names, SMALL)
    torch.testing.assert_close(network(clips)[0].double(), expected, atol=1e-4, rtol=0)


def test_clips_of_a_batch_do_not_see_one_another() -> None:
    network = network_of(SMALL)
    fit_weights(
        network,
        published_weights(reference.published(reference.TORCHVISION, SMALL), network, "swin.pth"),
        "swin.pth",
    )
    clips = clips_of(3, 8, 28, 36)
    alone = torch.cat([network(clip[None]) for clip in clips])
    torch.testing.assert_close(network(clips), alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("publisher", NAMES)
def test_every_published_weight_of_the_full_size_has_its_place(publisher: str) -> None:
    network = full_size()
    stored = reference.published(NAMES[publisher], reference.Shape(), "meta")
    assert load_published(network, "video_swin_b", stored, publisher)
    assert sum(weights.numel() for weights in network.parameters()) == PUBLISHED_PARAMETERS


@pytest.mark.parametrize(("frames", "gflops", "source"), PUBLISHED_GFLOPS)
def test_it_computes_as_much_as_published(frames: int, gflops: float, source: str) -> None:
    network = full_size(frames)
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, frames, 224, 224, device="meta"))
    assert counter.get_total_flops() / 2e9 == pytest.approx(gflops, rel=0.02), source


def test_a_head_of_other_classes_is_left_out() -> None:
    network = network_of(SMALL)
    other = reference.published(
        reference.MMACTION, reference.Shape(8, 2, (2, 2, 2, 1), (2, 3, 3), 9)
    )
    before = network.head.weight.clone()
    assert not load_published(network, "video_swin_b", other, "swin.pth")
    torch.testing.assert_close(network.head.weight, before, atol=0, rtol=0)
    stored = other["backbone.layers.2.blocks.1.mlp.fc2.weight"]
    mine = network.state_dict()["stages.2.blocks.1.narrow.weight"]
    torch.testing.assert_close(mine, stored, atol=0, rtol=0)


@pytest.mark.parametrize(
    ("width", "depth", "first_heads", "feature_width"),
    [(1 / 8, 1.0, 1, 128), (1 / 8, 0.5, 1, 128), (0.25, 0.1, 1, 256), (0.7, 0.1, 3, 768)],
)
def test_a_share_of_it_trains_on_small_clips(
    width: float, depth: float, first_heads: int, feature_width: int
) -> None:
    torch.manual_seed(0)
    network = build_recogniser(
        "video_swin_b", num_classes=5, width=width, depth=depth, frames=8, size_px=64
    )
    assert isinstance(network, VideoSwin)
    assert network.feature_width == network.head.in_features == feature_width
    assert network.stages[0].blocks[0].position_bias.shape[1] == first_heads
    logits = network.train()(clips_of(2, 8, 64, 64))
    assert logits.shape == (2, 5)
    logits.sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_every_other_block_is_shifted_though_stages_have_one() -> None:
    network = build_recogniser("video_swin_b", num_classes=5, width=0.1, depth=0.1)
    blocks = [part for part in network.modules() if isinstance(part, SwinBlock)]
    assert [block.shifted for block in blocks] == [False, True, False, True, False]
    published = [part for part in full_size().modules() if isinstance(part, SwinBlock)]
    assert [block.shifted for block in published] == [False, True] * 12


def test_a_grid_is_put_together_as_it_was() -> None:
    windows = Windows.over((5, 4, 7), (2, 3, 3), shifted=True)
    assert (windows.padded, windows.shift) == ((6, 6, 9), (1, 1, 1))
    grid = torch.randn(2, 5, 4, 7, 3)
    split = windows.split(grid)
    assert split.shape == (2 * 3 * 2 * 3, 18, 3)
    torch.testing.assert_close(windows.join(split), grid, atol=0, rtol=0)


def test_training_leaves_out_whole_changes_of_some_clips() -> None:
    torch.manual_seed(0)
    block = SwinBlock(8, 1, window=(2, 2, 2), shifted=False, drop_path=0.5).requires_grad_(False)
    block.narrow.weight.zero_()  # so that attention's is the only change
    block.narrow.bias.zero_()
    grid = torch.randn(40, 2, 2, 2, 8)
    windows = Windows.over((2, 2, 2), (2, 2, 2), shifted=False)
    rows = torch.zeros(8, 8, dtype=torch.long)
    always = (block.eval()(grid, windows, rows, None) - grid).flatten(1).norm(dim=1)
    change = (block.train()(grid, windows, rows, None) - grid).flatten(1).norm(dim=1)
    shares = {round(share, 3) for share in (change / always).tolist()}
    assert shares == {0.0, 2.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda stored: {"fc.weight": torch.zeros(2)},
            "holds no features.0.0.norm1.weight and",
        ),
        (lambda stored: stored | {"features.4.2.norm1.weight": torch.ones(32)}, "unexpected weigh"),
        (lambda stored: dict(list(stored.items())[4:]), "missing weights: 4, such as patches.weig"),
        (
            lambda stored: {
                name: x[:-1] if name.endswith("bias_table") else x for name, x in stored.items()
            },
            r"weights of another shape: 7, such as stages.0.blocks.0.position_bias of \(74, 2\)",
        ),
    ],
)
def test_weights_of_another_network_are_refused(change, message: str) -> None:
    stored = change(reference.published(reference.TORCHVISION, SMALL))
    with pytest.raises(EncoderError, match=message):
        load_published(network_of(SMALL), "video_swin_b", stored, "swin.pth")
