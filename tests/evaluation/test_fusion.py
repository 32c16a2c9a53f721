import math
from dataclasses import replace

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.tag_scores import TagScores
from mastershot.evaluation.fusion import fuse_logits, fuse_scores, logits_of

NAMES = ("v1", "v2", "v3")


def scored(
    logits: list[list[float]], names: tuple[str, ...] = NAMES, **changes: object
) -> TagScores:
    values = np.array([[1 / (1 + math.exp(-one)) for one in row] for row in logits], np.float32)
    truth = np.array([[name == "v1", name != "v1"] for name in names])
    scores = TagScores(values, truth, names, names, names, ("a", "b"), {"run": len(names)})
    return replace(scores, **changes)  # type: ignore[arg-type]


ONE = [[0.5, -2.0], [3.0, 0.0], [-9.0, 1.0]]
OTHER = [[-1.5, 4.0], [1.0, 0.25], [2.0, -7.0]]


@pytest.mark.parametrize("weights", [(), (1.0, 1.0), (3.0, 1.0), (0.2, 0.5)])
def test_fused_logits_are_the_weighted_mean_of_a_plain_loop(weights: tuple[float, ...]) -> None:
    first, second = weights or (1.0, 1.0)
    expected = [
        [(first * a + second * b) / (first + second) for a, b in zip(one, other, strict=True)]
        for one, other in zip(ONE, OTHER, strict=True)
    ]
    np.testing.assert_allclose(
        fuse_logits([np.array(ONE), np.array(OTHER)], weights), expected, rtol=1e-12
    )
    fused = fuse_scores([scored(ONE), scored(OTHER)], weights)
    sigmoid = [[1 / (1 + math.exp(-one)) for one in row] for row in expected]
    np.testing.assert_allclose(fused.scores, sigmoid, atol=1e-6)
    assert fused.scores.dtype == np.float32
    assert fused.made_by == {"fused": [{"run": 3}, {"run": 3}], "weights": list(weights)}


def test_samples_of_another_order_are_put_in_that_of_the_first() -> None:
    straight = fuse_scores([scored(ONE), scored(OTHER)])
    turned = scored(OTHER[::-1], NAMES[::-1])
    fused = fuse_scores([scored(ONE), turned])
    np.testing.assert_array_equal(fused.scores, straight.scores)
    assert fused.videos == NAMES


def test_logits_come_back_from_scores_as_exactly_as_stated() -> None:
    logits = np.linspace(-80, 9, 500)
    scores = (1 / (1 + np.exp(-logits))).astype(np.float32)
    np.testing.assert_allclose(logits_of(scores), logits, atol=1e-3)
    low, high = logits_of(np.array([0, 1], np.float32))
    assert low == pytest.approx(-87.3, abs=0.1)
    assert high == pytest.approx(17.3, abs=0.1)
    below_one = logits_of(np.nextafter(np.ones(1, np.float32), np.float32(0)))
    assert below_one < high


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, -1.0), (1.0, 1.0, 1.0)])
def test_weights_that_mean_nothing_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(DatasetError, match="2 sets of scores cannot be fused with weights"):
        fuse_scores([scored(ONE), scored(OTHER)], weights)


def test_scores_of_other_samples_or_truth_are_refused() -> None:
    with pytest.raises(DatasetError, match="only one of them has sample"):
        fuse_scores([scored(ONE), scored(OTHER, ("v1", "v2", "v4"))])
    turned = scored(OTHER)
    with pytest.raises(DatasetError, match="have different true labels"):
        fuse_scores([scored(ONE), replace(turned, truth=~turned.truth)])
