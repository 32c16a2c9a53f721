"""What tells a shot's scale: a classifier that was trained, or the encoder of labels, in words."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.movie import SCALES
from mastershot.core.protocols import Encoder, ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.frame_classifier import SETTINGS_FILE, FrameClassifier
from mastershot.encoders.image_text import TransformersEncoder
from mastershot.labelling.weak_labels import SCALE_PROMPTS, encode_scales
from mastershot.media.sampling import Sampling

_RUN_FOLDER = "classifier"  # the part of a run's folder that holds what it made


@dataclass(frozen=True)
class LearntScaler:
    """A classifier and the encoder it was taught through.

    Attributes:
        encoder: What sees the frames.
        classifier: What tells the scale from the encoder's vectors.
    """

    encoder: Encoder
    classifier: FrameClassifier

    def made(self) -> Json:
        """Return what a timeline says of it."""
        return {
            "method": "classifier",
            "classifier": self.classifier.settings.name,
            "weights_hash": self.classifier.weights_hash,
            "encoder": self.encoder.space.model,
            "max_steps": self.classifier.settings.max_steps,
        }


@dataclass(frozen=True)
class PromptedScaler:
    """An encoder of frames and words, asked for the scale in words.

    Attributes:
        encoder: What maps frames and words to one space.
        vectors: One unit vector a scale, shape (5, D).
    """

    encoder: ImageTextEncoder
    vectors: FloatArray

    def made(self) -> Json:
        """Return what a timeline says of it."""
        prompts = {scale: list(texts) for scale, texts in SCALE_PROMPTS.items()}
        return {"method": "prompts", "encoder": self.encoder.space.model, "prompts": prompts}


Scaler: TypeAlias = LearntScaler | PromptedScaler


def find_scaler(folder: str | Path | None, encoder: ImageTextEncoder | None) -> Scaler | None:
    """Return what tells scales: the classifier of a folder, else CLIP or SigLIP, else nothing.

    Args:
        folder: A classifier's folder, or that of the run that trained it; None where there is none.
        encoder: The encoder of labels, if there is one.

    Raises:
        SettingError: The folder does not hold a classifier of shot scales.
        EncoderError: The classifier or its encoder cannot be loaded.
    """
    if folder is not None:
        return load_scaler(Path(folder), encoder)
    if isinstance(encoder, TransformersEncoder):
        return PromptedScaler(encoder, encode_scales(encoder))
    return None


def load_scaler(folder: Path, encoder: ImageTextEncoder | None = None) -> LearntScaler:
    """Return a classifier of shot scales with the encoder it was taught through.

    Args:
        folder: As in `find_scaler`.
        encoder: One that is loaded already, used if it is the classifier's.

    Raises:
        SettingError: The folder does not hold a classifier of shot scales.
        EncoderError: The classifier or its encoder cannot be loaded, or the encoder's weights are
            no longer those the classifier was taught on.
    """
    inner = folder / _RUN_FOLDER
    folder = inner if (inner / SETTINGS_FILE).is_file() else folder
    if not (folder / SETTINGS_FILE).is_file():
        raise SettingError(
            f"{folder} holds no classifier of shot scales ({SETTINGS_FILE}); `mastershot run "
            "shot_scale/movieshots` trains one"
        )
    classifier = FrameClassifier(folder)
    said = classifier.settings
    if said.task != "shot_scale" or said.classes != SCALES:
        raise SettingError(
            f"{folder} holds a classifier of {said.task} ({', '.join(said.classes)}), not of shot "
            f"scales ({', '.join(SCALES)})"
        )
    due = (said.encoder_hash, said.width)
    if encoder is not None and (encoder.space.weights_hash, encoder.space.width) == due:
        return LearntScaler(encoder, classifier)
    try:
        # The precision is part of the space: classifiers are taught in float32.
        found = load_frame_encoder(said.encoder, precision="float32")
    except EncoderError as error:
        raise EncoderError(
            f"classifier {folder} looks through an encoder that cannot be loaded: {error}"
        ) from error
    if (found.space.weights_hash, found.space.width) != due:
        raise EncoderError(
            f"classifier {folder} was taught on {said.width}-wide vectors of {said.encoder} with "
            f"other weights than are there now ({found.space.width} wide); train it again"
        )
    return LearntScaler(found, classifier)


def scale_notes(scaler: Scaler | None, sampling: Sampling, *, asked: bool) -> tuple[str, ...]:
    """Return what the user should know of how scales are told.

    Args:
        scaler: What tells them.
        sampling: Which frames of a shot are looked at.
        asked: Whether scales were asked for by name, not just along with everything.
    """
    if scaler is None:
        return (
            "No shot scale: it takes CLIP or SigLIP (--encoder clip), or a trained classifier "
            "(--scale FOLDER)",
        ) * asked
    if isinstance(scaler, PromptedScaler):
        return ()
    rate_hz = scaler.classifier.settings.rate_hz
    if sampling == Sampling("rate", rate_hz):
        return ()
    return (
        f"The classifier of shot scale was taught on {rate_hz:g} frames a second and gets "
        f"{sampling}; --sampling rate:{rate_hz:g} gives it what it knows",
    )
