"""Trained models of genres: what is in their folder, checked before it is used."""
# N clips, E experts, P pieces, G genres, D width

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.encoders.checkpoint import (
    check_sizes,
    file_digest,
    find_model_folder,
    load_fitted,
    read_card,
    write_model,
    write_tensors,
)

if TYPE_CHECKING:
    from mastershot.models.genres.network import GenreNetwork

FORMAT = "mastershot/genre-model/2"
CARD_FILE, WEIGHTS_FILE, FINE_FILE = "genres.json", "genres.safetensors", "fine.safetensors"
"""The weights that name genres, by which thresholds were chosen, and those after the fine stage,
whose embeddings sub-genres are found in; where the stage was left out there are none."""
RUN_FOLDER = "model"
"""The folder of a run directory that holds its model."""
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
        shots: How clips, which are shots, were found; empty where that is not known.
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
    shots: dict[str, Any]
    width: int
    clusters: int
    gating: str
    pooling: str
    clips: int
    sequences: int
    joining: str
    sequence_width: int
    bottleneck: int


@dataclass(frozen=True, eq=False)
class GenreOutputs:
    """What a model makes of one trailer or film.

    Attributes:
        scores: Probability of each genre, (G,).
        opened: How far each expert's gate was open, (E,), in [0, 1]; 0 where it says nothing.
        embedding: The bottleneck after the fine stage, where there was one, (D,).
    """

    scores: FloatArray
    opened: FloatArray
    embedding: FloatArray


class TrainedGenres:
    """A trained model of genres, ready to be used on the CPU.

    Attributes:
        folder: Where it lies.
        card: How it is described.
        weights_hash: Digest of all its weights.
    """

    def __init__(self, folder: Path) -> None:
        """Load it.

        Raises:
            EncoderError: The folder does not hold a whole model.
        """
        self.folder = folder
        self.card, self._network = load_genre_model(folder)
        self._fine = load_fine_network(folder, self.card)
        paths = [folder / name for name in (WEIGHTS_FILE, FINE_FILE)]
        digests = [file_digest(path) for path in paths if path.exists()]
        self.weights_hash = f"blake2b:{blake2b(b''.join(digests), digest_size=16).hexdigest()}"

    @property
    def has_gates(self) -> bool:
        """Whether experts weigh each other; without gates all that have something to say are 1."""
        return self._network.clips.gating is not None

    def shape(self, expert: str) -> tuple[int, ...]:
        """Return the shape of a clip's row of an expert: (D,), or (P, D) in pieces."""
        width, pieces = self.card.experts[expert], self.card.pieces.get(expert, 0)
        return (pieces, width) if pieces else (width,)

    def clips_seen(self, num_clips: int) -> IntArray:
        """Return which clips it sees of a film of so many, ascending."""
        from mastershot.models.genres.sequences import clips_seen

        return clips_seen(num_clips, length=self.card.clips, sequences=self.card.sequences)

    def outputs(self, vectors: Mapping[str, FloatArray]) -> GenreOutputs:
        """Return what it makes of a film by the vectors of the clips that it sees.

        Args:
            vectors: By expert, (N, D) or (N, P, D) in pieces; NaN where one has nothing to say.
        """
        import torch

        from mastershot.models.genres.sequences import in_sequences

        shapes = {name: self.shape(name) for name in self.card.experts}
        batch, present = in_sequences([vectors], shapes, self.card.clips)
        with torch.inference_mode():
            made = self._network(batch, present)
            fine = made if self._fine is None else self._fine(batch, present)
            found = (made.logits.sigmoid(), made.opened, fine.bottleneck)
            return GenreOutputs(*(one[0].float().numpy() for one in found))


def find_genre_model(path: str | Path) -> Path:
    """Return the folder of a model of genres: the path itself, that of its run, or of its card.

    Raises:
        SettingError: None of these holds one.
    """
    folder = find_model_folder(path, CARD_FILE, WEIGHTS_FILE, RUN_FOLDER)
    if folder is not None:
        return folder
    raise SettingError(
        f"{path} holds no model of genres ({CARD_FILE}); it is the finished run directory of "
        f"`mastershot run genres/…`, or the folder {RUN_FOLDER} in it"
    )


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
    """Return a model's card and the network that names genres, ready to run.

    Raises:
        EncoderError: The folder does not hold a whole model.
    """
    card = read_genre_card(folder)
    return card, load_fitted(folder / WEIGHTS_FILE, lambda: build_genre_network(card))


def load_fine_network(folder: Path, card: GenreCard) -> "GenreNetwork | None":
    """Return the network after the fine stage; None where the stage was left out.

    Raises:
        EncoderError: Its weights are damaged.
    """
    path = folder / FINE_FILE
    return load_fitted(path, lambda: build_genre_network(card)) if path.exists() else None


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
    folder: Path,
    card: GenreCard,
    network: "GenreNetwork",
    *,
    fine: "GenreNetwork | None" = None,
    figures: Mapping[str, Any],
) -> None:
    """Write a model's folder, with figures such as its F1 as keys of its description.

    Args:
        folder: Where it goes.
        card: Its description.
        network: The network that names genres.
        fine: The one after the fine stage, if there was one.
        figures: What else is to be known of it.
    """
    metadata = {"format": FORMAT, **asdict(card), **figures}
    write_model(folder / CARD_FILE, metadata, network.state_dict())
    if fine is not None:
        write_tensors(folder / FINE_FILE, fine.state_dict())
