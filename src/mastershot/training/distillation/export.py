"""What a distillation exports: a small folder that `load_encoder` takes."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mastershot.encoders.catalogue import known_encoder
from mastershot.encoders.starter import write_student
from mastershot.models.students import STUDENT_NETWORKS
from mastershot.training.distillation.calibration import LabelledFrames, concept_description
from mastershot.training.distillation.settings import DistilRecipe, TeacherSettings
from mastershot.training.distillation.teachers import LabelSpace, Teacher, Teachers
from mastershot.training.engine.run_directory import whole_folder
from mastershot.training.engine.settings import find_encoder, under

if TYPE_CHECKING:
    from mastershot.models.students import StudentNetwork


def exported_student(network: "StudentNetwork", recipe: DistilRecipe) -> "StudentNetwork":
    """Return the network as it is exported: normalisation fused, weights rounded to float16."""
    kind, side_px = STUDENT_NETWORKS[recipe.network], recipe.training.student_px
    exported = kind.to_ship(network.head.out_features, side_px)
    weights = network.shipped_weights()
    exported.load_state_dict(
        {name: tensor.cpu().half().float() for name, tensor in weights.items()}
    )
    return exported.eval().requires_grad_(False)


def export_student(
    folder: Path,
    recipe: DistilRecipe,
    teachers: Teachers,
    student: "StudentNetwork",
    *,
    figures: Mapping[str, Any],
    labelled: LabelledFrames | None,
) -> None:
    """Write the folder of an `exported_student`, whole or not at all.

    Args:
        figures: What it was trained on, and how well it agrees with its teachers.
        labelled: Frames that a student of concepts is calibrated on.
    """
    space, weights = teachers[0][0].space, student.state_dict()
    description: dict[str, Any]
    if space is None:
        concepts = [list(teacher.concepts) for teacher, _ in teachers]
        description, weights["concept_vectors"] = concept_description(concepts, labelled)
        description = {"kind": "concepts", **description, "concepts": concepts}
    else:
        description = {"kind": "space", "text": _text_side(space, teachers[0][1], recipe.data)}
    settings = {
        "name": recipe.name,
        "network": recipe.network,
        "image_px": recipe.training.student_px,
        **description,
        "teachers": [_described(teacher, settings, recipe.data) for teacher, settings in teachers],
        "seed": recipe.training.seed,
        "steps": recipe.training.steps,
        **figures,
    }
    with whole_folder(folder) as partial:
        write_student(partial, settings, weights)


def _described(teacher: Teacher, settings: TeacherSettings, data: str) -> dict[str, Any]:
    """Return what student.json states of a teacher: which weights, and its part in the loss."""
    if teacher.space is not None:
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
