"""One rule for which trailers are one film: equal files, or vectors and length that agree."""

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.duplicates import (
    Twins,
    mean_vector,
    near_duplicates,
    require_apart,
    same_files,
)


def places(means: dict[str, np.ndarray], lengths: np.ndarray, least: float = 0) -> list[tuple]:
    found = near_duplicates(means, lengths.tolist(), share=0.05, least=least)
    return [(one.one, one.other, one.by) for one in found]


def test_only_those_that_look_the_same_and_are_as_long_are_near() -> None:
    rng = np.random.default_rng(0)
    means = rng.normal(size=(2100, 16)).astype(np.float32)
    means[2050] = 3 * means[7] + 0.001
    means[9] = means[8]
    lengths = np.full(2100, 100.0)
    lengths[2050], lengths[9] = 104, 120
    assert places({"image": means}, lengths) == [(7, 2050, "image")]
    # What others say is not asked where there are pictures.
    others = rng.normal(size=(2100, 16)).astype(np.float32)
    assert places({"audio": others, "image": means}, lengths) == [(7, 2050, "image")]


def test_without_pictures_all_experts_have_to_agree_and_one_alone_says_too_little() -> None:
    rng = np.random.default_rng(0)
    audio, text = (rng.normal(size=(5, 16)).astype(np.float32) for _ in range(2))
    text[3] = text[1]
    lengths = np.full(5, 3.0)
    assert places({"text": text}, lengths) == []
    assert places({"text": text, "audio": audio}, lengths) == []
    audio[3] = audio[1]
    assert places({"text": text, "audio": audio}, lengths) == [(1, 3, "text and audio")]
    # An expert that neither of them has is not asked.
    motion = rng.normal(size=(5, 16)).astype(np.float32)
    three = {"text": text, "audio": audio, "motion": motion}
    assert places(three, lengths) == []
    motion[[1, 3]] = 0
    assert places(three, lengths) == [(1, 3, "text and audio and motion")]
    motion[3] = 1
    assert places(three, lengths) == []
    # Where there is nothing, nothing is alike; a length may differ by what is allowed in any case.
    audio[:] = 0
    assert places({"text": text, "audio": audio}, lengths) == []
    lengths[3] = 4
    assert places({"image": text}, lengths) == []
    assert places({"image": text}, lengths, least=1) == [(1, 3, "image")]
    assert places({}, lengths) == []


def test_the_mean_of_a_trailer_is_of_what_is_there() -> None:
    rows = np.array([[[1, 2], [np.nan, np.nan]], [[3, 4], [5, np.nan]]], np.float32)
    assert mean_vector(rows).tolist() == [2, 3]
    assert mean_vector(np.full((2, 3), np.nan, np.float32)).tolist() == [0, 0, 0]
    assert mean_vector(np.empty((0, 3), np.float32)).tolist() == [0, 0, 0]


def test_same_files_are_found_by_their_digests() -> None:
    assert same_files(["x", "y", "x", "", "", "x"]) == [Twins(0, 2), Twins(0, 5)]
    require_apart("ab", ["train", "train"], [Twins(0, 1)])
    require_apart("ab", ["train", ""], [Twins(0, 1)])
    with pytest.raises(DatasetError, match=r"a \(train\) and b \(test\) are the same file"):
        require_apart("ab", ["train", "test"], [Twins(0, 1)])
