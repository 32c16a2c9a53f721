"""Distilled students as encoders, from their folder to vectors.

They are fast and small; the one that ships with the package, the starter, is the default. A student
of concepts recognises places and things, and a frame's vector is the convex combination of their
names' sentence vectors: ConSE (Norouzi et al. 2014, arXiv:1312.5650, section 3.2). A student of a
space maps into the space of its teacher.
"""
# T frames, N concepts, D width of the space

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.protocols import ImageTextEncoder
from mastershot.encoders.checkpoint import (
    parsing,
    read_metadata,
    read_weights,
    require_weights,
    write_model,
)
from mastershot.encoders.images import Frames, ImagePreparation, prepare_frames
from mastershot.encoders.precision import encode_batches, find_device
from mastershot.encoders.text import SentenceEncoder
from mastershot.models.students import DEFAULT_NETWORK, STUDENT_NETWORKS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mastershot.models.students import StudentNetwork

STARTER_FOLDER = Path(__file__).parent / "starter_weights"
STARTER_NAME = "mastershot/starter"
STUDENT_FORMAT = "mastershot/student/1"
STUDENT_SETTINGS = "student.json"
STUDENT_WEIGHTS = "student.safetensors"
LEAST_DETAIL_PX = 16
_BATCH_SIZE = 8  # Frames at once; of more, the maps no longer fit the caches.
_LONGEST_SIDE_PX = 640  # as detectors want it: one image of a frame serves all of them
_MAX_WIDTH = 65_536  # of a space, and of a student's outputs


@dataclass(frozen=True, kw_only=True)
class StudentSettings:
    """How a student is described in its folder.

    Attributes:
        kind: Of concepts, or of a teacher's space.
        image_px: Side S of the square it sees.
        detail_px: Side of the square a frame is squeezed into first; 0 leaves it sharp.
        groups: Number of concepts of each of its teachers; empty for ``space``.
        group_weights: What each group's probabilities count for, summing to 1.
        temperature: Its logits are divided by it before the softmax.
        num_concepts: Concepts that make up a frame's vector.
        logit_scale: What a cosine is multiplied by before a softmax over labels.
        label_template: The prompt a label is put into.
        text_encoder: Name or folder of the encoder of its words; empty is the packaged one.
        text_hash: Digest of that encoder's weights at the time of training.
        width: Width D of its space.
        network: Which of `STUDENT_NETWORKS` it is; not in the repr, by which spaces are named.
    """

    kind: Literal["concepts", "space"]
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
    detail_px: int = field(default=0, repr=False)
    network: str = field(default=DEFAULT_NETWORK, repr=False)

    @property
    def num_outputs(self) -> int:
        """N, the concepts it names, or the width of its space."""
        return sum(self.groups) or self.width


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
        detail_px=int(metadata.get("detail_px", 0)),  # Older students lack both.
        network=str(metadata.get("network", DEFAULT_NETWORK)),
        **own,
    )


def _check(settings: StudentSettings) -> None:
    if settings.network not in STUDENT_NETWORKS:
        known = " and ".join(STUDENT_NETWORKS)
        raise ValueError(f"its network is {settings.network!r}; {known} are known")
    if not 32 <= settings.image_px <= 1024 or not 1 <= settings.width <= _MAX_WIDTH:
        raise ValueError(f"images of {settings.image_px} pixels, vectors of {settings.width}")
    if settings.detail_px and not LEAST_DETAIL_PX <= settings.detail_px <= 1024:
        known = f"0, or {LEAST_DETAIL_PX} to 1024"
        raise ValueError(f"detail_px is {settings.detail_px}; {known}, is known")
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


class StudentEncoder:
    """A distilled network as an `ImageTextEncoder`.

    A frame has the same vector whatever batch it comes in. The starter's network, and PyTorch with
    it, is loaded at the first frame: a film is decoded meanwhile.

    Attributes:
        longest_side_px: The size that frames of a film may be scaled down to; None takes them as
            they are.
    """

    longest_side_px: int | None

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        load_text: Callable[[StudentSettings], SentenceEncoder | ImageTextEncoder],
        device: str | None = None,
    ) -> None:
        """Load a student from its folder; ``load_text`` makes the encoder of its texts when needed.

        Raises:
            EncoderError: The folder does not hold a whole student, or the device cannot be used.
        """
        self._folder = folder
        self._name = name
        self._settings = read_student(folder)
        self.label_template = self._settings.label_template
        self.logit_scale = self._settings.logit_scale
        self._device_name = device
        is_small = max(self._settings.image_px, self._settings.detail_px) <= _LONGEST_SIDE_PX // 4
        self.longest_side_px = _LONGEST_SIDE_PX if is_small else None
        self._load_text = load_text
        if folder == STARTER_FOLDER and device is None:
            require_weights(folder / STUDENT_WEIGHTS)
        else:
            self._loaded  # noqa: B018 - what is wrong with it is said now
        self._preparation = student_preparation(self._settings.image_px, self._settings.detail_px)

    @cached_property
    def _loaded(self) -> "tuple[StudentNetwork, Tensor | None, torch.device]":
        """The network and the vectors of its concepts, on the device they are on."""
        import torch

        device = find_device(self._device_name)
        with torch.inference_mode(False):  # Loaded for a first frame, it is like any other.
            network, concepts = load_student(self._folder, self._settings)
            on_device = None if concepts is None else concepts.to(device)
            return network.to(device), on_device, device

    @cached_property
    def space(self) -> EmbeddingSpace:
        """The space of the vectors, named by the student's settings and weights."""
        digest = hashlib.blake2b(digest_size=16)
        # The path of its teacher on this machine does not change what it computes.
        digest.update(repr(replace(self._settings, text_encoder="")).encode())
        if self._settings.detail_px:
            digest.update(str(self._settings.detail_px).encode())
        digest.update((self._folder / STUDENT_WEIGHTS).read_bytes())
        return EmbeddingSpace(self._name, f"blake2b:{digest.hexdigest()}", self._settings.width)

    @property
    def word_spaces(self) -> tuple[EmbeddingSpace, ...]:
        """The spaces of its words: its own."""
        return (self.space,)

    def encode_images(self, images: Frames) -> FloatArray:
        """Return one unit vector a frame, float32 (T, D), of RGB frames whose sizes may differ.

        Raises:
            EncoderError: A frame is not uint8 of shape (H, W, 3).
        """
        return encode_batches(
            images, self._encode_frames, batch_size=_BATCH_SIZE, width=self._settings.width
        )

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return one unit vector a text, float32 (N, D).

        Raises:
            EncoderError: One string was given where a list of strings is needed.
        """
        return self._text.encode_texts(texts)

    @cached_property
    def _text(self) -> SentenceEncoder | ImageTextEncoder:
        return self._load_text(self._settings)

    def _encode_frames(self, frames: Frames) -> FloatArray:
        import torch
        from torch.nn.functional import normalize

        pixels = prepare_frames(frames, self._preparation)
        # Batches of one size: others take other kernels, whose sums end in other digits.
        filled = pixels.new_zeros(_BATCH_SIZE, *pixels.shape[1:])
        filled[: len(pixels)] = pixels
        network, concepts, device = self._loaded
        outputs = network(filled.to(device, memory_format=torch.channels_last))
        if concepts is not None:
            outputs = conse(outputs, concepts, self._settings)
        vectors: FloatArray = normalize(outputs, dim=-1)[: len(pixels)].cpu().numpy()
        return vectors


def conse(logits: "Tensor", concepts: "Tensor", settings: StudentSettings) -> "Tensor":
    """Return the convex combination of the best concepts' vectors, (T, D), not yet of unit length.

    Logits (T, N) have a column a concept; ``concepts`` (N, D) are their vectors.
    """
    import torch

    groups = torch.split(logits / settings.temperature, list(settings.groups), 1)
    weighted = zip(groups, settings.group_weights, strict=True)
    probabilities = torch.cat([weight * group.softmax(1) for group, weight in weighted], 1)
    if settings.num_concepts == len(concepts):
        return probabilities @ concepts
    best = probabilities.topk(settings.num_concepts, dim=1)
    weights = best.values / best.values.sum(1, keepdim=True)
    return (weights.unsqueeze(-1) * concepts[best.indices]).sum(1)


def student_preparation(image_px: int, detail_px: int = 0) -> ImagePreparation:
    """Return how a student wants its frames: the picture between bars in a square, values 0…255."""
    return ImagePreparation(
        resize_px=image_px,
        keep_aspect=False,
        size_px=image_px,
        interpolation="bilinear",
        detail_px=detail_px,
        cut_bars=True,
    )
