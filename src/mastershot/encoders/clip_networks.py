"""Published checkpoints of networks of clips: what each expects to see, and their features.

Each row says what the published evaluation feeds its network, less its several clips and crops: of
a clip one, from the middle of its frames. The pixels' mean and deviation are those of the network's
row in `RECOGNISERS`; MViTv2 holds its own. PyTorchVideo tests at 256², where its networks pool
windows of 7 × 7; ours take the mean over the map, which is the same at 224², as they were trained.
"""
# N clips, T frames of a clip, H × W size of a frame, S edge of a square, D width of a feature

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import file_digest, read_weights
from mastershot.encoders.precision import encode_batches, find_device
from mastershot.encoders.recogniser import SHOTS_AT_ONCE, require_finite

if TYPE_CHECKING:
    from torch import Tensor, nn

MVIT = "mvit_v2_s"


@dataclass(frozen=True)
class ClipCheckpoint:
    """One row of the catalogue.

    Attributes:
        network: A row of `RECOGNISERS`, or ``mvit_v2_s``.
        title: What the papers call it, and who published it.
        marks: Names of weights; a checkpoint that holds one of them is of this row.
        frames: T.
        rate_hz: How many of them there are in a second of the clip.
        resize: Length of a frame's shorter edge, or its height and width, in pixels.
        size_px: S, edge of the square that is cut from its middle.
    """

    network: str
    title: str
    marks: tuple[str, ...]
    frames: int
    rate_hz: float
    resize: tuple[int, ...]
    size_px: int

    @property
    def duration_s(self) -> float:
        """Seconds of film that a clip spans."""
        return self.frames / self.rate_hz


_PUBLISHED_HZ = 30  # Kinetics' rate, which steps between frames are counted at
CLIP_CHECKPOINTS = (
    ClipCheckpoint(
        "slowfast_r50", "SlowFast R50 8 × 8 of PyTorchVideo",
        ("blocks.0.multipathway_blocks.0.conv.weight",), 32, _PUBLISHED_HZ / 2, (256,), 224,
    ),
    ClipCheckpoint(
        "i3d_r50", "I3D R50 8 × 8 of PyTorchVideo",
        ("blocks.0.conv.weight",), 8, _PUBLISHED_HZ / 8, (256,), 224,
    ),
    ClipCheckpoint(
        "r2plus1d_r34", "R(2+1)D R34 of VMZ",
        ("stem.3.weight",), 32, 15, (128, 174), 112,
    ),
    ClipCheckpoint(
        "r2plus1d_r34_mmaction2", "R(2+1)D R34 8 × 8 of MMAction2",
        ("backbone.conv1.conv.conv_s.weight",), 8, _PUBLISHED_HZ / 8, (256,), 224,
    ),
    ClipCheckpoint(
        "r3d_18", "3-D ResNet-18 of torchvision",
        ("stem.0.weight",), 16, 15, (128, 171), 112,
    ),
    ClipCheckpoint(
        "i3d_inception", "Inception I3D of piergiaj",
        ("Conv3d_1a_7x7.conv3d.weight",), 64, 25, (256,), 224,
    ),
    ClipCheckpoint(
        "timesformer_b", "TimeSformer-B 8 × 32 of Hugging Face",
        ("timesformer.embeddings.cls_token", "embeddings.time_embeddings"),
        8, _PUBLISHED_HZ / 32, (224,), 224,
    ),
    ClipCheckpoint(
        "video_swin_b", "Video Swin-B 32 × 2 of torchvision or MMAction2",
        ("features.0.0.norm1.weight", "backbone.layers.0.blocks.0.norm1.weight"),
        32, _PUBLISHED_HZ / 2, (256,), 224,
    ),
    ClipCheckpoint(
        MVIT, "MViTv2-S 16 × 4 of torchvision or SlowFast",
        ("blocks.0.attn.pool_q.pool.weight", "blocks.0.attn.pool_q.weight"),
        16, _PUBLISHED_HZ / 4, (256,), 224,
    ),
)  # fmt: skip


class ClipNetwork:
    """A network of clips with published weights, for its features.

    Attributes:
        checkpoint: Its row of the catalogue.
        weights_hash: Hash of its file.
        space: The space of its features.
    """

    def __init__(self, path: Path, *, device: str | None = "cpu") -> None:
        """Load a checkpoint; without a device, to a GPU if there is one.

        Args:
            path: The file: safetensors, or what torch saves.
            device: Such as ``cpu`` or ``cuda:1``.

        Raises:
            EncoderError: The file is damaged, holds more than tensors, or is of no network of the
                catalogue, or there is no such device.
        """
        weights = {name.removeprefix("module."): x for name, x in read_weights(path).items()}
        self.checkpoint = _row_of(weights, path)
        network, width = _network(self.checkpoint, weights, path)
        self._device = find_device(device)
        self._network = network.eval().requires_grad_(False).to(self._device)
        self.weights_hash = f"sha256:{file_digest(path, 'sha256').hex()[:32]}"
        row = self.checkpoint
        seen = [self.weights_hash, row.frames, row.rate_hz, row.resize, row.size_px]
        digest = hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:32]
        self.space = EmbeddingSpace(row.network, f"sha256:{digest}", width)

    def square(self, frame: ImageArray) -> ImageArray:
        """Return an RGB frame (H, W, 3) resized, without antialias, and cut to a square (S, S, 3).

        Both are as torchvision's presets and PyTorchVideo have it.
        """
        import torch
        from torch.nn.functional import interpolate

        row = self.checkpoint
        height, width = row.resize[0], row.resize[-1]
        if len(row.resize) == 1:
            shorter = min(frame.shape[:2])
            height, width = (row.resize[0] * edge // shorter for edge in frame.shape[:2])
        pixels = torch.from_numpy(np.require(frame, requirements=["C", "W"])).permute(2, 0, 1)
        resized = interpolate(pixels[None].float(), size=(height, width), mode="bilinear")[0]
        top, left = (height - row.size_px) // 2, (width - row.size_px) // 2
        cut = resized[:, top : top + row.size_px, left : left + row.size_px]
        square: ImageArray = cut.round().byte().permute(1, 2, 0).contiguous().numpy()
        return square

    def features(self, clips: Sequence[ImageArray]) -> FloatArray:
        """Return what goes into the last layer, one row a clip, shape (N, D).

        On a CPU a clip's features are the same to the last digit whatever comes with it.

        Args:
            clips: Squares (T, S, S, 3), RGB, uint8, as the catalogue has them.

        Raises:
            EncoderError: A clip is of another size, or gives no finite numbers.
        """
        row = self.checkpoint
        wanted = (row.frames, row.size_px, row.size_px, 3)
        for index, clip in enumerate(clips):
            if clip.dtype != np.uint8 or clip.shape != wanted:
                raise EncoderError(
                    f"clip {index} is {clip.dtype} of shape {clip.shape}; {row.network} reads "
                    f"uint8 {wanted}"
                )
        found = encode_batches(
            clips,
            self._encode,
            batch_size=SHOTS_AT_ONCE[self._device.type],
            width=self.space.width,
        )
        require_finite(found, row.network)
        return found

    def _encode(self, clips: Sequence[ImageArray]) -> FloatArray:
        import torch

        from mastershot.models.recognisers.build import normalise_clips, recogniser_row

        clips_BTHW3 = torch.from_numpy(np.stack(clips)).to(self._device)
        if self.checkpoint.network == MVIT:
            features: Tensor = self._network(clips_BTHW3.permute(0, 1, 4, 2, 3).float())
        else:
            pixels = normalise_clips(clips_BTHW3, recogniser_row(self.checkpoint.network))
            features = self._network.features(pixels.contiguous())  # type: ignore[operator]
        vectors: FloatArray = features.float().cpu().numpy()
        return vectors


def _row_of(weights: "Mapping[str, Tensor]", path: Path) -> ClipCheckpoint:
    """Return the row of a checkpoint, by the names of its weights."""
    for row in CLIP_CHECKPOINTS:
        if any(mark in weights for mark in row.marks):
            return row
    raise EncoderError(
        f"{path} is no published checkpoint of a network of clips; known are "
        f"{', '.join(row.title for row in CLIP_CHECKPOINTS)} (networks of single frames are "
        "encoders of the recipe encode/clips)"
    )


def _network(
    row: ClipCheckpoint, weights: "Mapping[str, Tensor]", path: Path
) -> "tuple[nn.Module, int]":
    """Return the network of a row with published weights, and the width of its features."""
    from mastershot.models.mvit.published import published_mvit, published_shape
    from mastershot.models.recognisers.build import build_recogniser
    from mastershot.models.recognisers.published import load_published

    if row.network == MVIT:
        shape = published_shape(weights)
        _require_clips(row, path, shape.num_frames, shape.image_px)
        mvit = published_mvit(weights, str(path))
        return mvit, mvit.settings.num_outputs
    for name, tensor in weights.items():  # TimeSformer's, which would be interpolated.
        if name.endswith("embeddings.time_embeddings"):
            _require_clips(row, path, tensor.shape[-2], row.size_px)
        if name.endswith("embeddings.position_embeddings"):
            _require_clips(row, path, row.frames, round((tensor.shape[-2] - 1) ** 0.5) * 16)
    network = build_recogniser(  # One class, of which the random layer is not used.
        row.network, num_classes=1, frames=row.frames, size_px=row.size_px
    )
    load_published(network, row.network, weights, str(path))
    return network, int(network.feature_width)  # type: ignore[arg-type]


def _require_clips(row: ClipCheckpoint, path: Path, frames: int, size_px: int) -> None:
    if (frames, size_px) != (row.frames, row.size_px):
        raise EncoderError(
            f"{path} is of a network for clips of {frames} × {size_px}²; {row.title}, for "
            f"{row.frames} × {row.size_px}², is known"
        )
