"""Settings of a distillation: frames, teachers, training. Light to import: no tensor is here."""

import math
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from mastershot.core.errors import SettingError
from mastershot.models.students import DEFAULT_NETWORK, STUDENT_NETWORKS
from mastershot.training.engine.settings import AugmentationSettings, require, require_above, under

TEACHER_KINDS = ("squeezenet", "tflite", "encoder")


@dataclass(frozen=True)
class FrameSource:
    """Where frames come from.

    Attributes:
        path: A folder of pictures and films, searched through, one file, or a library,
            whose films are used.
        share: How often its frames are drawn, against the other sources.
        rate_hz: Frames taken a second of film.
    """

    path: str
    share: float = 1.0
    rate_hz: float = 1.0

    def __post_init__(self) -> None:
        require(bool(self.path), "a source of frames has no path; name a folder, file or library")
        require_above(f"share of {self.path}", self.share, 0)
        require_above(f"rate_hz of {self.path}", self.rate_hz, 0)


@dataclass(frozen=True)
class TeacherSettings:
    """One teacher of a recipe.

    Attributes:
        kind: ``squeezenet`` (a safetensors file of SqueezeNet 1.1), ``tflite`` (a quantised
            classifier) or ``encoder`` (whatever `load_encoder` takes).
        weights: Its file, or the encoder's name or folder.
        concepts: File of its classes, one a line; for an encoder, a taxonomy.
        weight: Its share in the loss.
        temperature: Its logits are divided by it, and the student's as well.
        every: It gives targets for one of so many groups.
    """

    kind: str
    weights: str
    concepts: str
    weight: float = 1.0
    temperature: float = 2.0
    every: int = 1

    def __post_init__(self) -> None:
        require(
            self.kind in TEACHER_KINDS,
            f"teacher kind {self.kind!r} is unknown; use {', '.join(TEACHER_KINDS)}",
        )
        require(bool(self.weights), f"a {self.kind} teacher needs weights")
        require(bool(self.concepts), f"teacher {self.weights} needs a list of concepts")
        require_above(f"weight of teacher {self.weights}", self.weight, 0)
        require_above(f"temperature of teacher {self.weights}", self.temperature, 0)
        require(self.every >= 1, f"every of teacher {self.weights} is {self.every}; 1 is always")


@dataclass(frozen=True)
class DistillationSettings:
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
        views: How views are drawn.
        seed: Seed of weights and views.
    """

    steps: int = 8_000
    batch_size: int = 64
    group_size: int = 512
    passes_per_view: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 300
    hint_weight: float = 1.0
    cosine_weight: float = 1.0
    teacher_px: int = 192
    student_px: int = 128
    views: AugmentationSettings = field(default_factory=AugmentationSettings)
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.steps >= 1, f"steps is {self.steps}; train for one step at least")
        require(self.batch_size >= 2, f"batch_size is {self.batch_size}; a batch needs 2 views")
        require(
            self.group_size >= 1 and self.group_size % self.batch_size == 0,
            f"group_size is {self.group_size}; it is a multiple of batch_size {self.batch_size}",
        )
        require(self.passes_per_view >= 1, "passes_per_view is at least 1")
        require_above("learning_rate", self.learning_rate, 0)
        require(0 <= self.seed < 2**31, f"seed is {self.seed}; it is in [0, 2^31)")
        for name in ("weight_decay", "warmup_steps", "hint_weight", "cosine_weight"):
            value = getattr(self, name)
            require(0 <= value < math.inf, f"{name} is {value:g}; it is not below 0")
        for name in ("teacher_px", "student_px"):
            side_px = getattr(self, name)
            require(
                32 <= side_px <= 1024 and side_px % 16 == 0,
                f"{name} is {side_px}; it is a multiple of 16 from 32 to 1024",
            )

    @property
    def steps_per_group(self) -> int:
        """Optimiser steps that one group of views feeds."""
        return self.group_size * self.passes_per_view // self.batch_size


@dataclass(frozen=True)
class HeldOutSettings:
    """Which frames are never trained on.

    Attributes:
        share: A share of all frames, picked by a digest of their names.
        labelled: A CSV of file names that are held out as well, with columns ``name`` and
            ``label``, which may be empty; a file, or one that ships with the recipes. A student of
            concepts is calibrated on those that have a label.
        right: A CSV with columns ``label`` and ``right``: the labels of the taxonomy movieclip,
            with ``;`` between them, that are right for a label.
    """

    share: float = 0.03
    labelled: str = ""
    right: str = ""

    def __post_init__(self) -> None:
        require(0 <= self.share < 1, f"share held out is {self.share:g}; it is in [0, 1)")
        require(
            bool(self.labelled) or not self.right, "held_out.right needs held_out.labelled as well"
        )


@dataclass(frozen=True)
class DistilRecipe:
    """A small network is trained on the outputs of larger ones, on unlabelled frames.

    Attributes:
        frames: Where frames come from.
        teachers: Classifiers, whose concepts the student learns to name; or one encoder, whose
            space it learns.
        name: What the student is called.
        network: The student's network, a name of `STUDENT_NETWORKS`.
        data: Folder that paths of frames, weights and concepts start from.
        held_out: Which frames agreement with the teachers is measured on.
        training: How the student is trained.
        report_every: Steps between two measurements of agreement.
        save_every: Steps between two checkpoints.
    """

    frames: tuple[FrameSource, ...]
    teachers: tuple[TeacherSettings, ...]
    name: str = "student"
    network: str = DEFAULT_NETWORK
    data: str = "."
    held_out: HeldOutSettings = field(default_factory=HeldOutSettings)
    training: DistillationSettings = field(default_factory=DistillationSettings)
    report_every: int = 500
    save_every: int = 250

    def __post_init__(self) -> None:
        kinds = [teacher.kind for teacher in self.teachers]
        require(
            self.network in STUDENT_NETWORKS,
            f"network {self.network!r} is unknown; use {' or '.join(STUDENT_NETWORKS)}",
        )
        require(bool(self.frames), "frames is empty; name a folder, film or library")
        require(bool(kinds), "teachers is empty; name one")
        require("encoder" not in kinds or len(kinds) == 1, "an encoder teaches alone; keep one")
        require(kinds.count("squeezenet") < 2, "one squeezenet gives hints; keep one")
        require(self.teachers[0].every == 1, "the first teacher answers always; its every is 1")
        require(self.report_every >= 1 and self.save_every >= 1, "report and save every 1 or more")


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
    """Return a sentence for each file or folder of a recipe that is not there."""
    problems = [
        f"frames {path} do not exist; name a folder, a picture, a film or a library"
        for path in (under(recipe.data, source.path) for source in recipe.frames)
        if not path.exists()
    ]
    for teacher in recipe.teachers:
        if teacher.kind == "encoder":
            continue  # A name, which may yet be fetched: loading it says what is wrong.
        problems += [
            f"{what} {path} of the {teacher.kind} teacher do not exist"
            for what, path in (
                ("weights", under(recipe.data, teacher.weights)),
                ("concepts", under(recipe.data, teacher.concepts)),
            )
            if not path.is_file()
        ]
    for name in (recipe.held_out.labelled, recipe.held_out.right):
        try:
            if name:
                find_list(name)
        except SettingError as error:
            problems.append(str(error))
    return problems
