"""Figures of motion are those of motions that are known."""

import numpy as np
import pytest

from mastershot.encoders.experts.flow import FLOW_FIGURES, FlowMeter, figures_of


def figures(flow: np.ndarray) -> dict[str, float]:
    return dict(zip(FLOW_FIGURES, figures_of(flow).tolist(), strict=True))


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:36, :64] / 64
    return x - x.mean(), y - y.mean()


def test_a_similarity_is_found_whole_and_leaves_nothing() -> None:
    x, y = grid()
    right, down, zoom, roll = 0.3, -0.2, 0.5, 0.1
    flow = np.stack([right + zoom * x - roll * y, down + zoom * y + roll * x], 2)
    found = figures(flow)
    assert found["camera to the right"] == pytest.approx(np.log1p(0.3), abs=1e-4)
    assert found["camera down"] == pytest.approx(-np.log1p(0.2), abs=1e-4)
    assert found["zoom"] == pytest.approx(np.log1p(0.5), abs=1e-4)
    assert found["roll"] == pytest.approx(np.log1p(0.1), abs=1e-4)
    assert found["residual"] < 1e-4


def test_a_thing_that_moves_is_no_motion_of_the_camera() -> None:
    flow = np.zeros((36, 64, 2))
    flow[10:20, 10:20, 1] = 2.0  # down
    found = figures(flow)
    assert abs(found["camera down"]) < 0.02
    assert found["residual, quantile 0.99"] == pytest.approx(np.log1p(2), abs=0.05)
    assert found["direction 90°"] > 0.99
    assert sum(found[f"direction {angle}°"] for angle in range(0, 360, 45)) == pytest.approx(1)


def test_nothing_moves_in_a_still_picture() -> None:
    image = np.random.default_rng(0).integers(0, 255, (36, 64, 3), np.uint8)
    found = FlowMeter().measure(image, image, seconds=1 / 24)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 0.05


@pytest.mark.parametrize("shape", [(4, 64, 3), (1, 1, 3), (64, 2, 3)])
def test_the_smallest_pictures_have_figures(shape: tuple[int, ...]) -> None:
    first, second = (np.full(shape, level, np.uint8) for level in (10, 200))
    assert np.isfinite(FlowMeter().measure(first, second, seconds=0.04)).all()
