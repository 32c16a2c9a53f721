"""What a distillation is told: frames, teachers, study. Light to import: no tensor is here."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from mastershot.core.errors import SettingError
from mastershot.models.students import DEFAULT_NETWORK, STUDENT_NETWORKS

TEACHER_KINDS = ("squeezenet", "tflite", "encoder")

Watch = Callable[[str, int, int | None, Mapping[str, float]], None]
"""Told of progress: stage, how much of it is done, how much there is, figures."""


def unwatched(stage: str, done: int, total: int | None, figures: Mapping[str, float]) -> None:
    """Take no note of progress."""


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
        _require(bool(self.path), "a source of frames has no path; name a folder, file or library")
        _require_above(f"share of {self.path}", self.share, 0)
        _require_above(f"rate_hz of {self.path}", self.rate_hz, 0)


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
        every: It answers for one of so many groups.
    """

    kind: str
    weights: str
    concepts: str
    weight: float = 1.0
    temperature: float = 2.0
    every: int = 1

    def __post_init__(self) -> None:
        _require(
            self.kind in TEACHER_KINDS,
            f"teacher kind {self.kind!r} is unknown; use {', '.join(TEACHER_KINDS)}",
        )
        _require(bool(self.weights), f"a {self.kind} teacher needs weights")
        _require(bool(self.concepts), f"teacher {self.weights} needs a list of concepts")
        _require_above(f"weight of teacher {self.weights}", self.weight, 0)
        _require_above(f"temperature of teacher {self.weights}", self.temperature, 0)
        _require(self.every >= 1, f"every of teacher {self.weights} is {self.every}; 1 is always")


@dataclass(frozen=True)
class ViewSettings:
    """How views are drawn.

    Attributes:
        min_area: Smallest part of a frame's area that a view shows; the largest is all.
        max_stretch: A view is at most so much wider, or higher, than it should be.
        colour: How far brightness, contrast and each channel's gain move.
        grey_share: Share of views without colour.
        mixed_share: Share of views that are two views shown through each other.
    """

    min_area: float = 0.2
    max_stretch: float = 1.5
    colour: float = 0.3
    grey_share: float = 0.2
    mixed_share: float = 0.3

    def __post_init__(self) -> None:
        _require(0 < self.min_area <= 1, f"min_area is {self.min_area:g}; it is in (0, 1]")
        _require(1 <= self.max_stretch <= 10, f"max_stretch is {self.max_stretch:g}, not 1 to 10")
        for name in ("colour", "grey_share", "mixed_share"):
            value = getattr(self, name)
            _require(0 <= value <= 1, f"{name} is {value:g}; it is in [0, 1]")


@dataclass(frozen=True)
class StudySettings:
    """How a student studies.

    Attributes:
        steps: Optimiser steps in all.
        batch_size: Views a step, B.
        group_size: Views drawn and shown to the teachers at once, G.
        lessons_per_view: Times the student sees each view, half of them mirrored.
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
    lessons_per_view: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 300
    hint_weight: float = 1.0
    cosine_weight: float = 1.0
    teacher_px: int = 192
    student_px: int = 128
    views: ViewSettings = field(default_factory=ViewSettings)
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.steps >= 1, f"steps is {self.steps}; train for one step at least")
        _require(self.batch_size >= 2, f"batch_size is {self.batch_size}; a batch needs 2 views")
        _require(
            self.group_size >= 1 and self.group_size % self.batch_size == 0,
            f"group_size is {self.group_size}; it is a multiple of batch_size {self.batch_size}",
        )
        _require(self.lessons_per_view >= 1, "lessons_per_view is at least 1")
        _require_above("learning_rate", self.learning_rate, 0)
        _require(0 <= self.seed < 2**31, f"seed is {self.seed}; it is in [0, 2^31)")
        for name in ("weight_decay", "warmup_steps", "hint_weight", "cosine_weight"):
            value = getattr(self, name)
            _require(0 <= value < math.inf, f"{name} is {value:g}; it is not below 0")
        for name in ("teacher_px", "student_px"):
            side_px = getattr(self, name)
            _require(
                32 <= side_px <= 1024 and side_px % 16 == 0,
                f"{name} is {side_px}; it is a multiple of 16 from 32 to 1024",
            )

    @property
    def steps_per_group(self) -> int:
        """Optimiser steps that one group of views feeds."""
        return self.group_size * self.lessons_per_view // self.batch_size


@dataclass(frozen=True)
class HeldOutSettings:
    """Which frames are never learnt from.

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
        _require(0 <= self.share < 1, f"share held out is {self.share:g}; it is in [0, 1)")
        _require(
            bool(self.labelled) or not self.right, "held_out.right needs held_out.labelled as well"
        )


@dataclass(frozen=True)
class DistilRecipe:
    """A small network learns to see what larger ones see, on unlabelled frames.

    Attributes:
        frames: Where frames come from.
        teachers: Classifiers, whose concepts the student learns to name; or one encoder, whose
            space it learns.
        name: What the student is called.
        network: What the student is, a name of `STUDENT_NETWORKS`.
        data: Folder that paths of frames, weights and concepts start from.
        held_out: Which frames agreement with the teachers is measured on.
        study: How the student studies.
        report_every: Steps between two measurements of agreement.
        save_every: Steps between two checkpoints.
    """

    frames: tuple[FrameSource, ...]
    teachers: tuple[TeacherSettings, ...]
    name: str = "student"
    network: str = DEFAULT_NETWORK
    data: str = "."
    held_out: HeldOutSettings = field(default_factory=HeldOutSettings)
    study: StudySettings = field(default_factory=StudySettings)
    report_every: int = 500
    save_every: int = 250

    def __post_init__(self) -> None:
        kinds = [teacher.kind for teacher in self.teachers]
        _require(
            self.network in STUDENT_NETWORKS,
            f"network {self.network!r} is unknown; use {' or '.join(STUDENT_NETWORKS)}",
        )
        _require(bool(self.frames), "frames is empty; name a folder, film or library")
        _require(bool(kinds), "teachers is empty; name one")
        _require("encoder" not in kinds or len(kinds) == 1, "an encoder teaches alone; keep one")
        _require(kinds.count("squeezenet") < 2, "one squeezenet gives hints; keep one")
        _require(self.teachers[0].every == 1, "the first teacher answers always; its every is 1")
        _require(self.report_every >= 1 and self.save_every >= 1, "report and save every 1 or more")


def under(data: str, path: str) -> Path:
    """Return where a path of a recipe is: it starts from the recipe's data folder."""
    return Path(data).expanduser() / Path(path).expanduser()


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


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SettingError(otherwise)


def _require_above(name: str, value: float, bound: float) -> None:
    _require(bound < value < math.inf, f"{name} is {value:g}; it must be above {bound:g}")
