"""Networks over an encoder's vectors: the encoder they were trained on, sampled as in training."""

from dataclasses import dataclass
from pathlib import Path

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.protocols import Encoder
from mastershot.core.timeline import Json
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.scene_head import CARD_FILE, SceneHead
from mastershot.media.sampling import Sampling
from mastershot.scenes.grouping import COLOR_SPACE, PENALTY

_HEAD_FOLDER = "head"  # the part of a run's folder that holds what it made


@dataclass(frozen=True)
class TrainedScenes:
    """A scene head, and the encoder whose vectors it reads beside or instead of colours.

    Attributes:
        head: Scores the gaps between shots.
        encoder: Maps frames to vectors; None where it reads colours alone.
    """

    head: SceneHead
    encoder: Encoder | None


def load_scene_head(folder: str | Path, encoder: Encoder | None) -> TrainedScenes:
    """Return the scene head of a folder, or of the run that trained it, with what it reads.

    ``encoder`` is that of the analysis, if it has one: the head must have been trained on its
    space, on colours, or on both.

    Raises:
        SettingError: The folder holds no head, or one of another encoder's space.
        EncoderError: The head cannot be loaded.
    """
    folder = scene_head_folder(folder)
    head = SceneHead(folder)
    needed = [space for space in head.card.spaces if space != COLOR_SPACE]
    if not needed:
        return TrainedScenes(head, None)
    if encoder is None or any(space != encoder.space for space in needed):
        here = "there is no encoder here"
        if encoder is not None:
            here = f"the encoder here, {encoder.space.model}, has another space"
        raise SettingError(
            f"scene head {folder} was trained on vectors of "
            f"{' and '.join(space.model for space in needed)}, and {here}; name the encoder, and "
            "the precision, that it was trained on, or train a head on this one"
        )
    return TrainedScenes(head, encoder)


def scene_head_folder(folder: str | Path) -> Path:
    """Return the folder of a scene head, from that folder or that of the run that trained it.

    Raises:
        SettingError: Neither holds a head.
    """
    for place in (Path(folder) / _HEAD_FOLDER, Path(folder)):
        if (place / CARD_FILE).is_file():
            return place
    raise SettingError(
        f"{folder} holds no scene head ({CARD_FILE}); `mastershot run scenes/boundaries` trains one"
    )


def holds_scene_head(folder: Path) -> bool:
    """Return whether `scene_head_folder` finds a head."""
    return any((place / CARD_FILE).is_file() for place in (folder / _HEAD_FOLDER, folder))


def check_scene_head(folder: str | Path | None, steps: tuple[str, ...]) -> None:
    """Raise a `SettingError` where a plan names a scene head and does not find scenes."""
    if folder is not None and "scenes" not in steps:
        raise SettingError(
            f"a scene head is named, {folder}, but the steps are only {', '.join(steps)}; add "
            "scenes"
        )


def scenes_made(trained: TrainedScenes | None, spaces: tuple[EmbeddingSpace, ...]) -> Json:
    """Return what a timeline keeps of how scenes were found, by a head or by grouping."""
    features = [space.model for space in spaces]
    if trained is None:
        return {"method": "sequential grouping", "features": features, "penalty": PENALTY}
    card = trained.head.card
    return {
        "method": "scene head",
        "features": features,
        "head": card.name,
        "weights_hash": trained.head.weights_hash,
        "threshold": card.threshold,
    }


def encoder_trained_on(what: str, space: EmbeddingSpace, given: Encoder | None) -> Encoder:
    """Return the encoder whose vectors a network was trained on: the given one, or by name.

    Args:
        what: The network, for messages.
        space: The space that its description names.
        given: An encoder that is loaded already.

    Raises:
        EncoderError: It cannot be loaded, or its weights are no longer those of the training.
    """
    if given is not None and given.space == space:
        return given
    try:
        # The precision is part of the space: networks are trained on float32.
        found = load_frame_encoder(space.model, precision="float32")
    except EncoderError as error:
        raise EncoderError(f"{what} needs an encoder that cannot be loaded: {error}") from error
    if found.space != space:
        raise EncoderError(
            f"{what} was trained on {space.width}-wide vectors of {space.model} with other weights "
            f"than it has now ({found.space.width} wide); train it again"
        )
    return found


def sampling_notes(what: str, rate_hz: float, sampling: Sampling) -> tuple[str, ...]:
    """Return what the user should know where frames are sampled otherwise than in training."""
    if sampling == Sampling("rate", rate_hz):
        return ()
    return (
        f"The {what} was trained on {rate_hz:g} frames a second and gets {sampling}; "
        f"--sampling rate:{rate_hz:g} samples as in training",
    )
