"""Settings and times of day of shots and scenes, and the headings of scenes."""
# S shots, P places, D width of a space

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial

from mastershot.core.embeddings import FloatArray
from mastershot.core.movie import Scene, Shot
from mastershot.core.protocols import FeatureStore, ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.labelling.perception.headings import heading_of
from mastershot.labelling.perception.light import LIGHT_SPACE
from mastershot.labelling.perception.setting import (
    INDOOR_WEIGHTS,
    NIGHT_WEIGHTS,
    SETTING_RULE,
    encode_places,
    indoor_logits,
    indoor_probabilities,
    is_outdoors,
    load_places,
    night_probabilities,
    scene_setting,
    setting_of,
    time_of_day_of,
)
from mastershot.pipeline.analysis.stored import mean_of_shots


@dataclass(frozen=True)
class SettingFinder:
    """Finds whether shots are inside or outside, and when, by stored vectors alone.

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
        }


def with_settings(
    shots: tuple[Shot, ...],
    scenes: tuple[Scene, ...] | None,
    finder: SettingFinder,
    store: FeatureStore,
) -> tuple[tuple[Shot, ...], tuple[Scene, ...] | None]:
    """Return shots and scenes with their settings and times of day, scenes with headings."""
    logits = partial(
        _mean_logit,
        place_vectors=finder.place_vectors,
        is_indoor=load_places().is_indoor,
        logit_scale=finder.encoder.logit_scale,
    )
    light = mean_of_shots(shots, LIGHT_SPACE, store, lambda part: part.mean(axis=0))
    places = mean_of_shots(shots, finder.encoder.space, store, logits)
    indoors, nights = indoor_probabilities(places, light), night_probabilities(light)
    found = []
    for shot, indoor, night in zip(shots, indoors.tolist(), nights.tolist(), strict=True):
        setting = setting_of(indoor)
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
    outdoors = [row for row in own if is_outdoors(shots[row].setting)]
    night = float(nights[outdoors or own].mean())
    time_of_day = time_of_day_of(night, outdoors=bool(outdoors))
    heading = heading_of(setting, scene.labels, time_of_day)
    return replace(scene, setting=setting, time_of_day=time_of_day, heading=heading)
