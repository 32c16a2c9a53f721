"""Indoors or outdoors by the places a frame shows, by day or by night from its light.

Each is a logistic regression with a handful of weights, which bench/settings_figures.py fits; where
the encoder is CLIP or SigLIP, prompts are scored like labels instead.
"""
# T frames, S shots, P places, K statistics of light, D width of the encoder's space

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from mastershot.core.embeddings import FloatArray
from mastershot.core.labels import LabelScore
from mastershot.core.protocols import ImageTextEncoder
from mastershot.labelling.perception.light import STATISTICS

PLACES_TABLE = "places365_settings.csv"
LABELS_TABLE = "label_settings.csv"
_MOST_LOGIT = 6.0  # of a frame's places, so that one frame does not decide for a shot
_SCALE_SHARE = 0.5  # of the encoder's logit scale; it is calibrated on fewer labels
_MEDIAN = STATISTICS.index("median")


@dataclass(frozen=True)
class SettingRule:
    """From which probability on a setting or a time of day is sure.

    Attributes:
        setting: Of indoors or outdoors.
        day: That it is day, outdoors. Indoors neither day nor night is ever sure: a bright room may
            be lit by lamps, and a dark one may be so at noon.
        night: That it is night, outdoors.
        both: Share of a scene's sure shots that each must have for INT/EXT.
        seen: A shot of which half is darker than this (median, 0 to 1) shows no place, but at most
            something lit before black. By ITU-R BT.1886 it is 1/2,260 of white, beyond the contrast
            of a reference projector (SMPTE RP 431-2: 2,000 to 1).
    """

    setting: float = 0.7
    day: float = 0.8
    night: float = 0.8
    both: float = 1 / 3
    seen: float = 0.04


@dataclass(frozen=True)
class Places:
    """Places with the setting of each.

    Attributes:
        names: What they are called, P of them.
        is_indoor: True for those that are inside, (P,).
    """

    names: tuple[str, ...]
    is_indoor: FloatArray


SETTING_RULE = SettingRule()
# Statistics of light beside the places add nothing to them (bench/settings_figures.py --fit).
INDOOR_WEIGHTS = {"bias": 0.65, "places": 3.0}
# Both weights below 0: brighter is never likelier night. With more statistics some are above, and
# fog, bright and without contrast, becomes night.
NIGHT_WEIGHTS = {"bias": 11.24, "median": -1.71, "brightest": -21.54}
SETTING_PROMPTS = {
    "INT": ("a photo taken indoors", "the inside of a room or a vehicle"),
    "EXT": ("a photo taken outdoors", "a place in the open air"),
}
TIME_PROMPTS = {
    "NIGHT": ("a photo taken at night", "a place in the dark of night"),
    "DAY": ("a photo taken by day", "a place in daylight"),
}
"""Two prompts each for CLIP or SigLIP; ours, and not tuned on anything."""


@cache
def load_places() -> Places:
    """Return the 365 places of Places365 with the setting that its authors' table gives each."""
    text = (resources.files("mastershot.labelling.perception") / PLACES_TABLE).read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    is_indoor = np.array([row["setting"] == "INT" for row in rows], np.float32)
    return Places(tuple(row["place"] for row in rows), is_indoor)


@cache
def label_settings() -> Mapping[str, str]:
    """Return the setting of each label of MovieCLIP that is always inside, or always outside.

    By 59,159 headings of scripts and by Places365, as `bench/label_settings.py` says: a beach is
    outside, a classroom inside; a house, a car or a label of one's own may be either.
    """
    text = (resources.files("mastershot.labelling.perception") / LABELS_TABLE).read_text("utf-8")
    return {row["label"]: row["setting"] for row in csv.DictReader(text.splitlines())}


def not_contradicting(setting: LabelScore, labels: Sequence[LabelScore] | None) -> LabelScore:
    """Return a setting, unsure where the place that a heading names can only have the other one.

    Nothing sure can be said then: the setting is right more often, but may be wrong.
    """
    place = named_place(labels)
    if place is None or label_settings().get(place, setting.name) == setting.name:
        return setting
    return replace(setting, unsure=True)


def named_place(labels: Sequence[LabelScore] | None) -> str | None:
    """Return the best of the labels that are kept; None where none is."""
    return next((label.name for label in labels or () if not label.unsure), None)


def encode_places(encoder: ImageTextEncoder, places: Places) -> FloatArray:
    """Return one unit vector a place, (P, D), each put into the encoder's own prompt."""
    template = encoder.label_template
    return encoder.encode_texts([template.replace("{label}", name) for name in places.names])


def indoor_logits(
    frame_vectors: FloatArray, place_vectors: FloatArray, is_indoor: FloatArray, logit_scale: float
) -> FloatArray:
    """Return the log-odds of a place that is inside, of each frame, (T,).

    It is the share of such places in the softmax over all places; METHODS E.
    """
    logits = _SCALE_SHARE * logit_scale * (frame_vectors @ place_vectors.T)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    inside, outside = weights @ is_indoor, weights @ (1 - is_indoor)
    tiny = np.finfo(np.float32).tiny
    log_odds: FloatArray = np.log(np.maximum(inside, tiny)) - np.log(np.maximum(outside, tiny))
    return np.clip(log_odds, -_MOST_LOGIT, _MOST_LOGIT).astype(np.float32)


def indoor_probabilities(
    place_logits: FloatArray, light: FloatArray, rule: SettingRule = SETTING_RULE
) -> FloatArray:
    """Return how likely each shot is indoors, (S,), by the means over its frames.

    Those are the `indoor_logits` (S,) and the `light_statistics` (S, K). Of a shot that shows no
    place it is 0.5.
    """
    logits = INDOOR_WEIGHTS["bias"] + INDOOR_WEIGHTS["places"] * place_logits
    return _probabilities(logits, light, rule)


def night_probabilities(light: FloatArray, rule: SettingRule = SETTING_RULE) -> FloatArray:
    """Return how likely it is night in each shot, (S,), by its mean `light_statistics` (S, K)."""
    return _probabilities(_weighted(light, NIGHT_WEIGHTS), light, rule)


def prompted_probabilities(
    scores: FloatArray, light: FloatArray, rule: SettingRule = SETTING_RULE
) -> FloatArray:
    """Return how likely the first of two classes is of each shot, (S,), by their scores (S, 2).

    Of a shot that shows no place, by its mean `light_statistics` (S, K), it is 0.5.
    """
    return np.where(_shows_place(light, rule), scores[:, 0], np.float32(0.5))


def setting_of(indoors: float, rule: SettingRule = SETTING_RULE) -> LabelScore:
    """Return ``INT`` or ``EXT`` by the probability of being indoors."""
    name, score = ("INT", indoors) if indoors >= 0.5 else ("EXT", 1 - indoors)
    return LabelScore(name, score, unsure=score < rule.setting)


def is_outdoors(setting: LabelScore | None) -> bool:
    """Return True where it is sure that a setting is outdoors."""
    return setting is not None and setting.name == "EXT" and not setting.unsure


def time_of_day_of(night: float, *, outdoors: bool, rule: SettingRule = SETTING_RULE) -> LabelScore:
    """Return ``DAY`` or ``NIGHT`` by the probability of night; unsure unless seen outdoors."""
    name, score, least = (
        ("NIGHT", night, rule.night) if night >= 0.5 else ("DAY", 1 - night, rule.day)
    )
    return LabelScore(name, score, unsure=not outdoors or score < least)


def scene_setting(
    shots: Sequence[LabelScore], indoors: float, rule: SettingRule = SETTING_RULE
) -> LabelScore:
    """Return the setting of a scene by those of its shots and their mean probability of indoors.

    It is ``INT/EXT`` where both are sure of enough shots; its score is then the share of those.
    """
    sure = [shot.name for shot in shots if not shot.unsure]
    least = min(sure.count("INT"), sure.count("EXT"))
    if sure and least >= rule.both * len(sure):
        return LabelScore("INT/EXT", len(sure) / len(shots), unsure=2 * len(sure) < len(shots))
    return setting_of(indoors, rule)


def _weighted(light: FloatArray, weights: dict[str, float]) -> FloatArray:
    per_statistic = np.array([weights.get(name, 0.0) for name in STATISTICS], np.float32)
    return light @ per_statistic + np.float32(weights["bias"])


def _probabilities(logits: FloatArray, light: FloatArray, rule: SettingRule) -> FloatArray:
    shown = np.where(_shows_place(light, rule), logits, 0)
    return (1 / (1 + np.exp(-shown.astype(np.float64)))).astype(np.float32)


def _shows_place(light: FloatArray, rule: SettingRule) -> NDArray[np.bool_]:
    shows: NDArray[np.bool_] = light[:, _MEDIAN] >= rule.seen
    return shows
