"""What to do with each film, and what is loaded once to do it."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderUnavailableError, SettingError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.core.protocols import Encoder, ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.encoders.catalogue import DEFAULT_ENCODER, load_encoder
from mastershot.encoders.starter import STARTER_NAME
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule, encode_labels
from mastershot.media.sampling import Sampling
from mastershot.media.video import READING
from mastershot.pipeline.analysis.scale import Scaler, find_scaler, scale_notes
from mastershot.scenes.grouping import COLOR_SPACE, PENALTY
from mastershot.shots.content import ShotSettings
from mastershot.shots.lists import ShotList, read_shot_list

STEPS = ("shots", "labels", "scenes", "scale")
STARTER_NOTE = (
    "Places are named by the starter, the small encoder that ships with Mastershot; CLIP knows far "
    "more: --encoder clip"
)


@dataclass(frozen=True)
class Plan:
    """What to do with a film.

    Attributes:
        steps: Which of `STEPS` to run; shots are always found.
        shots: How shots are found.
        shot_list: A list of shots made elsewhere, to be used instead of detection.
        sampling: Which frames of a shot labels and scenes rest on.
        encoder: Name or folder of the encoder; None takes the default one.
        precision: What it encodes frames in; None takes the fastest float of the machine.
        taxonomy: Name or file of the taxonomy that labels are taken from.
        keep: From which score on a label is kept.
        scale: Folder of a classifier of shot scale, or of the run that trained it; None asks the
            encoder of labels in words, where that is CLIP or SigLIP.
        abstain: What a label on a close-up needs beyond ``keep``.
        stream: Index of the video stream to read, as ffprobe counts; None takes the film.
    """

    steps: tuple[str, ...] = STEPS
    shots: ShotSettings = field(default_factory=ShotSettings)
    shot_list: Path | None = None
    sampling: Sampling = field(default_factory=Sampling)
    encoder: str | None = None
    precision: str | None = None
    taxonomy: str | Path = "movieclip"
    keep: KeepRule = field(default_factory=KeepRule)
    scale: str | Path | None = None
    abstain: AbstentionRule = field(default_factory=AbstentionRule)
    stream: int | None = None

    def __post_init__(self) -> None:
        unknown = [step for step in self.steps if step not in STEPS]
        if unknown or not self.steps:
            raise SettingError(
                f"step {unknown[0] if unknown else ''!r} is unknown; use {', '.join(STEPS)}"
            )
        if self.scale is not None and "scale" not in self.steps:
            raise SettingError(
                f"a classifier of shot scale is named, {self.scale}, but the steps are only "
                f"{', '.join(self.steps)}; add scale"
            )


@dataclass(frozen=True)
class Labeller:
    """An encoder with the labels it is to find.

    Attributes:
        encoder: What maps frames and words to one space.
        taxonomy: The labels.
    """

    encoder: ImageTextEncoder
    taxonomy: Taxonomy

    @cached_property
    def label_vectors(self) -> FloatArray:
        """One unit vector a label, shape (L, D), in taxonomy order; encoded when first asked for.

        A film whose results are there already needs no words.
        """
        return encode_labels(self.encoder, self.taxonomy)


@dataclass(frozen=True)
class Kit:
    """A plan with what it needs loaded: made once, used for every film.

    Attributes:
        plan: The plan.
        labeller: The encoder and labels; None when labels are not asked for or cannot be had.
        scaler: What tells shot scales; None when they are not asked for or cannot be had.
        listed: The shots made elsewhere, if the plan names a list.
        notes: Sentences the user should read, such as how to get an encoder's weights.
    """

    plan: Plan
    labeller: Labeller | None = None
    scaler: Scaler | None = None
    listed: ShotList | None = None
    notes: tuple[str, ...] = ()

    @property
    def spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces in which each looked-at frame gets a vector: the encoders', and colours."""
        scales = () if self.scaler is None else (self.scaler.encoder.space,)
        return tuple(dict.fromkeys((*self._label_spaces, *scales, *self._color_spaces)))

    @property
    def scene_spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces whose vectors group shots into scenes: that of labels, and colours."""
        return (*self._label_spaces, *self._color_spaces)

    @property
    def _label_spaces(self) -> tuple[EmbeddingSpace, ...]:
        return () if self.labeller is None else (self.labeller.encoder.space,)

    @property
    def _color_spaces(self) -> tuple[EmbeddingSpace, ...]:
        return (COLOR_SPACE,) if "scenes" in self.plan.steps else ()

    def encoder_of(self, space: EmbeddingSpace) -> Encoder | None:
        """Return the encoder that maps into a space; None for colours, which need none."""
        for user in (self.labeller, self.scaler):
            if user is not None and user.encoder.space == space:
                return user.encoder
        return None

    def steps_made(self) -> dict[str, Json]:
        """Return what a timeline says of how it was made; equal only if nothing would change."""
        stream = {} if self.plan.stream is None else {"stream": self.plan.stream}
        steps: dict[str, Json] = {
            "reading": {"revision": READING, **stream},
            "shots": self._shots_made(),
        }
        if self.spaces:
            steps["frames"] = {
                "sampling": str(self.plan.sampling),
                "spaces": [asdict(space) for space in self.spaces],
            }
        if self.labeller is not None:
            steps["labels"] = self._labels_made(self.labeller)
        if "scenes" in self.plan.steps:
            steps["scenes"] = {
                "method": "sequential grouping",
                "features": [space.model for space in self.scene_spaces],
                "penalty": PENALTY,
            }
        if self.scaler is not None:
            steps["scale"] = {**self.scaler.made(), "abstain": asdict(self.plan.abstain)}
        return steps

    def _shots_made(self) -> Json:
        if self.listed is not None:
            return {"list": self.listed.path.name, "list_hash": self.listed.fingerprint}
        settings = self.plan.shots
        return {
            "detector": settings.detector,
            "pixels": "exact" if settings.exact else "points",
            "threshold": settings.score_threshold,
            "min_shot_s": settings.min_shot_s,
            "library": f"scenedetect {version('scenedetect-headless')}",
        }

    def _labels_made(self, labeller: Labeller) -> Json:
        return {
            "encoder": labeller.encoder.space.model,
            "weights_hash": labeller.encoder.space.weights_hash,
            "taxonomy": labeller.taxonomy.name,
            "taxonomy_fingerprint": labeller.taxonomy.fingerprint,
            "template": labeller.encoder.label_template,
            "logit_scale": labeller.encoder.logit_scale,
            "keep": asdict(self.plan.keep),
        }


def prepare(plan: Plan) -> Kit:
    """Return the plan with its encoders loaded.

    Where the encoder's weights are not here, the kit has no labeller, and a note says how to get
    them; everything else of the plan can still be done.

    Raises:
        MastershotError: The taxonomy, the encoder's folder, the classifier of scales or the shot
            list is not usable.
    """
    listed = None if plan.shot_list is None else read_shot_list(plan.shot_list)
    taxonomy = load_taxonomy(plan.taxonomy) if "labels" in plan.steps else None
    encoder, notes = _find_encoder(plan)
    labeller = scaler = None
    if encoder is not None and taxonomy is not None:
        labeller = Labeller(encoder, taxonomy)
    if "scale" in plan.steps:
        scaler = find_scaler(plan.scale, encoder)
        notes += scale_notes(scaler, plan.sampling, asked=plan.steps != STEPS)
    return Kit(plan, labeller, scaler, listed, notes)


def _find_encoder(plan: Plan) -> tuple[ImageTextEncoder | None, tuple[str, ...]]:
    """Return the encoder of labels, or of scales in words, and what the user should know of it."""
    if "labels" not in plan.steps and ("scale" not in plan.steps or plan.scale is not None):
        return None, ()
    try:
        # Only an encoder that was asked for by name may be fetched.
        encoder = load_encoder(
            plan.encoder or DEFAULT_ENCODER,
            precision=plan.precision,
            download=plan.encoder is not None,
        )
    except EncoderUnavailableError as error:
        return None, (f"No labels: {error}",) if "labels" in plan.steps else (str(error),)
    named_by_starter = "labels" in plan.steps and encoder.space.model == STARTER_NAME
    return encoder, (STARTER_NOTE,) if named_by_starter else ()
