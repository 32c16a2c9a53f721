"""Detectors beside decoding: how many threads OpenCV takes."""

import cv2
import pytest

from mastershot.shots.detectors import opencv_on_one_thread


def test_opencv_has_its_threads_back_afterwards_even_if_something_fails() -> None:
    before, seen = cv2.getNumThreads(), []

    @opencv_on_one_thread()
    def fail() -> None:
        seen.append(cv2.getNumThreads())
        raise ValueError

    cv2.setNumThreads(3)
    try:
        with pytest.raises(ValueError):
            fail()
        assert [*seen, cv2.getNumThreads()] == [1, 3]
    finally:
        cv2.setNumThreads(before)
