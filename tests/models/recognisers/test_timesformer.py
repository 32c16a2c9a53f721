import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from transformers import TimesformerConfig, TimesformerForVideoClassification

from mastershot.core.errors import EncoderError, SettingError
from mastershot.models.recognisers.build import build_recogniser
from mastershot.models.recognisers.published import load_published
from mastershot.models.recognisers.timesformer import TimeSformer, TimeSformerSettings

CLASSES = 7
SMALL = TimeSformerSettings(width=16, depth=3, heads=2, frames=5, size_px=48)
# Classes, parameters, how far rounded, and where it says so.
PUBLISHED_PARAMETERS = [
    (400, 121_566_352, 0, "counted in transformers' TimesformerForVideoClassification, as below"),
    # The paper gives one number for two data sets; with Kinetics-400's classes it would be 121.6 M.
    (174, 121_400_000, 50_000, "Bertasius et al. 2021, arXiv:2102.05095, table 1; SSv2's classes"),
]
# 10⁹ multiplications with additions of a clip of 8 frames of 224², and where it says so.
PUBLISHED_GFLOPS = [
    (196, "mmaction2's model zoo"),
    (590 / 3, "Bertasius et al. 2021, table 2: 0.59 · 10¹² for 3 crops"),
]


def clips_of(num_clips: int, frames: int, size_px: int) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randn(num_clips, 3, frames, size_px, size_px, generator=random)


def hugging_face(
    settings: TimeSformerSettings = SMALL, classes: int = CLASSES
) -> TimesformerForVideoClassification:
    """Return a random network of transformers whose weights all matter."""
    torch.manual_seed(3)
    config = TimesformerConfig(
        image_size=settings.size_px,
        num_frames=settings.frames,
        hidden_size=settings.width,
        num_hidden_layers=settings.depth,
        num_attention_heads=settings.heads,
        intermediate_size=settings.width * settings.mlp_ratio,
        num_labels=classes,
    )
    model = TimesformerForVideoClassification(config).eval().requires_grad_(False)
    if model.device.type != "meta":
        for weights in model.parameters():
            weights.normal_(std=0.3)
    return model


def ours(settings: TimeSformerSettings = SMALL) -> TimeSformer:
    return TimeSformer(CLASSES, settings).eval().requires_grad_(False)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_published_weights_give_what_transformers_gives(frames: int) -> None:
    settings = TimeSformerSettings(16, 3, 2, frames=frames, size_px=48)
    theirs, network = hugging_face(settings), ours(settings)
    assert load_published(network, "timesformer_b", theirs.state_dict(), "timesformer.pt")
    clips = clips_of(3, frames, 48)
    answer = theirs(clips.transpose(1, 2), output_hidden_states=True)
    torch.testing.assert_close(network(clips), answer.logits, atol=1e-4, rtol=0)
    features = theirs.timesformer(clips.transpose(1, 2)).last_hidden_state[:, 0]
    torch.testing.assert_close(network.features(clips), features, atol=1e-4, rtol=0)
    tokens = network.tokens(clips)
    for block, theirs_BLD in zip(network.blocks, answer.hidden_states[1:], strict=True):
        tokens = block(tokens)
        torch.testing.assert_close(tokens, frame_by_frame(theirs_BLD, frames), atol=1e-4, rtol=0)
    assert answer.logits.std() > 0.1


def frame_by_frame(tokens_BLD: Tensor, frames: int) -> Tensor:
    """Return transformers' tokens, patch by patch, in our order."""
    patches = tokens_BLD[:, 1:].unflatten(1, (-1, frames)).transpose(1, 2).flatten(1, 2)
    return torch.cat([tokens_BLD[:, :1], patches], 1)


@pytest.mark.parametrize(("frames", "size_px"), [(5, 48), (8, 48), (5, 64), (3, 32), (12, 80)])
def test_embeddings_of_another_size_are_those_that_transformers_interpolates(
    frames: int, size_px: int
) -> None:
    theirs = hugging_face()
    network = ours(TimeSformerSettings(16, 3, 2, frames=frames, size_px=size_px))
    assert load_published(network, "timesformer_b", theirs.state_dict(), "timesformer.pt")
    clips = clips_of(2, frames, size_px)
    expected = theirs.timesformer.embeddings(clips.transpose(1, 2))
    expected = frame_by_frame(expected, frames)
    torch.testing.assert_close(network.tokens(clips), expected, atol=1e-5, rtol=0)


def test_weights_without_a_classifier_leave_the_head_to_be_trained() -> None:
    theirs, network = hugging_face(), ours()
    before = network.head.weight.clone()
    stored = theirs.timesformer.state_dict()
    assert not load_published(network, "timesformer_b", stored, "timesformer.pt")
    torch.testing.assert_close(network.head.weight, before, atol=0, rtol=0)
    clips = clips_of(1, 5, 48)
    features = theirs.timesformer(clips.transpose(1, 2)).last_hidden_state[:, 0]
    torch.testing.assert_close(network.features(clips), features, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("classes", "published", "rounded", "source"), PUBLISHED_PARAMETERS)
def test_it_has_as_many_parameters_as_published(
    classes: int, published: int, rounded: int, source: str
) -> None:
    with torch.device("meta"):
        network = build_recogniser("timesformer_b", num_classes=classes)
        theirs = hugging_face(TimeSformerSettings(), classes)
    count = sum(weights.numel() for weights in network.parameters())
    assert count == sum(weights.numel() for weights in theirs.parameters())
    assert abs(count - published) <= rounded, source
    assert load_published(network, "timesformer_b", theirs.state_dict(), "timesformer.pt")


@pytest.mark.parametrize(("gflops", "source"), PUBLISHED_GFLOPS)
def test_it_computes_as_much_as_published(gflops: float, source: str) -> None:
    with torch.device("meta"):
        network = build_recogniser("timesformer_b", num_classes=400).eval()
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 8, 224, 224, device="meta"))
    assert counter.get_total_flops() / 2e9 == pytest.approx(gflops, rel=0.02), source


@pytest.mark.parametrize(
    ("width", "depth", "blocks", "feature_width"),
    [(1 / 8, 1.0, 12, 96), (0.25, 0.5, 6, 192), (0.01, 0.01, 1, 8), (1.0, 0.1, 1, 768)],
)
def test_a_share_of_it_trains_on_small_clips(
    width: float, depth: float, blocks: int, feature_width: int
) -> None:
    torch.manual_seed(0)
    network = build_recogniser(
        "timesformer_b", num_classes=5, width=width, depth=depth, frames=8, size_px=64
    )
    assert isinstance(network, TimeSformer)
    assert len(network.blocks) == blocks
    assert network.feature_width == network.head.in_features == feature_width
    logits = network.train()(clips_of(2, 8, 64))
    assert logits.shape == (2, 5)
    logits.sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda stored: {"fc.weight": torch.zeros(2)},
            r"TimeSformer can .*: it holds no tim",
        ),
        (
            lambda stored: {k: v for k, v in stored.items() if "time_embeddings" not in k},
            "as Hugging Face publishes it .it lacks times",
        ),
        (
            lambda stored: {
                k: v[:, :9] if "position_embeddings" in k else v for k, v in stored.items()
            },
            "has 9 positions, which are not those of a class token and a square",
        ),
        (
            lambda stored: {k: v for k, v in stored.items() if ".layer.2." not in k},
            "missing weights: 20, such as blocks.2.",
        ),
        (
            lambda stored: (
                stored | {"timesformer.encoder.layer.3.output.dense.bias": torch.ones(4)}
            ),
            "unexpected weights: 1, such as blocks.3.narrow.bias",
        ),
        (
            lambda stored: {k: v[..., :8] if "cls_token" in k else v for k, v in stored.items()},
            r"weights of another shape: 1, such as class_token of \(8,\) instead of \(16,\)",
        ),
    ],
)
def test_weights_of_another_network_are_refused(change, message: str) -> None:
    stored = change(hugging_face().state_dict())
    with pytest.raises(EncoderError, match=message):
        load_published(ours(), "timesformer_b", stored, "timesformer.pt")


def test_frames_that_patches_do_not_tile_are_refused() -> None:
    with pytest.raises(SettingError, match="size_px is 100; it must be a multiple of 16, the edge"):
        build_recogniser("timesformer_b", num_classes=5, size_px=100)


def test_clips_of_another_size_are_refused() -> None:
    with pytest.raises(SettingError, match=r"\(1, 3, 4, 48, 48\) do not fit .* \(batch, 3, 5, 48"):
        ours()(clips_of(1, 4, 48))
