"""Scene heads: a network that finds scenes in shots' features, and what is in its folder."""
# S shots, N shots of a window, K spaces, D width of all spaces together

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, FloatArray, IntArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import (
    check_sizes,
    file_digest,
    load_fitted,
    read_card,
    write_model,
)
from mastershot.encoders.precision import encode_batches

if TYPE_CHECKING:
    from mastershot.models.video_probe import BoundaryProbe

FORMAT = "mastershot/scene-head/1"
CARD_FILE = "scene_head.json"
WEIGHTS_FILE = "scene_head.safetensors"
CLASSES = ("scene boundary",)
WINDOW_SHOTS = 4
"""Shots that decide whether a scene ends in their middle (METHODS B6)."""

_LARGEST = {"hidden": 1 << 14}
_MAX_WIDTH = 1 << 14
_GAPS_AT_ONCE = 1024


@dataclass(frozen=True)
class SceneHeadCard:
    """How a scene head is described in its folder.

    Attributes:
        name: What it is called.
        classes: `CLASSES`.
        encoders: The encoder of each of its K spaces, in the order of the features.
        space_hashes: The hash of each space.
        widths: The width of each space.
        hidden: Width of its hidden layers.
        dropout: Share of the hidden layers that is left out in training.
        threshold: Score from which on a gap is a boundary.
    """

    name: str
    classes: tuple[str, ...]
    encoders: tuple[str, ...]
    space_hashes: tuple[str, ...]
    widths: tuple[int, ...]
    hidden: int
    dropout: float
    threshold: float

    @property
    def spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces of the features, in order."""
        columns = zip(self.encoders, self.space_hashes, self.widths, strict=True)
        return tuple(EmbeddingSpace(*column) for column in columns)


class SceneHead:
    """A scene head, ready to run.

    Attributes:
        card: How its folder describes it.
        weights_hash: Digest of its weights.
    """

    def __init__(self, folder: Path) -> None:
        """Load a head from its folder.

        Raises:
            EncoderError: The folder does not hold a whole head.
        """
        self.card = read_scene_head(folder)
        path = folder / WEIGHTS_FILE
        self._network = load_fitted(path, lambda: build_scene_head(self.card))
        self.weights_hash = f"sha256:{file_digest(path, 'sha256').hex()[:32]}"

    def scores(self, features: FloatArray) -> FloatArray:
        """Return for each gap between shots how likely a scene ends there, (S - 1,), in [0, 1].

        A film of one shot has no gap. Windows that reach over an end of the film repeat its first
        or last shot, so that a film of fewer than four shots is scored, too.

        Args:
            features: Each shot's vectors in the head's spaces, side by side, shape (S, D).

        Raises:
            EncoderError: The features are of another width.
        """
        if features.ndim != 2 or features.shape[1] != sum(self.card.widths):
            raise EncoderError(
                f"shots have features of shape {features.shape}; the scene head {self.card.name} "
                f"takes (shots, {sum(self.card.widths)})"
            )
        return boundary_scores(self._network, unit_features(features, self.card.widths))

    def first_shots(self, features: FloatArray) -> list[int]:
        """Return the first shot of each scene, ascending, beginning with 0; see `scores`."""
        is_boundary = self.scores(features) >= np.float32(self.card.threshold)
        return [0, *(np.flatnonzero(is_boundary) + 1).tolist()]


def windows_of_gaps(num_shots: int) -> IntArray:
    """Return the shots of each gap's window, shape (S - 1, N), the gap in the middle."""
    before = np.arange(num_shots - 1)[:, None] - (WINDOW_SHOTS // 2 - 1)
    windows: IntArray = np.clip(before + np.arange(WINDOW_SHOTS), 0, num_shots - 1)
    return windows


def unit_features(features: FloatArray, widths: Sequence[int]) -> FloatArray:
    """Return each shot's features with unit length in each space, shape (S, D); zeros stay."""
    parts = []
    for part in np.split(features.astype(np.float32), np.cumsum(widths)[:-1], axis=1):
        lengths = np.linalg.norm(part, axis=1, keepdims=True)
        parts.append(part / np.where(lengths > 0, lengths, 1))
    return np.hstack(parts)


def boundary_scores(network: "BoundaryProbe", features: FloatArray) -> FloatArray:
    """Return the sigmoid of a network's logit for each gap of a film, shape (S - 1,).

    ``features`` are of unit length in each space, (S, D); the network's device computes.
    """
    import torch

    device, was_training = network.mean.device, network.training
    shots = torch.from_numpy(features).to(device)

    def score(windows: Sequence[IntArray]) -> FloatArray:
        logits = network(shots[torch.from_numpy(np.stack(windows)).to(device)])
        scores: FloatArray = logits.float().sigmoid().cpu().numpy()[:, None]
        return scores

    try:
        network.eval()
        windows = list(windows_of_gaps(len(features)))
        return encode_batches(windows, score, batch_size=_GAPS_AT_ONCE, width=1)[:, 0]
    finally:
        network.train(was_training)


def build_scene_head(card: SceneHeadCard) -> "BoundaryProbe":
    """Return the network of a card with random weights."""
    from mastershot.models.video_probe import BoundaryProbe

    return BoundaryProbe(
        sum(card.widths), num_shots=WINDOW_SHOTS, hidden=card.hidden, dropout=card.dropout
    )


def read_scene_head(folder: Path) -> SceneHeadCard:
    """Return how a head's folder describes it.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or its values do not fit.
    """
    path = folder / CARD_FILE
    return read_card(path, FORMAT, SceneHeadCard, what="a scene head", check=_require_sound)


def _require_sound(card: SceneHeadCard) -> None:
    """Raise `ValueError` where what a card says cannot be."""
    check_sizes(card, _LARGEST)
    if card.classes != CLASSES:
        raise ValueError(f"classes are {', '.join(card.classes)}, not {', '.join(CLASSES)}")
    columns = (card.encoders, card.space_hashes, card.widths)
    if not card.widths or len(set(map(len, columns))) > 1:
        raise ValueError("encoders, space_hashes and widths should be as many, one or more")
    if any(type(text) is not str for text in (*card.encoders, *card.space_hashes)):
        raise ValueError("encoders and space_hashes should be text")
    if any(type(width) is not int or not 0 < width <= _MAX_WIDTH for width in card.widths):
        raise ValueError(f"widths are {list(card.widths)}; each is from 1 to {_MAX_WIDTH}")
    if not 0 <= card.dropout < 1:
        raise ValueError(f"dropout is {card.dropout:g}; it is from 0 to below 1")
    if not 0 <= card.threshold <= 1:
        raise ValueError(f"threshold is {card.threshold:g}; it is from 0 to 1")


def write_scene_head(
    folder: Path, card: SceneHeadCard, network: "BoundaryProbe", *, figures: Mapping[str, Any]
) -> None:
    """Write a head's folder, with figures such as its AP as keys of its description."""
    metadata = {"format": FORMAT, **asdict(card), **figures}
    write_model(folder / CARD_FILE, metadata, network.state_dict())
