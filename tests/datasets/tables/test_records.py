import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import DatasetError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.datasets.tables.records import ScoredShot, best_columns, columns_of, shots_of

PLACES = Taxonomy("places", ("street", "forest", "kitchen", "beach"))


def shot(number: int, **scores: float) -> ScoredShot:
    labels = tuple(LabelScore(name, score) for name, score in scores.items())
    return ScoredShot("v", f"v-Scene-{number:03}.mp4", 24, 48, 1.0, 2.0, labels)


def test_the_best_labels_come_first_and_equal_ones_in_taxonomy_order() -> None:
    labels, scores = best_columns(np.array([[0.1, 0.4, 0.1, 0.4]], np.float32), 3)
    assert labels.tolist() == [[1, 3, 0]]
    assert scores.tolist() == [[np.float32(0.4), np.float32(0.4), np.float32(0.1)]]
    assert (labels.dtype, scores.dtype) == (np.int16, np.float32)


def test_a_taxonomy_shorter_than_five_gives_what_it_has() -> None:
    assert best_columns(np.zeros((2, 4), np.float32))[0].shape == (2, 4)


def test_shots_become_columns_and_shots_again() -> None:
    shots = [shot(1, beach=0.5, street=0.25), shot(2), shot(3, forest=1.0)]
    columns = columns_of(shots, PLACES)
    assert columns.labels[0].tolist() == [3, 0, -1, -1, -1]
    assert list(shots_of(columns, PLACES)) == shots


def test_no_shots_become_no_rows() -> None:
    columns = columns_of([], PLACES)
    assert len(columns) == 0
    assert list(shots_of(columns, PLACES)) == []


def test_a_label_of_another_taxonomy_is_named() -> None:
    with pytest.raises(DatasetError, match=r"v-Scene-001\.mp4 carries 'moon'.*'places'"):
        columns_of([shot(1, moon=0.5)], PLACES)


THRESHOLDS = (0.1, 0.4, 0.25, 0.6)
AT_THRESHOLDS = [
    float(np.nextafter(np.float32(threshold), np.float32(side)))
    for threshold in THRESHOLDS
    for side in (0, threshold, 1)
]


@given(st.floats(0, 1, width=32) | st.sampled_from(AT_THRESHOLDS), st.sampled_from(THRESHOLDS))
def test_a_score_keeps_its_side_of_a_threshold_when_it_becomes_a_decimal(
    score: float, threshold: float
) -> None:
    single = np.float32(score)
    columns = columns_of([shot(1, beach=float(single))], PLACES)
    written = next(shots_of(columns, PLACES)).labels[0].score
    assert np.float32(written) == single
    assert (written >= threshold) == bool(single >= np.float32(threshold))
    assert (written > threshold) == bool(single > np.float32(threshold))
