"""Encoders as they are kept: how they were made, and their weights, checked before use."""
# N scenes, n shots a scene, k keyframes a shot, D width of a feature, W width of a representation

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from mastershot import __version__
from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError, SettingError
from mastershot.encoders.checkpoint import one_line, read_json
from mastershot.models.scene_encoder import PixelSceneEncoder
from mastershot.models.vit import ViTSettings
from mastershot.training.engine.distributed import barrier, is_rank_zero
from mastershot.training.movies2scenes.networks import (
    SceneShape,
    ShotEncoder,
    plain_views,
    scene_network,
)
from mastershot.training.movies2scenes.settings.encoders import NetworkSettings

SCENE_FORMAT = "mastershot/scene-encoder/1"
SHOT_FORMAT = "mastershot/shot-encoder/1"
SCENE_STEM, SHOT_STEM = "scene_encoder", "shot_encoder"
_BATCH = 32
_MAX_NUMBERS = 2**30
_MAX_DEPTH = 1000


@dataclass(frozen=True, eq=False)
class SavedEncoder:
    """A trained encoder of scenes, or of shots.

    Attributes:
        network: Ready to run on the CPU.
        width: Width of its vectors, W.
        shape: What it was trained on: shots a scene, and what there is of a shot.
        said: All that its folder says of it.
    """

    network: nn.Module
    width: int
    shape: SceneShape
    said: Mapping[str, Any]

    def encode(self, scenes: npt.NDArray[Any]) -> FloatArray:
        """Return one vector a scene, float32 (N, W).

        Args:
            scenes: Features (N, n, D) or keyframes, uint8 (N, n, k, H, W, 3), of n consecutive
                shots each. A scene encoder takes any n; a shot encoder 1.

        Raises:
            SettingError: They are of another kind or size than the encoder was trained on.
        """
        row_shape = self.shape.row_shape
        features = len(row_shape) == 1
        # Any number of keyframes a shot goes in; their size, and a feature's width, are fixed.
        fits = scenes.ndim == len(row_shape) + 2 and 0 not in scenes.shape
        fits = fits and scenes.shape[2 if features else 3 :] == row_shape[0 if features else 1 :]
        if not fits or (scenes.dtype == np.uint8) == features:
            wanted = "features" if features else "keyframes of uint8"
            raise SettingError(
                f"scenes are {scenes.dtype} {scenes.shape}; this encoder takes {wanted} "
                f"(scenes, shots, {', '.join(map(str, row_shape))})"
            )
        with torch.inference_mode():
            parts = [
                self.network(plain_views(torch.from_numpy(np.array(scenes[at : at + _BATCH]))))
                for at in range(0, len(scenes), _BATCH)
            ]
        vectors: FloatArray = torch.cat(parts).float().numpy()
        return vectors

    def encode_film(self, shots: npt.NDArray[Any], *, stride: int = 0) -> FloatArray:
        """Return the vectors of a film's scenes of as many shots as it was trained on.

        Args:
            shots: One row a shot, in the order of the film.
            stride: Shots from one scene to the next; 0 is scenes side by side. A film shorter
                than one scene is one scene.

        Raises:
            SettingError: The shots are none, or of another kind than the encoder was trained on.
        """
        num_shots = min(self.shape.num_shots, len(shots))
        if not num_shots or stride < 0:
            raise SettingError(f"{len(shots)} shots with a stride of {stride} hold no scene")
        starts = range(0, len(shots) - num_shots + 1, stride or num_shots)
        return self.encode(np.stack([shots[start : start + num_shots] for start in starts]))


def load_scene_encoder(folder: str | Path) -> SavedEncoder:
    """Return the scene encoder that a run made.

    Raises:
        EncoderError: The folder holds none, or one that is damaged or of another version.
    """
    settings, shape, said = _read(Path(folder), SCENE_STEM, SCENE_FORMAT)
    if settings.network == "vit":
        vit = _vit(said, shape, Path(folder))
        network = _built(lambda: PixelSceneEncoder(vit), Path(folder))
    else:
        network = _built(lambda: scene_network(settings, shape), Path(folder))
    _load(network, Path(folder) / f"{SCENE_STEM}.safetensors", said)
    return SavedEncoder(network, settings.width, shape, said)


def load_shot_encoder(folder: str | Path) -> SavedEncoder:
    """Return the shot encoder that a run made.

    Raises:
        EncoderError: The folder holds none, or one that is damaged or of another version.
    """
    _, shape, said = _read(Path(folder), SHOT_STEM, SHOT_FORMAT)
    settings, width = _vit(said, shape, Path(folder)), said.get("output")
    if type(width) is not int or not 1 <= width * settings.width < _MAX_NUMBERS:
        raise EncoderError(f"{folder} does not describe a shot encoder: its output is {width}")
    network = _built(lambda: ShotEncoder(settings, width), Path(folder))
    _load(network, Path(folder) / f"{SHOT_STEM}.safetensors", said)
    return SavedEncoder(network, width, shape, said)


def write_encoder(
    folder: Path,
    stem: str,
    settings: NetworkSettings,
    shape: SceneShape,
    network: Any,
    *,
    said: Mapping[str, Any],
) -> None:
    """Write an encoder's folder: what is said of it, and its tensors in single precision.

    It is there whole or not at all; the first of a run's processes writes, and the others wait.
    """
    if is_rank_zero():
        partial = folder.with_name(f"{folder.name}.part")
        partial.mkdir(parents=True, exist_ok=True)
        weights = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
        data = save(weights)
        (partial / f"{stem}.safetensors").write_bytes(data)
        told = {
            "format": SCENE_FORMAT if stem == SCENE_STEM else SHOT_FORMAT,
            "version": __version__,
            "network": asdict(settings),
            **({"vit": asdict(network.vit.settings)} if settings.network == "vit" else {}),
            "num_shots": shape.num_shots,
            "row_shape": shape.row_shape,
            "weights_sha256": hashlib.sha256(data).hexdigest(),
            **said,
        }
        text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
        (partial / f"{stem}.json").write_text(text, "utf-8")
        partial.rename(folder)
    barrier()


def _read(
    folder: Path, stem: str, known: str
) -> tuple[NetworkSettings, SceneShape, dict[str, Any]]:
    path = folder / f"{stem}.json"
    if not path.is_file():
        raise EncoderError(f"{folder} holds no {path.name}; name the folder that a run made")
    said = read_json(path)
    if said.get("format") != known:
        raise EncoderError(
            f"{path} is of format {said.get('format')!r}; this version reads {known}"
        )
    try:
        settings = NetworkSettings(**said["network"])
        shape = SceneShape(said["num_shots"], tuple(said["row_shape"]))
        sizes = settings.width, settings.depth, settings.heads
        _require_sizes(*sizes, shape.num_shots, *shape.row_shape)
        wanted = 1 if settings.network == "features" else 4
        numbers = math.prod(shape.row_shape) * shape.num_shots
        if len(shape.row_shape) != wanted or numbers > _MAX_NUMBERS:
            raise ValueError(f"it says {shape.num_shots} shots of {shape.row_shape}")
        inputs = shape.row_shape[0] + shape.num_shots if wanted == 1 else 0
        _require_size(settings, 12, inputs)
    except (KeyError, TypeError, ValueError, SettingError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else one_line(error)
        raise EncoderError(f"{path} does not describe an encoder: {reason}") from error
    return settings, shape, said


def _vit(said: Mapping[str, Any], shape: SceneShape, folder: Path) -> ViTSettings:
    """Return the shape of the ViT that a folder describes."""
    try:
        told: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in said["vit"].items()
        }
        settings = ViTSettings(**told)
        if shape.row_shape[1:] != (settings.image_px, settings.image_px, 3):
            raise ValueError(f"keyframes of {shape.row_shape} and a ViT of {settings.image_px}")
        sizes = settings.width, settings.depth, settings.heads, settings.mlp_ratio
        _require_sizes(*sizes, settings.image_px, settings.patch_px)
        numbers = (settings.norm_eps, *settings.pixel_mean, *settings.pixel_std)
        if len(numbers) != 7 or any(type(number) not in (int, float) for number in numbers):
            raise ValueError(f"it says {numbers} for norm_eps, pixel_mean and pixel_std")
        inputs = math.prod(settings.grid) + 3 * settings.patch_px**2
        _require_size(settings, 4 + 2 * settings.mlp_ratio, inputs)
    except (KeyError, TypeError, ValueError, AttributeError, SettingError) as error:
        raise EncoderError(f"{folder} does not describe an encoder: {one_line(error)}") from error
    return settings


def _require_sizes(*sizes: int) -> None:
    """Raise `ValueError` unless all are whole numbers that a network may have; True is none."""
    for size in sizes:
        if type(size) is not int or not 1 <= size < _MAX_NUMBERS:
            raise ValueError(f"it says {size!r} where a whole number is due")


def _require_size(settings: NetworkSettings | ViTSettings, a_block: int, inputs: int) -> None:
    """Raise `ValueError` if a network is larger than any that is trained here.

    Args:
        settings: Its width and depth.
        a_block: Weights of a block, in squares of the width.
        inputs: Weights that are no block's, in widths.
    """
    num_weights = settings.width * (settings.width * a_block * settings.depth + inputs)
    if num_weights > _MAX_NUMBERS or settings.depth > _MAX_DEPTH:
        raise ValueError(
            f"it says {num_weights:,} weights in {settings.depth:,} blocks; {_MAX_NUMBERS:,} in "
            f"{_MAX_DEPTH:,} are the most"
        )


def _built(build: Callable[[], nn.Module], folder: Path) -> nn.Module:
    try:
        return build()
    except (SettingError, TypeError, ValueError) as error:
        raise EncoderError(f"{folder} does not describe an encoder: {error}") from error


def _load(network: nn.Module, path: Path, said: Mapping[str, Any]) -> None:
    try:
        weights = {name: tensor.float() for name, tensor in load_file(path).items()}
        network.load_state_dict(weights)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise EncoderError(f"{path} cannot be loaded ({one_line(error)})") from error
    if hashlib.sha256(path.read_bytes()).hexdigest() != said.get("weights_sha256"):
        raise EncoderError(f"{path} is not the file that its description was written for")
    network.eval().requires_grad_(False)
