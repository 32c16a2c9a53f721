"""Distilled encoders: what is in their folder, checked before it is used."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mastershot.core.errors import EncoderError, SettingError
from mastershot.encoders.checkpoint import parsing, read_metadata, read_weights, write_model
from mastershot.models.students import DEFAULT_NETWORK, STUDENT_NETWORKS

if TYPE_CHECKING:
    from torch import Tensor

    from mastershot.models.students import StudentNetwork

STUDENT_FORMAT = "mastershot/student/1"
STUDENT_SETTINGS = "student.json"
STUDENT_WEIGHTS = "student.safetensors"
_MAX_WIDTH = 65_536  # of a space, and of a student's outputs
StudentKind: TypeAlias = Literal["concepts", "space"]


@dataclass(frozen=True, kw_only=True)
class StudentSettings:
    """How a student is described in its folder.

    Attributes:
        kind: ``concepts`` names what it sees, and those names' sentence vectors make its vectors;
            ``space`` maps into the space of its teacher.
        image_px: Side S of the square it sees.
        groups: Number of concepts of each of its teachers; empty for ``space``.
        group_weights: What each group's probabilities count for, summing to 1.
        temperature: Its logits are divided by it before the softmax.
        num_concepts: Concepts that make up a frame's vector.
        logit_scale: What a cosine is multiplied by before a softmax over labels.
        label_template: The prompt a label is put into.
        text_encoder: Name or folder of the encoder of its words; empty is the packaged one.
        text_hash: Digest of that encoder's weights at the time of training.
        width: Width D of its space.
        network: Which of `STUDENT_NETWORKS` it is. It is not in the text of these settings, which
            names the space, because the weights determine it.
    """

    kind: StudentKind
    image_px: int
    groups: tuple[int, ...] = ()
    group_weights: tuple[float, ...] = ()
    temperature: float = 1.0
    num_concepts: int = 0
    logit_scale: float
    label_template: str
    text_encoder: str = ""
    text_hash: str = ""
    width: int
    network: str = field(default=DEFAULT_NETWORK, repr=False)

    @property
    def num_outputs(self) -> int:
        """N, the concepts it names, or the width of its space."""
        return sum(self.groups) or self.width


def is_student(folder: Path) -> bool:
    """Return True if a folder holds a distilled encoder."""
    return (folder / STUDENT_SETTINGS).is_file()


def read_student(folder: Path) -> StudentSettings:
    """Return how a student's folder describes it.

    Raises:
        EncoderError: The file is damaged, of another version, or its values do not fit.
    """
    path = folder / STUDENT_SETTINGS
    metadata = read_metadata(path, STUDENT_FORMAT)
    with parsing(path, "does not describe a student"):
        settings = _parse(metadata)
        _check(settings)
    return settings


def _parse(metadata: Mapping[str, Any]) -> StudentSettings:
    kind = metadata["kind"]
    own: dict[str, Any]
    if kind == "concepts":
        words, conse = metadata, metadata["conse"]
        own = {
            "groups": tuple(len(group) for group in metadata["concepts"]),
            "group_weights": tuple(float(weight) for weight in conse["group_weights"]),
            "temperature": float(conse["temperature"]),
            "num_concepts": int(conse["num_concepts"]),
        }
    elif kind == "space":
        words = metadata["text"]
        own = {"text_encoder": str(words["encoder"]), "text_hash": str(words["weights_hash"])}
    else:
        raise ValueError(f"its kind is {kind!r}; concepts and space are known")
    return StudentSettings(
        kind=kind,
        image_px=int(metadata["image_px"]),
        logit_scale=float(words["logit_scale"]),
        label_template=str(words["label_template"]),
        width=int(words["width"]),
        network=str(metadata.get("network", DEFAULT_NETWORK)),  # Older students lack it.
        **own,
    )


def _check(settings: StudentSettings) -> None:
    if settings.network not in STUDENT_NETWORKS:
        known = " and ".join(STUDENT_NETWORKS)
        raise ValueError(f"its network is {settings.network!r}; {known} are known")
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
    if settings.num_outputs > _MAX_WIDTH:
        raise ValueError(f"{settings.num_outputs} concepts; at most {_MAX_WIDTH} are taken")
    if settings.kind == "concepts" and not 1 <= settings.num_concepts <= sum(settings.groups):
        raise ValueError(f"num_concepts is {settings.num_concepts} of {sum(settings.groups)}")


def load_student(folder: Path, settings: StudentSettings) -> "tuple[StudentNetwork, Tensor | None]":
    """Return the network, ready to run on the CPU, and the vectors of its concepts (N, D) if any.

    Raises:
        EncoderError: The weights are missing, damaged, or of another network.
    """
    import torch

    from mastershot.models.loading import fit_weights

    path, num_outputs = folder / STUDENT_WEIGHTS, settings.num_outputs
    tensors = read_weights(path)
    if not all(tensor.is_floating_point() for tensor in tensors.values()):
        raise EncoderError(f"{path} holds tensors that are not of real numbers")
    weights = {name: tensor.float() for name, tensor in tensors.items()}
    vectors = weights.pop("concept_vectors", None)
    try:
        network = STUDENT_NETWORKS[settings.network].to_ship(num_outputs, settings.image_px)
    except SettingError as error:
        raise EncoderError(f"{path} cannot be loaded ({error})") from error
    fit_weights(network, weights, path)
    if settings.groups and (
        vectors is None
        or vectors.shape != (num_outputs, settings.width)
        or not (vectors.norm(dim=1) > 0).all()
    ):
        raise EncoderError(f"{path} does not hold one vector for each of {num_outputs} concepts")
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False), vectors


def write_student(folder: Path, metadata: dict[str, Any], weights: "dict[str, Tensor]") -> None:
    """Write a student's folder, its tensors in half precision."""
    halved = {name: tensor.half() for name, tensor in weights.items()}
    write_model(folder / STUDENT_SETTINGS, {"format": STUDENT_FORMAT, **metadata}, halved)
