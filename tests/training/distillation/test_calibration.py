"""ConSE's settings and the scale of scores, chosen on frames that someone named."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mastershot.core.errors import SettingError
from mastershot.core.labels import Taxonomy
from mastershot.encoders.starter import conse
from mastershot.encoders.text import SentenceEncoder
from mastershot.training.distillation.calibration import (
    LabelledFrames,
    calibrate,
    concept_description,
    concept_vectors,
    name_vectors,
)

PLACES = ["forest path", "kitchen", "ocean", "bedroom", "street"]
THINGS = ["dog", "teapot"]
LABELS = ["forest", "kitchen", "sea", "bedroom", "road"]
TAXONOMY = Taxonomy("small", tuple(LABELS))
RIGHT = {label: [label] for label in LABELS}


def seen(truth: list[int], *, clearness: float, seed: int = 0) -> Tensor:
    """Logits of a student to which the place with this index stands out so much."""
    logits = torch.randn(len(truth), 7, generator=torch.Generator().manual_seed(seed))
    for row, index in enumerate(truth):
        logits[row, index] += clearness
    return logits


def frames(clearness: float, count: int = 60) -> LabelledFrames:
    truth = [index % 5 for index in range(count)]
    logits = seen(truth, clearness=clearness)
    return LabelledFrames(logits, [LABELS[index] for index in truth], RIGHT, TAXONOMY)


@pytest.fixture(scope="module")
def names() -> list[Tensor]:
    return name_vectors([PLACES, THINGS])


def test_a_student_with_clear_logits_is_right_and_sure(names: list[Tensor]) -> None:
    figures = calibrate(frames(20), names).figures
    kinds = ("accuracy", "others_accuracy", "taxonomy_accuracy", "kept", "kept_accuracy")
    assert figures == dict.fromkeys(kinds, 1.0)


def test_the_mean_best_score_is_the_share_that_is_right(names: list[Tensor]) -> None:
    """The plain loop: softmax of scaled cosines over the taxonomy, frame by frame."""
    labelled = frames(1.5)
    found = calibrate(labelled, names)
    settings, figures = found.settings, found.figures
    assert 0.3 < figures["taxonomy_accuracy"] < 0.95
    words = SentenceEncoder().encode_texts(LABELS)
    best, hits = [], []
    for row, label in zip(labelled.logits, labelled.labels, strict=True):
        vector = conse(row[None], found.concepts, settings)[0].numpy()
        cosines = words @ (vector / np.linalg.norm(vector))
        powers = np.exp(settings.logit_scale * cosines)
        best.append(powers.max() / powers.sum())
        hits.append(LABELS[int(cosines.argmax())] == label)
    assert np.mean(hits) == pytest.approx(figures["taxonomy_accuracy"], abs=0.02)
    assert np.mean(best) == pytest.approx(np.mean(hits), abs=0.03)
    sure = np.array(best) >= 0.4
    assert figures["kept"] == pytest.approx(sure.mean(), abs=0.05)


def test_no_other_settings_name_better(names: list[Tensor]) -> None:
    labelled = frames(1.0)
    found = calibrate(labelled, names)
    words = torch.from_numpy(SentenceEncoder().encode_texts(sorted(LABELS)))
    for temperature in (0.7, 1.0, 1.4):
        other = found.settings.__class__(**{**vars(found.settings), "temperature": temperature})
        nearest = (conse(labelled.logits, found.concepts, other) @ words.T).argmax(1).tolist()
        right = [
            sorted(LABELS)[index] == label
            for index, label in zip(nearest, labelled.labels, strict=True)
        ]
        # Names and taxonomy are the same words here; the others are a third.
        assert 2 * found.figures["accuracy"] + found.figures["others_accuracy"] >= (
            3 * np.mean(right) - 1e-6
        )


def test_a_frames_product_with_a_label_is_what_ridge_regression_on_the_names_predicts() -> None:
    """Solved apart: weights r of the names that come nearest a label, and pᵀr."""
    names, weights, ridge = name_vectors([PLACES, THINGS]), (0.7, 0.3), 0.01
    each = torch.cat([torch.full((5,), 0.7 / 5), torch.full((2,), 0.3 / 2)]).double()
    S = torch.cat(names).double()
    label = torch.from_numpy(SentenceEncoder().encode_texts(["wood"]))[0].double()
    # min over r of (label - Sᵀ W r)² + λ rᵀ W r, whose solution is (S Sᵀ W + λ I)⁻¹ S label.
    solution = torch.linalg.solve(S @ S.T @ torch.diag(each) + ridge * torch.eye(7), S @ label)
    probabilities = torch.rand(3, 7, dtype=torch.float64)
    predicted = probabilities @ solution
    found = probabilities @ concept_vectors(names, weights, ridge).double() @ label / ridge
    torch.testing.assert_close(found, predicted, rtol=0.01, atol=0.05)


def test_names_that_are_alike_are_told_apart_better_than_by_cosines() -> None:
    groups = [["bar", "restaurant", "coffee shop", "ocean"]]
    names = name_vectors(groups)
    shaped = normalize(concept_vectors(names, (1.0,), 0.003), dim=1) @ names[0].T
    plain = names[0] @ names[0].T
    assert shaped[0, 1] < plain[0, 1] - 0.1
    assert shaped.argmax(1).tolist() == [0, 1, 2, 3]


def test_a_label_for_which_nothing_is_right_is_refused(names: list[Tensor]) -> None:
    labelled = LabelledFrames(seen([0, 1], clearness=5), ["forest", "attic"], RIGHT, TAXONOMY)
    with pytest.raises(SettingError, match=r"no label of small is listed as right for attic"):
        calibrate(labelled, names)


def test_without_labelled_frames_the_settings_are_middling_and_calibration_is_none() -> None:
    description, vectors = concept_description([PLACES, THINGS], None)
    assert description["calibration"] is None
    assert description["conse"]["group_weights"] == pytest.approx([0.9, 0.1])
    assert vectors.shape == (7, description["width"])
    alone, _ = concept_description([PLACES], None)
    assert alone["conse"]["group_weights"] == [1.0]


def test_a_description_states_the_calibration() -> None:
    description, _ = concept_description([PLACES, THINGS], frames(20))
    figures = description["calibration"]
    assert (figures["accuracy"], figures["num_frames"], figures["num_labels"]) == (1, 60, 5)
    assert "{label}" in description["label_template"]
