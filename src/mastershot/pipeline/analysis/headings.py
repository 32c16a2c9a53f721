"""Settings and times of day of shots and scenes, and the headings of scenes."""
# S shots, P places, D width of a space

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.movie import Scene, Shot
from mastershot.core.protocols import FeatureStore, ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.encoders.image_text import TransformersEncoder
from mastershot.labelling.perception.headings import heading_of
from mastershot.labelling.perception.light import LIGHT_SPACE
from mastershot.labelling.perception.setting import (
    INDOOR_WEIGHTS,
    LABELS_TABLE,
    NIGHT_WEIGHTS,
    SETTING_PROMPTS,
    SETTING_RULE,
    TIME_PROMPTS,
    encode_places,
    indoor_logits,
    indoor_probabilities,
    is_outdoors,
    load_places,
    night_probabilities,
    not_contradicting,
    prompted_probabilities,
    scene_setting,
    setting_of,
    time_of_day_of,
)
from mastershot.labelling.weak_labels import clip_scene_scores, encode_prompts
from mastershot.pipeline.analysis.stored import mean_of_shots


@dataclass(frozen=True)
class PlaceSettings:
    """Finds whether shots are inside or outside by the places they may show, and when by light.

    Attributes:
        encoder: Maps frames and words to one space.
    """

    encoder: ImageTextEncoder

    @cached_property
    def place_vectors(self) -> FloatArray:
        """One unit vector a place of Places365, (P, D); encoded on first use."""
        return encode_places(self.encoder, load_places())

    def made(self) -> Json:
        """Return what a timeline keeps of how settings were found."""
        return {
            "encoder": self.encoder.space.model,
            "indoors": INDOOR_WEIGHTS,
            "night": NIGHT_WEIGHTS,
            "sure": asdict(SETTING_RULE),
            "unsure_against": LABELS_TABLE,
        }

    def probabilities(
        self, shots: tuple[Shot, ...], light: FloatArray, store: FeatureStore
    ) -> tuple[FloatArray, FloatArray]:
        """Return how likely each shot is indoors, and at night, (S,) each, by stored vectors."""
        logits = partial(
            _mean_logit,
            place_vectors=self.place_vectors,
            is_indoor=load_places().is_indoor,
            logit_scale=self.encoder.logit_scale,
        )
        places = mean_of_shots(shots, self.encoder.space, store, logits)
        return indoor_probabilities(places, light), night_probabilities(light)


@dataclass(frozen=True)
class PromptedSettings:
    """Finds them by prompts, scored like labels.

    Attributes:
        encoder: CLIP or SigLIP.
    """

    encoder: ImageTextEncoder

    @cached_property
    def prompt_vectors(self) -> FloatArray:
        """One unit vector a setting, then one a time of day, (4, D); encoded on first use."""
        prompts = [*SETTING_PROMPTS.values(), *TIME_PROMPTS.values()]
        return encode_prompts(self.encoder, prompts)

    def made(self) -> Json:
        """Return what a timeline keeps of how settings were found."""
        prompts = {name: list(texts) for name, texts in (SETTING_PROMPTS | TIME_PROMPTS).items()}
        return {
            "encoder": self.encoder.space.model,
            "prompts": prompts,
            "sure": asdict(SETTING_RULE),
            "unsure_against": LABELS_TABLE,
        }

    def probabilities(
        self, shots: tuple[Shot, ...], light: FloatArray, store: FeatureStore
    ) -> tuple[FloatArray, FloatArray]:
        """Return how likely each shot is indoors, and at night, (S,) each, by stored vectors."""
        scale = self.encoder.logit_scale
        settings, times = np.split(self.prompt_vectors, 2)

        def both(frames: FloatArray) -> FloatArray:
            found = (clip_scene_scores(frames, words, scale) for words in (settings, times))
            return np.concatenate(list(found))

        scores = mean_of_shots(shots, self.encoder.space, store, both)
        indoors, nights = (prompted_probabilities(part, light) for part in np.split(scores, 2, 1))
        return indoors, nights


SettingFinder: TypeAlias = PlaceSettings | PromptedSettings


def find_settings(encoder: ImageTextEncoder) -> SettingFinder:
    """Return what finds settings: prompts where the encoder is CLIP or SigLIP, else places."""
    prompted = isinstance(encoder, TransformersEncoder)
    return PromptedSettings(encoder) if prompted else PlaceSettings(encoder)


def with_settings(
    shots: tuple[Shot, ...],
    scenes: tuple[Scene, ...] | None,
    finder: SettingFinder,
    store: FeatureStore,
) -> tuple[tuple[Shot, ...], tuple[Scene, ...] | None]:
    """Return shots and scenes with their settings and times of day, scenes with headings."""
    light = mean_of_shots(shots, LIGHT_SPACE, store, lambda part: part.mean(axis=0))
    indoors, nights = finder.probabilities(shots, light, store)
    found = []
    for shot, indoor, night in zip(shots, indoors.tolist(), nights.tolist(), strict=True):
        setting = not_contradicting(setting_of(indoor), shot.labels)
        time_of_day = time_of_day_of(night, outdoors=is_outdoors(setting))
        found.append(replace(shot, setting=setting, time_of_day=time_of_day))
    if scenes is None:
        return tuple(found), None
    return tuple(found), tuple(_with_heading(scene, found, indoors, nights) for scene in scenes)


def _mean_logit(
    frames: FloatArray, *, place_vectors: FloatArray, is_indoor: FloatArray, logit_scale: float
) -> FloatArray:
    logits = indoor_logits(frames, place_vectors, is_indoor, logit_scale)
    mean: FloatArray = logits.mean(axis=0)
    return mean


def _with_heading(
    scene: Scene, shots: Sequence[Shot], indoors: FloatArray, nights: FloatArray
) -> Scene:
    """Return a scene with its setting, time of day and heading.

    What is lit by the sky tells the time: shots that are surely outdoors, if there are any.
    """
    own = range(scene.first_shot, scene.end_shot)
    settings = [setting for row in own if (setting := shots[row].setting) is not None]
    setting = scene_setting(settings, float(indoors[own].mean()))
    setting = not_contradicting(setting, scene.labels)
    outdoors = [row for row in own if is_outdoors(shots[row].setting)]
    night = float(nights[outdoors or own].mean())
    time_of_day = time_of_day_of(night, outdoors=bool(outdoors))
    heading = heading_of(setting, scene.labels, time_of_day)
    return replace(scene, setting=setting, time_of_day=time_of_day, heading=heading)
