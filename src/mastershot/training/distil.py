"""Distillation: a small network learns to see what larger ones see, on unlabelled frames.

The student starts from random weights. What is kept in the folder, so that a run killed anywhere
goes on: the recipe, the frames, the last checkpoint, a log of figures, at last the student.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from mastershot.core.errors import OutputError, SettingError
from mastershot.models.fire_net import FireNet
from mastershot.store.files import exclusive, write_whole
from mastershot.training.calibrate import LabelledFrames
from mastershot.training.fit import CHECKPOINT, fit, steps_done
from mastershot.training.frames import POOL_INDEX, FramePool, gather_frames
from mastershot.training.handover import fused_student, hand_over
from mastershot.training.held_out import (
    Examination,
    HeldOut,
    chances,
    hold_out,
    labelled_frames,
    labelled_pictures,
    seen_whole,
)
from mastershot.training.lessons import TaughtViews
from mastershot.training.settings import (
    DistilRecipe,
    FrameSource,
    TeacherSettings,
    Watch,
    missing_inputs,
    under,
    unwatched,
)
from mastershot.training.study import Distillation, num_outputs
from mastershot.training.teachers import Teacher, load_teacher

RECIPE = "recipe.json"
LOG = "log.jsonl"
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


def distil(recipe: DistilRecipe, out: Path, watch: Watch = unwatched) -> Path:
    """Return the folder of a student, trained by the recipe; `load_encoder` takes it.

    A run that was stopped or killed goes on from its last checkpoint, to the same weights on the
    same CPU. A run that is done changes nothing. Two runs of one folder wait for each other.

    Args:
        recipe: What to train, from what.
        out: Where everything is kept; it belongs to this recipe from then on.
        watch: Told of progress.

    Raises:
        SettingError: Frames or lists are missing or empty, or the folder is another recipe's.
        EncoderError: A teacher is missing, or cannot be loaded.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
    """
    missing = [] if (out / STUDENT).is_dir() else missing_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    try:
        out.mkdir(parents=True, exist_ok=True)
        with exclusive(out / "lock"):
            claim(out, recipe)
            if not (out / STUDENT).is_dir():
                _train(recipe, out, watch)
    except OSError as error:
        raise OutputError(f"{out} cannot be used for a run: {error.strerror or error}") from error
    return out / STUDENT


def claim(out: Path, recipe: DistilRecipe) -> None:
    """Write the recipe into a new folder; in an old one, require that it is the same.

    Raises:
        SettingError: The folder was begun with another recipe, or holds a run of none.
    """
    asked = json.loads(json.dumps(asdict(recipe)))
    path = out / RECIPE
    if path.exists():
        try:
            begun = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise SettingError(f"{path} is no recipe of a run; name another folder") from error
        difference = _difference(begun, asked)
        if difference:
            raise SettingError(
                f"{out} was begun with another recipe ({difference}); name another folder, or "
                "remove this one"
            )
        return
    for name in (POOL_INDEX, CHECKPOINT, LOG, STUDENT):
        if (out / name).exists():
            raise SettingError(f"{out} holds {name} of something else; name another folder")
    write_whole(path, (json.dumps(asked, indent=1, ensure_ascii=False) + "\n").encode())


def _train(recipe: DistilRecipe, out: Path, watch: Watch) -> None:
    present = _gather(recipe, out, watch)
    first = steps_done(out)
    diary = _Diary(recipe, out, present, watch)
    batches = TaughtViews(
        present.pool,
        present.teachers,
        recipe.study,
        chances=chances(present.pool, present.sources, present.held),
        first_step=first,
    )
    if first:
        diary.write({"step": first, "resumed": True})
    watch("training", first, recipe.study.steps, {})
    fit(
        present.module,
        DataLoader(batches, batch_size=None),
        folder=out,
        steps=recipe.study.steps,
        save_every=recipe.save_every,
        on_step=diary.note,
    )
    _export(recipe, out, present)


def _gather(recipe: DistilRecipe, out: Path, watch: Watch) -> _Class:
    watch("teachers", 0, len(recipe.teachers), {})
    teachers = [(load_teacher(told, recipe.data), told) for told in recipe.teachers]
    sources = tuple(
        replace(source, path=str(under(recipe.data, source.path))) for source in recipe.frames
    )
    pool = gather_frames(sources, out, watch)
    held = hold_out(pool, recipe.held_out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.study.seed)
        student = FireNet(num_outputs(teachers))
        module = Distillation(student, teachers, recipe.study)
    watch("asking the teachers", 0, None, {})
    examination = Examination(pool, held, teachers, recipe.study)
    return _Class(sources, teachers, pool, held, examination, module)


def _export(recipe: DistilRecipe, out: Path, present: _Class) -> None:
    """Write the student's folder, which is there whole or not at all."""
    student = fused_student(present.module.student)
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


def _labelled(recipe: DistilRecipe, present: _Class, student: FireNet) -> LabelledFrames | None:
    pictures, labels = labelled_pictures(present.held, present.pool, present.sources)
    if not labels:
        return None
    side_px = recipe.study.student_px
    logits = torch.cat(seen_whole(pictures, student, present.module, side_px=side_px), 1)
    return labelled_frames(recipe.held_out, logits, labels)


class _Diary:
    """Writes down the figures of a run now and then, one JSON object a line."""

    def __init__(self, recipe: DistilRecipe, out: Path, present: _Class, watch: Watch) -> None:
        self._recipe = recipe
        self._path = out / LOG
        self._present = present
        self._watch = watch
        self._began_s = time.monotonic()

    def note(self, step: int, figures: Mapping[str, float]) -> None:
        """Tell of a step, and write its figures down if it is time."""
        steps = self._recipe.study.steps
        self._watch("training", step, steps, figures)
        if step % self._recipe.report_every and step != steps:
            return
        present = self._present
        agreement = present.examination.agreement(
            present.module.student, present.module, present.sources
        )
        self.write(
            {
                "step": step,
                "seconds": round(time.monotonic() - self._began_s, 1),
                **{name: round(value, 5) for name, value in figures.items()},
                "agreement": [asdict(one) for one in agreement],
            }
        )

    def write(self, entry: dict[str, Any]) -> None:
        """Append a line to the log."""
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _difference(begun: Any, asked: Any, name: str = "") -> str:
    """Return the first setting in which two recipes differ, in words; empty if they are equal."""
    if isinstance(begun, dict) and isinstance(asked, dict):
        pairs = [(key, begun.get(key), asked.get(key)) for key in {**begun, **asked}]
    elif isinstance(begun, list) and isinstance(asked, list) and len(begun) == len(asked):
        pairs = list(zip(map(str, range(len(asked))), begun, asked, strict=True))
    else:
        return "" if begun == asked else f"{name} is {begun!r} there and {asked!r} here"
    below = (_difference(one, other, f"{name}.{key}".strip(".")) for key, one, other in pairs)
    return next((text for text in below if text), "")
