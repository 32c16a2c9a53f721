import builtins
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.factories.distillation import squeezenet_weights, write_squeezenet
from tests.factories.models import make_tiny_clip

from mastershot.core.errors import EncoderError, SettingError, TaxonomyError
from mastershot.core.labels import Taxonomy
from mastershot.encoders.catalogue import load_encoder
from mastershot.models.fire_net import SqueezeNetPlaces
from mastershot.training.distillation.settings import TeacherSettings
from mastershot.training.distillation.teachers import (
    EncoderTeacher,
    SqueezeNetTeacher,
    TfliteTeacher,
    load_teacher,
    read_concepts,
)


def some_images(count: int = 3, side_px: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, side_px, side_px, generator=torch.Generator().manual_seed(0)) * 255


class QuantisedClassifier:
    """Stands in for a .tflite file: probabilities of three classes, in steps of 1/200."""

    answer = np.array([200, 0, 40], np.uint8)

    def __init__(self, path: str, num_threads: int) -> None:
        self.given: list[np.ndarray] = []
        self.image: dict[str, Any] = {"shape": [1, 8, 8, 3], "dtype": np.uint8, "index": 0}
        self.classes: dict[str, Any] = {
            "shape": [1, 3], "dtype": np.uint8, "index": 1, "quantization": (1 / 200, 0),
        }  # fmt: skip

    def allocate_tensors(self) -> None: ...

    def get_input_details(self) -> list[dict[str, Any]]:
        return [self.image]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [self.classes]

    def set_tensor(self, _: int, image: np.ndarray) -> None:
        assert image.shape == (1, 8, 8, 3)
        assert image.dtype == np.uint8
        self.given.append(image)

    def invoke(self) -> None: ...

    def get_tensor(self, _: int) -> np.ndarray:
        return self.answer[None]


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> type[QuantisedClassifier]:
    module = ModuleType("ai_edge_litert.interpreter")
    module.Interpreter = QuantisedClassifier  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)
    return QuantisedClassifier


def test_the_squeezenet_gives_its_logits_and_both_maps(tmp_path: Path) -> None:
    teacher = load_teacher(write_squeezenet(tmp_path), str(tmp_path))
    targets = teacher.targets(some_images(40))
    maps = SqueezeNetPlaces(squeezenet_weights()).maps(some_images(40))
    assert teacher.concepts[:2] == ("place 0", "place 1")
    torch.testing.assert_close(targets.logits.cpu(), maps.logits)
    assert targets.middle is not None
    assert targets.last is not None
    torch.testing.assert_close(targets.middle.cpu(), maps.middle)
    assert teacher.hint_channels == (targets.middle.shape[1], targets.last.shape[1])


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x08" + bytes(7) + b"{}      "])
def test_a_squeezenet_file_that_is_none_is_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(EncoderError, match=r"weights\.safetensors is (not a|no) SqueezeNet"):
        SqueezeNetTeacher(path, ("a",))


def test_a_squeezenet_of_other_shapes_is_reported(tmp_path: Path) -> None:
    weights = squeezenet_weights()
    weights["fire5.expand3.weight"] = torch.zeros(3, 3, 3, 3)
    save_file(weights, tmp_path / "weights.safetensors")
    with pytest.raises(EncoderError, match="is not a SqueezeNet in safetensors form"):
        SqueezeNetTeacher(tmp_path / "weights.safetensors", ("a",) * 7)


def test_the_wrong_number_of_names_is_reported(tmp_path: Path) -> None:
    settings = write_squeezenet(tmp_path)
    (tmp_path / "classes.txt").write_text("one\ntwo\n")
    with pytest.raises(EncoderError, match=r"distinguishes 7 classes, but its list .* names 2"):
        load_teacher(settings, str(tmp_path))


@pytest.mark.usefixtures("interpreter")
def test_a_tflite_classifier_gives_log_probabilities_none_of_them_infinite() -> None:
    targets = TfliteTeacher(Path("any.tflite"), ("a", "b", "c")).targets(some_images(2))
    expected = np.log([1.0, 0.0005 / 200, 0.2])
    np.testing.assert_allclose(targets.logits.numpy(), [expected, expected], rtol=1e-5)


def test_a_tflite_file_of_another_kind_is_reported(
    interpreter: type[QuantisedClassifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    details = {"shape": [1, 3], "dtype": np.float32, "index": 1, "quantization": (0.0, 0)}
    monkeypatch.setattr(interpreter, "get_output_details", lambda _: [details])
    with pytest.raises(EncoderError, match="is not a classifier of one uint8 RGB image"):
        TfliteTeacher(Path("any.tflite"), ("a", "b", "c"))


@pytest.mark.usefixtures("interpreter")
def test_the_wrong_number_of_names_of_a_tflite_classifier_is_reported() -> None:
    with pytest.raises(EncoderError, match=r"distinguishes 3 classes, but its list .* names 1"):
        TfliteTeacher(Path("any.tflite"), ("a",))


def test_a_tflite_file_that_is_none_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"not a flat buffer" * 9)
    with pytest.raises(EncoderError, match=r"bad\.tflite is not a \.tflite file that can be read"):
        TfliteTeacher(tmp_path / "bad.tflite", ("a",))


def test_without_what_runs_tflite_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("ai_edge_litert"):
            raise ImportError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EncoderError, match=r"needs ai-edge-litert; `pip install 'mastershot\[trai"):
        TfliteTeacher(Path("any.tflite"), ("a",))


def test_the_teachers_of_the_starter_have_a_logit_for_each_concept(real_data: Path) -> None:
    image = torch.zeros(2, 3, 224, 224)
    for kind, weights, concepts, count in (
        ("squeezenet", "squeezenet_places365.safetensors", "places365_classes.txt", 365),
        ("tflite", "mobilenet_v2_imagenet_int8.tflite", "imagenet_classes.txt", 1001),
    ):
        teacher = load_teacher(TeacherSettings(kind, weights, concepts), str(real_data / "models"))
        assert teacher.targets(image).logits.shape == (2, count) == (2, len(teacher.concepts))


def test_an_encoder_gives_its_vectors_and_scaled_cosines(tmp_path: Path) -> None:
    encoder = load_encoder(make_tiny_clip(tmp_path / "toy"), precision="float32", device="cpu")
    teacher = EncoderTeacher(encoder, Taxonomy("two", ("kitchen", "a {bar}")))
    images = some_images(side_px=32)
    targets = teacher.targets(images)
    pixels = images.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    vectors = encoder.encode_images(pixels)
    labels = encoder.encode_texts(
        [encoder.label_template.replace("{label}", label) for label in teacher.concepts]
    )
    assert targets.vectors is not None
    np.testing.assert_allclose(targets.vectors.numpy(), vectors, atol=1e-6)
    expected = [[encoder.logit_scale * float(v @ t) for t in labels] for v in vectors]
    np.testing.assert_allclose(targets.logits.numpy(), expected, atol=1e-3)
    assert teacher.hint_channels is None


def test_an_encoder_comes_from_a_folder_with_a_taxonomy_by_name_or_file(tmp_path: Path) -> None:
    make_tiny_clip(tmp_path / "toy")
    (tmp_path / "labels.txt").write_text("bar\nkitchen\n")
    by_file = load_teacher(TeacherSettings("encoder", "toy", "labels.txt"), str(tmp_path))
    assert by_file.concepts == ("bar", "kitchen")
    settings = TeacherSettings("encoder", str(tmp_path / "toy"), "movieclip")
    assert len(load_teacher(settings, ".").concepts) == 179


def test_an_encoder_or_taxonomy_that_is_unknown_is_reported(tmp_path: Path) -> None:
    make_tiny_clip(tmp_path / "toy")
    with pytest.raises(EncoderError, match="encoder 'clipp' is neither"):
        load_teacher(TeacherSettings("encoder", "clipp", "movieclip"), str(tmp_path))
    with pytest.raises(TaxonomyError, match="taxonomy 'moviclip' is neither"):
        load_teacher(TeacherSettings("encoder", "toy", "moviclip"), str(tmp_path))


@pytest.mark.parametrize("kind", ["squeezenet", "tflite"])
def test_weights_that_are_not_there_are_reported(tmp_path: Path, kind: str) -> None:
    with pytest.raises(EncoderError, match=f"gone of the {kind} teacher do not exist"):
        load_teacher(TeacherSettings(kind, "gone", "classes.txt"), str(tmp_path))


def test_concepts_are_words_and_the_first_of_synonyms(tmp_path: Path) -> None:
    path = tmp_path / "concepts.txt"
    path.write_bytes(b"\xef\xbb\xbfliving_room\r\nbow_window/indoor\n\ntench, Tinca tinca\n")
    assert read_concepts(path) == ("living room", "bow window indoor", "tench")


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"\n \n", "holds no name"), (b"\xff\xfe", "cannot be read as UTF-8")]
)
def test_concepts_that_cannot_be_read_are_reported(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "concepts.txt").write_bytes(content)
    with pytest.raises(SettingError, match=sentence):
        read_concepts(tmp_path / "concepts.txt")


def test_a_list_of_concepts_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"gone\.txt cannot be read"):
        read_concepts(tmp_path / "gone.txt")
