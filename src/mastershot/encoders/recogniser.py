"""Trained scene recognisers: what is in their folder, checked before it is used."""
# N shots, T frames of a shot, D width of a feature, C classes

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import (
    file_digest,
    parsing,
    read_metadata,
    read_weights,
    write_model,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT = "mastershot/recogniser/1"
CARD_FILE = "recogniser.json"
WEIGHTS_FILE = "recogniser.safetensors"
_LARGEST = {"frames": 4096, "size_px": 4096, "input_width": 1 << 14, "max_steps": 1 << 14}


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
        encoder: Name or folder of the encoder whose vectors it reads; empty where it reads clips.
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


def clip_batch(clips: Sequence[ImageArray], network: str) -> "Tensor":
    """Return clips of uint8 RGB frames (T, H, W, 3) as a network takes them: (N, 3, T, H, W)."""
    import torch

    from mastershot.models.recognisers.build import recogniser_row

    row = recogniser_row(network)
    batch_NTHW3 = torch.from_numpy(np.stack(clips)).float()
    batch_NTHW3 = (batch_NTHW3 - torch.tensor(row.pixel_mean)) / torch.tensor(row.pixel_std)
    batch = batch_NTHW3.permute(0, 4, 1, 2, 3)
    return batch[:, :, 0] if row.reads == "frames" else batch.contiguous()


class TrainedRecogniser:
    """A network that says which places a shot shows.

    Attributes:
        card: How it is described.
        network: The network, ready to run, on the CPU.
        weights_hash: Hash of its weights.
    """

    def __init__(self, folder: Path) -> None:
        """Load a recogniser from its folder.

        Raises:
            EncoderError: The folder does not hold a whole recogniser.
        """
        import torch

        from mastershot.models.loading import fit_weights

        self.card = read_recogniser(folder)
        path = folder / WEIGHTS_FILE
        weights = read_weights(path)
        # Without memory until its weights are known to fit: a file may claim any size.
        with torch.device("meta"):
            network = build_network(self.card)
        fit_weights(network, weights, path)
        for name, tensor in weights.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise EncoderError(f"{path} holds {name} that is not finite numbers")
        self.network = network.eval().requires_grad_(False)
        self.weights_hash = f"sha256:{file_digest(path, 'sha256').hex()[:32]}"

    @property
    def space(self) -> EmbeddingSpace:
        """The space of its features."""
        width = int(self.network.feature_width)  # type: ignore[arg-type]
        return EmbeddingSpace(self.card.name, self.weights_hash, width)


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


def read_recogniser(folder: Path) -> RecogniserCard:
    """Return how a recogniser's folder describes it.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or its values do not fit.
    """
    path = folder / CARD_FILE
    values = read_metadata(path, FORMAT)
    with parsing(path, "does not describe a recogniser"):
        values["classes"] = [str(name) for name in values["classes"]]
        kinds = get_type_hints(RecogniserCard)
        card = RecogniserCard(
            **{name: (get_origin(kind) or kind)(values[name]) for name, kind in kinds.items()}
        )
        if not card.classes or len(set(card.classes)) < len(card.classes):
            raise ValueError("classes should be one or more, each once")
        for name, largest in _LARGEST.items():
            if not 0 <= getattr(card, name) <= largest:
                raise ValueError(f"{name} is {getattr(card, name)}; it is from 0 to {largest}")
    return card


def write_recogniser(
    folder: Path, card: RecogniserCard, network: "nn.Module", *, figures: Mapping[str, Any]
) -> None:
    """Write a recogniser's folder, with figures such as its mAP as keys of its description."""
    metadata = {"format": FORMAT, **asdict(card), **figures}
    write_model(folder / CARD_FILE, metadata, network.state_dict())
