"""What to do with each film, and what is loaded once to do it."""

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from mastershot import __version__
from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderUnavailableError, SettingError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.core.protocols import Encoder, ImageTextEncoder
from mastershot.core.timeline import Json, MadeBy
from mastershot.encoders.catalogue import DEFAULT_ENCODER, load_encoder
from mastershot.encoders.detectors.packaged import NANODET, YUNET
from mastershot.encoders.detectors.people import PeopleDetector
from mastershot.encoders.detectors.sound import SoundClassifier
from mastershot.encoders.recogniser import find_recogniser
from mastershot.encoders.starter import STARTER_NAME
from mastershot.labelling.perception.light import LIGHT_SPACE
from mastershot.labelling.perception.people import SCALE_RULE
from mastershot.labelling.smoothing import SmoothingSettings, TransitionModel, default_model
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule
from mastershot.media.sampling import Sampling
from mastershot.media.video import READING_REVISION
from mastershot.pipeline.analysis.genres import (
    GenreFinder,
    genre_notes,
    load_genre_finder,
    require_genre_model,
)
from mastershot.pipeline.analysis.headings import SettingFinder, find_settings
from mastershot.pipeline.analysis.labeller import Labeller
from mastershot.pipeline.analysis.people import detector_made
from mastershot.pipeline.analysis.recognise import (
    ShotRecogniser,
    check_recogniser,
    load_shot_recogniser,
    recogniser_notes,
)
from mastershot.pipeline.analysis.scale import ShotScaler, find_scaler, scale_notes
from mastershot.pipeline.analysis.sound import Hearing
from mastershot.pipeline.analysis.trained import (
    TrainedScenes,
    check_scene_head,
    load_scene_head,
    scenes_made,
)
from mastershot.pipeline.edits import EditList, listed_shots
from mastershot.pipeline.moderation.detectors import (
    HEARD,
    Moderation,
    ModerationOptions,
    find_moderation,
    moderation_asked,
)
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.shots.lists import ShotList
from mastershot.shots.marks.settings import MARKS_REVISION, MarkSettings
from mastershot.shots.settings import ShotSettings

DEFAULT_TAXONOMY = "movieclip"
STEPS = ("shots", "labels", "scenes", "scale", "people", "headings", "sound")
ALL_STEPS = (*STEPS, "moderation", "genres")
"""Those that run unless others are named, and those that can be named."""

STARTER_NOTE = (
    "Places are named by the starter, the small encoder that ships with Mastershot; CLIP is far "
    "more accurate: --encoder clip"
)


@dataclass(frozen=True)
class Plan:
    """What to do with a film.

    Attributes:
        steps: Which of `ALL_STEPS` to run; shots are always found.
        shots: How shots are found.
        shot_list: A list of shots made elsewhere, to be used instead of detection.
        sampling: Which frames of a shot labels and scenes rest on.
        encoder: Name or folder of the encoder; None takes the default one.
        precision: What it encodes frames in; None takes the fastest float of the machine.
        taxonomy: Name or file of the taxonomy that labels are taken from.
        keep: From which score on a label is kept.
        smoothing: How the labels of shots are smoothed over time; None leaves each as it is.
        scale: Folder of a classifier of shot scale, or of the run that trained it; None asks the
            encoder of labels in words, where that is CLIP or SigLIP, else the people who are seen.
        abstain: What a label on a close-up needs beyond ``keep``.
        stream: Index of the video stream to read, as ffprobe counts; None takes the film.
        recogniser: Folder of a trained recogniser that makes the labels, or of the run that trained
            it; None takes labels by words.
        fuse: The recogniser's share where labels by words make the rest; None takes it alone.
        moderation: By which policy and models step ``moderation`` moderates.
        genres: Folder of a trained model of genres, or of the run that trained it; with it, the
            step is one of those that run unless others are named.
        scene_head: Folder of a scene head, or of the run that trained it; None groups shots.
    """

    steps: tuple[str, ...] = STEPS
    shots: ShotSettings = field(default_factory=ShotSettings)
    shot_list: Path | None = None
    sampling: Sampling = field(default_factory=Sampling)
    encoder: str | None = None
    precision: str | None = None
    taxonomy: str | Path = DEFAULT_TAXONOMY
    keep: KeepRule = field(default_factory=KeepRule)
    smoothing: SmoothingSettings | None = None
    scale: str | Path | None = None
    abstain: AbstentionRule = field(default_factory=AbstentionRule)
    stream: int | None = None
    recogniser: str | Path | None = None
    fuse: float | None = None
    moderation: ModerationOptions = field(default_factory=ModerationOptions)
    genres: str | Path | None = None
    scene_head: str | Path | None = None

    def __post_init__(self) -> None:
        if self.genres is not None and self.steps == STEPS:
            object.__setattr__(self, "steps", (*STEPS, "genres"))
        for step in self.steps or ("",):
            if step not in ALL_STEPS:
                raise SettingError(f"step {step!r} is unknown; use {', '.join(ALL_STEPS)}")
        if self.scale is not None and "scale" not in self.steps:
            raise SettingError(
                f"a classifier of shot scale is named, {self.scale}, but the steps are only "
                f"{', '.join(self.steps)}; add scale"
            )
        if self.smoothing is not None and "labels" not in self.steps:
            raise SettingError(
                f"labels are to be smoothed, but the steps are only {', '.join(self.steps)}; add "
                "labels"
            )
        named = None if self.taxonomy == DEFAULT_TAXONOMY else str(self.taxonomy)
        check_recogniser(self.recogniser, self.fuse, steps=self.steps, taxonomy=named)
        moderation_asked(self.moderation, self.steps)
        require_genre_model(self.genres, self.steps)
        check_scene_head(self.scene_head, self.steps)

    @property
    def labels_by_words(self) -> bool:
        """Whether labels are found by words, alone or with a recogniser."""
        return "labels" in self.steps and (self.recogniser is None or self.fuse is not None)

    @property
    def needs_labeller(self) -> bool:
        """Whether an encoder of words is needed beyond scales: for labels, or to group shots.

        A recogniser alone leaves scenes as they are without it.
        """
        return self.labels_by_words or {"labels", "scenes"} <= set(self.steps)


@dataclass(frozen=True)
class LoadedPlan:
    """A plan with what it needs loaded: made once, used for every film.

    Attributes:
        plan: The plan.
        labeller: The encoder and labels; None when labels are not asked for or not available. A
            recogniser alone leaves it only to group shots into scenes.
        scaler: Scores shot scales; None when they are not asked for, or only people tell them.
        listed: The shots made elsewhere, if the plan names a list.
        notes: Sentences the user should read, such as how to get an encoder's weights.
        recogniser: Scores labels instead of the labeller, or with it; None without one.
        people: Finds faces and persons; None when they are not asked for.
        moderation: Scores frames for moderation; None when it is not asked for.
        hearing: Finds sounds; None when they are not asked for.
        settings: Finds indoors and outdoors, day and night; None when headings are not asked for or
            there is no encoder.
        genres: Finds genres; None when they are not asked for.
        scene_head: Finds scenes; None where shots are grouped, or scenes are not asked for.
        mark_settings: When runs of frames are marked; None looks for none.
    """

    plan: Plan
    labeller: Labeller | None = None
    scaler: ShotScaler | None = None
    listed: ShotList | EditList | None = None
    notes: tuple[str, ...] = ()
    recogniser: ShotRecogniser | None = None
    people: PeopleDetector | None = None
    moderation: Moderation | None = None
    hearing: Hearing | None = None
    settings: SettingFinder | None = None
    genres: GenreFinder | None = None
    scene_head: TrainedScenes | None = None
    mark_settings: MarkSettings | None = field(default_factory=MarkSettings)

    @property
    def marks(self) -> MarkSettings | None:
        """When runs of frames are marked; None where shots come from a list."""
        return self.mark_settings if self.listed is None else None

    @property
    def words(self) -> Labeller | None:
        """What scores labels by words; None where a recogniser does it alone."""
        return self.labeller if self.plan.labels_by_words else None

    @property
    def lacks_encoder(self) -> bool:
        """Whether labels or headings are asked for and what finds them is not on this machine."""
        steps = self.plan.steps
        no_labels = "labels" in steps and self.taxonomy is None
        return no_labels or ("headings" in steps and self.settings is None)

    @cached_property
    def taxonomy(self) -> Taxonomy | None:
        """The labels that are scored, those by words first; None where there are none."""
        if self.recogniser is None or self.words is None:
            source = self.words or self.recogniser
            return None if source is None else source.taxonomy
        by_words, classes = self.words.taxonomy, self.recogniser.taxonomy
        names = dict.fromkeys((*by_words.labels, *classes.labels))
        return Taxonomy(f"{by_words.name}+{classes.name}", tuple(names))

    @property
    def thresholds(self) -> FloatArray | None:
        """From which score on each label is kept, (L,); None where ``keep`` is the rule."""
        return None if self.recogniser is None else self.recogniser.thresholds

    @cached_property
    def smoother(self) -> TransitionModel | None:
        """How scores of labels are smoothed over a film's shots; None if not at all."""
        return None if self.plan.smoothing is None else default_model(self.plan.smoothing)

    @property
    def keep(self) -> KeepRule:
        """From which score on a label is kept, beside its own threshold, if it has one."""
        return self.plan.keep if self.thresholds is None else replace(self.plan.keep, min_best=0.0)

    @property
    def clip_space(self) -> EmbeddingSpace | None:
        """The space of the recogniser's features of clips, one a shot; None without such."""
        return None if self.recogniser is None else self.recogniser.clip_space(self.made_by())

    @property
    def encoders(self) -> dict[EmbeddingSpace, Encoder | None]:
        """The spaces in which each sampled frame gets a vector; the last ones need no encoder."""
        users = (self.labeller, self.scaler, self.recogniser, self.settings, self.scene_head)
        found: list[Encoder] = [
            user.encoder for user in users if user is not None and user.encoder is not None
        ]
        found += [] if self.people is None else [self.people]
        found += [] if self.moderation is None else self.moderation.encoders
        encoders: dict[EmbeddingSpace, Encoder | None] = {one.space: one for one in found}
        if "scenes" in self.plan.steps:
            encoders[COLOR_SPACE] = None
        return encoders if self.settings is None else encoders | {LIGHT_SPACE: None}

    @property
    def scale_by_people(self) -> bool:
        """Whether the heights of faces and persons tell shot scales, for want of a scaler."""
        return "scale" in self.plan.steps and self.scaler is None and self.people is not None

    @property
    def scene_spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces whose vectors tell scenes: the head's, or that of labels, and colours."""
        if self.scene_head is not None:
            return self.scene_head.head.card.spaces
        labels = () if self.labeller is None else (self.labeller.encoder.space,)
        return (*labels, COLOR_SPACE)

    def made_by(self) -> MadeBy:
        """Return how a timeline that is made now is made; same steps give the same results."""
        plan, spaces = self.plan, [asdict(space) for space in self.encoders]
        stream = {} if plan.stream is None else {"stream": plan.stream}
        shots: Json = {
            "detector": plan.shots.detector,
            "pixels": "exact" if plan.shots.exact else "points",
            "threshold": plan.shots.score_threshold,
            "min_shot_s": plan.shots.shortest_s,
            "library": f"scenedetect {version('scenedetect-headless')}",
        }
        if self.listed is not None:
            shots = {"list": self.listed.path.name, "list_hash": self.listed.fingerprint}
        steps = {"reading": {"revision": READING_REVISION, **stream}, "shots": shots}
        if self.marks is not None:
            steps["marks"] = {"revision": MARKS_REVISION} | asdict(self.marks)
        if spaces:
            steps["frames"] = {"sampling": str(plan.sampling), "spaces": spaces}
        if self.taxonomy is not None:
            steps["labels"] = self.labels_made() | {"keep": asdict(self.keep)}
        if "scenes" in plan.steps:
            steps["scenes"] = scenes_made(self.scene_head, self.scene_spaces)
        steps |= self._perception_made()
        return MadeBy(__version__, datetime.now(UTC).isoformat(timespec="seconds"), steps)

    def _perception_made(self) -> dict[str, Json]:
        """Return what a timeline keeps of how scales, people, sounds and settings were found."""
        steps: dict[str, Json] = {}
        abstain = {"abstain": asdict(self.plan.abstain)}
        if self.scaler is not None:
            steps["scale"] = self.scaler.made() | abstain
        elif self.scale_by_people:
            steps["scale"] = {"method": "people", "rule": asdict(SCALE_RULE)} | abstain
        if self.people is not None:
            steps["people"] = detector_made(self.people, YUNET, NANODET)
        if self.moderation is not None:
            steps["moderation"] = self.moderation.made()
        if self.hearing is not None:
            steps["sound"] = self.hearing.made()
        if self.settings is not None:
            steps["headings"] = self.settings.made()
        if self.genres is not None:
            steps["genres"] = self.genres.made()
        return steps

    def labels_made(self) -> Json:
        """Return what a timeline keeps of how scores of labels were made."""
        made: Json = {} if self.words is None else self.words.made()
        if self.recogniser is not None:
            assert self.taxonomy is not None
            made |= {
                "taxonomy": self.taxonomy.name,
                "taxonomy_fingerprint": self.taxonomy.fingerprint,
                "recogniser": self.recogniser.made(),
                "share": self.recogniser.share,
            }
        if self.smoother is not None:
            made["smoothing"] = self.smoother.made()
        return made


def prepare(plan: Plan) -> LoadedPlan:
    """Return the plan with its encoders loaded.

    Where the encoder's weights are not on this machine there is no labeller, and a note says how to
    get them; the rest of the plan can still be done.

    Raises:
        MastershotError: The taxonomy, the encoder's folder, the classifier of scales, the network
            of sounds, the model of genres or the shot list is not usable.
    """
    listed = None if plan.shot_list is None else listed_shots(plan.shot_list)
    taxonomy = load_taxonomy(plan.taxonomy) if "labels" in plan.steps else None
    if plan.recogniser is not None:
        find_recogniser(plan.recogniser)  # Before an encoder is loaded for nothing.
    encoder, notes = _find_encoder(plan)
    labeller = None
    if encoder is not None and taxonomy is not None and plan.needs_labeller:
        labeller = Labeller(encoder, taxonomy)
    scaler, recogniser = None, None
    if "scale" in plan.steps:
        scaler = find_scaler(plan.scale, encoder)
        without = scaler is None and "people" not in plan.steps
        notes += scale_notes(scaler, plan.sampling, asked=without and plan.steps != STEPS)
    if plan.recogniser is not None:
        share = 1.0 if plan.fuse is None else plan.fuse
        recogniser = load_shot_recogniser(plan.recogniser, encoder, share)
        notes += recogniser_notes(recogniser, plan.sampling)
    genres = None
    if plan.genres is not None:
        genres = load_genre_finder(plan.genres, encoder)
        notes += genre_notes(genres, plan.shots, listed=plan.shot_list)
    loaded = LoadedPlan(plan, labeller, scaler, listed, notes, recogniser, genres=genres)
    if plan.scene_head is not None:
        loaded = replace(loaded, scene_head=load_scene_head(plan.scene_head, encoder))
    return _with_detectors(loaded, encoder)


def _with_detectors(loaded: LoadedPlan, encoder: ImageTextEncoder | None) -> LoadedPlan:
    steps, moderation = loaded.plan.steps, None
    kept: tuple[str, ...] = ()
    if "moderation" in steps:
        hears = "sound" in steps
        moderation = find_moderation(loaded.plan.moderation, encoder, hears=hears)
        kept = HEARD.outputs
    return replace(
        loaded,
        people=PeopleDetector() if "people" in steps else None,
        moderation=moderation,
        hearing=Hearing(SoundClassifier(), kept=kept) if "sound" in steps else None,
        settings=find_settings(encoder) if "headings" in steps and encoder is not None else None,
    )


def _find_encoder(plan: Plan) -> tuple[ImageTextEncoder | None, tuple[str, ...]]:
    """Return the encoder of words, if one is needed, and what the user should know of it."""
    by_words = plan.labels_by_words
    scale_in_words = "scale" in plan.steps and plan.scale is None
    others = plan.scene_head is not None or (
        "moderation" in plan.steps and plan.encoder is not None
    )
    if not (plan.needs_labeller or scale_in_words or "headings" in plan.steps or others):
        return None, ()
    name = plan.encoder or DEFAULT_ENCODER
    try:
        # Only an encoder that was asked for by name may be downloaded.
        encoder = load_encoder(name, precision=plan.precision, download=plan.encoder is not None)
    except EncoderUnavailableError as error:
        if plan.fuse is not None:
            raise
        headings = "headings" in plan.steps
        lost = [name for name, is_lost in (("labels", by_words), ("headings", headings)) if is_lost]
        return None, (f"No {' or '.join(lost)}: {error}" if lost else str(error),)
    is_starter = encoder.space.model == STARTER_NAME
    return encoder, (STARTER_NOTE,) if by_words and is_starter else ()
