"""Trained scene recognisers: what is in their folder, checked before it is used."""
# N shots, T frames of a shot, H = W pixels of a side, D width of a feature, C classes

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import EncoderError, SettingError
from mastershot.encoders.checkpoint import (
    check_sizes,
    file_digest,
    find_model_folder,
    load_fitted,
    parsing,
    read_card,
    read_metadata,
    read_weights,
    write_model,
)
from mastershot.encoders.precision import encode_batches, find_device

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT = "mastershot/recogniser/1"
CARD_FILE = "recogniser.json"
WEIGHTS_FILE = "recogniser.safetensors"
RUN_FOLDER = "recogniser"
"""The part of a run directory that holds the recogniser it made."""
_LARGEST = {"frames": 4096, "size_px": 4096, "input_width": 1 << 14, "max_steps": 1 << 14}
SHOTS_AT_ONCE = {"cpu": 1, "cuda": 16}
"""On a CPU one: what else is in a batch changes the last digits of matrix products."""


@dataclass(frozen=True)
class RecogniserCard:
    """How a recogniser is described in its folder.

    Attributes:
        name: What it is called.
        network: A row of `RECOGNISERS`.
        classes: Its classes in order.
        width: Share of the published network's channels.
        depth: Share of the published network's blocks.
        frames: Frames of a clip, evenly spaced over a shot; 0 where vectors are read.
        size_px: Edge of its square frames; 0 where vectors are read.
        encoder: Name or folder of the encoder whose vectors it reads; empty where it reads clips,
            or where a table did not say what made its vectors.
        encoder_hash: The hash of that encoder's space.
        input_width: Width of its vectors.
        rate_hz: Vectors a second it was trained on.
        max_steps: Most vectors of a shot it reads; later ones are ignored.
    """

    name: str
    network: str
    classes: tuple[str, ...]
    width: float
    depth: float
    frames: int
    size_px: int
    encoder: str = ""
    encoder_hash: str = ""
    input_width: int = 0
    rate_hz: float = 0.0
    max_steps: int = 0

    @property
    def reads_vectors(self) -> bool:
        """Whether it reads vectors of frames, not clips."""
        from mastershot.models.recognisers.build import recogniser_row

        return recogniser_row(self.network).reads == "vectors"


def clip_batch(clips: Sequence[ImageArray] | ImageArray, network: str) -> "Tensor":
    """Return clips of uint8 RGB frames (T, H, W, 3) as a network takes them: (N, 3, T, H, W)."""
    import torch

    from mastershot.models.recognisers.build import normalise_clips, recogniser_row

    batch_NTHW3 = torch.from_numpy(np.stack(list(clips)))
    return normalise_clips(batch_NTHW3, recogniser_row(network)).contiguous()


class TrainedRecogniser:
    """A network that says which places a shot shows.

    Attributes:
        card: How it is described.
        network: The network, ready to run.
        weights_hash: Hash of its weights.
        thresholds: From which score on each class is kept, (C,), where its folder says so.
    """

    def __init__(self, folder: Path, *, device: str | None = "cpu") -> None:
        """Load a recogniser from its folder; without a device, to a GPU if there is one.

        Raises:
            EncoderError: The folder does not hold a whole recogniser, or there is no such device.
        """
        self.card = read_recogniser(folder)
        self.thresholds = _read_thresholds(folder, self.card.classes)
        path = folder / WEIGHTS_FILE
        network = load_fitted(path, lambda: build_network(self.card))
        self.network = network.to(find_device(device))
        self.weights_hash = f"sha256:{file_digest(path, 'sha256').hex()[:32]}"

    @property
    def space(self) -> EmbeddingSpace:
        """The space of its features."""
        width = int(self.network.feature_width)  # type: ignore[arg-type]
        return EmbeddingSpace(self.card.name, self.weights_hash, width)

    def features(self, shots: Sequence[ImageArray] | Sequence[FloatArray]) -> FloatArray:
        """Return what goes into the last layer, one row a shot, shape (N, D).

        On a CPU a shot's features are the same to the last digit whatever comes with it.

        Args:
            shots: Clips of uint8 RGB frames (T, H, W, 3) of the card's size; for networks that
                read vectors, those of a shot's frames (T, W), of which the first are read.

        Raises:
            EncoderError: A shot is of another size, has no frame, or gives no finite numbers.
        """
        for index, shot in enumerate(shots):
            self._check(index, shot)
        first = next(self.network.parameters())
        found = encode_batches(
            shots,
            lambda part: self._forward(part).cpu().numpy(),
            batch_size=SHOTS_AT_ONCE[first.device.type],
            width=self.space.width,
        )
        require_finite(found, self.card.name)
        return found

    def scores(self, features: FloatArray) -> FloatArray:
        """Return the score of each class, the sigmoid of its logit, (N, C), from features (N, D).

        A shot's scores are the same to the last digit whatever comes with it.

        Raises:
            EncoderError: The features are of another width.
        """
        width, head = self.space.width, self.network.head
        if features.ndim != 2 or features.shape[1] != width:
            raise EncoderError(
                f"features have shape {features.shape}; {self.card.name} takes (shots, {width})"
            )
        weight, bias = (part.double().cpu().numpy() for part in (head.weight, head.bias))  # type: ignore[union-attr, operator]
        logits = [weight @ feature + bias for feature in features.astype(np.float64)]
        scores = 1 / (1 + np.exp(-np.array(logits).reshape(-1, len(bias)).clip(-700, 700)))
        return scores.astype(np.float32)  # type: ignore[no-any-return]

    def _forward(self, part: Sequence[Any]) -> "Tensor":
        from mastershot.models.recognisers.frame_lstm import pad_frames

        device = next(self.network.parameters()).device
        if self.card.reads_vectors:
            read = [shot[: self.card.max_steps].astype(np.float32) for shot in part]
            inputs: tuple[Tensor, ...] = pad_frames(read)
        else:
            inputs = (clip_batch(part, self.card.network),)
        return self.network.features(*(tensor.to(device) for tensor in inputs))  # type: ignore[no-any-return, operator]

    def _check(self, index: int, shot: Any) -> None:
        card = self.card
        if card.reads_vectors:
            fits = shot.ndim == 2 and shot.shape[1] == card.input_width and len(shot) > 0
            wanted = f"vectors (frames, {card.input_width}), one frame at least"
        else:
            size = (card.frames, card.size_px, card.size_px, 3)
            fits, wanted = shot.dtype == np.uint8 and shot.shape == size, f"clips uint8 {size}"
        if not fits:
            raise EncoderError(
                f"shot {index} is {shot.dtype} of shape {shot.shape}; {card.name} reads {wanted}"
            )


def require_finite(features: FloatArray, name: str) -> None:
    """Raise an `EncoderError` unless a network's features of shots (N, D) are finite numbers."""
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        raise EncoderError(
            f"{name} gives shot {finite.argmin()} features that are not finite numbers; its "
            "weights are damaged"
        )


def build_network(card: RecogniserCard) -> "nn.Module":
    """Return the network of a card with random weights."""
    from mastershot.models.recognisers.build import build_recogniser

    return build_recogniser(
        card.network,
        num_classes=len(card.classes),
        width=card.width,
        depth=card.depth,
        frames=card.frames or None,
        size_px=card.size_px or None,
        input_width=card.input_width or 1,
    )


def find_recogniser(path: str | Path) -> Path:
    """Return the folder of a recogniser: the path itself, that of its run, or that it is a file of.

    Raises:
        SettingError: None of these holds a recogniser.
    """
    folder = find_model_folder(path, CARD_FILE, WEIGHTS_FILE, RUN_FOLDER)
    if folder is not None:
        return folder
    raise SettingError(
        f"{path} holds no recogniser ({CARD_FILE}); it is a recogniser's folder, or the finished "
        "run directory of a recipe that trains one"
    )


def start_from(network: "nn.Module", name: str, path: Path) -> bool:
    """Load a checkpoint that was published elsewhere; return True if its last layer was kept.

    It is not kept where its classes are of another number than the network's.

    Args:
        network: A network of the published size.
        name: Its row of `RECOGNISERS`.
        path: The file: safetensors, or what torch saves.

    Raises:
        EncoderError: The file is damaged, holds more than tensors, or is of another network.
    """
    from mastershot.models.recognisers.published import load_published

    return load_published(network, name, read_weights(path), str(path))


def load_published_recogniser(path: Path, name: str) -> TrainedRecogniser:
    """Return a recogniser whose weights were published elsewhere, for its features.

    Its last layer is left out: it has one class, whose score means nothing.

    Args:
        path: The file: safetensors, or what torch saves.
        name: Its row of `RECOGNISERS`.

    Raises:
        EncoderError: The file is damaged, holds more than tensors, or is of another network.
    """
    import torch

    from mastershot.models.recognisers.build import recogniser_row

    row = recogniser_row(name)
    card = RecogniserCard(path.stem, name, ("0",), 1.0, 1.0, row.frames, row.size_px)
    network = build_network(card)
    start_from(network, name, path)
    with torch.no_grad():
        for parameter in network.head.parameters():  # type: ignore[union-attr]
            parameter.zero_()
    with TemporaryDirectory() as folder:
        write_recogniser(Path(folder), card, network, figures={})
        return TrainedRecogniser(Path(folder))


def read_recogniser(folder: Path) -> RecogniserCard:
    """Return how a recogniser's folder describes it.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or its values do not fit.
    """
    path = folder / CARD_FILE
    return read_card(path, FORMAT, RecogniserCard, what="a recogniser", check=_require_sound)


def _require_sound(card: RecogniserCard) -> None:
    """Raise `ValueError` where what a card says cannot be."""
    check_sizes(card, _LARGEST, least=0)
    for name in ("width", "depth"):
        if not 0 < getattr(card, name) <= 4:
            raise ValueError(f"{name} is {getattr(card, name):g}; it is above 0 and at most 4")
    try:
        needed = ("input_width", "max_steps") if card.reads_vectors else ("frames", "size_px")
    except SettingError as error:
        raise ValueError(str(error)) from error
    for name in needed:
        if not getattr(card, name):
            raise ValueError(f"{name} is 0, and {card.network} needs it")
    if card.encoder and not 0 < card.rate_hz < 1000:
        raise ValueError(f"rate_hz is {card.rate_hz:g}; it is above 0 and below 1000")


def _read_thresholds(folder: Path, classes: Sequence[str]) -> FloatArray | None:
    """Return the threshold of each class, (C,), or None where a folder names none.

    Raises:
        EncoderError: The thresholds are not those of the classes, or not from 0 to 1.
    """
    path = folder / CARD_FILE
    values = read_metadata(path, FORMAT).get("thresholds")
    if values is None:
        return None
    with parsing(path, "does not describe a recogniser"):
        if not isinstance(values, dict) or set(values) != set(classes):
            raise ValueError("thresholds should be a number for each of the classes")
        found = np.array([float(values[name]) for name in classes], np.float32)
        if not ((found >= 0) & (found <= 1)).all():
            raise ValueError("thresholds should be from 0 to 1")
    return found


def write_recogniser(
    folder: Path, card: RecogniserCard, network: "nn.Module", *, figures: Mapping[str, Any]
) -> None:
    """Write a recogniser's folder, with figures such as its mAP as keys of its description.

    The figure ``thresholds``, a score for each class by name, says from which on a label is kept.
    """
    metadata = {"format": FORMAT, **asdict(card), **figures}
    write_model(folder / CARD_FILE, metadata, network.state_dict())
