"""Words that a group has of its own are found; words of chance are not."""

import numpy as np
import pytest

from mastershot.genres.words import count_words, distinguishing_words


def test_words_are_counted_once_with_their_largest_weight() -> None:
    found = count_words(
        [("The ZOMBIE's zombie bites, it’s 1984", 1.0), ("zombie|Time  Travel|", 0.5), ("x", 2.0)]
    )
    assert found == {"zombie": 1.0, "bites": 1.0, "time travel": 0.5}
    assert count_words([("heist", 0.0), ("", 1.0)]) == {}


def test_a_group_has_the_words_that_it_uses_more_than_the_rest() -> None:
    labels = np.repeat([0, 1, -1], 20)
    words = [
        {("robot", "ghost", "nothing")[label]: 1.0, "everybody": 1.0, f"only{place}": 1.0}
        for place, label in enumerate(labels)
    ]
    first, second = distinguishing_words(words, labels, 2)
    assert [one.text for one in first] == ["robot"]
    assert [one.text for one in second] == ["ghost"]
    assert (first[0].share, first[0].rest) == (1.0, 0.0)


def test_scores_are_c_tf_idf() -> None:
    labels = np.repeat([0, 1], 20)
    words = [{"robot": 0.5} if label == 0 else {"ghost": 1.0} for label in labels]
    first, second = distinguishing_words(words, labels, 2)
    mean = (20 * 0.5 + 20) / 2
    assert first[0].score == pytest.approx(10 * np.log(1 + mean / 10))
    assert second[0].score == pytest.approx(20 * np.log(1 + mean / 20))


def test_words_of_chance_are_no_groups() -> None:
    generator, num_found = np.random.default_rng(0), 0
    vocabulary = [f"word{number}" for number in range(300)]
    for _ in range(10):
        words = [dict.fromkeys(generator.choice(vocabulary, 12), 1.0) for _ in range(400)]
        found = distinguishing_words(words, generator.integers(0, 8, 400), 8)
        num_found += sum(map(bool, found))
    assert num_found <= 0.1 * 80  # 0.05 of 80 groups may be expected


def test_without_a_rest_or_words_there_are_none() -> None:
    assert distinguishing_words([{"a": 1.0}] * 9, np.zeros(9, np.int64), 1) == [()]
    assert distinguishing_words([{}] * 9, np.arange(9) % 2, 2) == [(), ()]
