"""What scores a film for moderation: loaded once, and how a timeline names it."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np

from mastershot.core.embeddings import WINDOWS, EmbeddingSpace, FloatArray
from mastershot.core.errors import SettingError, TimelineError
from mastershot.core.lanes import EvidenceSource
from mastershot.core.protocols import Encoder, FeatureStore, ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.encoders.detectors.content import CONTENT_CLASSES, ContentClassifier
from mastershot.encoders.detectors.packaged import NSFW_MOBILENET, YAMNET
from mastershot.encoders.image_text import TransformersEncoder
from mastershot.labelling.moderation.policy import (
    DEFAULT_POLICY,
    MODERATION_CLASSES,
    VIOLENT_SOUNDS,
    ClassRule,
    Policy,
    load_policy,
)
from mastershot.labelling.moderation.words import PROMPTS, encode_moderation, words_space
from mastershot.pipeline.moderation.models import (
    NamedModel,
    ShotModel,
    counted_classes,
    load_model,
)

Unit = Literal["frame", "shot", "window"]

_CONTENT_OF = {"sex": ("Porn", "Hentai"), "suggestive": ("Sexy",)}
"""Outputs of the packaged network that make up a class, of which one holds at a time."""


@dataclass(frozen=True)
class ModerationOptions:
    """How films are moderated.

    Attributes:
        policy: Name or file of the policy.
        models: Folders of models of one's own, or names of installed detectors.
    """

    policy: str | Path = DEFAULT_POLICY
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detector:
    """One of those that score a film, as its timeline names it.

    Attributes:
        model: What it is called.
        source: Whether it sees or hears.
        kind: Which threshold of a policy it has to reach.
        unit: What one row of its scores is of: a frame, a shot (under its first sampled frame), or
            a window of sound.
        outputs: What its scores are of, in order.
        space: Where they are kept.
    """

    model: str
    source: EvidenceSource
    kind: Literal["seen", "words", "heard"]
    unit: Unit
    outputs: tuple[str, ...]
    space: EmbeddingSpace

    def finds(self, rule: ClassRule) -> tuple[str, ...]:
        """Return the outputs that stand for a class; none where it does not find it."""
        if self.unit == "window":
            return tuple(name for name in rule.sounds if name in self.outputs)
        if self.space.weights_hash == NSFW_MOBILENET.weights_hash:
            return _CONTENT_OF.get(rule.name, ())
        return (rule.name,) if rule.name in self.outputs else ()

    def scores(self, vectors: FloatArray, rule: ClassRule) -> FloatArray:
        """Return the score of a class that it finds for each row of what is kept, shape (N,).

        Sounds that stand for a class are heard one by one, so the loudest counts; outputs of the
        packaged network exclude each other, so they add up.
        """
        offset = 1 if self.unit == "window" else 0
        columns = vectors[:, [self.outputs.index(name) + offset for name in self.finds(rule)]]
        if self.unit == "window":
            return columns.max(axis=1)  # type: ignore[no-any-return]
        return columns.sum(axis=1, dtype=vectors.dtype).clip(0, 1)  # type: ignore[no-any-return]

    def made(self) -> Json:
        """Return what a timeline keeps of it."""
        return asdict(self) | {"outputs": list(self.outputs)}

    @staticmethod
    def of(value: Json) -> "Detector":
        """Return the detector that `made` described.

        Raises:
            TimelineError: The description is none.
        """
        try:
            space, outputs = EmbeddingSpace(**value["space"]), tuple(value["outputs"])
            return Detector(**value | {"space": space, "outputs": outputs})
        except (TypeError, KeyError, ValueError) as error:
            raise TimelineError(
                f"the timeline describes a detector of moderation wrongly: {error}"
            ) from error


HEARD = Detector(
    YAMNET.alias,
    "heard",
    "heard",
    "window",
    VIOLENT_SOUNDS,
    EmbeddingSpace(
        f"{WINDOWS}{YAMNET.alias}",
        f"sha256:{sha256('|'.join((YAMNET.sha256, *VIOLENT_SOUNDS)).encode()).hexdigest()[:32]}",
        1 + len(VIOLENT_SOUNDS),
    ),
)
"""The network of sounds; its rows are those of `SoundListener.windows`."""


@dataclass(frozen=True)
class Moderation:
    """The detectors and the policy of an analysis.

    Attributes:
        policy: What counts.
        content: The packaged network of sexual content.
        encoder: The encoder that is asked in words; None where there is none that understands them.
        described: What it is asked, one unit vector a description, (L, D).
        models: Those that the user named.
        hears: Whether sound is listened to.
    """

    policy: Policy
    content: ContentClassifier
    encoder: ImageTextEncoder | None = None
    described: FloatArray | None = None
    models: tuple[NamedModel, ...] = ()
    hears: bool = False

    @property
    def encoders(self) -> list[Encoder]:
        """What needs to see the sampled frames."""
        own = () if self.encoder is None else (self.encoder,)
        read = [one.encoder if isinstance(one, ShotModel) else one for one in self.models]
        return [self.content, *own, *read]

    @property
    def detectors(self) -> list[Detector]:
        """All that score a film, in the order of a timeline."""
        content = self.content.space
        found = [Detector(NSFW_MOBILENET.alias, "seen", "seen", "frame", CONTENT_CLASSES, content)]
        if self.encoder is not None:
            name, space = f"{self.encoder.space.model} in words", words_space(self.encoder)
            found.append(Detector(name, "seen", "words", "frame", MODERATION_CLASSES, space))
        for one in self.models:
            unit: Unit = "shot" if isinstance(one, ShotModel) else "frame"
            found.append(Detector(one.name, "seen", "seen", unit, one.classes, one.space))
        return [*found, HEARD] if self.hears else found

    @property
    def score_spaces(self) -> list[EmbeddingSpace]:
        """The spaces of scores that no encoder of frames makes in the decoding pass."""
        made = {one.space for one in self.encoders}
        return [one.space for one in self.detectors if one.space not in made]

    def lacks_windows(self, store: FeatureStore) -> bool:
        """Return True if the film's sound must be listened to, because its scores are not kept."""
        return self.hears and bool(len(store.missing(HEARD.space, np.zeros(1, np.int64))))

    def made(self) -> Json:
        """Return what a timeline keeps of how it was moderated."""
        made: Json = {"model": NSFW_MOBILENET.alias, "weights_hash": NSFW_MOBILENET.weights_hash}
        made["policy"] = self.policy.made()
        made["detectors"] = [one.made() for one in self.detectors]
        if self.encoder is not None:
            made["prompts"] = {name: list(texts) for name, texts in PROMPTS.items()}
        return made


def moderation_asked(options: ModerationOptions, steps: tuple[str, ...]) -> None:
    """Raise a `SettingError` where a policy or a model is named and nothing would use it."""
    named = [f"moderation model {one}" for one in options.models]
    named += [f"policy {options.policy}"] * (options.policy != DEFAULT_POLICY)
    if named and "moderation" not in steps:
        raise SettingError(
            f"{named[0]} is named, but the steps are only {', '.join(steps)}; add moderation"
        )


def find_moderation(
    options: ModerationOptions, encoder: ImageTextEncoder | None, *, hears: bool
) -> Moderation:
    """Return the detectors of an analysis, loaded; CLIP and SigLIP are asked in words.

    Raises:
        SettingError: The policy is not usable, or two models have one name.
        EncoderError: A model cannot be loaded.
    """
    models = tuple(load_model(one, encoder) for one in options.models)
    names = [one.name for one in models]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingError(f"two moderation models are called {twice[0]!r}; name one of them")
    classes = [name for one in models for name in counted_classes(one.classes)]
    policy = load_policy(options.policy, classes=classes)
    asked = encoder if isinstance(encoder, TransformersEncoder) else None
    described = None if asked is None else encode_moderation(asked)
    return Moderation(policy, ContentClassifier(), asked, described, models, hears)
