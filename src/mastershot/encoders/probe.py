"""Probes of videos' features: what is in their folder, checked before it is used."""
# N videos, R vectors of a video, D width of a vector, C classes

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import (
    check_sizes,
    load_fitted,
    read_card,
    write_model,
)
from mastershot.encoders.precision import encode_batches

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT = "mastershot/probe/1"
CARD_FILE = "probe.json"
WEIGHTS_FILE = "probe.safetensors"
NETWORKS = ("mlp", "lstm", "bilstm")
_LARGEST = {"width": 1 << 14, "hidden": 1 << 14, "layers": 16, "max_steps": 1 << 14}
_VIDEOS_AT_ONCE = 256


@dataclass(frozen=True)
class ProbeCard:
    """How a probe is described in its folder.

    Attributes:
        name: What it is called.
        network: ``mlp`` reads the mean of a video's vectors; ``lstm`` and ``bilstm`` read them in
            order.
        classes: Its classes in order.
        width: Width D of the vectors.
        hidden: Width of its hidden layers.
        layers: Layers of an LSTM.
        dropout: Share of the first hidden layer that ``mlp`` leaves out in training.
        max_steps: Most vectors of a video that an LSTM reads; later ones are ignored.
    """

    name: str
    network: str
    classes: tuple[str, ...]
    width: int
    hidden: int
    layers: int
    dropout: float
    max_steps: int


class TrainedProbe:
    """A probe, ready to run."""

    def __init__(self, folder: Path) -> None:
        """Load a probe from its folder.

        Raises:
            EncoderError: The folder does not hold a whole probe.
        """
        self.card = read_probe(folder)
        self._network = load_fitted(folder / WEIGHTS_FILE, lambda: build_probe(self.card))

    def scores(self, videos: Sequence[FloatArray]) -> FloatArray:
        """Return each class's score for each video, (N, C) in [0, 1], from its vectors (R, D).

        Raises:
            EncoderError: A video has no vector, or vectors of another width.
        """
        for index, video in enumerate(videos):
            if video.ndim != 2 or not len(video) or video.shape[1] != self.card.width:
                raise EncoderError(
                    f"video {index} has vectors of shape {video.shape}; the probe "
                    f"{self.card.name} takes one or more of {self.card.width}"
                )
        return probe_scores(self._network, self.card, videos)


def build_probe(card: ProbeCard) -> "nn.Module":
    """Return the network of a card with random weights."""
    from mastershot.models.recognisers.frame_lstm import FrameLSTM
    from mastershot.models.video_probe import VideoProbe

    num_classes = len(card.classes)
    if card.network == "mlp":
        return VideoProbe(card.width, num_classes, hidden=card.hidden, dropout=card.dropout)
    return FrameLSTM(
        card.width,
        num_classes,
        hidden=card.hidden,
        layers=card.layers,
        both_directions=card.network == "bilstm",
        normed=True,
    )


def probe_inputs(card: ProbeCard, videos: Sequence[FloatArray]) -> "tuple[Tensor, ...]":
    """Return what a card's network takes of the vectors (R, D) of each video."""
    import torch

    from mastershot.models.recognisers.frame_lstm import pad_frames

    if card.network == "mlp":
        means = [video.mean(axis=0, dtype=np.float64) for video in videos]
        return (torch.from_numpy(np.stack(means).astype(np.float32)),)
    return pad_frames([video[: card.max_steps] for video in videos])


def probe_scores(network: "nn.Module", card: ProbeCard, videos: Sequence[FloatArray]) -> FloatArray:
    """Return the sigmoid of a card's network's logits, shape (N, C), on the network's device."""
    device = next(network.parameters()).device
    was_training = network.training

    def score(part: Sequence[FloatArray]) -> FloatArray:
        logits = network(*(tensor.to(device) for tensor in probe_inputs(card, part)))
        scores: FloatArray = logits.float().sigmoid().cpu().numpy()
        return scores

    try:
        network.eval()
        return encode_batches(videos, score, batch_size=_VIDEOS_AT_ONCE, width=len(card.classes))
    finally:
        network.train(was_training)


def read_probe(folder: Path) -> ProbeCard:
    """Return how a probe's folder describes it.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or its values do not fit.
    """
    path = folder / CARD_FILE
    return read_card(path, FORMAT, ProbeCard, what="a probe", check=_require_sound)


def _require_sound(card: ProbeCard) -> None:
    """Raise `ValueError` where what a card says cannot be."""
    if card.network not in NETWORKS:
        raise ValueError(f"network is {card.network!r}, none of {', '.join(NETWORKS)}")
    check_sizes(card, _LARGEST)
    if not 0 <= card.dropout < 1:
        raise ValueError(f"dropout is {card.dropout:g}; it is from 0 to below 1")


def write_probe(
    folder: Path, card: ProbeCard, network: "nn.Module", *, figures: Mapping[str, Any]
) -> None:
    """Write a probe's folder, with figures such as its mAP as keys of its description."""
    metadata = {"format": FORMAT, **asdict(card), **figures}
    write_model(folder / CARD_FILE, metadata, network.state_dict())
