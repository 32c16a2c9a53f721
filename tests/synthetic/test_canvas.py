from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.embeddings import FloatArray
from mastershot.synthetic.canvas import BLACK, WHITE, Canvas, Window, colour_of, mix

WHOLE = Window(0, 0, 2, 1)
RED = colour_of("c83214")
SHAPES: dict[str, tuple[Callable[[Canvas], None], float]] = {
    "box": (lambda canvas: canvas.box((0.2, 0.3, 1.4, 0.8), WHITE), 1.2 * 0.5),
    "disc": (lambda canvas: canvas.disc(1.0, 0.5, 0.3, WHITE), np.pi * 0.3**2),
    "capsule": (
        lambda canvas: canvas.capsule((0.5, 0.2), (1.3, 0.8), 0.1, WHITE),
        2 * 0.1 * 1.0 + np.pi * 0.1**2,
    ),
    "a capsule of no length": (
        lambda canvas: canvas.capsule((0.5, 0.5), (0.5, 0.5), 0.2, WHITE),
        np.pi * 0.2**2,
    ),
    "polygon": (
        lambda canvas: canvas.polygon([(0.2, 0.2), (1.4, 0.2), (0.2, 0.9)], WHITE),
        1.2 * 0.7 / 2,
    ),
    "the polygon the other way round": (
        lambda canvas: canvas.polygon([(0.2, 0.9), (1.4, 0.2), (0.2, 0.2)], WHITE),
        1.2 * 0.7 / 2,
    ),
    "ridge": (lambda canvas: canvas.ridge(0.25, WHITE, WHITE, 0.1), 2.0 * 0.75),
}


def canvas(window: Window = WHOLE, *, height_px: int = 100) -> Canvas:
    width_px = round(height_px * window.width / window.height)
    return Canvas(window, width_px=width_px, height_px=height_px, seed=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_covers_its_area(shape: str) -> None:
    draw, area = SHAPES[shape]
    drawn = canvas()
    draw(drawn)
    assert drawn.pixels.mean() / 255 * 2 == pytest.approx(area, rel=0.01)


@given(
    left=st.floats(-3, 3), top=st.floats(-2, 2), height=st.floats(0.1, 2),
    x=st.floats(-3, 3), y=st.floats(-2, 2), radius=st.floats(0.01, 1),
)  # fmt: skip
def test_what_is_drawn_does_not_depend_on_the_part_that_is_computed(
    left: float, top: float, height: float, x: float, y: float, radius: float
) -> None:
    window = Window(left, top, 1.5 * height, height)
    some, whole = canvas(window, height_px=20), canvas(window, height_px=20)
    some.disc(x, y, radius, RED)
    everything = (left, top, left + window.width, top + height)
    whole.shape(everything, lambda u, v: np.hypot(u - x, v - y) - radius, RED)
    np.testing.assert_array_equal(some.pixels, whole.pixels)


def test_a_gradient_and_a_ridge_run_from_one_colour_to_the_other() -> None:
    drawn = canvas()
    drawn.gradient(0.5, BLACK, WHITE)
    drawn.ridge(0.5, WHITE, BLACK, 0.25)
    column, y = drawn.pixels[1, :, 7], drawn.y[:, 0]
    np.testing.assert_allclose(column[y < 0.5], 510 * y[y < 0.5], atol=0.1)
    below = (y > 0.51) & (y < 0.75)
    np.testing.assert_allclose(column[below], 255 * (1 - 4 * (y[below] - 0.5)), atol=0.1)
    assert np.all(column[y > 0.75] == 0)


def test_light_falls_off_as_a_bell_and_never_goes_past_white() -> None:
    drawn = canvas()
    drawn.glow(1.0, 0.5, 0.1, WHITE)
    middle = drawn.pixels[0, 50]
    expected = 255 * np.exp(-(((drawn.x[0] - 1) / 0.1) ** 2 + 0.05**2))
    near = np.abs(drawn.x[0] - 1) < 0.3
    np.testing.assert_allclose(middle[near], expected[near], atol=0.1)
    for _ in range(50):
        drawn.glow(1.0, 0.5, 0.1, mix(BLACK, WHITE, 0.9))
    assert 254 < drawn.pixels.max() <= 255


def noise_of(seen: Canvas, **options: float) -> FloatArray:
    return seen.noise(3.0, **options)  # type: ignore[arg-type, return-value]


def test_noise_stretched_is_the_same_noise_wider() -> None:
    narrow = noise_of(canvas(height_px=64))
    wide = noise_of(Canvas(Window(0, 0, 6, 1), width_px=128, height_px=64, seed=0), stretch=3.0)
    np.testing.assert_allclose(narrow, wide, atol=1e-4)
    assert 0.5 < np.abs(narrow).max() <= 1.2


def test_noise_finer_than_two_pixels_is_left_out_and_draws_as_many_numbers() -> None:
    few, many = canvas(height_px=4), canvas(height_px=400)
    assert not noise_of(few).any()
    assert noise_of(many).any()
    assert few.rng.integers(2**32) == many.rng.integers(2**32)


def test_shade_darkens_below_a_height_alone() -> None:
    drawn = canvas()
    drawn.cover(np.ones((100, 200)), RED)
    drawn.shade(np.full((100, 200), -0.5), below=0.5)
    np.testing.assert_allclose(drawn.pixels[:, :50], np.broadcast_to(RED, (3, 50, 200)))
    np.testing.assert_allclose(drawn.pixels[:, 50:], np.broadcast_to(RED / 2, (3, 50, 200)))
