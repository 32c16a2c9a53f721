"""Classifiers over an encoder's vectors: what is in their folder, checked before it is used."""
# N shots, T frames of a shot, D width of a frame's vector, C classes

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import one_line, read_json

if TYPE_CHECKING:
    from torch import Tensor

    from mastershot.models.frame_lstm import FrameLSTM

FORMAT = "mastershot/frame-classifier/1"
SETTINGS_FILE = "classifier.json"
WEIGHTS_FILE = "classifier.safetensors"
_LARGEST = {"width": 1 << 14, "hidden": 1 << 14, "layers": 16, "max_steps": 1 << 14}
_SHOTS_AT_ONCE = 256


@dataclass(frozen=True)
class ClassifierSettings:
    """What a folder says of its classifier.

    Attributes:
        name: What it is called.
        task: What it tells, such as ``shot_scale``.
        classes: Its classes in order.
        encoder: Name or folder of the encoder whose vectors it takes, as `load_frame_encoder` does.
        encoder_hash: The hash of that encoder's space.
        width: Width D of the vectors.
        hidden: Width of the LSTM.
        layers: Layers of the LSTM.
        rate_hz: Frames a second it was taught on.
        max_steps: Frames of a shot it looks at, from the first on.
    """

    name: str
    task: str
    classes: tuple[str, ...]
    encoder: str
    encoder_hash: str
    width: int
    hidden: int
    layers: int
    rate_hz: float
    max_steps: int


class FrameClassifier:
    """A network that tells the class of a shot from its frames' vectors."""

    def __init__(self, folder: Path) -> None:
        """Load a classifier from its folder.

        Raises:
            EncoderError: The folder does not hold a whole classifier.
        """
        self.settings = read_classifier(folder)
        self._network = _load_network(folder / WEIGHTS_FILE, self.settings)
        with (folder / WEIGHTS_FILE).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.weights_hash = f"sha256:{digest[:32]}"

    def scores(self, shots: Sequence[FloatArray]) -> FloatArray:
        """Return how likely each class is of each shot, shape (N, C), rows summing to 1.

        Args:
            shots: The vectors of each shot's frames in order, (T, D); frames past ``max_steps``
                are not looked at.

        Raises:
            EncoderError: A shot has no frame, or vectors of another width.
        """
        for index, shot in enumerate(shots):
            if shot.ndim != 2 or shot.shape[1] != self.settings.width:
                raise EncoderError(
                    f"shot {index} has vectors of shape {shot.shape}; the classifier of "
                    f"{self.settings.task} takes (frames, {self.settings.width})"
                )
            if not len(shot):
                raise EncoderError(f"shot {index} has no frame to tell its class from")
        cut = [shot[: self.settings.max_steps] for shot in shots]
        return class_probabilities(self._network, cut)


def class_probabilities(network: "FrameLSTM", shots: Sequence[FloatArray]) -> FloatArray:
    """Return the softmax over classes of each shot, shape (N, C), on the network's own device."""
    import torch

    from mastershot.models.frame_lstm import pad_frames

    device = network.head.weight.device
    parts = [np.zeros((0, network.head.out_features), np.float32)]
    for first in range(0, len(shots), _SHOTS_AT_ONCE):
        frames, lengths = pad_frames(shots[first : first + _SHOTS_AT_ONCE])
        with torch.inference_mode():
            logits = network(frames.to(device), lengths.to(device))
        parts.append(logits.softmax(1).cpu().numpy())
    return np.concatenate(parts)


def read_classifier(folder: Path) -> ClassifierSettings:
    """Return what a classifier's folder says of it.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or says what cannot be.
    """
    path = folder / SETTINGS_FILE
    said = read_json(path)
    if said.get("format") != FORMAT:
        raise EncoderError(
            f"{path} is of format {said.get('format')!r}; this version reads {FORMAT}"
        )
    try:
        settings = ClassifierSettings(
            name=str(said["name"]),
            task=str(said["task"]),
            classes=tuple(str(name) for name in said["classes"]),
            encoder=str(said["encoder"]),
            encoder_hash=str(said["encoder_hash"]),
            width=int(said["width"]),
            hidden=int(said["hidden"]),
            layers=int(said["layers"]),
            rate_hz=float(said["rate_hz"]),
            max_steps=int(said["max_steps"]),
        )
        _require_sense(settings)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise EncoderError(f"{path} does not describe a classifier: {reason}") from error
    return settings


def write_classifier(
    folder: Path,
    settings: ClassifierSettings,
    network: "FrameLSTM",
    *,
    figures: Mapping[str, Any],
) -> None:
    """Write a classifier's folder: what is said of it, and its weights in single precision.

    Args:
        folder: Made if need be.
        settings: How it is read.
        network: Its weights.
        figures: What else is said, such as how well it does.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: one.cpu().contiguous() for name, one in network.state_dict().items()}
    (folder / WEIGHTS_FILE).write_bytes(save(weights))
    said = {"format": FORMAT, **asdict(settings), **figures}
    text = json.dumps(said, indent=1, ensure_ascii=False)
    (folder / SETTINGS_FILE).write_text(text + "\n", "utf-8")


def _require_sense(settings: ClassifierSettings) -> None:
    if len(settings.classes) < 2 or len(set(settings.classes)) < len(settings.classes):
        raise ValueError(f"classes {', '.join(settings.classes)} should be two or more, each once")
    for name, largest in _LARGEST.items():
        value = getattr(settings, name)
        if not 1 <= value <= largest:
            raise ValueError(f"{name} is {value}; it is from 1 to {largest}")
    if not 0 < settings.rate_hz < 1000:
        raise ValueError(f"rate_hz is {settings.rate_hz:g}; it is above 0 and below 1000")


def _load_network(path: Path, settings: ClassifierSettings) -> "FrameLSTM":
    """Return the network of a file of weights, ready to run on the CPU."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from mastershot.models.frame_lstm import FrameLSTM

    try:
        weights = load_file(path)
        # Without memory until its weights are known to fit: a file may claim any size.
        with torch.device("meta"):
            network = FrameLSTM(
                settings.width,
                len(settings.classes),
                hidden=settings.hidden,
                layers=settings.layers,
            )
        network.load_state_dict(weights, assign=True)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise EncoderError(f"{path} cannot be loaded ({one_line(error)})") from error
    _require_numbers(path, weights)
    return network.eval().requires_grad_(False)


def _require_numbers(path: Path, weights: "Mapping[str, Tensor]") -> None:
    import torch

    for name, tensor in weights.items():
        if tensor.dtype != torch.float32 or not torch.isfinite(tensor).all():
            raise EncoderError(f"{path} holds {name} that is not finite numbers of float32")
