import numpy as np
import pytest

from mastershot.labelling.place_labels import place_shares

LABELS = ("lobby", "hotel", "cab", "tennis court", "bar")


def test_a_place_is_a_label_that_it_is_called_by_ends_with_or_holds() -> None:
    shares = place_shares(["hotel lobby", "taxi", "court", "barn"], LABELS)
    assert shares[0] == pytest.approx([2 / 3, 1 / 3, 0, 0, 0])
    assert shares[1] == pytest.approx([0, 0, 1, 0, 0])  # scripts write taxi, the label is cab
    assert shares[2] == pytest.approx([0, 0, 0, 1, 0])
    assert not shares[3].any()


def test_vectors_speak_where_no_word_does_and_take_a_part_elsewhere() -> None:
    cosines = np.array([[0.2, 0.1, 0.0, 0.0, 0.6], [0.1, 0.1, 0.9, 0.0, 0.0]])
    shares = place_shares(["pub", "taxi"], LABELS, cosines=cosines)
    assert shares[0] == pytest.approx([0, 0, 0, 0, 1])
    assert shares[1] == pytest.approx([0, 0, 1, 0, 0])
    shares = place_shares(["taxi"], LABELS, cosines=np.array([[0.0, 0.0, 0.0, 0.9, 0.0]]))
    assert shares[0] == pytest.approx([0, 0, 0.7, 0.3, 0])


def test_no_place_is_no_row() -> None:
    assert place_shares([], LABELS).shape == (0, 5)
