"""How large the published networks are, and who says so; and how large ours are."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from mastershot.models.recognisers.build import build_recogniser, recogniser_row

# It does not state the crop; at 256, its size for testing, the figures agree.
_ZOO = "PyTorchVideo, model_zoo.md, Kinetics-400"
_TORCHVISION = "torchvision, documentation of the weights"
# The last block of `models/transformer.py` computes the class token alone: of the other 196 tokens
# it leaves out queries (D²), what attention returns (D²), the MLP (8 D²), and scores and sums.
_VIT_LEFT_OUT = 196 * (10 * 768**2 + 2 * 197 * 768) / 1e9


@dataclass(frozen=True)
class PublishedSize:
    """One published network.

    Attributes:
        name: Its row of `RECOGNISERS`.
        classes: Of its last layer.
        frames: Of the clip that the operations were counted on.
        size_px: Edge of its frames.
        parameters: Millions of parameters.
        decimals: How many of their decimals are published, rounded or cut off.
        giga_macs: Billions of multiply-adds, which most sources call FLOPs.
        parameters_from: Who publishes the parameters.
        macs_from: Who publishes the operations.
        giga_macs_left_out: Of those published, billions that ours has no need of.
    """

    name: str
    classes: int
    frames: int
    size_px: int
    parameters: float
    decimals: int
    giga_macs: float
    parameters_from: str
    macs_from: str
    giga_macs_left_out: float = 0.0


CONVOLUTIONAL = (
    PublishedSize("i3d_r50", 400, 8, 256, 28.04, 2, 37.53, _ZOO, _ZOO),
    PublishedSize("slowfast_r50", 400, 32, 256, 34.57, 2, 65.71, _ZOO, _ZOO),
    PublishedSize(
        *("r2plus1d_r34", 400, 32, 112, 63.6, 1, 152.0),
        "VMZ, c2/tutorials/model_zoo.md",  # its 199.0 GFLOPs agree with no count of ours
        "SlowFast, arXiv:1812.03982, table 2",
    ),
    PublishedSize(
        *("r2plus1d_r34_mmaction2", 400, 8, 256, 63.759281, 6, 53.175572992),
        *("MMAction2, r2plus1d/metafile.yml",) * 2,  # crops of 256, as its config tests
    ),
    PublishedSize(
        *("i3d_inception", 400, 79, 224, 12.69, 2, 278.981 / 2),
        *("OpenVINO Open Model Zoo, i3d-rgb-tf, which counts two operations",) * 2,
    ),
    PublishedSize("r3d_18", 400, 16, 112, 33.371472, 6, 40.70, _TORCHVISION, _TORCHVISION),
    PublishedSize("resnet18", 1000, 1, 224, 11.689512, 6, 1.81, _TORCHVISION, _TORCHVISION),
    PublishedSize("resnet50", 1000, 1, 224, 25.557032, 6, 4.09, _TORCHVISION, _TORCHVISION),
    PublishedSize(
        *("senet154", 1000, 1, 224, 115.09, 2, 20.77),
        *("timm, results/benchmark-infer, legacy_senet154",) * 2,
    ),
    PublishedSize(
        *("vit_b16", 1000, 1, 224, 86.567656, 6, 17.56, _TORCHVISION, _TORCHVISION, _VIT_LEFT_OUT)
    ),
)
ATTENTIVE = (
    PublishedSize(
        *("timesformer_b", 400, 8, 224, 122.0, 0, 588 / 3),
        *("MMAction2, timesformer/metafile.yml; operations for three crops",) * 2,
    ),
    PublishedSize(
        *("video_swin_b", 400, 32, 224, 88.048984, 6, 282.0),
        *("torchvision, swin3d_b", "Video Swin, arXiv:2106.13230, table 1"),
    ),
)


def measure(size: PublishedSize) -> tuple[int, float]:
    """Return the parameters of our network, and the billions of multiply-adds for one clip."""
    with torch.device("meta"):
        network = build_recogniser(
            size.name, num_classes=size.classes, frames=size.frames, size_px=size.size_px
        )
        frames = (size.frames,) if recogniser_row(size.name).reads == "clips" else ()
        clip = torch.zeros(1, 3, *frames, size.size_px, size.size_px)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            network.eval()(clip)
    parameters = sum(weights.numel() for weights in network.parameters())
    return parameters, counter.get_total_flops() / 2e9
