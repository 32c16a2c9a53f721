import numpy as np
import pytest
from tests.factories import reference

from mastershot.evaluation.classification import classification_figures


def test_random_classes_give_what_plain_loops_give() -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        truth = random.integers(0, 4, 30)
        said = np.where(random.random(30) < 0.5, truth, random.integers(0, 5, 30))
        found = classification_figures(truth, said, [f"v{i % 7}" for i in range(30)], 5)
        hits = sum(t == s for t, s in zip(truth.tolist(), said.tolist(), strict=True))
        assert found.accuracy.value == pytest.approx(hits / 30)
        assert found.macro_f1.value == pytest.approx(
            reference.macro_f1(truth.tolist(), said.tolist())
        )
        assert found.num_classes == len(set(truth.tolist()))
        assert found.confusion.sum() == 30
        assert found.confusion[truth[0], said[0]] > 0
        assert found.accuracy.interval.low <= found.accuracy.value <= found.accuracy.interval.high


def test_films_are_drawn_whole() -> None:
    truth = np.zeros(40, np.int64)
    said = np.repeat([0, 1], 20)
    apart = classification_figures(truth, said, [str(i) for i in range(40)], 2)
    together = classification_figures(truth, said, ["a"] * 20 + ["b"] * 20, 2)
    assert apart.accuracy.value == together.accuracy.value == 0.5
    assert (together.accuracy.interval.low, together.accuracy.interval.high) == (0, 1)
    assert apart.accuracy.interval.low > 0.3


def test_the_same_seed_gives_the_same_interval() -> None:
    random = np.random.default_rng(0)
    truth, said = random.integers(0, 3, (2, 50))
    films = [f"v{i % 9}" for i in range(50)]
    one, same, other = (
        classification_figures(truth, said, films, 3, seed=seed).macro_f1 for seed in (1, 1, 2)
    )
    assert one == same != other
