"""Saved encoders: how they were made (JSON) and their weights (safetensors), checked on loading."""
# N scenes, n shots a scene, k keyframes a shot, D width of a feature, W width of a representation

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
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
from mastershot.models.mvit.network import MViT, MViTSettings
from mastershot.models.scene_encoder import PixelSceneEncoder
from mastershot.models.vit import ViTSettings
from mastershot.training.engine.distributed import barrier, is_rank_zero
from mastershot.training.engine.run_directory import whole_folder
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
_FORMATS = {SCENE_STEM: SCENE_FORMAT, SHOT_STEM: SHOT_FORMAT}
_BATCH = 32
_MAX_NUMBERS = 2**30
_MAX_DEPTH = 1000


@dataclass(frozen=True, eq=False)
class SavedEncoder:
    """A trained encoder of scenes, or of shots.

    Attributes:
        network: Ready to run on the CPU.
        width: Width of its vectors, W.
        shape: What it was trained on.
        metadata: The content of its JSON.
    """

    network: nn.Module
    width: int
    shape: SceneShape
    metadata: Mapping[str, Any]

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
            SettingError: There is no shot, or they are of another kind than it was trained on.
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
    return _load(folder, SCENE_STEM)


def load_shot_encoder(folder: str | Path) -> SavedEncoder:
    """Return the shot encoder that a run made.

    Raises:
        EncoderError: The folder holds none, or one that is damaged or of another version.
    """
    return _load(folder, SHOT_STEM)


def _load(folder: str | Path, stem: str) -> SavedEncoder:
    path, metadata = read_metadata(folder, stem, _FORMATS[stem])
    with describing(path, "an encoder"):
        settings, shape = _settings_of(metadata)
        width = settings.width
        network: nn.Module
        if stem == SHOT_STEM:
            width = metadata["output"]
            _require_sizes(width, width * settings.width)
            network = ShotEncoder(_vit_of(metadata, shape), width)
        elif settings.backbone == "mvit_v2_s":
            network = MViT(_mvit_of(metadata, settings))
        elif settings.network == "vit":
            network = PixelSceneEncoder(_vit_of(metadata, shape))
        else:
            network = scene_network(settings, shape)
    load_weights(network, path, metadata)
    return SavedEncoder(network, width, shape, metadata)


def write_encoder(
    folder: Path,
    stem: str,
    settings: NetworkSettings,
    shape: SceneShape,
    network: Any,
    *,
    metadata: Mapping[str, Any],
) -> None:
    """Write the folder of an encoder; the first of a run's processes does, and the others wait."""
    if is_rank_zero():
        sizes = {}
        if settings.backbone == "mvit_v2_s":
            sizes = {"mvit": asdict(network.settings)}
        elif settings.network == "vit":
            sizes = {"vit": asdict(network.vit.settings)}
        described = {"network": asdict(settings), **sizes, **asdict(shape), **metadata}
        write_network(folder, stem, _FORMATS[stem], network, described)
    barrier()


def write_network(
    folder: Path, stem: str, kind: str, network: nn.Module, metadata: Mapping[str, Any]
) -> None:
    """Write a folder with a network's weights and metadata; it appears whole or not at all."""
    data = save({name: value.cpu().contiguous() for name, value in network.state_dict().items()})
    made_by = {"format": kind, "version": __version__}
    digest = {"weights_sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps({**made_by, **digest, **metadata}, indent=1, ensure_ascii=False) + "\n"
    with whole_folder(folder) as partial:
        partial.mkdir(parents=True)
        (partial / f"{stem}.safetensors").write_bytes(data)
        (partial / f"{stem}.json").write_text(text, "utf-8")


def read_metadata(folder: str | Path, stem: str, kind: str) -> tuple[Path, dict[str, Any]]:
    """Return the path and content of the JSON that `write_network` wrote.

    Raises:
        EncoderError: The folder holds none, or it is damaged or of another format.
    """
    path = Path(folder) / f"{stem}.json"
    if not path.is_file():
        raise EncoderError(f"{folder} holds no {path.name}; name the folder that a run made")
    metadata = read_json(path)
    if metadata.get("format") != kind:
        raise EncoderError(
            f"{path} is of format {metadata.get('format')!r}; this version reads {kind}"
        )
    return path, metadata


@contextmanager
def describing(path: Path, what: str) -> Iterator[None]:
    """Turn what metadata of wrong keys, types or values raises into one `EncoderError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, SettingError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else one_line(error)
        raise EncoderError(f"{path} does not describe {what}: {reason}") from error


def load_weights(network: nn.Module, path: Path, metadata: Mapping[str, Any]) -> None:
    """Load the weights beside a JSON of metadata into a network, in float32, and freeze it.

    Raises:
        EncoderError: They are damaged, of another network, or not those that were written with it.
    """
    path = path.with_suffix(".safetensors")
    try:
        network.load_state_dict({name: x.float() for name, x in load_file(path).items()})
    except (OSError, RuntimeError, SafetensorError) as error:
        raise EncoderError(f"{path} cannot be loaded ({one_line(error)})") from error
    if hashlib.sha256(path.read_bytes()).hexdigest() != metadata.get("weights_sha256"):
        raise EncoderError(f"{path} is not the file that its description was written for")
    network.eval().requires_grad_(False)


def _settings_of(metadata: Mapping[str, Any]) -> tuple[NetworkSettings, SceneShape]:
    settings = NetworkSettings(**metadata["network"])
    shape = SceneShape(metadata["num_shots"], tuple(metadata["row_shape"]))
    features = settings.network == "features"
    numbers = math.prod(shape.row_shape) * shape.num_shots
    if len(shape.row_shape) != (1 if features else 4) or numbers > _MAX_NUMBERS:
        raise ValueError(f"scenes of {shape.num_shots} shots of {shape.row_shape}")
    _require_size(settings, 12, shape.row_shape[0] + shape.num_shots if features else 0)
    return settings, shape


def _vit_of(metadata: Mapping[str, Any], shape: SceneShape) -> ViTSettings:
    vit: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in metadata["vit"].items()
    }
    settings = ViTSettings(**vit)
    if shape.row_shape[1:] != (settings.image_px, settings.image_px, 3):
        raise ValueError(f"keyframes of {shape.row_shape} and a ViT of {settings.image_px}")
    sizes = settings.width, settings.depth, settings.heads, settings.mlp_ratio
    _require_sizes(*sizes, settings.image_px, settings.patch_px)
    numbers = (settings.norm_eps, *settings.pixel_mean, *settings.pixel_std)
    if len(numbers) != 7 or any(type(number) not in (int, float) for number in numbers):
        raise ValueError(f"norm_eps, pixel_mean and pixel_std are {numbers}")
    inputs = math.prod(settings.grid) + 3 * settings.patch_px**2
    _require_size(settings, 4 + 2 * settings.mlp_ratio, inputs)
    return settings


def _mvit_of(metadata: Mapping[str, Any], network: NetworkSettings) -> MViTSettings:
    mvit = dict(metadata["mvit"])
    depths = tuple(mvit["depths"])
    _require_sizes(*depths, mvit["width"], mvit["num_frames"], mvit["image_px"])
    settings = MViTSettings(**{**mvit, "depths": depths})
    if settings.num_outputs != network.width:
        raise ValueError(f"vectors of {network.width} and an MViT of {settings.num_outputs}")
    _require_size(replace(network, depth=sum(depths)), 12, settings.num_frames + settings.image_px)
    return settings


def _require_sizes(*sizes: int) -> None:
    """Raise `ValueError` unless all are whole numbers (no bool) that a network may have."""
    for size in sizes:
        if type(size) is not int or not 1 <= size < _MAX_NUMBERS:
            raise ValueError(f"{size!r} where a whole number is expected")


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
            f"{num_weights:,} weights in {settings.depth:,} blocks; {_MAX_NUMBERS:,} in "
            f"{_MAX_DEPTH:,} are the most"
        )
