"""Teachers: trained networks whose outputs a student learns to reproduce."""
# G images, N concepts, D width of a space, H × W size of a map, C channels

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import interpolate

from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.core.protocols import ImageTextEncoder
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.precision import find_device
from mastershot.labelling.weak_labels import encode_labels
from mastershot.models.fire_net import SqueezeNetPlaces
from mastershot.training.distillation.settings import TeacherSettings
from mastershot.training.engine.settings import find_encoder, under

_AT_ONCE = 32
_LEAST_PROBABILITY = 0.5 / 1000  # in steps of a quantised output


class TeacherTargets(NamedTuple):
    """What a teacher outputs for a group of images.

    Attributes:
        logits: Log-probabilities up to a constant, (G, N).
        vectors: Unit vectors of its own space, (G, D), if it is an encoder.
        middle: A map of stride 8 as a hint, (G, C, H, W), if it gives one.
        last: A map of stride 16 as a hint.
    """

    logits: Tensor
    vectors: Tensor | None = None
    middle: Tensor | None = None
    last: Tensor | None = None

    def apply(self, function: Callable[[Tensor], Tensor]) -> "TeacherTargets":
        """Return these targets with a function applied to each tensor there is."""
        return TeacherTargets._make(None if one is None else function(one) for one in self)

    @staticmethod
    def join(parts: "Sequence[TeacherTargets]") -> "TeacherTargets":
        """Return the targets of several groups of images as those of one."""
        columns = zip(*parts, strict=True)
        return TeacherTargets._make(None if one[0] is None else torch.cat(one) for one in columns)


@dataclass(frozen=True)
class LabelSpace:
    """The space of an encoder, with labels in it.

    Attributes:
        encoder: The encoder, which keeps encoding the words.
        label_vectors: Unit vector of each concept, (N, D).
    """

    encoder: ImageTextEncoder
    label_vectors: Tensor

    def logits(self, vectors: Tensor) -> Tensor:
        """Return the logits (G, N) of unit vectors (G, D): cosines times the encoder's scale."""
        return self.encoder.logit_scale * vectors @ self.label_vectors.to(vectors).T


class Teacher(Protocol):
    """A trained network that gives targets for images.

    Attributes:
        concepts: Names of its N classes.
        hint_channels: Channels of the two maps it gives, if it gives any.
        space: Its space, if it is an encoder.
    """

    concepts: tuple[str, ...]
    hint_channels: tuple[int, int] | None = None
    space: LabelSpace | None = None

    def targets(self, images: Tensor) -> TeacherTargets:
        """Return the targets for images of RGB values 0…255, float32 (G, 3, S, S)."""
        ...


Teachers = Sequence[tuple[Teacher, TeacherSettings]]


class SqueezeNetTeacher(Teacher):
    """The Places365 SqueezeNet, with its maps as hints (FitNets, Romero et al. 2015)."""

    hint_channels = (256, 512)

    def __init__(self, weights: Path, concepts: tuple[str, ...]) -> None:
        """Load the network, onto a GPU if there is one.

        Raises:
            EncoderError: The file is not a SqueezeNet, or has another number of classes.
        """
        try:
            self._device = find_device(None)
            tensors = load_file(weights, device=str(self._device))
            self._network = SqueezeNetPlaces(tensors)
            classes = self._network.maps(torch.zeros(1, 3, 64, 64, device=self._device)).logits
        except KeyError as error:
            raise EncoderError(f"{weights} is no SqueezeNet of places: it lacks {error}") from error
        except (OSError, RuntimeError, SafetensorError) as error:
            raise EncoderError(
                f"{weights} is not a SqueezeNet in safetensors form that can be read "
                f"({str(error).splitlines()[0]})"
            ) from error
        self.concepts = _counted(concepts, classes.shape[1], weights)

    def targets(self, images: Tensor) -> TeacherTargets:
        """Return logits and both maps."""
        parts = torch.split(images.to(self._device), _AT_ONCE)
        maps = [self._network.maps(part) for part in parts]
        return TeacherTargets.join(
            [TeacherTargets(one.logits, middle=one.middle, last=one.last) for one in maps]
        )


class TfliteTeacher(Teacher):
    """A quantised image classifier in a .tflite file, whose outputs are probabilities."""

    def __init__(self, weights: Path, concepts: tuple[str, ...]) -> None:
        """Load the classifier; it runs on the CPU.

        Raises:
            EncoderError: What runs it is not installed, or the file is not such a classifier.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise EncoderError(
                "a tflite teacher needs ai-edge-litert; `pip install 'mastershot[train]'` brings it"
            ) from error
        try:
            self._runner = Interpreter(str(weights), num_threads=2)
            self._runner.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            problem = f"{weights} is not a .tflite file that can be read ({error})"
            raise EncoderError(problem) from error
        self._input = self._runner.get_input_details()[0]
        self._output = self._runner.get_output_details()[0]
        if not _is_quantised_classifier(self._input, self._output):
            what = "a classifier of one uint8 RGB image with uint8 probabilities"
            raise EncoderError(f"{weights} is not {what}")
        self.concepts = _counted(concepts, int(self._output["shape"][1]), weights)

    def targets(self, images: Tensor) -> TeacherTargets:
        """Return log-probabilities; one rounded to 0 counts as a thousandth of half a step."""
        _, height, width, _ = self._input["shape"]
        sized = interpolate(images.cpu(), (int(height), int(width)), mode="bilinear")
        pixels = sized.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
        rows = []
        for image in pixels:
            self._runner.set_tensor(self._input["index"], np.ascontiguousarray(image[None]))
            self._runner.invoke()
            rows.append(self._runner.get_tensor(self._output["index"])[0].copy())
        step = float(self._output["quantization"][0])
        probabilities = np.maximum(np.stack(rows).astype(np.float32), _LEAST_PROBABILITY) * step
        return TeacherTargets(torch.from_numpy(np.log(probabilities)))


class EncoderTeacher(Teacher):
    """An encoder of frames and words: its student learns its space and uses its text encoder."""

    space: LabelSpace

    def __init__(self, encoder: ImageTextEncoder, taxonomy: Taxonomy) -> None:
        """Take an encoder; the labels are the concepts, each put into the encoder's own prompt."""
        self.concepts = taxonomy.labels
        self.space = LabelSpace(encoder, torch.from_numpy(encode_labels(encoder, taxonomy)))

    def targets(self, images: Tensor) -> TeacherTargets:
        """Return unit vectors, and logits over the labels."""
        pixels = images.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        encoded = self.space.encoder.encode_images(pixels.contiguous().cpu().numpy())
        vectors = torch.from_numpy(encoded)
        return TeacherTargets(self.space.logits(vectors), vectors)


def load_teacher(settings: TeacherSettings, data: str) -> Teacher:
    """Return a teacher of a recipe; its paths start from the folder ``data``.

    Raises:
        SettingError: Its list of concepts cannot be read.
        TaxonomyError: The labels of an encoder cannot be read.
        EncoderError: Its weights are not there, not of this kind, or do not fit its concepts.
    """
    weights, concepts = under(data, settings.weights), under(data, settings.concepts)
    if settings.kind == "encoder":
        encoder = load_encoder(find_encoder(settings.weights, data))
        taxonomy = load_taxonomy(concepts if concepts.is_file() else settings.concepts)
        return EncoderTeacher(encoder, taxonomy)
    if not weights.is_file():
        raise EncoderError(f"weights {weights} of the {settings.kind} teacher do not exist")
    classifier = SqueezeNetTeacher if settings.kind == "squeezenet" else TfliteTeacher
    return classifier(weights, read_concepts(concepts))


def read_concepts(path: Path) -> tuple[str, ...]:
    """Return the names of a classifier's classes, one a line, as words.

    ``living_room`` and ``bow_window/indoor`` are words apart; of the synonyms of an ImageNet line,
    ``tench, Tinca tinca``, the first stands.

    Raises:
        SettingError: The file cannot be read as text, or holds no name.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"concepts {path} cannot be read as UTF-8 text ({error})") from error
    first = (line.partition(",")[0].replace("_", " ").replace("/", " ") for line in lines)
    names = tuple(" ".join(name.split()) for name in first if name.strip())
    if not names:
        raise SettingError(f"concepts {path} holds no name; write one a line")
    return names


def _counted(concepts: tuple[str, ...], num_classes: int, weights: Path) -> tuple[str, ...]:
    if len(concepts) != num_classes:
        raise EncoderError(
            f"teacher {weights} distinguishes {num_classes} classes, but its list of concepts "
            f"names {len(concepts)}; one line names one class"
        )
    return concepts


def _is_quantised_classifier(given: dict[str, Any], answered: dict[str, Any]) -> bool:
    image, classes = list(given["shape"]), list(answered["shape"])
    step, zero_point = answered["quantization"]
    shapes_fit = (image[:1], image[3:], classes[:1], len(classes)) == ([1], [3], [1], 2)
    types_fit = given["dtype"] is answered["dtype"] is np.uint8
    return bool(shapes_fit and types_fit and step > 0 and zero_point == 0)
