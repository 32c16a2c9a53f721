import numpy as np
import pytest

from mastershot.encoders.detectors.bars import without_bars


def frame_with_bars(above: int, below: int, *, level: int = 150) -> np.ndarray:
    frame = np.full((360, 640, 3), level, np.uint8)
    frame[:above] = 10
    frame[360 - below :] = 10
    return frame


def test_equal_bars_are_cut() -> None:
    assert without_bars(frame_with_bars(44, 45)).shape == (272, 640, 3)


@pytest.mark.parametrize(
    "frame",
    [
        frame_with_bars(0, 0),
        frame_with_bars(44, 80),
        frame_with_bars(8, 8),
        frame_with_bars(150, 150),
        frame_with_bars(44, 44, level=40),  # too dark to tell from a bar
        frame_with_bars(180, 180),
    ],
    ids=["none", "unequal", "thin", "wide", "dark", "black"],
)
def test_other_dark_rows_are_no_bars(frame: np.ndarray) -> None:
    assert without_bars(frame).shape == frame.shape
