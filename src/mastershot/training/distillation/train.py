"""The run: its folder keeps what a killed run needs to resume, and at the end the student."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader

from mastershot.core.errors import SettingError
from mastershot.core.labels import load_taxonomy
from mastershot.encoders.catalogue import known_encoder
from mastershot.encoders.starter import write_student
from mastershot.models.students import STUDENT_NETWORKS
from mastershot.training.distillation.calibration import (
    LabelledFrames,
    concept_description,
    require_right,
)
from mastershot.training.distillation.frames import POOL_INDEX, FramePool, gather_frames
from mastershot.training.distillation.held_out import (
    AgreementEvaluation,
    HeldOut,
    chances,
    hold_out,
    labelled_pictures,
    read_right_labels,
    uncropped_logits,
)
from mastershot.training.distillation.labels import LabelTeacher
from mastershot.training.distillation.module import Distillation, DistillationBatches, num_outputs
from mastershot.training.distillation.settings import (
    DistilRecipe,
    FrameSource,
    TeacherSettings,
    find_list,
    missing_inputs,
)
from mastershot.training.distillation.teachers import (
    LabelSpace,
    SqueezeNetTeacher,
    Teacher,
    Teachers,
    load_teacher,
)
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory, whole_folder
from mastershot.training.engine.settings import OnProgress, find_encoder, no_progress, under
from mastershot.training.engine.trainer import CHECKPOINT, fit, steps_done

if TYPE_CHECKING:
    from mastershot.models.students import StudentNetwork

STUDENT = "student"
_CALIBRATED_ON = "movieclip"


@dataclass(frozen=True)
class _Inputs:
    """What a run trains with: frames, teachers, evaluation, and the student to be trained.

    ``right`` are the labels of the taxonomy that are right for each label of frames held out; empty
    where a student is not calibrated.
    """

    sources: tuple[FrameSource, ...]
    teachers: Teachers
    pool: FramePool
    held: HeldOut
    evaluation: AgreementEvaluation
    module: Distillation
    right: Mapping[str, Sequence[str]]


def distil(recipe: DistilRecipe, out: Path, on_progress: OnProgress = no_progress) -> Path:
    """Return the folder of a student, trained by the recipe; `load_encoder` takes it.

    A run that was stopped or killed resumes from its last checkpoint, to the same weights on the
    same CPU. A finished run is left as it is. Two runs of one folder wait for each other.

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
    inputs = _gather(recipe, out, on_progress)
    module, evaluation = inputs.module, inputs.evaluation
    first, steps, metrics = steps_done(out), recipe.training.steps, MetricsLog(out)
    weights = chances(inputs.pool, inputs.sources, inputs.held)
    batches = DistillationBatches(inputs.pool, inputs.teachers, recipe.training, weights, first)

    def on_step(step: int, figures: dict[str, float]) -> None:
        on_progress("training", step, steps, figures)
        if step % recipe.report_every == 0 or step == steps:
            metrics.note(step, figures, agreement=evaluation.agreement(module.trained, module))

    if first:
        metrics.write({"step": first, "resumed": True})
    on_progress("training", first, steps, {})
    fit(
        module,
        DataLoader(batches, batch_size=None),
        folder=out,
        steps=steps,
        save_every=recipe.save_every,
        on_step=on_step,
        precision=recipe.training.precision,
    )
    _export(recipe, out / STUDENT, inputs)


def _gather(recipe: DistilRecipe, out: Path, on_progress: OnProgress) -> _Inputs:
    on_progress("teachers", 0, len(recipe.teachers), {})
    teachers = [
        (load_teacher(settings, recipe.data), settings)
        for settings in recipe.teachers
        if settings.kind != "labels"
    ]
    sources = tuple(
        replace(source, path=str(under(recipe.data, source.path))) for source in recipe.frames
    )
    pool = gather_frames(sources, out, on_progress)
    held = hold_out(pool, recipe.held_out)
    right = _right_labels(recipe, held)  # Before hours of training.
    for settings in recipe.teachers:
        if settings.kind == "labels":
            on_progress("fitting the probe of labels", 0, None, {})
            first = teachers[0][0]
            assert isinstance(first, SqueezeNetTeacher)  # The recipe was checked.
            labels = LabelTeacher(pool, ~held.mask, first, trust=settings.trust)
            teachers.append((labels, settings))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        kind, side_px = STUDENT_NETWORKS[recipe.network], recipe.training.student_px
        student = kind.to_train(num_outputs(teachers), side_px)
        module = Distillation(student, teachers, recipe.training)
    on_progress("evaluating the teachers", 0, None, {})
    evaluation = AgreementEvaluation(pool, held, teachers, sources)
    return _Inputs(sources, teachers, pool, held, evaluation, module, right)


def _right_labels(recipe: DistilRecipe, held: HeldOut) -> Mapping[str, Sequence[str]]:
    by_words = recipe.teachers[0].kind != "encoder"
    if not (by_words and held.labels and recipe.held_out.right):
        return {}
    taxonomy = load_taxonomy(_CALIBRATED_ON)
    right = read_right_labels(find_list(recipe.held_out.right), taxonomy)
    require_right(held.labels.values(), right, taxonomy)
    return right


def exported_student(network: "StudentNetwork", recipe: DistilRecipe) -> "StudentNetwork":
    """Return the network as it is exported: normalisation fused, weights rounded to float16."""
    make, side_px = STUDENT_NETWORKS[recipe.network].to_ship, recipe.training.student_px
    exported = make(network.head.out_features, side_px)
    weights = network.shipped_weights().items()
    exported.load_state_dict({name: tensor.cpu().half().float() for name, tensor in weights})
    return exported.eval().requires_grad_(False)


def _export(recipe: DistilRecipe, folder: Path, inputs: _Inputs) -> None:
    """Write the student's folder, with what it was trained on and how well it agrees."""
    student = exported_student(inputs.module.trained, recipe)
    of_source = torch.from_numpy(inputs.pool.sources)[~inputs.held.mask]
    weights, (first, of_first) = student.state_dict(), inputs.teachers[0]
    description: dict[str, Any]
    if first.space is None:
        concepts = [list(teacher.concepts) for teacher, _ in inputs.teachers]
        labelled = _labelled(inputs, student)
        description, weights["concept_vectors"] = concept_description(concepts, labelled)
        description = {"kind": "concepts", **description, "concepts": concepts}
    else:
        description = {"kind": "space", "text": _text_side(first.space, of_first, recipe.data)}
    settings = {
        "name": recipe.name,
        "network": recipe.network,
        "image_px": recipe.training.student_px,
        "detail_px": recipe.training.detail_px,
        **description,
        "teachers": [_described(*teacher, recipe.data) for teacher in inputs.teachers],
        "seed": recipe.training.seed,
        "steps": recipe.training.steps,
        "trained_on": [
            {"source": Path(source.path).name, "frames": int((of_source == index).sum())}
            for index, source in enumerate(inputs.sources)
        ],
        "agreement": inputs.evaluation.agreement(student, inputs.module),
    }
    with whole_folder(folder) as partial:
        write_student(partial, settings, weights)


def _labelled(inputs: _Inputs, student: "StudentNetwork") -> LabelledFrames | None:
    """Return what a student of concepts is calibrated on, or None if there is nothing."""
    if not inputs.right:
        return None
    labels, taxonomy = list(inputs.held.labels.values()), load_taxonomy(_CALIBRATED_ON)
    pictures = labelled_pictures(inputs.held, inputs.pool, inputs.sources)
    logits = torch.cat(uncropped_logits(pictures, student, inputs.module), 1)
    return LabelledFrames(logits, labels, inputs.right, taxonomy)


def _described(teacher: Teacher, settings: TeacherSettings, data: str) -> dict[str, Any]:
    """Return what student.json states of a teacher: which weights, and its part in the loss."""
    digest: dict[str, Any]
    if isinstance(teacher, LabelTeacher):
        digest = {"trust": settings.trust}
    elif teacher.space is not None:
        digest = {"weights_hash": teacher.space.encoder.space.weights_hash}
    else:
        with under(data, settings.weights).open("rb") as file:
            digest = {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    return {
        "kind": settings.kind,
        "weights": Path(settings.weights).name,
        **digest,
        "weight": settings.weight,
        "temperature": settings.temperature,
    }


def _text_side(space: LabelSpace, settings: TeacherSettings, data: str) -> dict[str, Any]:
    """Return which encoder encodes a student's words: the one that was its teacher."""
    name = find_encoder(settings.weights, data)
    known = known_encoder(name)
    return {
        "encoder": name,
        "width": space.label_vectors.shape[1],
        "logit_scale": space.encoder.logit_scale,
        "label_template": space.encoder.label_template,
        "weights_hash": space.encoder.space.weights_hash,
        **({"revision": known.revision} if known and known.revision else {}),
    }
