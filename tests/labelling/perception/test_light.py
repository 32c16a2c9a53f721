"""Statistics of light, of pictures whose light is known."""

import numpy as np
import pytest

from mastershot.labelling.perception.light import LIGHT_SPACE, STATISTICS, light_statistics


def statistics_of(image: np.ndarray) -> dict[str, float]:
    values = light_statistics(image.astype(np.uint8))
    assert values.shape == (LIGHT_SPACE.width,)
    assert values.dtype == np.float32
    return dict(zip(STATISTICS, values.tolist(), strict=True))


def picture(*thirds: tuple[int, int, int]) -> np.ndarray:
    """Return a picture of plain colours, one above the other."""
    return np.concatenate([np.full((30, 90, 3), color) for color in thirds])


def test_a_sky_over_a_field_is_seen_above_and_nowhere_else() -> None:
    found = statistics_of(picture((120, 170, 250), (60, 120, 40), (60, 120, 40)))
    assert found["sky"] == 1.0
    assert found["green"] == pytest.approx(2 / 3, abs=1e-3)
    assert found["top"] > found["bottom"]
    assert found["warmth_top"] < 0 < found["warmth"] - found["warmth_top"]
    upside_down = statistics_of(picture((60, 120, 40), (60, 120, 40), (120, 170, 250)))
    assert upside_down["sky"] == 0.0


def test_a_grey_picture_has_one_luminance_and_no_colour() -> None:
    found = statistics_of(picture((51, 51, 51), (51, 51, 51), (51, 51, 51)))
    for name in ("mean", "darkest", "median", "brightest", "top", "bottom"):
        assert found[name] == pytest.approx(0.2, abs=1e-5)
    for name in ("deviation", "saturation", "warmth", "green"):
        assert found[name] == pytest.approx(0.0, abs=1e-5)


def test_black_bars_change_nothing() -> None:
    bare = picture((120, 170, 250), (60, 120, 40), (60, 120, 40))
    barred = np.pad(bare, ((12, 12), (0, 0), (0, 0)))
    assert statistics_of(barred) == pytest.approx(statistics_of(bare), abs=0.02)


def test_noise_is_no_sky() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3))
    assert statistics_of(noise)["smooth_top"] < 0.2


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 3)])
def test_any_size_has_finite_statistics(size: tuple[int, int]) -> None:
    for value in (0, 255):
        assert np.isfinite(light_statistics(np.full((*size, 3), value, np.uint8))).all()


def test_statistics_of_light_are_read_and_not_compared() -> None:
    assert LIGHT_SPACE.of_detector
