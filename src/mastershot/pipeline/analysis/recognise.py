"""Labels by a trained recogniser: what it reads of a film, and its scores on shots."""
# S shots, C classes

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import RECOGNISER, EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import Shot
from mastershot.core.protocols import Encoder, FeatureStore
from mastershot.core.timeline import Json, MadeBy
from mastershot.encoders.recogniser import TrainedRecogniser, find_recogniser
from mastershot.media.sampling import Sampling
from mastershot.pipeline.analysis.stored import first_vectors, middle_frames
from mastershot.pipeline.analysis.trained import encoder_trained_on, sampling_notes


def check_recogniser(
    recogniser: str | Path | None,
    share: float | None,
    *,
    steps: tuple[str, ...],
    taxonomy: str | None,
) -> None:
    """Raise a `SettingError` unless a plan's recogniser, share, steps and named taxonomy agree."""
    if recogniser is None:
        if share is not None:
            raise SettingError(
                f"a recogniser's share is {share:g}, but no recogniser is named; add one"
            )
        return
    if "labels" not in steps:
        raise SettingError(
            f"a recogniser is named, {recogniser}, but the steps are only {', '.join(steps)}; add "
            "labels"
        )
    if share is not None and not 0 < share < 1:
        raise SettingError(
            f"a recogniser's share of {share:g} means nothing; it is above 0 and below 1"
        )
    if share is None and taxonomy is not None:
        raise SettingError(
            f"taxonomy {taxonomy} is named, but the labels are the classes of recogniser "
            f"{recogniser}; give the recogniser a share, to use both, or leave out one"
        )


@dataclass(frozen=True)
class ShotRecogniser:
    """A trained recogniser and its share in the scores of labels.

    Attributes:
        trained: The recogniser.
        encoder: Maps frames to the vectors that it reads; None where it reads clips.
        share: Its share, above 0; below 1, the rest is that of the labels by words.
    """

    trained: TrainedRecogniser
    encoder: Encoder | None = None
    share: float = 1.0

    @property
    def taxonomy(self) -> Taxonomy:
        """Its classes."""
        return Taxonomy(self.trained.card.name, self.trained.card.classes)

    @property
    def thresholds(self) -> FloatArray | None:
        """From which score on each class is kept, (C,), where it alone makes the scores."""
        return self.trained.thresholds if self.share == 1 else None

    def space(self, made: MadeBy) -> EmbeddingSpace:
        """Return the space of its features of the shots that were found in this way.

        Features are those of whole shots, so films whose frames were read or sampled otherwise, or
        whose shots were found otherwise, have another space; so have other sizes that it reads.
        """
        card = self.trained.card
        reads = [card.network, card.frames, card.size_px, card.max_steps, card.encoder_hash]
        sampling = {"sampling": made.steps.get("frames", {}).get("sampling")}
        return space_of_shots(
            self.trained.space, reads, made, *(() if self.encoder is None else (sampling,))
        )

    def clip_space(self, made: MadeBy) -> EmbeddingSpace | None:
        """Return the space of its features if they are made of clips, while a film is decoded."""
        return self.space(made) if self.encoder is None else None

    def scores(self, shots: tuple[Shot, ...], made: MadeBy, store: FeatureStore) -> FloatArray:
        """Return the score of each class on each shot, shape (S, C), from what is stored."""
        return self.trained.scores(self.features(shots, made, store))

    def features(self, shots: tuple[Shot, ...], made: MadeBy, store: FeatureStore) -> FloatArray:
        """Return its features of each shot, shape (S, D), from what is stored."""
        if self.encoder is None:
            return store.get(self.space(made), middle_frames(shots)).vectors
        most = self.trained.card.max_steps
        parts = first_vectors(shots, self.encoder.space, most, store)
        return np.concatenate([self.trained.features(part) for part in parts])

    def made(self) -> Json:
        """Return what a timeline keeps of how it scored."""
        card = self.trained.card
        reads: Json = {"frames": card.frames, "size_px": card.size_px}
        if self.encoder is not None:
            reads = {"encoder": card.encoder, "max_steps": card.max_steps}
        kept = {}
        if self.thresholds is not None:
            kept["thresholds"] = hashlib.sha256(self.thresholds.tobytes()).hexdigest()[:16]
        return {
            "name": card.name,
            "network": card.network,
            "weights_hash": self.trained.weights_hash,
            "classes_fingerprint": self.taxonomy.fingerprint,
            **reads,
            **kept,
        }


def space_of_shots(
    plain: EmbeddingSpace, reads: list[Any], made: MadeBy, *more: Any
) -> EmbeddingSpace:
    """Return the space of a network's features of the shots that were found in this way.

    Args:
        plain: The space of the network's features, whatever it is shown.
        reads: What it reads of a shot.
        made: How the film was read, and its shots were found.
        more: What else features rest on.
    """
    rests_on = [
        plain.weights_hash,
        reads,
        made.steps.get("reading"),
        made.steps.get("shots"),
        *more,
    ]
    digest = hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()[:32]
    return EmbeddingSpace(f"{RECOGNISER}{plain.model}", f"sha256:{digest}", plain.width)


def load_shot_recogniser(
    path: str | Path, encoder: Encoder | None = None, share: float = 1.0
) -> ShotRecogniser:
    """Return the recogniser of a folder, or of the run that trained it, ready for shots.

    Args:
        path: The folder.
        encoder: An encoder that is loaded already.
        share: Its share in the scores of labels.

    Raises:
        SettingError: The folder does not hold a recogniser.
        EncoderError: The recogniser or its encoder cannot be loaded.
    """
    folder = find_recogniser(path)
    trained = TrainedRecogniser(folder, device=None)
    card = trained.card
    if not card.reads_vectors:
        return ShotRecogniser(trained, None, share)
    if not card.encoder:
        raise EncoderError(
            f"recogniser {folder} was trained on vectors of which its description does not name "
            "the encoder, so it cannot be used on films"
        )
    trained_on = EmbeddingSpace(card.encoder, card.encoder_hash, card.input_width)
    found = encoder_trained_on(f"recogniser {folder}", trained_on, encoder)
    return ShotRecogniser(trained, found, share)


def recogniser_notes(recogniser: ShotRecogniser, sampling: Sampling) -> tuple[str, ...]:
    """Return what the user should know of how a recogniser is used."""
    if recogniser.encoder is None:
        return ()
    return sampling_notes("recogniser", recogniser.trained.card.rate_hz, sampling)
