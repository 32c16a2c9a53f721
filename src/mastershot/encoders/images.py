"""Frames to the tensors a checkpoint was trained on, by its own preprocessor settings.

Equal to the processors of transformers (which go through PIL) within 1/255: torch resizes uint8
with antialias in fixed point and rounds between its two passes, as PIL does.
"""
# T frames, H height, W width, S edge of the square a network sees

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import parsing, read_json
from mastershot.encoders.detectors.bars import without_bars

if TYPE_CHECKING:
    import torch

Settings: TypeAlias = Mapping[str, Any]
Triple: TypeAlias = tuple[float, float, float]
Frames: TypeAlias = ImageArray | Sequence[ImageArray]
"""RGB, uint8: a batch (T, H, W, 3), or frames (H, W, 3) whose sizes may differ."""
_MAX_TOGETHER_BYTES = 64 << 20
_INTERPOLATIONS = {2: "bilinear", 3: "bicubic"}  # PIL's numbers


@dataclass(frozen=True)
class ImagePreparation:
    """How a checkpoint wants its frames.

    Attributes:
        resize_px: Edge the frame is resized to, with antialias.
        keep_aspect: True if that is the shortest edge (CLIP), False if both edges (SigLIP).
        size_px: Edge S of the square then cropped from the centre.
        interpolation: ``bilinear`` or ``bicubic``.
        rescale: What a byte is multiplied by before it is normalised.
        mean: Subtracted from each channel after rescaling.
        std: What each channel is divided by after that.
        detail_px: Edge of the square the frame is squeezed into first, so that it holds no finer
            detail; 0 keeps all there is.
        cut_bars: True if equal black bars above and below are cut off before.
    """

    resize_px: int
    keep_aspect: bool
    size_px: int
    interpolation: str
    rescale: float = 1.0
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    detail_px: int = 0
    cut_bars: bool = False


def prepare_frames(frames: Frames, preparation: ImagePreparation) -> "torch.Tensor":
    """Return one or more frames as the checkpoint wants them, float32 (T, 3, S, S).

    Raises:
        EncoderError: A frame is not uint8 of shape (H, W, 3).
    """
    import torch

    if preparation.cut_bars:
        frames = [
            without_bars(frame) if frame.ndim == 3 and frame.size else frame for frame in frames
        ]
    sizes = {(frame.dtype, frame.shape) for frame in frames}
    if len(sizes) == 1 and len(frames) * frames[0].nbytes <= _MAX_TOGETHER_BYTES:
        # Frames of one film; together they take half the time.
        pixels = resize_frames(np.asarray(frames), preparation)
    else:
        pixels = torch.cat([resize_frames(frame[None], preparation) for frame in frames])
    mean = torch.tensor(preparation.mean).view(3, 1, 1)
    std = torch.tensor(preparation.std).view(3, 1, 1)
    return (pixels.float() * preparation.rescale - mean) / std


def resize_frames(frames: ImageArray, preparation: ImagePreparation) -> "torch.Tensor":
    """Return frames of one size (T, H, W, 3) resized and cropped, uint8 (T, 3, S, S).

    Raises:
        EncoderError: They are not uint8 of such a shape.
    """
    import torch
    from torch.nn.functional import interpolate

    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or frames.size == 0:
        raise EncoderError(
            f"a frame must be RGB, uint8, of shape (H, W, 3); found {frames.dtype} "
            f"{frames.shape[1:]}"
        )
    height = width = preparation.resize_px
    if preparation.keep_aspect:  # Rounded down, as transformers does.
        shortest = min(frames.shape[1:3])
        height, width = (int(preparation.resize_px * edge / shortest) for edge in frames.shape[1:3])
    pixels = torch.from_numpy(np.require(frames, requirements=["C", "W"])).permute(0, 3, 1, 2)
    if preparation.detail_px:
        coarse = (preparation.detail_px, preparation.detail_px)
        pixels = interpolate(pixels, size=coarse, mode="bilinear", antialias=True)
    resized = interpolate(
        pixels, size=(height, width), mode=preparation.interpolation, antialias=True
    )
    size_px = preparation.size_px
    top, left = (height - size_px) // 2, (width - size_px) // 2
    return resized[:, :, top : top + size_px, left : left + size_px]


def read_preparation(folder: Path) -> ImagePreparation:
    """Return how the checkpoint in a folder wants its frames.

    Raises:
        EncoderError: The folder lacks the settings, or they ask for what this package does not do.
    """
    path, settings = _find_settings(folder)
    with parsing(path, "asks for a preparation of frames this version cannot do"):
        preparation = _parse(settings)
        for key in ("do_resize", "do_rescale", "do_normalize"):
            if not settings.get(key, True):
                raise ValueError(f"{key} is off")
        if settings.get("do_pad"):
            raise ValueError("do_pad is on")
    return preparation


def _find_settings(folder: Path) -> tuple[Path, Settings]:
    """Return the settings of frames and their file: nested, as transformers 5 has them, or flat."""
    nested, flat = folder / "processor_config.json", folder / "preprocessor_config.json"
    settings = read_json(nested).get("image_processor") if nested.is_file() else None
    if isinstance(settings, dict):
        return nested, settings
    if not flat.is_file():
        raise EncoderError(
            f"encoder folder {folder} lacks {flat.name}; copy it from where the weights came from"
        )
    return flat, read_json(flat)


def _parse(settings: Settings) -> ImagePreparation:
    resample = settings.get("resample", 3)
    if resample not in _INTERPOLATIONS:
        raise ValueError(f"resample is {resample}; 2 (bilinear) and 3 (bicubic) are known")
    size = settings["size"]
    resize_px = _edge(size)
    # ViT's old settings write 224 where they mean a square; CLIP's mean the shortest edge.
    squares = str(settings.get("image_processor_type", settings.get("feature_extractor_type")))
    both_edges = isinstance(size, Mapping) and "height" in size
    keep_aspect = not squares.startswith("ViT") and not both_edges
    crops = settings.get("do_center_crop", keep_aspect)
    size_px = _edge(settings["crop_size"]) if crops else resize_px
    if keep_aspect and not crops:
        raise ValueError("frames keep their aspect but are not cropped to a square")
    if size_px > resize_px:
        raise ValueError(f"a crop of {size_px} pixels does not fit into {resize_px}")
    return ImagePreparation(
        resize_px=resize_px,
        keep_aspect=keep_aspect,
        size_px=size_px,
        interpolation=_INTERPOLATIONS[resample],
        rescale=float(settings.get("rescale_factor", 1 / 255)),
        mean=_triple(settings, "image_mean"),
        std=_triple(settings, "image_std"),
    )


def _edge(size: object) -> int:
    """Return the one number in a size: ``224``, a shortest edge, or equal height and width."""
    match size:
        case int(edge) if edge > 0:
            return edge
        case {"shortest_edge": int(edge), **others} if edge > 0 and not others:
            return edge
        case {"height": int(edge), "width": int(width)} if edge == width > 0:
            return edge
    raise ValueError(f"size {size} is neither a shortest edge nor a square")


def _triple(settings: Settings, key: str) -> Triple:
    match settings[key]:
        case [int() | float() as red, int() | float() as green, int() | float() as blue]:
            return float(red), float(green), float(blue)
    raise ValueError(f"{key} is {settings[key]}; three numbers are needed")
