"""Distillation: a small network learns to see what larger ones see, on unlabelled frames.

The student starts from random weights. What is kept in the folder, so that a run killed anywhere
goes on: the recipe, the frames, the last checkpoint, a log of figures, at last the student.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader

from mastershot.core.errors import SettingError
from mastershot.models.students import STUDENT_NETWORKS
from mastershot.training.distillation.calibration import LabelledFrames
from mastershot.training.distillation.export import hand_over, shipped_student
from mastershot.training.distillation.frames import POOL_INDEX, FramePool, gather_frames
from mastershot.training.distillation.held_out import (
    Examination,
    HeldOut,
    chances,
    hold_out,
    labelled_frames,
    labelled_pictures,
    seen_whole,
)
from mastershot.training.distillation.module import Distillation, num_outputs
from mastershot.training.distillation.settings import (
    DistilRecipe,
    FrameSource,
    TeacherSettings,
    missing_inputs,
)
from mastershot.training.distillation.teacher_targets import TaughtViews
from mastershot.training.distillation.teachers import Teacher, load_teacher
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress, under
from mastershot.training.engine.trainer import CHECKPOINT, fit, steps_done

if TYPE_CHECKING:
    from mastershot.models.students import StudentNetwork

STUDENT = "student"


@dataclass(frozen=True)
class _Class:
    """Everyone who is present: teachers, frames, the student at its desk."""

    sources: tuple[FrameSource, ...]
    teachers: Sequence[tuple[Teacher, TeacherSettings]]
    pool: FramePool
    held: HeldOut
    examination: Examination
    module: Distillation


def distil(recipe: DistilRecipe, out: Path, on_progress: OnProgress = no_progress) -> Path:
    """Return the folder of a student, trained by the recipe; `load_encoder` takes it.

    A run that was stopped or killed goes on from its last checkpoint, to the same weights on the
    same CPU. A run that is done changes nothing. Two runs of one folder wait for each other.

    Args:
        recipe: What to train, from what.
        out: Where everything is kept; it belongs to this recipe from then on.
        on_progress: Told of progress.

    Raises:
        SettingError: Frames or lists are missing or empty, or the folder is another recipe's.
        EncoderError: A teacher is missing, or cannot be loaded.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    missing = [] if (out / STUDENT).is_dir() else missing_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(POOL_INDEX, CHECKPOINT, STUDENT)):
        if not (out / STUDENT).is_dir():
            _train(recipe, out, on_progress)
    return out / STUDENT


def _train(recipe: DistilRecipe, out: Path, on_progress: OnProgress) -> None:
    present = _gather(recipe, out, on_progress)
    first = steps_done(out)
    metrics = _AgreementLog(recipe, out, present, on_progress)
    batches = TaughtViews(
        present.pool,
        present.teachers,
        recipe.training,
        chances=chances(present.pool, present.sources, present.held),
        first_step=first,
    )
    if first:
        metrics.write({"step": first, "resumed": True})
    on_progress("training", first, recipe.training.steps, {})
    fit(
        present.module,
        DataLoader(batches, batch_size=None),
        folder=out,
        steps=recipe.training.steps,
        save_every=recipe.save_every,
        on_step=metrics.note,
    )
    _export(recipe, out, present)


def _gather(recipe: DistilRecipe, out: Path, on_progress: OnProgress) -> _Class:
    on_progress("teachers", 0, len(recipe.teachers), {})
    teachers = [(load_teacher(told, recipe.data), told) for told in recipe.teachers]
    sources = tuple(
        replace(source, path=str(under(recipe.data, source.path))) for source in recipe.frames
    )
    pool = gather_frames(sources, out, on_progress)
    held = hold_out(pool, recipe.held_out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        kind, side_px = STUDENT_NETWORKS[recipe.network], recipe.training.student_px
        student = kind.to_train(num_outputs(teachers), side_px)
        module = Distillation(student, teachers, recipe.training)
    on_progress("asking the teachers", 0, None, {})
    examination = Examination(pool, held, teachers, recipe.training)
    return _Class(sources, teachers, pool, held, examination, module)


def _export(recipe: DistilRecipe, out: Path, present: _Class) -> None:
    """Write the student's folder, which is there whole or not at all."""
    student = shipped_student(present.module.student, recipe)
    agreement = present.examination.agreement(student, present.module, present.sources)
    learnt = torch.from_numpy(present.pool.sources)[~present.held.mask]
    figures = {
        "trained_on": [
            {"source": Path(source.path).name, "frames": int((learnt == index).sum())}
            for index, source in enumerate(present.sources)
        ],
        "agreement": [asdict(one) for one in agreement],
    }
    labelled = _labelled(recipe, present, student)
    partial = out / f"{STUDENT}.part"
    hand_over(partial, recipe, present.teachers, student, figures=figures, labelled=labelled)
    partial.rename(out / STUDENT)


def _labelled(
    recipe: DistilRecipe, present: _Class, student: "StudentNetwork"
) -> LabelledFrames | None:
    pictures, labels = labelled_pictures(present.held, present.pool, present.sources)
    if not labels:
        return None
    side_px = recipe.training.student_px
    logits = torch.cat(seen_whole(pictures, student, present.module, side_px=side_px), 1)
    return labelled_frames(recipe.held_out, logits, labels)


class _AgreementLog(MetricsLog):
    """Writes down the figures of a run and the agreement now and then."""

    def __init__(
        self, recipe: DistilRecipe, out: Path, present: _Class, on_progress: OnProgress
    ) -> None:
        super().__init__(out)
        self._recipe = recipe
        self._present = present
        self._watch = on_progress

    def note(self, step: int, figures: Mapping[str, float], **more: Any) -> None:
        """Tell of a step, and write its figures down if it is time."""
        steps = self._recipe.training.steps
        self._watch("training", step, steps, figures)
        if step % self._recipe.report_every and step != steps:
            return
        present = self._present
        agreement = present.examination.agreement(
            present.module.student, present.module, present.sources
        )
        super().note(step, figures, agreement=[asdict(one) for one in agreement])
