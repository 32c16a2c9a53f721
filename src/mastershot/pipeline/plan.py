"""What to do with each film, and what is loaded once to do it."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderUnavailableError, SettingError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.core.protocols import ImageTextEncoder
from mastershot.core.timeline import Json
from mastershot.encoders.catalogue import DEFAULT_ENCODER, load_encoder
from mastershot.encoders.starter import STARTER_NAME
from mastershot.labelling.weak_labels import KeepRule, encode_labels
from mastershot.media.sampling import Sampling
from mastershot.scenes.grouping import COLOR_SPACE, PENALTY
from mastershot.shots.content import ShotSettings
from mastershot.shots.lists import ShotList, read_shot_list

STEPS = ("shots", "labels", "scenes")
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
    """

    steps: tuple[str, ...] = STEPS
    shots: ShotSettings = field(default_factory=ShotSettings)
    shot_list: Path | None = None
    sampling: Sampling = field(default_factory=Sampling)
    encoder: str | None = None
    precision: str | None = None
    taxonomy: str | Path = "movieclip"
    keep: KeepRule = field(default_factory=KeepRule)

    def __post_init__(self) -> None:
        unknown = [step for step in self.steps if step not in STEPS]
        if unknown or not self.steps:
            raise SettingError(
                f"step {unknown[0] if unknown else ''!r} is unknown; use {', '.join(STEPS)}"
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
        listed: The shots made elsewhere, if the plan names a list.
        notes: Sentences the user should read, such as how to get an encoder's weights.
    """

    plan: Plan
    labeller: Labeller | None = None
    listed: ShotList | None = None
    notes: tuple[str, ...] = ()

    @property
    def spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces in which each looked-at frame gets a vector: the encoder's, and colours."""
        encoder = () if self.labeller is None else (self.labeller.encoder.space,)
        return (*encoder, COLOR_SPACE) if "scenes" in self.plan.steps else encoder

    def steps_made(self) -> dict[str, Json]:
        """Return what a timeline says of how it was made; equal only if nothing would change."""
        steps: dict[str, Json] = {"shots": self._shots_made()}
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
                "features": [space.model for space in self.spaces],
                "penalty": PENALTY,
            }
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
    """Return the plan with its encoder loaded.

    Where the encoder's weights are not here, the kit has no labeller, and a note says how to get
    them; everything else of the plan can still be done.

    Raises:
        MastershotError: The taxonomy, the encoder's folder or the shot list is not usable.
    """
    listed = None if plan.shot_list is None else read_shot_list(plan.shot_list)
    if "labels" not in plan.steps:
        return Kit(plan, listed=listed)
    taxonomy = load_taxonomy(plan.taxonomy)
    try:
        # Only an encoder that was asked for by name may be fetched.
        encoder = load_encoder(
            plan.encoder or DEFAULT_ENCODER,
            precision=plan.precision,
            download=plan.encoder is not None,
        )
    except EncoderUnavailableError as error:
        return Kit(plan, listed=listed, notes=(f"No labels: {error}",))
    labeller = Labeller(encoder, taxonomy)
    notes = (STARTER_NOTE,) if encoder.space.model == STARTER_NAME else ()
    return Kit(plan, labeller=labeller, listed=listed, notes=notes)
