"""The measures of frames, against plain loops, and in blocks of any size."""

import numpy as np

from mastershot.shots.scores import BLOCK, MEASURES, FrameMeasures, measure

RNG = np.random.default_rng(0)
FILM = list(RNG.integers(0, 256, (150, 18, 32, 3), np.uint8))


def column(name: str, rows: np.ndarray) -> np.ndarray:
    return rows[:, MEASURES.index(name)]


def test_distances_are_root_mean_squares_to_earlier_frames() -> None:
    rows = measure(FILM)
    cells = np.stack(FILM).astype(float) / 255
    for lag in (1, 8, 48):
        before = cells[np.maximum(np.arange(len(FILM)) - lag, 0)]
        expected = np.sqrt(((cells - before) ** 2).mean(axis=(1, 2, 3)))
        np.testing.assert_allclose(column(f"distance {lag}", rows), expected, atol=1e-4)


def test_the_middle_of_a_dissolve_is_a_mixture_of_its_ends() -> None:
    one, other = RNG.integers(0, 256, (2, 18, 32, 3)).astype(float)
    shares = np.clip((np.arange(80) - 30) / 17, 0, 1)
    film = [np.rint(one * (1 - s) + other * s).astype(np.uint8) for s in shares]
    rows = measure(film)
    # Of the frame 8 after the middle, the middle is the mean of it and the frame 16 earlier.
    assert column("mixture 8", rows)[46] < 0.005
    assert column("distance 16", rows)[46] > 0.1


def test_a_shifted_picture_has_moved_but_hardly_differs() -> None:
    wide = RNG.integers(0, 256, (18, 40, 3), np.uint8)
    rows = measure([wide[:, 4:36], wide[:, 2:34]])
    assert column("moved 1", rows)[1] < 1e-3
    assert column("distance 1", rows)[1] > 0.2


def test_light_is_that_of_the_picture() -> None:
    levels = (0, 51, 255)
    rows = measure([np.full((72, 128, 3), level, np.uint8) for level in levels])
    np.testing.assert_allclose(column("light", rows), [0, 0.2, 1], atol=1e-6)
    assert column("black", rows).tolist() == [1, 0, 0]
    assert column("white", rows).tolist() == [0, 0, 1]


def test_blocks_of_any_size_give_nearly_the_same() -> None:
    whole, measures, rows = measure(FILM), FrameMeasures(), []
    for first, end in ((0, 1), (1, 50), (50, 150)):
        for image in FILM[first:end]:
            measures.add(image)
        rows.append(measures.take())
    np.testing.assert_allclose(np.concatenate(rows), whole, atol=2e-3)
    assert len(whole) > BLOCK


def test_a_film_of_one_frame_and_of_none() -> None:
    rows = measure(FILM[:1])
    assert rows.shape == (1, len(MEASURES))
    assert np.isfinite(rows).all()
    assert measure([]).shape == (0, len(MEASURES))
