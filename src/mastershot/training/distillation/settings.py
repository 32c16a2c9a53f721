"""Settings of a distillation: frames, teachers, training. Light to import: no tensor is here."""

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from mastershot.core.errors import SettingError
from mastershot.core.settings import (
    Count,
    CountOrNone,
    NotEmpty,
    NotNegative,
    Positive,
    Range,
    Seed,
    Settings,
    Share,
    Text,
    require,
)
from mastershot.encoders.starter import LEAST_DETAIL_PX
from mastershot.models.students import DEFAULT_NETWORK, STUDENT_NETWORKS
from mastershot.training.engine.settings import AugmentationSettings, under

_FILES_OF_TEACHERS = "a teacher needs weights and concepts; one of kind labels takes neither"
_Side = Annotated[int, Range(32, 1024, multiple_of=16)]


@dataclass(frozen=True)
class FrameSource(Settings):
    """Where frames come from.

    Attributes:
        path: A folder of pictures, films and tables of pictures, searched through, one file, a
            pattern of files (``photographs/*-0[0-5].parquet``), or a library, whose films are used.
        share: How often its frames are drawn, against the other sources.
        rate_hz: Frames taken a second of film.
    """

    path: Text
    share: Positive = 1.0
    rate_hz: Positive = 1.0


@dataclass(frozen=True)
class TeacherSettings(Settings):
    """One teacher of a recipe.

    Attributes:
        kind: ``squeezenet`` (a safetensors file of SqueezeNet 1.1), ``tflite`` (a quantised
            classifier), ``encoder`` (whatever `load_encoder` takes) or ``labels`` (the labels of
            frames that have some, and a probe of them on the maps of the squeezenet before it).
        weights: Its file, or the encoder's name or folder; none for labels.
        concepts: File of its classes, one a line; for an encoder, a taxonomy; none for labels.
        weight: Its share in the loss.
        temperature: Its logits are divided by it, and the student's as well.
        every: It gives targets for one of so many groups.
        trust: Of labels: what a frame's label counts in its target; the probe has the rest.
    """

    kind: Literal["squeezenet", "tflite", "encoder", "labels"]
    weights: str = ""
    concepts: str = ""
    weight: Positive = 1.0
    temperature: Positive = 2.0
    every: Count = 1
    trust: Share = 0.9

    def _check(self) -> None:
        given = bool(self.weights), bool(self.concepts)
        wanted = self.kind != "labels"
        require(given == (wanted, wanted), _FILES_OF_TEACHERS)


@dataclass(frozen=True)
class DistillationSettings(Settings):
    """How a student is trained.

    Attributes:
        steps: Optimiser steps in all.
        batch_size: Views a step, B.
        group_size: Views drawn and shown to the teachers at once, G.
        passes_per_view: Passes of the student over each view, half of them mirrored.
        learning_rate: Of AdamW at its height, after the warm-up; a cosine then takes it to 0.
        weight_decay: Of AdamW.
        warmup_steps: Steps in which the learning rate rises.
        hint_weight: Weight of the teacher's maps in the loss.
        cosine_weight: Weight of one minus the cosine with an encoder's vector in the loss.
        teacher_px: Side of the square the teachers see.
        student_px: Side of the square the student sees.
        detail_px: Side of the square that the trained student's frames are squeezed into first:
            views of small pictures hold no finer detail than that; 0 keeps all there is.
        augmentation: How views are drawn.
        film_share: Share of views that are changed as films change a picture: bars, grade, grain,
            blur, somebody in front of the place.
        ema_decay: What the averaged weights keep of themselves at each step; 0 averages none. The
            averaged ones are evaluated and exported.
        precision: ``32-true``, or mixed precision.
        seed: Seed of weights and views.
    """

    steps: Count = 8_000
    batch_size: Annotated[int, Range(2)] = 64
    group_size: Count = 512
    passes_per_view: Count = 2
    learning_rate: Positive = 2e-3
    weight_decay: NotNegative = 0.02
    warmup_steps: CountOrNone = 300
    hint_weight: NotNegative = 1.0
    cosine_weight: NotNegative = 1.0
    teacher_px: _Side = 192
    student_px: _Side = 128
    detail_px: Annotated[int, Range(0, 1024)] = 0
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    film_share: Share = 0.0
    ema_decay: Annotated[float, Range(0, 1, "[)")] = 0.0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    seed: Seed = 0

    def _check(self) -> None:
        require(
            self.group_size % self.batch_size == 0,
            f"group_size is {self.group_size}; it must be a multiple of batch_size "
            f"{self.batch_size}",
        )
        require(
            self.detail_px == 0 or self.detail_px >= LEAST_DETAIL_PX,
            f"detail_px is {self.detail_px}; it must be 0 or at least {LEAST_DETAIL_PX}",
        )

    @property
    def steps_per_group(self) -> int:
        """Optimiser steps that one group of views feeds."""
        return self.group_size * self.passes_per_view // self.batch_size


@dataclass(frozen=True)
class HeldOutSettings(Settings):
    """Which frames are never trained on.

    Attributes:
        share: A share of all frames, picked by a digest of their names.
        labelled: A CSV of file names that are held out as well, with columns ``name`` and
            ``label``, which may be empty; a file, or one that ships with the recipes. A student of
            concepts is calibrated on those that have a label.
        right: A CSV with columns ``label`` and ``right``: the labels of the taxonomy movieclip,
            with ``;`` between them, that are right for a label.
    """

    share: Annotated[float, Range(0, 1, "[)")] = 0.03
    labelled: str = ""
    right: str = ""

    def _check(self) -> None:
        require(bool(self.labelled) or not self.right, "right needs labelled as well")


@dataclass(frozen=True)
class DistilRecipe(Settings):
    """A small network is trained to predict what larger ones do, on frames with or without labels.

    Attributes:
        frames: Where frames come from.
        teachers: Classifiers and the labels of frames, whose concepts the student predicts; or one
            encoder, whose space it shares.
        name: What the student is called.
        network: The student's network, a name of `STUDENT_NETWORKS`.
        data: Folder that paths of frames, weights and concepts start from.
        held_out: Which frames agreement with the teachers is measured on.
        training: How the student is trained.
        report_every: Steps between two measurements of agreement.
        save_every: Steps between two checkpoints.
    """

    frames: Annotated[tuple[FrameSource, ...], NotEmpty()]
    teachers: Annotated[tuple[TeacherSettings, ...], NotEmpty()]
    name: str = "student"
    network: str = DEFAULT_NETWORK
    data: str = "."
    held_out: HeldOutSettings = field(default_factory=HeldOutSettings)
    training: DistillationSettings = field(default_factory=DistillationSettings)
    report_every: Count = 500
    save_every: Count = 250

    def _check(self) -> None:
        kinds, known = [teacher.kind for teacher in self.teachers], " or ".join(STUDENT_NETWORKS)
        require(self.network in STUDENT_NETWORKS, f"network {self.network!r} is not one of {known}")
        require(
            "encoder" not in kinds or len(kinds) == 1, "teachers: an encoder must be the only one"
        )
        require(kinds.count("squeezenet") < 2, "teachers: at most one squeezenet can give hints")
        require(self.teachers[0].every == 1, "teachers.0.every must be 1: the first always answers")
        require(
            "labels" not in kinds or (kinds[0] == "squeezenet" and kinds.count("labels") == 1),
            "teachers: labels may stand once, after a squeezenet as the first, whose maps they use",
        )


def files_of_pattern(path: Path) -> list[Path]:
    """Return the files that a path with ``*``, ``?`` or ``[`` in its last part means, in order.

    A path that exists means itself.
    """
    if not set(path.name) & set("*?[") or path.exists():
        return []
    return sorted(path.parent.glob(path.name))


def find_list(name: str) -> Path:
    """Return where a list of held_out is: a file, else one that ships with the recipes.

    Raises:
        SettingError: There is neither.
    """
    shipped = Path(str(resources.files("mastershot"))) / "recipes" / name
    for path in (Path(name).expanduser(), shipped):
        if path.is_file():
            return path
    raise SettingError(f"list {name} of held_out is neither a file nor one that ships")


def missing_inputs(recipe: DistilRecipe) -> list[str]:
    """Return a sentence for each file or folder of a recipe that does not exist."""
    frames = [under(recipe.data, source.path) for source in recipe.frames]
    problems = [
        f"frames {path} do not exist; name a folder, a picture, a film, a pattern or a library"
        for path in frames
        if not files_of_pattern(path) and not path.exists()
    ]
    for teacher in recipe.teachers:
        files = {"weights": teacher.weights, "concepts": teacher.concepts}
        # An encoder is a name, which may yet be fetched: loading it says what is wrong.
        for what, name in files.items() if teacher.kind in ("squeezenet", "tflite") else ():
            if not (path := under(recipe.data, name)).is_file():
                problems.append(f"{what} {path} of the {teacher.kind} teacher do not exist")
    for name in filter(None, (recipe.held_out.labelled, recipe.held_out.right)):
        try:
            find_list(name)
        except SettingError as error:
            problems.append(str(error))
    return problems
