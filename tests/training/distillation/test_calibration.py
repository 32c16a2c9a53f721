"""ConSE's settings and the scale of scores, chosen on frames that someone named."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mastershot.core.errors import SettingError
from mastershot.core.labels import Taxonomy
from mastershot.encoders.starter import conse
from mastershot.encoders.text import SentenceEncoder
from mastershot.training.distillation.calibration import (
    LabelledFrames,
    calibrate,
    concept_description,
    concept_vectors,
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


def test_a_student_with_clear_logits_is_right_and_sure() -> None:
    _, figures = calibrate(frames(20), [5, 2], concept_vectors([PLACES, THINGS]))
    names = ("accuracy", "taxonomy_accuracy", "kept", "kept_accuracy")
    assert figures == dict.fromkeys(names, 1.0)


def test_the_mean_best_score_is_the_share_that_is_right() -> None:
    """The plain loop: softmax of scaled cosines over the taxonomy, frame by frame."""
    labelled, concepts = frames(1.5), concept_vectors([PLACES, THINGS])
    settings, figures = calibrate(labelled, [5, 2], concepts)
    assert 0.3 < figures["taxonomy_accuracy"] < 0.95
    words = SentenceEncoder().encode_texts(LABELS)
    best, hits = [], []
    for row, label in zip(labelled.logits, labelled.labels, strict=True):
        vector = conse(row[None], concepts, settings)[0].numpy()
        cosines = words @ (vector / np.linalg.norm(vector))
        powers = np.exp(settings.logit_scale * cosines)
        best.append(powers.max() / powers.sum())
        hits.append(LABELS[int(cosines.argmax())] == label)
    assert np.mean(hits) == pytest.approx(figures["taxonomy_accuracy"])
    assert np.mean(best) == pytest.approx(np.mean(hits), abs=0.02)
    sure = np.array(best) >= 0.4
    assert figures["kept"] == pytest.approx(sure.mean(), abs=0.02)


def test_no_other_settings_would_be_right_more_often() -> None:
    labelled, concepts = frames(1.0), concept_vectors([PLACES, THINGS])
    settings, figures = calibrate(labelled, [5, 2], concepts)
    blurred = settings.__class__(**{**vars(settings), "temperature": 2.0})
    words = torch.from_numpy(SentenceEncoder().encode_texts(sorted(LABELS)))
    nearest = (conse(labelled.logits, concepts, blurred) @ words.T).argmax(1).tolist()
    right = [
        sorted(LABELS)[index] == label
        for index, label in zip(nearest, labelled.labels, strict=True)
    ]
    assert figures["accuracy"] >= np.mean(right)


def test_a_label_for_which_nothing_is_right_is_refused() -> None:
    labelled = LabelledFrames(seen([0, 1], clearness=5), ["forest", "attic"], RIGHT, TAXONOMY)
    with pytest.raises(SettingError, match=r"no label of small is listed as right for \['attic'\]"):
        calibrate(labelled, [5, 2], concept_vectors([PLACES, THINGS]))


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
