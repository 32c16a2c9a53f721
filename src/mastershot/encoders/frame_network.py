"""Frames to the features of a network that was trained to classify them, such as ResNet-18.

LSTM-Places of MovieCLIP reads those of a ResNet-18 of Places365 (METHODS A7), whose checkpoint its
authors distribute; SENet-154 of ImageNet is Collaborative Experts' expert of pictures (METHODS C1).
A recogniser of single frames that was trained here serves as well.
"""
# T frames, D width of a feature

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import file_digest, read_weights
from mastershot.encoders.images import Frames, ImagePreparation, prepare_frames
from mastershot.encoders.precision import BATCH_SIZES, encode_batches, find_device
from mastershot.encoders.recogniser import CARD_FILE, TrainedRecogniser

if TYPE_CHECKING:
    from torch import Tensor, nn

CHECKPOINT_SUFFIXES = (".pth", ".pt", ".tar", ".safetensors")
_RESIZE_PX, _CROP_PX = 256, 224  # as Places365 evaluates
# A weight that tells each network, by torchvision's or Cadene's names, from those below; and the
# last layer's.
_PUBLISHED = {
    "resnet50": ("layer1.0.conv3.weight", "fc.weight"),
    "resnet18": ("layer1.0.conv2.weight", "fc.weight"),
    "senet154": ("layer0.conv1.weight", "last_linear.weight"),
}


def is_frame_network(path: Path) -> bool:
    """Return True if a path is a checkpoint's file, or the folder of a recogniser."""
    if path.is_dir():
        return (path / CARD_FILE).is_file()
    return path.is_file() and path.suffix in CHECKPOINT_SUFFIXES


class FrameNetworkEncoder:
    """Maps frames to the features of a network, scaled to length 1.

    Attributes:
        space: The space of its features.
        network: A row of `RECOGNISERS`.
        num_classes: How many classes its last layer, which is not used, tells apart.
    """

    def __init__(
        self, path: Path, *, device: str | None = None, precision: str | None = None
    ) -> None:
        """Load the network: a recogniser's folder, or a file of one of `_PUBLISHED`.

        Raises:
            EncoderError: It is no network of single frames, is damaged, or the precision is another
                than float32.
        """
        if precision not in (None, "float32"):
            raise EncoderError(f"encoder {path} computes only in float32, not in {precision!r}")
        if path.is_dir():
            recogniser = TrainedRecogniser(path)
            name, size_px = recogniser.card.network, recogniser.card.size_px
            self._network, weights_hash = recogniser.network, recogniser.weights_hash
            resize_px = size_px
        else:
            name, self._network = _published(path)
            weights_hash = f"sha256:{file_digest(path, 'sha256').hex()[:32]}"
            resize_px, size_px = _RESIZE_PX, _CROP_PX
        self._device = find_device(device)
        self._network.to(self._device)
        self._preparation = _preparation(name, path, resize_px, size_px)
        self.network = name
        self.num_classes = int(self._network.head.out_features)  # type: ignore[arg-type, union-attr]
        width = int(self._network.feature_width)  # type: ignore[arg-type]
        self.space = EmbeddingSpace(path.resolve().name, weights_hash, width)

    def encode_images(self, images: Frames) -> FloatArray:
        """Return one unit vector a frame, shape (T, D), from RGB frames (T, H, W, 3)."""
        batch_size = BATCH_SIZES[self._device.type]
        return encode_batches(images, self._encode, batch_size=batch_size, width=self.space.width)

    def _encode(self, frames: Frames) -> FloatArray:
        pixels = prepare_frames(frames, self._preparation).to(self._device)
        features_TD: Tensor = self._network.features(pixels)  # type: ignore[operator]
        vectors: FloatArray = features_TD.float().cpu().numpy()
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors


def _published(path: Path) -> "tuple[str, nn.Module]":
    """Return the name and the network of a published checkpoint, by the names of its weights."""
    from mastershot.models.recognisers.build import build_recogniser
    from mastershot.models.recognisers.published import load_published

    weights = read_weights(path)
    plain = {name.removeprefix("module."): tensor for name, tensor in weights.items()}
    known = [(name, head) for name, (mark, head) in _PUBLISHED.items() if {mark, head} <= {*plain}]
    if not known:
        raise EncoderError(
            f"{path} is no checkpoint of a ResNet-18, ResNet-50 or SENet-154: it holds neither "
            "fc.weight beside layer1.0.conv2.weight, nor last_linear.weight beside "
            "layer0.conv1.weight (networks of clips are for the recipe movieclip/features)"
        )
    name, head = known[0]
    network = build_recogniser(name, num_classes=len(plain[head]))
    load_published(network, name, plain, str(path))
    return name, network.eval().requires_grad_(False)


def _preparation(name: str, path: Path, resize_px: int, size_px: int) -> ImagePreparation:
    from mastershot.models.recognisers.build import recogniser_row

    row = recogniser_row(name)
    if row.reads != "frames":
        raise EncoderError(
            f"encoder {path} is a recogniser that reads {row.reads}; one of single frames is needed"
        )
    return ImagePreparation(
        resize_px=resize_px,
        keep_aspect=False,
        size_px=size_px,
        interpolation="bilinear",
        mean=row.pixel_mean,
        std=row.pixel_std,
    )
