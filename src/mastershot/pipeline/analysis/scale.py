"""Scoring shot scales: by a trained classifier, or by the encoder of labels, in words."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import SettingError
from mastershot.core.movie import SCALES, ScaleSource
from mastershot.core.protocols import Encoder, ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.encoders.frame_classifier import SETTINGS_FILE, FrameClassifier
from mastershot.encoders.image_text import TransformersEncoder
from mastershot.labelling.weak_labels import SCALE_PROMPTS, encode_scales
from mastershot.media.sampling import Sampling
from mastershot.pipeline.analysis.trained import encoder_trained_on, sampling_notes

_RUN_FOLDER = "classifier"  # the part of a run's folder that holds what it made


@dataclass(frozen=True)
class TrainedScaler:
    """A classifier and the encoder whose vectors it was trained on.

    Attributes:
        encoder: Maps frames to vectors.
        classifier: Scores the scales from a shot's vectors.
    """

    encoder: Encoder
    classifier: FrameClassifier

    @property
    def source(self) -> ScaleSource:
        """What scales are found by."""
        return "classifier"

    def made(self) -> Json:
        """Return what a timeline keeps of how scales were scored."""
        return {
            "method": "classifier",
            "classifier": self.classifier.settings.name,
            "weights_hash": self.classifier.weights_hash,
            "encoder": self.encoder.space.model,
            "max_steps": self.classifier.settings.max_steps,
        }


@dataclass(frozen=True)
class PromptedScaler:
    """An encoder of frames and words, with a description of each scale in words.

    Attributes:
        encoder: Maps frames and words to one space.
        vectors: One unit vector a scale, shape (5, D).
    """

    encoder: ImageTextEncoder
    vectors: FloatArray

    def made(self) -> Json:
        """Return what a timeline keeps of how scales were scored."""
        prompts = {scale: list(texts) for scale, texts in SCALE_PROMPTS.items()}
        return {"method": "prompts", "encoder": self.encoder.space.model, "prompts": prompts}

    @property
    def source(self) -> ScaleSource:
        """What scales are found by."""
        return "words"


ShotScaler: TypeAlias = TrainedScaler | PromptedScaler


def find_scaler(folder: str | Path | None, encoder: ImageTextEncoder | None) -> ShotScaler | None:
    """Return what scores scales: the classifier of a folder, else CLIP or SigLIP, else None.

    The folder is a classifier's or that of the run that trained it. The encoder of labels is used
    for frames, too, if the classifier was trained on its vectors.

    Raises:
        SettingError: The folder does not hold a classifier of shot scales.
        EncoderError: The classifier or its encoder cannot be loaded, or the encoder's weights are
            no longer those the classifier was trained on.
    """
    if folder is not None:
        return _load_trained(Path(folder), encoder)
    if isinstance(encoder, TransformersEncoder):
        return PromptedScaler(encoder, encode_scales(encoder))
    return None


def _load_trained(folder: Path, encoder: ImageTextEncoder | None) -> TrainedScaler:
    if (folder / _RUN_FOLDER / SETTINGS_FILE).is_file():
        folder /= _RUN_FOLDER
    elif not (folder / SETTINGS_FILE).is_file():
        raise SettingError(
            f"{folder} holds no classifier of shot scales ({SETTINGS_FILE}); `mastershot run "
            "shot_scale/movieshots` trains one"
        )
    classifier = FrameClassifier(folder)
    settings = classifier.settings
    if settings.task != "shot_scale" or settings.classes != SCALES:
        raise SettingError(
            f"{folder} holds a classifier of {settings.task} ({', '.join(settings.classes)}), not "
            f"of shot scales ({', '.join(SCALES)})"
        )
    trained_on = EmbeddingSpace(settings.encoder, settings.encoder_hash, settings.width)
    found = encoder_trained_on(f"classifier {folder}", trained_on, encoder)
    return TrainedScaler(found, classifier)


def scale_notes(scaler: ShotScaler | None, sampling: Sampling, *, asked: bool) -> tuple[str, ...]:
    """Return what the user should know of how scales are scored; ``asked`` for by name, or not."""
    if isinstance(scaler, TrainedScaler):
        rate_hz = scaler.classifier.settings.rate_hz
        return sampling_notes("classifier of shot scale", rate_hz, sampling)
    if scaler is None and asked:
        return (
            "No shot scale: it needs step people, CLIP or SigLIP (--encoder clip), or a trained "
            "classifier (--scale FOLDER)",
        )
    return ()
