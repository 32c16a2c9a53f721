"""Trained models of genres: what is in their folder, checked before it is used."""
# B trailers, S sequences, L clips, E experts, G genres, D width of the embedding

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.encoders.checkpoint import (
    check_sizes,
    load_fitted,
    read_card,
    write_model,
)

if TYPE_CHECKING:
    from mastershot.models.genres.network import GenreNetwork

FORMAT = "mastershot/genre-model/1"
CARD_FILE, WEIGHTS_FILE = "genres.json", "genres.safetensors"
_LARGEST = {
    "width": 1 << 13, "clusters": 1 << 10, "clips": 1 << 10, "sequences": 1 << 12,
    "sequence_width": 1 << 14, "bottleneck": 1 << 14,
}  # fmt: skip
_CHOICES = {
    "gating": ("pairs", "mean", "none"),
    "pooling": ("mean", "sum"),
    "joining": ("concat", "sum", "mean"),
}


@dataclass(frozen=True)
class GenreCard:
    """How a model of genres is described in its folder.

    Attributes:
        name: What it is called.
        classes: Its genres in order.
        thresholds: From which score on each genre is given, chosen on the validation split.
        experts: Width of each expert's vectors, by name, in order.
        pieces: How many vectors a clip has at most, of the experts that come in pieces.
        made_by: How the experts' vectors were made, by expert.
        width: Width that experts are brought to.
        clusters: Clusters of NetVLAD.
        gating: ``pairs``, ``mean`` or ``none``.
        pooling: ``mean`` or ``sum``.
        clips: Clips of a sequence.
        sequences: Most sequences of a trailer.
        joining: ``concat``, ``sum`` or ``mean``.
        sequence_width: Width of a sequence's vector.
        bottleneck: Width of a trailer's embedding.
    """

    name: str
    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    experts: dict[str, int]
    pieces: dict[str, int]
    made_by: dict[str, Any]
    width: int
    clusters: int
    gating: str
    pooling: str
    clips: int
    sequences: int
    joining: str
    sequence_width: int
    bottleneck: int


def is_expert_name(name: str) -> bool:
    """Return whether a network can have an expert of this name: letters, digits, _ and -."""
    return re.fullmatch(r"[\w-]{1,100}", name) is not None


def build_genre_network(card: GenreCard, *, dropout: float = 0.0) -> "GenreNetwork":
    """Return the network of a card with random weights."""
    from mastershot.models.genres.gating import ClipEncoder
    from mastershot.models.genres.network import GenreNetwork

    clips = ClipEncoder(
        card.experts,
        card.width,
        in_pieces=dict.fromkeys(card.pieces, card.clusters),
        gating=card.gating,  # type: ignore[arg-type]
        pooling=card.pooling,  # type: ignore[arg-type]
    )
    return GenreNetwork(
        clips,
        len(card.classes),
        clips_a_sequence=card.clips,
        sequences=card.sequences,
        joining=card.joining,  # type: ignore[arg-type]
        sequence_width=card.sequence_width,
        bottleneck=card.bottleneck,
        dropout=dropout,
    )


def load_genre_model(folder: Path) -> "tuple[GenreCard, GenreNetwork]":
    """Return a model's card and its network, ready to run.

    Raises:
        EncoderError: The folder does not hold a whole model.
    """
    card = read_genre_card(folder)
    return card, load_fitted(folder / WEIGHTS_FILE, lambda: build_genre_network(card))


def read_genre_card(folder: Path) -> GenreCard:
    """Return how a model's folder describes it.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or its values do not fit.
    """
    path = folder / CARD_FILE
    return read_card(path, FORMAT, GenreCard, what="a model of genres", check=_require_sound)


def _require_sound(card: GenreCard) -> None:
    """Raise `ValueError` where what a card says cannot be."""
    check_sizes(card, _LARGEST)
    for name, choices in _CHOICES.items():
        if getattr(card, name) not in choices:
            raise ValueError(f"{name} is {getattr(card, name)!r}, none of {', '.join(choices)}")
    if len(card.thresholds) != len(card.classes):
        raise ValueError(f"{len(card.thresholds)} thresholds for {len(card.classes)} genres")
    if not card.experts or not set(card.pieces) <= set(card.experts):
        raise ValueError("experts is empty, or pieces names one that it does not")
    for name, width in card.experts.items():
        if not is_expert_name(name) or not 1 <= width <= 1 << 16:
            raise ValueError(f"expert {name!r} has width {width}")


def write_genre_model(
    folder: Path, card: GenreCard, network: "GenreNetwork", *, figures: Mapping[str, Any]
) -> None:
    """Write a model's folder, with figures such as its F1 as keys of its description."""
    metadata = {"format": FORMAT, **asdict(card), **figures}
    write_model(folder / CARD_FILE, metadata, network.state_dict())
