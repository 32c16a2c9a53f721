"""The table of recognisers: a name to a network, at a paper's size or a share of it."""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Protocol, cast

from torch import Tensor, nn

from mastershot.core.errors import SettingError

Triple = tuple[float, float, float]
_IMAGENET: tuple[Triple, Triple] = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
_KINETICS: tuple[Triple, Triple] = ((114.75, 114.75, 114.75), (57.375, 57.375, 57.375))
# 255 × 0.43216 and so on, of VMZ and of torchvision's video networks.
_VMZ: tuple[Triple, Triple] = ((110.2008, 100.63983, 95.99475), (58.14765, 56.46975, 55.332195))
_UNIT: tuple[Triple, Triple] = ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))


@dataclass(frozen=True)
class Shape:
    """The size of a recogniser.

    Attributes:
        width: Channels, as a share of the published network's.
        depth: Blocks of each stage, as a share of the published network's, at least one.
        frames: Frames of a clip.
        size_px: Edge of its square frames.
        input_width: Width of a frame's vector, of networks that read vectors.
    """

    width: float = 1.0
    depth: float = 1.0
    frames: int = 8
    size_px: int = 224
    input_width: int = 768

    def blocks(self, published: int) -> int:
        """Return how many blocks a stage has of so many in the published network."""
        return max(1, round(published * self.depth))

    def channels(self, published: int, multiple_of: int = 1) -> int:
        """Return how many channels a layer has of so many in the published network."""
        return max(1, round(published * self.width / multiple_of)) * multiple_of


@dataclass(frozen=True)
class RecogniserRow:
    """One row of the table.

    Attributes:
        name: What it is called.
        title: What the papers call it.
        module: File of the network, in this package; it has ``build(num_classes, shape)``.
        reads: ``clips`` of frames, single ``frames``, or ``vectors`` of frames.
        frames: Frames of a clip, or the most vectors that are read, in the paper.
        size_px: Edge of the square frames in the paper; 0 where vectors are read.
        pixel_mean: Subtracted from RGB values 0…255, before the network.
        pixel_std: What they are divided by after that.
    """

    name: str
    title: str
    module: str
    reads: str
    frames: int
    size_px: int
    pixel_mean: Triple = _IMAGENET[0]
    pixel_std: Triple = _IMAGENET[1]


class RecogniserNetwork(Protocol):
    """What the networks have in common, beside being `nn.Module`.

    Attributes:
        head: The layer that training on other classes replaces.
        feature_width: D, the width of what goes into it.
    """

    head: nn.Linear
    feature_width: int

    def features(self, *inputs: Tensor) -> Tensor:
        """Return what goes into the head, shape (B, D)."""
        ...


_ROWS = (
    RecogniserRow("lstm", "LSTM over frames", "frame_lstm", "vectors", 20, 0),
    RecogniserRow("i3d_r50", "I3D R50", "i3d", "clips", 8, 224, *_KINETICS),
    RecogniserRow("r2plus1d_r34", "R(2+1)D R34", "r2plus1d", "clips", 32, 112, *_VMZ),
    RecogniserRow("r2plus1d_r34_mmaction2", "R(2+1)D of MMAction2", "r2plus1d", "clips", 8, 224),
    RecogniserRow("i3d_inception", "Inception I3D", "inception_i3d", "clips", 64, 224, *_UNIT),
    RecogniserRow("slowfast_r50", "SlowFast R50", "slowfast", "clips", 32, 224, *_KINETICS),
    RecogniserRow("timesformer_b", "TimeSformer-B", "timesformer", "clips", 8, 224, *_KINETICS),
    RecogniserRow("video_swin_b", "Video Swin-B", "video_swin", "clips", 32, 224),
    RecogniserRow("r3d_18", "3-D ResNet-18", "r3d", "clips", 16, 112, *_VMZ),
    RecogniserRow("resnet18", "ResNet-18", "resnet", "frames", 1, 224),
    RecogniserRow("resnet50", "ResNet-50", "resnet", "frames", 1, 224),
    RecogniserRow("senet154", "SENet-154", "senet", "frames", 1, 224),
    RecogniserRow("vit_b16", "ViT-B/16", "vit_b16", "frames", 1, 224, *_UNIT),
)
# What tells networks of one file apart.
_VARIANTS: dict[str, dict[str, Any]] = {
    "r2plus1d_r34_mmaction2": {"definition": "mmaction2"},
    "resnet18": {"layers": 18},
    "resnet50": {"layers": 50},
}
RECOGNISERS = {row.name: row for row in _ROWS}


def recogniser_row(name: str) -> RecogniserRow:
    """Return the row of a recogniser.

    Raises:
        SettingError: There is none of this name.
    """
    row = RECOGNISERS.get(name)
    if row is None:
        close = get_close_matches(name, RECOGNISERS, 1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(RECOGNISERS)}"
        raise SettingError(f"recogniser {name!r} is unknown{hint}")
    return row


def build_recogniser(
    name: str,
    *,
    num_classes: int,
    width: float = 1.0,
    depth: float = 1.0,
    frames: int | None = None,
    size_px: int | None = None,
    input_width: int = 768,
) -> nn.Module:
    """Return a recogniser with random weights; by default of the paper's size (METHODS A7).

    Clip networks map normalised RGB clips (B, 3, T, H, W) to logits (B, C), frame networks frames
    (B, 3, H, W), and ``lstm`` vectors (B, T, D) with their numbers of valid steps (B,). What goes
    into the last layer is ``network.features(…)``, the last layer ``network.head``.

    Args:
        name: A row of `RECOGNISERS`.
        num_classes: C, how many logits there are.
        width: Share of the published network's channels.
        depth: Share of the published network's blocks in each stage; at least one stays.
        frames: T, frames of a clip; the paper's if not given.
        size_px: H = W, their edge; the paper's if not given.
        input_width: D, of networks that read vectors; 768 is ViT-B/16's.

    Raises:
        SettingError: The name is unknown, or a size means nothing.
    """
    row = recogniser_row(name)
    shape = Shape(width, depth, frames or row.frames, size_px or row.size_px, input_width)
    for what, size in (("num_classes", num_classes), ("frames", shape.frames)):
        if size < 1:
            raise SettingError(f"{what} is {size}; it must be 1 or more")
    for what, share in (("width", width), ("depth", depth)):
        if not 0 < share <= 4:
            raise SettingError(f"{what} is {share:g}; it must be above 0 and at most 4")
    if row.reads == "frames" and shape.frames > 1:
        raise SettingError(f"frames is {shape.frames}; {name} reads one frame of a shot")
    module = import_module(f"mastershot.models.recognisers.{row.module}")
    return cast(nn.Module, module.build(num_classes, shape, **_VARIANTS.get(name, {})))


def normalise_clips(clips_BTHW3: Tensor, row: RecogniserRow) -> Tensor:
    """Return clips of RGB values 0…255 as a network takes them: (B, 3, T, H, W).

    Networks of single frames take the first alone: (B, 3, H, W).
    """
    clips = clips_BTHW3.float()
    mean, std = clips.new_tensor(row.pixel_mean), clips.new_tensor(row.pixel_std)
    normalised = ((clips - mean) / std).permute(0, 4, 1, 2, 3)
    return normalised[:, :, 0] if row.reads == "frames" else normalised
