"""What a distillation leaves behind: a small folder that `load_encoder` takes."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from mastershot.encoders.catalogue import known_encoder
from mastershot.encoders.starter import write_student
from mastershot.models.students import STUDENT_NETWORKS
from mastershot.training.distillation.calibration import LabelledFrames, speaking
from mastershot.training.distillation.settings import DistilRecipe, TeacherSettings
from mastershot.training.distillation.teachers import TaughtSpace, Teacher
from mastershot.training.engine.settings import find_encoder, under

if TYPE_CHECKING:
    from mastershot.models.students import StudentNetwork


def shipped_student(network: "StudentNetwork", recipe: DistilRecipe) -> "StudentNetwork":
    """Return the network as it is shipped: normalisation fused, weights rounded to float16."""
    kind, side_px = STUDENT_NETWORKS[recipe.network], recipe.training.student_px
    shipped = kind.to_ship(network.head.out_features, side_px)
    weights = network.shipped_weights()
    shipped.load_state_dict({name: tensor.cpu().half().float() for name, tensor in weights.items()})
    return shipped.eval().requires_grad_(False)


def hand_over(
    folder: Path,
    recipe: DistilRecipe,
    teachers: Sequence[tuple[Teacher, TeacherSettings]],
    student: "StudentNetwork",
    *,
    figures: Mapping[str, Any],
    labelled: LabelledFrames | None = None,
) -> None:
    """Write the student's weights and what there is to say of it.

    Args:
        folder: What is there is replaced.
        recipe: How it was made.
        teachers: Who taught it.
        student: As it is shipped.
        figures: What it was trained on, and how well it agrees with its teachers.
        labelled: Frames that a student of concepts is calibrated on.
    """
    rmtree(folder, ignore_errors=True)
    space = teachers[0][0].space
    weights = student.state_dict()
    if space is None:
        concepts = [list(teacher.concepts) for teacher, _ in teachers]
        told, weights["concept_vectors"] = speaking(concepts, labelled)
        spoken: dict[str, Any] = {"kind": "concepts", **told, "concepts": concepts}
    else:
        spoken = {"kind": "space", "text": _text_side(space, teachers[0][1], recipe.data)}
    said = {
        "name": recipe.name,
        "network": recipe.network,
        "image_px": recipe.training.student_px,
        **spoken,
        "teachers": [_told_of(teacher, told, recipe.data) for teacher, told in teachers],
        "seed": recipe.training.seed,
        "steps": recipe.training.steps,
        **figures,
    }
    write_student(folder, said, weights)


def _told_of(teacher: Teacher, told: TeacherSettings, data: str) -> dict[str, Any]:
    """Return what is said of a teacher: how it is known again, and what it counted for."""
    said: dict[str, Any] = {"kind": told.kind, "weights": Path(told.weights).name}
    if teacher.space is not None:
        said["weights_hash"] = teacher.space.encoder.space.weights_hash
    else:
        with under(data, told.weights).open("rb") as file:
            said["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return said | {"weight": told.weight, "temperature": told.temperature}


def _text_side(space: TaughtSpace, told: TeacherSettings, data: str) -> dict[str, Any]:
    """Return where the words of a student are: with the encoder that taught it."""
    name = find_encoder(told.weights, data)
    said: dict[str, Any] = {
        "encoder": name,
        "width": space.label_vectors.shape[1],
        "logit_scale": space.encoder.logit_scale,
        "label_template": space.encoder.label_template,
        "weights_hash": space.encoder.space.weights_hash,
    }
    known = known_encoder(name)
    return said | {"revision": known.revision} if known and known.revision else said
