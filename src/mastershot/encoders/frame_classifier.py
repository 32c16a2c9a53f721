"""Classifiers over an encoder's vectors: what is in their folder, checked before it is used."""
# N shots, T frames of a shot, D width of a frame's vector, C classes

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import (
    card_of,
    check_sizes,
    file_digest,
    load_fitted,
    parsing,
    read_metadata,
    write_model,
)
from mastershot.encoders.precision import encode_batches

if TYPE_CHECKING:
    from mastershot.models.recognisers.frame_lstm import FrameLSTM

FORMAT = "mastershot/frame-classifier/1"
SETTINGS_FILE = "classifier.json"
WEIGHTS_FILE = "classifier.safetensors"
_LARGEST = {"width": 1 << 14, "hidden": 1 << 14, "layers": 16, "max_steps": 1 << 14}
_SHOTS_AT_ONCE = 256


@dataclass(frozen=True)
class ClassifierSettings:
    """How a classifier is described in its folder.

    Attributes:
        name: What it is called.
        task: What it classifies, such as ``shot_scale``.
        classes: Its classes in order.
        encoder: Name or folder of the encoder whose vectors it takes, as `load_frame_encoder` does.
        encoder_hash: The hash of that encoder's space.
        width: Width D of the vectors.
        hidden: Width of the LSTM.
        layers: Layers of the LSTM.
        rate_hz: Frames a second it was trained on.
        max_steps: Most frames of a shot it reads; later ones are ignored.
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
    """A network that classifies a shot by its frames' vectors."""

    def __init__(self, folder: Path) -> None:
        """Load a classifier from its folder.

        Raises:
            EncoderError: The folder does not hold a whole classifier.
        """
        self.settings = read_classifier(folder)
        path = folder / WEIGHTS_FILE
        self._network = load_fitted(path, lambda: _network(self.settings))
        self.weights_hash = f"sha256:{file_digest(path, 'sha256').hex()[:32]}"

    def scores(self, shots: Sequence[FloatArray]) -> FloatArray:
        """Return each class's probability for each shot, (N, C), from its frames' vectors (T, D).

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
                raise EncoderError(f"shot {index} has no frame to classify it by")
        read = [shot[: self.settings.max_steps] for shot in shots]
        return class_probabilities(self._network, read)


def _network(settings: ClassifierSettings) -> "FrameLSTM":
    from mastershot.models.recognisers.frame_lstm import FrameLSTM

    num_classes = len(settings.classes)
    return FrameLSTM(settings.width, num_classes, hidden=settings.hidden, layers=settings.layers)


def class_probabilities(network: "FrameLSTM", shots: Sequence[FloatArray]) -> FloatArray:
    """Return the softmax over classes of each shot, shape (N, C), on the network's own device."""
    from mastershot.models.recognisers.frame_lstm import pad_frames

    def classify(part: Sequence[FloatArray]) -> FloatArray:
        frames, lengths = (tensor.to(network.head.weight.device) for tensor in pad_frames(part))
        scores: FloatArray = network(frames, lengths).softmax(1).cpu().numpy()
        return scores

    num_classes = network.head.out_features
    return encode_batches(shots, classify, batch_size=_SHOTS_AT_ONCE, width=num_classes)


def read_classifier(folder: Path) -> ClassifierSettings:
    """Return how a classifier's folder describes it.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or its values do not fit.
    """
    path = folder / SETTINGS_FILE
    values = read_metadata(path, FORMAT)
    with parsing(path, "does not describe a classifier"):
        settings = card_of(values, ClassifierSettings)
        if len(settings.classes) < 2:
            raise ValueError("classes should be two or more")
        check_sizes(settings, _LARGEST)
        if not 0 < settings.rate_hz < 1000:
            raise ValueError(f"rate_hz is {settings.rate_hz:g}; it is above 0 and below 1000")
    return settings


def write_classifier(
    folder: Path, settings: ClassifierSettings, network: "FrameLSTM", *, figures: Mapping[str, Any]
) -> None:
    """Write a classifier's folder, with figures such as its accuracy as keys of its description."""
    metadata = {"format": FORMAT, **asdict(settings), **figures}
    write_model(folder / SETTINGS_FILE, metadata, network.state_dict())
