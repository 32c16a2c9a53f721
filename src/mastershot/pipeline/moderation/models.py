"""Models that users name for moderation: folders of probes and recognisers, and installed ones."""
# S shots, C classes, D width of a frame's vector

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mastershot.core.embeddings import DETECTOR, EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderError
from mastershot.core.protocols import Encoder, ImageTextEncoder
from mastershot.encoders.checkpoint import file_digest
from mastershot.encoders.detectors.installed import InstalledDetector, load_installed
from mastershot.encoders.probe import CARD_FILE as PROBE_FILE
from mastershot.encoders.probe import WEIGHTS_FILE, TrainedProbe, read_probe
from mastershot.encoders.recogniser import CARD_FILE as RECOGNISER_FILE
from mastershot.encoders.recogniser import TrainedRecogniser, read_recogniser
from mastershot.pipeline.analysis.trained import encoder_trained_on

_PARTS = ("", "probe", "recogniser")
"""Where a run keeps what it trained."""


@dataclass(frozen=True)
class ShotModel:
    """A trained network that scores shots by their sampled frames' vectors.

    Attributes:
        name: What its folder calls it.
        classes: Its classes.
        encoder: Maps frames to the vectors that it reads.
        space: The space of its scores.
        most: Most vectors of a shot that it reads.
        scores: Returns the score of each class for each shot, (S, C), from its vectors (T, D).
    """

    name: str
    classes: tuple[str, ...]
    encoder: Encoder
    space: EmbeddingSpace
    most: int
    scores: Callable[[Sequence[FloatArray]], FloatArray]


NamedModel: TypeAlias = ShotModel | InstalledDetector


def load_model(source: str, encoder: ImageTextEncoder | None) -> NamedModel:
    """Return the model of a folder, or the installed detector of that name.

    Args:
        source: The folder of a probe or recogniser, or of the run that trained it; or a name.
        encoder: The encoder of the analysis, whose vectors a probe reads.

    Raises:
        EncoderError: There is no such model, or it cannot be used with these vectors.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return load_installed(source)
    card = _card_in(folder)
    return (_probe if card.name == PROBE_FILE else _recogniser)(card.parent, encoder)


def model_classes(source: str) -> tuple[str, ...]:
    """Return the classes of such a model that a policy may name; no weights are loaded.

    Raises:
        EncoderError: There is no such model.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return counted_classes(load_installed(source).classes)
    card = _card_in(folder)
    read = read_probe if card.name == PROBE_FILE else read_recogniser
    return counted_classes(read(card.parent).classes)


def counted_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Return classes without ``none``, which is their absence."""
    return tuple(name for name in classes if name != "none")


def _card_in(folder: Path) -> Path:
    """Return the file that describes the probe or recogniser of a folder, or of a run's."""
    for part in _PARTS:
        for name in (PROBE_FILE, RECOGNISER_FILE):
            if (folder / part / name).is_file():
                return folder / part / name
    raise EncoderError(
        f"{folder} holds neither a probe ({PROBE_FILE}) nor a recogniser ({RECOGNISER_FILE}); "
        "docs/moderation.md says how to train one"
    )


def _probe(folder: Path, encoder: ImageTextEncoder | None) -> ShotModel:
    probe = TrainedProbe(folder)
    card = probe.card
    if encoder is None or encoder.space.width != card.width:
        given = "there is none" if encoder is None else f"{encoder.space.model} gives "
        given += "" if encoder is None else str(encoder.space.width)
        raise EncoderError(
            f"probe {folder} reads vectors of width {card.width}, and {given}; name with --encoder "
            "the encoder that it was trained on"
        )
    digest = file_digest(folder / WEIGHTS_FILE, "sha256").hex()[:16]
    return ShotModel(
        card.name,
        card.classes,
        encoder,
        _space(card.name, f"{digest}-{encoder.space.key}", len(card.classes)),
        1 << 14 if card.network == "mlp" else card.max_steps,
        probe.scores,
    )


def _recogniser(folder: Path, encoder: ImageTextEncoder | None) -> ShotModel:
    trained = TrainedRecogniser(folder)
    card = trained.card
    if not card.reads_vectors:
        raise EncoderError(
            f"recogniser {folder} ({card.network}) reads clips; moderation takes probes, and "
            "recognisers that read vectors, such as those of recipe movieclip/lstm-vit; one of "
            "clips makes labels (--recogniser)"
        )
    trained_on = EmbeddingSpace(card.encoder, card.encoder_hash, card.input_width)
    found = encoder_trained_on(f"recogniser {folder}", trained_on, encoder)
    digest = trained.weights_hash.removeprefix("sha256:")[:16]
    return ShotModel(
        card.name,
        card.classes,
        found,
        _space(card.name, f"{digest}-{found.space.key}", len(card.classes)),
        card.max_steps,
        lambda shots: trained.scores(trained.features(shots)),
    )


def _space(name: str, digest: str, width: int) -> EmbeddingSpace:
    return EmbeddingSpace(f"{DETECTOR}moderation-model:{name}", f"sha256:{digest}", width)
