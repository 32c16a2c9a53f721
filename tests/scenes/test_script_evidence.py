import numpy as np
import pytest

from mastershot.scenes.script_evidence import (
    EvidenceWeights,
    place_evidence,
    state_evidence,
    word_evidence,
    words_of_text,
)

FULL = EvidenceWeights(place=1.0, blind=0.2, words=1.0, quoted=0.5, most_words=100.0)


def test_a_label_speaks_for_its_scene_by_how_unusual_it_is_in_the_film() -> None:
    wanted = np.array([[1.0, 0.0], [0.0, 1.0]])
    seen = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    found = place_evidence(wanted, seen, np.ones(3), FULL)
    usual = 0.9 * seen.mean(axis=0) + 0.1 / 2
    assert found[1, 2] == pytest.approx(np.log(0.2 + 0.8 * 0.8 / usual[1]))
    assert found[0, 0] > 0 > found[1, 0]
    assert found[1, 2] > found[0, 0]  # the second label is the rarer one


def test_shots_and_headings_of_which_nothing_is_known_say_nothing() -> None:
    wanted, seen = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.5, 0.5], [0.0, 0.0]])
    found = place_evidence(wanted, seen, np.array([2.0, 3.0]), FULL)
    assert (found[1] == 0).all()
    assert (found[:, 1] == 0).all()
    assert (place_evidence(wanted, np.zeros((2, 2)), np.ones(2), FULL) == 0).all()


def test_a_state_counts_by_its_score_and_either_counts_nothing() -> None:
    found = state_evidence(np.array([1, -1, 0]), np.array([0.9, 0.5, 0.1]), 1.0)
    assert found[0, 0] == pytest.approx(np.log(0.9 / 0.5))
    assert found[1, 0] == pytest.approx(np.log(0.1 / 0.5))
    assert (found[2] == 0).all()
    assert (found[:, 1] == 0).all()
    assert found[0, 2] == pytest.approx(found[1, 0])


def test_words_are_lower_case_without_numbers() -> None:
    assert words_of_text("Don\u2019t go, 42 ÉTÉ!") == ["don't", "go", "été"]


def test_subtitles_speak_for_the_scene_whose_words_they_are() -> None:
    texts = ["the ship sails at dawn", "the bar is closed", ""]
    found, known = word_evidence(texts, [(0, "Sails at dawn"), (1, "closed?")], 3, FULL)
    assert known == 1
    # By hand: "closed" is once among the 4 words of the second scene, and once among 10 (an empty
    # scene counts as one word).
    assert found[1, 1] == pytest.approx(np.log(0.5 + 0.5 * (1 / 4) / (1 / 10)))
    assert found[0, 1] == pytest.approx(np.log(0.5))
    assert found[:, 0].argmax() == 0
    assert (found[:, 2] == 0).all()


def test_one_cue_counts_so_much_and_no_more() -> None:
    text = "one two three four five six seven eight nine ten"
    words = EvidenceWeights(words=0.5, most_words=3.0)
    found, _ = word_evidence([text, "other words " * 40], [(0, text)], 1, words)
    assert found[0, 0] == 1.5


def test_subtitles_of_another_language_are_told_by_their_words() -> None:
    _, known = word_evidence(["the bar is closed"], [(0, "le bar est ferme")], 1, FULL)
    assert known == 0.25
