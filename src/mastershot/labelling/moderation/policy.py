"""Moderation policies: which classes count from which score on, how grave, and by which words.

A policy is a YAML file of plain values; those of the package lie in the folder ``policies``.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from importlib import resources
from math import isfinite
from pathlib import Path
from typing import Any

from mastershot.core.errors import SettingError, TimelineError
from mastershot.core.settings import shortened
from mastershot.datasets.plain_yaml import parse_yaml

MODERATION_CLASSES = ("sex", "suggestive", "violence", "drug use")
"""What detectors of this package are asked for; ``none`` of MCD (METHODS B6) is their absence."""

VIOLENT_SOUNDS = (
    "Gunshot, gunfire",
    "Machine gun",
    "Fusillade",
    "Artillery fire",
    "Explosion",
    "Screaming",
    "Boom",
    "Smash, crash",
    "Shatter",
    "Slap, smack",
    "Whack, thwack",
)
"""The classes of AudioSet whose scores are kept as evidence of violence that is heard."""

DEFAULT_POLICY = "default"
THRESHOLDS = ("seen", "words", "heard")
"""What has a threshold of its own: networks of frames, prompts in words, and sounds."""

_RESERVED = ("none", "unsure")  # what reviewers can tick beside classes
_MAX_BYTES = 1 << 20
_MOST_SEVERE = 5
_LONGEST_S = 3600.0
_TOP = ("policy", "about", "second_review", "classes")
_OF_CLASS = ("severity", "guideline", "thresholds", "sounds", "min_duration_s", "merge_gap_s")


@dataclass(frozen=True)
class ClassRule:
    """When a class counts.

    Attributes:
        name: The class.
        severity: How grave it is, from 1 to 5.
        guideline: By which words a reviewer decides.
        thresholds: From which score on it counts, by `THRESHOLDS`; one that is absent never does.
        sounds: The sounds that stand for it where it is heard.
        min_duration_s: Shorter intervals are left out.
        merge_gap_s: Intervals that are no further apart are one.
    """

    name: str
    severity: int
    guideline: str
    thresholds: Mapping[str, float]
    sounds: tuple[str, ...] = ()
    min_duration_s: float = 0.0
    merge_gap_s: float = 0.0


@dataclass(frozen=True)
class Policy:
    """What is flagged, and how it is reviewed.

    Attributes:
        name: What it is called.
        about: What it is for.
        second_review: Share of what is reviewed that a second person reviews, too; 0.2 in the
            annotation of MCD (Movies2Scenes, section 4.4).
        classes: The classes that count, in the order of the file.
    """

    name: str
    about: str
    second_review: float
    classes: tuple[ClassRule, ...] = field(default_factory=tuple)

    def made(self) -> dict[str, Any]:
        """Return what a timeline keeps of the policy that its intervals follow."""
        return {
            "name": self.name,
            "about": self.about,
            "fingerprint": self.fingerprint,
            "second_review": self.second_review,
            "classes": [
                asdict(rule) | {"thresholds": dict(rule.thresholds), "sounds": list(rule.sounds)}
                for rule in self.classes
            ],
        }

    @staticmethod
    def of(made: Mapping[str, Any]) -> "Policy":
        """Return the policy that `made` described.

        Raises:
            TimelineError: The description is none.
        """
        try:
            rules = tuple(
                ClassRule(**one | {"sounds": tuple(one["sounds"])}) for one in made["classes"]
            )
            return Policy(made["name"], made["about"], made["second_review"], rules)
        except (TypeError, KeyError) as error:
            raise TimelineError(f"a timeline describes its policy wrongly: {error}") from error

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with anything the policy says."""
        rules = [asdict(one) for one in self.classes]
        text = json.dumps([self.about, self.second_review, rules], default=dict)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def shipped_policies() -> list[str]:
    """Return the names of the policies that come with the package, the default one first."""
    names = sorted(path.stem for path in _folder().glob("*.yaml"))
    return sorted(names, key=lambda name: name != DEFAULT_POLICY)


def policy_text(source: str | Path) -> str:
    """Return the YAML of a policy, by name or from a file.

    Raises:
        SettingError: There is none of that name, or the file is not readable text.
    """
    names, path = shipped_policies(), Path(source).expanduser()
    if str(source) in names:
        path = _folder() / f"{source}.yaml"
    if not path.is_file():
        close = _did_you_mean(str(source), names)
        raise SettingError(
            f"policy {str(source)!r} is neither a file nor one of {', '.join(names)}{close}"
        )
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SettingError(f"policy {path} has more than {_MAX_BYTES:,} bytes; it is no policy")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"policy {path} cannot be read as UTF-8 text: {error}") from error


def load_policy(source: str | Path = DEFAULT_POLICY, *, classes: Iterable[str] = ()) -> Policy:
    """Return a policy, by name or from a file.

    Args:
        source: A name of `shipped_policies`, or a file.
        classes: Classes of detectors of one's own that it may name, beside `MODERATION_CLASSES`.

    Raises:
        SettingError: It cannot be read, a key or a class is unknown, or a value means nothing; the
            sentence names the policy and the place in it.
    """
    name = str(source)
    value = parse_yaml(policy_text(source), f"policy {name}")
    reading = _Reading(f"policy {name}")
    top = reading.mapping(value, "it", _TOP)
    rules = reading.whole_mapping(top.get("classes"), "classes")
    known = tuple(dict.fromkeys((*MODERATION_CLASSES, *classes)))
    for one in rules:
        if one in _RESERVED or ";" in one:
            raise SettingError(
                f"policy {name} names class {one!r}, which tables of verdicts could not tell from "
                "other ticks; call it otherwise"
            )
        if one not in known:
            raise SettingError(
                f"policy {name} names class {one!r}{_did_you_mean(one, known)}; its classes can be "
                f"{', '.join(known)}, or those of a --moderation-model"
            )
    return Policy(
        name=reading.text(top.get("policy", Path(name).stem), "policy"),
        about=reading.text(top.get("about", "no description"), "about"),
        second_review=reading.number(top.get("second_review", 0.2), "second_review", 0, 1),
        classes=tuple(_rule(reading, one, rules[one]) for one in rules),
    )


def _rule(reading: "_Reading", name: str, value: Any) -> ClassRule:
    at = f"classes.{name}"
    keys = reading.mapping(value, at, _OF_CLASS)
    given = reading.mapping(keys.get("thresholds"), f"{at}.thresholds", THRESHOLDS)
    thresholds = {
        kind: reading.number(given[kind], f"{at}.thresholds.{kind}", 0, 1, above=True)
        for kind in THRESHOLDS
        if kind in given
    }
    if not thresholds:
        raise SettingError(
            f"{reading.what}: {at} has no threshold, so it could never count; give one of "
            f"{', '.join(THRESHOLDS)}, or leave the class out"
        )
    sounds = keys.get("sounds", list(VIOLENT_SOUNDS) if name == "violence" else [])
    if not isinstance(sounds, list):
        raise SettingError(f"{reading.what}: {at}.sounds should be a list of sounds")
    for sound in sounds:
        if sound not in VIOLENT_SOUNDS:
            close = _did_you_mean(str(sound), VIOLENT_SOUNDS)
            raise SettingError(
                f"{reading.what}: {at}.sounds names {shortened(sound)}{close}; sounds whose scores "
                f"are kept are {'; '.join(VIOLENT_SOUNDS)}"
            )
    return ClassRule(
        name=name,
        severity=reading.whole(keys.get("severity", 3), f"{at}.severity", 1, _MOST_SEVERE),
        guideline=reading.text(keys.get("guideline"), f"{at}.guideline"),
        thresholds=thresholds,
        sounds=tuple(dict.fromkeys(sounds)),
        min_duration_s=reading.number(
            keys.get("min_duration_s", 0), f"{at}.min_duration_s", 0, _LONGEST_S
        ),
        merge_gap_s=reading.number(keys.get("merge_gap_s", 0), f"{at}.merge_gap_s", 0, _LONGEST_S),
    )


@dataclass(frozen=True)
class _Reading:
    """Values of a policy, checked; ``what`` begins each sentence."""

    what: str

    def mapping(self, value: Any, at: str, known: Iterable[str]) -> dict[str, Any]:
        found, known = self.whole_mapping(value, at), tuple(known)
        for key in found:
            if key not in known:
                close = _did_you_mean(key, known)
                raise SettingError(
                    f"{self.what}: {at} has key {key!r}{close}; keys can be {', '.join(known)}"
                )
        return found

    def whole_mapping(self, value: Any, at: str) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            raise SettingError(
                f"{self.what}: {at} should be lines of `key: value`, not {shortened(value)}"
            )
        for key in value:
            if not isinstance(key, str):
                raise SettingError(f"{self.what}: {at} has key {shortened(key)}, which is no text")
        return value

    def text(self, value: Any, at: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise SettingError(f"{self.what}: {at} should be a text, not {shortened(value)}")
        return " ".join(value.split())

    def number(self, value: Any, at: str, low: float, high: float, *, above: bool = False) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        holds = is_number and isfinite(value) and low <= value <= high
        if not holds or (above and value == low):
            ends = f"above {low:g} and at most" if above else f"from {low:g} to"
            raise SettingError(
                f"{self.what}: {at} is {shortened(value)}; it should be a number {ends} {high:g}"
            )
        return float(value)

    def whole(self, value: Any, at: str, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise SettingError(
                f"{self.what}: {at} is {shortened(value)}; it should be a whole number from {low} "
                f"to {high}"
            )
        return value


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _folder() -> Path:
    return Path(str(resources.files("mastershot.labelling.moderation") / "policies"))
