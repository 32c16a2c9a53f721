"""Encoders that were distilled: what is in their folder, checked before it is used."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mastershot.core.errors import EncoderError, SettingError
from mastershot.encoders.checkpoint import one_line, read_json
from mastershot.models.students import DEFAULT_NETWORK, STUDENT_NETWORKS

if TYPE_CHECKING:
    from torch import Tensor

    from mastershot.models.students import StudentNetwork

STUDENT_FORMAT = "mastershot/student/1"
STUDENT_SETTINGS = "student.json"
STUDENT_WEIGHTS = "student.safetensors"
_MAX_WIDTH = 65_536  # of a space, and of a student's outputs
StudentKind: TypeAlias = Literal["concepts", "space"]


@dataclass(frozen=True)
class StudentSettings:
    """What a folder says of its student.

    Attributes:
        kind: ``concepts`` names what it sees and speaks through a sentence encoder; ``space`` maps
            into the space of the encoder that taught it.
        image_px: Side S of the square it sees.
        groups: Number of concepts of each of its teachers; empty for ``space``.
        group_weights: What each group's probabilities count for, summing to 1.
        temperature: Its logits are divided by it before the softmax.
        num_concepts: Concepts that make up a frame's vector.
        logit_scale: What a cosine is multiplied by before a softmax over labels.
        label_template: The prompt a label is put into.
        text_encoder: Name or folder of the encoder of its words; empty is the packaged one.
        text_hash: Digest of that encoder's weights, as when it taught.
        width: Width D of its space.
        network: Which of `STUDENT_NETWORKS` it is. Its weights tell that too, so the name of its
            space, which is made of the text of these settings, does without.
    """

    kind: StudentKind
    image_px: int
    groups: tuple[int, ...]
    group_weights: tuple[float, ...]
    temperature: float
    num_concepts: int
    logit_scale: float
    label_template: str
    text_encoder: str
    text_hash: str
    width: int
    network: str = field(default=DEFAULT_NETWORK, repr=False)


def is_student(folder: Path) -> bool:
    """Return True if a folder holds a distilled encoder."""
    return (folder / STUDENT_SETTINGS).is_file()


def read_student(folder: Path) -> StudentSettings:
    """Return what a student's folder says of it.

    Raises:
        EncoderError: The file is damaged, of another version, or says what cannot be.
    """
    path = folder / STUDENT_SETTINGS
    said = read_json(path)
    if said.get("format") != STUDENT_FORMAT:
        raise EncoderError(
            f"{path} is of format {said.get('format')!r}; this version reads {STUDENT_FORMAT}"
        )
    try:
        settings = _concepts(said) if said["kind"] == "concepts" else _space(said)
        _require_sense(settings)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise EncoderError(f"{path} does not describe a student: {reason}") from error
    return settings


def _concepts(said: dict[str, Any]) -> StudentSettings:
    conse = said["conse"]
    return StudentSettings(
        kind="concepts",
        image_px=int(said["image_px"]),
        groups=tuple(len(group) for group in said["concepts"]),
        group_weights=tuple(float(weight) for weight in conse["group_weights"]),
        temperature=float(conse["temperature"]),
        num_concepts=int(conse["num_concepts"]),
        logit_scale=float(said["logit_scale"]),
        label_template=str(said["label_template"]),
        text_encoder="",
        text_hash="",
        width=int(said["width"]),
        network=_network(said),
    )


def _space(said: dict[str, Any]) -> StudentSettings:
    if said["kind"] != "space":
        raise ValueError(f"its kind is {said['kind']!r}; concepts and space are known")
    text = said["text"]
    return StudentSettings(
        kind="space",
        image_px=int(said["image_px"]),
        groups=(),
        group_weights=(),
        temperature=1.0,
        num_concepts=0,
        logit_scale=float(text["logit_scale"]),
        label_template=str(text["label_template"]),
        text_encoder=str(text["encoder"]),
        text_hash=str(text["weights_hash"]),
        width=int(text["width"]),
        network=_network(said),
    )


def _network(said: dict[str, Any]) -> str:
    """Return the name of a student's network; those of before there were several do not say it."""
    network = str(said.get("network", DEFAULT_NETWORK))
    if network not in STUDENT_NETWORKS:
        raise ValueError(f"its network is {network!r}; {' and '.join(STUDENT_NETWORKS)} are known")
    return network


def _require_sense(settings: StudentSettings) -> None:
    num_outputs = sum(settings.groups) or settings.width
    if not 32 <= settings.image_px <= 1024 or not 1 <= settings.width <= _MAX_WIDTH:
        raise ValueError(f"images of {settings.image_px} pixels, vectors of {settings.width}")
    if "{label}" not in settings.label_template:
        raise ValueError(f"label_template {settings.label_template!r} has no {{label}} in it")
    if not (1e-3 <= settings.temperature <= 1e3 and 1e-3 <= settings.logit_scale <= 1e3):
        raise ValueError("temperature and logit_scale must be from 0.001 to 1000")
    if len(settings.groups) != len(settings.group_weights):
        raise ValueError("each group of concepts needs one weight")
    if settings.groups and not (
        all(0 <= weight <= 1 for weight in settings.group_weights)
        and math.isclose(sum(settings.group_weights), 1, abs_tol=1e-6)
    ):
        raise ValueError("the weights of the groups must be from 0 to 1 with sum 1")
    if num_outputs > _MAX_WIDTH:
        raise ValueError(f"{num_outputs} concepts; at most {_MAX_WIDTH} are taken")
    if settings.kind == "concepts" and not 1 <= settings.num_concepts <= sum(settings.groups):
        raise ValueError(f"num_concepts is {settings.num_concepts} of {sum(settings.groups)}")


def load_student(folder: Path, settings: StudentSettings) -> "tuple[StudentNetwork, Tensor | None]":
    """Return the network, ready to run on the CPU, and the vectors of its concepts (N, D) if any.

    Raises:
        EncoderError: The weights are missing, damaged, or of another network.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / STUDENT_WEIGHTS
    num_outputs = sum(settings.groups) or settings.width
    try:
        tensors = load_file(path)
        if not all(tensor.is_floating_point() for tensor in tensors.values()):
            raise EncoderError(f"{path} holds tensors that are not of real numbers")
        weights = {name: tensor.float() for name, tensor in tensors.items()}
        vectors = weights.pop("concept_vectors", None)
        network = STUDENT_NETWORKS[settings.network].to_ship(num_outputs, settings.image_px)
        network.load_state_dict(weights)
    except (OSError, RuntimeError, SafetensorError, SettingError) as error:
        raise EncoderError(f"{path} cannot be loaded ({one_line(error)})") from error
    if settings.groups and (
        vectors is None
        or vectors.shape != (num_outputs, settings.width)
        or not (vectors.norm(dim=1) > 0).all()
    ):
        raise EncoderError(f"{path} does not hold one vector for each of {num_outputs} concepts")
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False), vectors


def write_student(folder: Path, said: dict[str, Any], weights: "dict[str, Tensor]") -> None:
    """Write a student's folder: what is said of it, and its tensors in half precision."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    halved = {name: tensor.half().contiguous() for name, tensor in weights.items()}
    (folder / STUDENT_WEIGHTS).write_bytes(save(halved))
    text = json.dumps({"format": STUDENT_FORMAT, **said}, indent=1, ensure_ascii=False)
    (folder / STUDENT_SETTINGS).write_text(text + "\n", "utf-8")
