import colorsys
import importlib.util
import math
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import SettingError
from mastershot.evaluation.metrics import score_boundaries, score_scenes
from mastershot.scenes.grouping import (
    COLOR_SPACE,
    PENALTY,
    color_histogram,
    group_shots,
)


def plain_distances(*features: FloatArray) -> list[list[float]]:
    """Return d of `group_shots` by loops: squared distances of unit rows over their mean."""
    num_shots = len(features[0])
    total = [[0.0] * num_shots for _ in range(num_shots)]
    for rows in features:
        units = [row.astype(float) / np.sqrt(sum(float(x) ** 2 for x in row)) for row in rows]
        square = [[sum((a - b) ** 2) for b in units] for a in units]
        pairs = [square[i][j] for i, j in combinations(range(num_shots), 2)]
        mean = sum(pairs) / len(pairs)
        for i in range(num_shots):
            for j in range(num_shots):
                total[i][j] += square[i][j] / mean / len(features)
    return total


def plain_scene_cost(distances: list[list[float]], start: int, end: int) -> float:
    inside = range(start, end)
    return sum(distances[i][j] for i in inside for j in inside) / (end - start)


def plain_price(distances: list[list[float]], penalty: float) -> float:
    """Return the price of a scene from distances alone, by double centring them (Gower 1966)."""
    num_shots = len(distances)
    neighbours = sum(distances[i][i + 1] for i in range(num_shots - 1)) / (num_shots - 1)
    means = [sum(row) / num_shots for row in distances]
    mean = sum(means) / num_shots
    gram = [
        [-(distances[i][j] - means[i] - means[j] + mean) / 2 for j in range(num_shots)]
        for i in range(num_shots)
    ]
    trace = sum(gram[i][i] for i in range(num_shots))
    dimensions = trace**2 / sum(value**2 for row in gram for value in row)
    by_chance = math.sqrt(2 * math.log(num_shots)) * math.sqrt(2 / dimensions)
    return neighbours * (1 + penalty * by_chance)


def plain_best(distances: list[list[float]], penalty: float) -> list[int]:
    price = plain_price(distances, penalty)

    def cost(starts: list[int]) -> float:
        bounds = [*starts, len(distances)]
        return sum(plain_scene_cost(distances, a, b) + price for a, b in pairwise(bounds))

    return min(all_groupings(len(distances)), key=cost)


def all_groupings(num_shots: int) -> Iterator[list[int]]:
    for num_cuts in range(num_shots):
        for cuts in combinations(range(1, num_shots), num_cuts):
            yield [0, *cuts]


def drawn_film(lengths: list[int], *, noise: float = 0.3, width: int = 32) -> FloatArray:
    """Return features of scenes of these lengths, each around its own random centre."""
    rng = np.random.default_rng(3)
    centres = np.repeat(rng.normal(size=(len(lengths), width)), lengths, axis=0)
    return (centres + noise * rng.normal(size=centres.shape)).astype(np.float32)


@pytest.mark.parametrize("seed", range(20))
def test_no_partition_of_a_short_film_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(2 + seed % 7, 2 + seed % 5)).astype(np.float32)
    penalty = float(rng.uniform(0, 0.5))
    best = plain_best(plain_distances(features), penalty)
    assert group_shots(features, penalty=penalty) == best


def test_two_features_count_equally() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        colors = rng.random((8, 4)).astype(np.float32)
        encoded = 40 * rng.normal(size=(8, 6)).astype(np.float32)
        best = plain_best(plain_distances(colors, encoded), 0.3)
        assert group_shots(colors, encoded, penalty=0.3) == best


@pytest.mark.parametrize("noise", [0.3, 1.0, 2.0])
def test_dropping_hopeless_starts_changes_no_result(noise: float) -> None:
    features = drawn_film([7, 1, 12, 3, 9, 2, 2, 14, 5], noise=noise)
    distances = plain_distances(features)
    price = plain_price(distances, PENALTY)
    lowest, groupings = [0.0], [list[int]()]
    for end in range(1, len(features) + 1):
        totals = [lowest[s] + plain_scene_cost(distances, s, end) + price for s in range(end)]
        start = int(np.argmin(totals))
        lowest.append(totals[start])
        groupings.append([*groupings[start], start])
    assert group_shots(features) == groupings[-1]


def test_drawn_scenes_are_found_with_their_number() -> None:
    for lengths in ([10, 4, 7, 12, 5], [3, 3], [40], [1, 9], [2] * 30):
        starts = np.cumsum([0, *lengths[:-1]]).tolist()
        assert group_shots(drawn_film(lengths, noise=0.05)) == starts


def test_a_dialogue_that_cuts_back_and_forth_is_one_scene() -> None:
    street, one, other, beach = np.eye(4, dtype=np.float32)
    film = np.array([*[street] * 6, *[one, other] * 5, *[beach] * 6])
    assert group_shots(film) == [0, 6, 16]


@pytest.mark.parametrize("num_shots", [1, 2, 3, 500])
def test_identical_shots_are_one_scene(num_shots: int) -> None:
    assert group_shots(np.full((num_shots, 8), 0.3, dtype=np.float32)) == [0]


@pytest.mark.parametrize(("num_shots", "width"), [(30, 4), (300, 8), (300, 64), (1000, 200)])
def test_a_film_whose_shots_come_in_no_order_has_hardly_a_scene(num_shots: int, width: int) -> None:
    film = np.random.default_rng(8).normal(size=(num_shots, width)).astype(np.float32)
    assert len(group_shots(film)) <= 4 + num_shots / 100


def test_shots_all_equally_far_apart_are_one_scene() -> None:
    assert group_shots(np.eye(64, dtype=np.float32)) == [0]


def test_two_shots_are_one_scene_however_different() -> None:
    assert group_shots(np.array([[1, 0], [0, 1]], dtype=np.float32)) == [0]


def test_a_single_foreign_shot_at_the_end_is_a_scene() -> None:
    film = np.array([[1, 0]] * 9 + [[0, 1]], dtype=np.float32)
    assert group_shots(film) == [0, 9]


def test_neither_the_length_nor_the_unit_of_features_matters() -> None:
    film = drawn_film([8, 5, 9, 4], noise=1.5)
    lengths = np.linspace(1, 900, len(film), dtype=np.float32)[:, None]
    assert group_shots(film * lengths) == group_shots(film)


def test_a_feature_that_never_changes_changes_nothing() -> None:
    film = drawn_film([8, 5, 9, 4], noise=1.5)
    assert group_shots(film, np.ones((len(film), 4), dtype=np.float32)) == group_shots(film)


def test_shots_without_any_feature_are_alike() -> None:
    film = drawn_film([6, 6], noise=0.1)
    film[6:] = 0
    assert group_shots(film) == [0, 6]


def test_a_higher_penalty_never_gives_more_scenes() -> None:
    film = drawn_film([8, 5, 9, 4, 11, 3], noise=2)
    counts = [len(group_shots(film, penalty=d)) for d in (0, 0.5, 1, 2, 3, 5, 100)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] == 1


@pytest.mark.parametrize("penalty", [-0.1, float("nan")])
def test_a_penalty_below_zero_is_refused(penalty: float) -> None:
    with pytest.raises(SettingError, match=r"scene penalty of .* must be 0 or more"):
        group_shots(np.eye(3, dtype=np.float32), penalty=penalty)


def test_a_film_of_3000_shots_needs_no_matrix_of_all_pairs() -> None:
    film = drawn_film([10] * 300, width=16)
    tracemalloc.start()
    starts = group_shots(film)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert starts == list(range(0, 3000, 10))
    assert peak_bytes < 3000 * 3000 * 4 / 10


def random_image(seed: int) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_a_histogram_equals_a_plain_loop_over_pixels() -> None:
    image = random_image(0)
    image[:5] = image[:5, :, :1]
    counts = np.zeros((16, 4, 4))
    for pixel in image.reshape(-1, 3):
        hue, saturation, value = colorsys.rgb_to_hsv(*((int(c) // 8 + 0.5) / 32 for c in pixel))
        counts[int(hue * 16), int(saturation * 4), int(value * 4)] += 1
    histogram = color_histogram(image)
    assert histogram.dtype == np.float32
    assert histogram.shape == (COLOR_SPACE.width,)
    np.testing.assert_allclose(histogram, np.sqrt(counts / counts.sum()).ravel(), atol=1e-6)


def test_a_histogram_is_a_unit_vector_and_ignores_where_a_colour_is() -> None:
    image = random_image(1)
    assert np.linalg.norm(color_histogram(image)) == pytest.approx(1)
    np.testing.assert_array_equal(color_histogram(image), color_histogram(image[::-1]))


def test_pictures_without_a_common_colour_are_as_far_apart_as_can_be() -> None:
    red, blue = np.zeros((2, 9, 16, 3), dtype=np.uint8)
    red[..., 0] = blue[..., 2] = 255
    assert color_histogram(red) @ color_histogram(blue) == 0
    half = np.concatenate([red, blue])
    assert color_histogram(red) @ color_histogram(half) == pytest.approx(np.sqrt(0.5))


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    path = Path(__file__).parents[2] / "bench" / "scene_grouping.py"
    spec = importlib.util.spec_from_file_location("bench_scene_grouping", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("feature", ["hsv", "vgg19", "hsv + vgg19"])
def test_bbc_scenes_are_found_better_than_by_what_is_simpler(
    real_data: Path, bench: ModuleType, feature: str
) -> None:
    episodes = bench.load_episodes(real_data)
    held_out = episodes[bench.SETS["held-out 06-11"]]
    names = bench.FEATURES[feature]

    def mean(groupings_of: Callable[[Any], list[list[int]]]) -> list[float]:
        rows = [bench.figures_of(groupings_of(episode), episode) for episode in held_out]
        return [float(figure) for figure in np.mean(rows, axis=0)]

    ours = mean(lambda e: [bench.ours(e, names)])
    rivals = [
        mean(lambda e: [bench.uniform(e.num_shots, len(e.truth))]),
        mean(lambda e: [bench.uniform(e.num_shots, len(bench.ours(e, names)))]),
        mean(lambda e: bench.random_groupings(e.num_shots, len(e.truth))),
        mean(lambda e: bench.random_groupings(e.num_shots, len(bench.ours(e, names)))),
    ]
    for best in bench.best_thresholds(held_out, names).values():
        rivals.append(bench.threshold_row(held_out, names, best).mean(axis=0))
    for figure in (bench.F_SCORE, bench.BOUNDARY_F1):
        assert ours[figure] > max(row[figure] for row in rivals) + 0.02


def test_colours_alone_find_scenes_of_big_buck_bunny(real_data: Path, bench: ModuleType) -> None:
    import av

    with av.open(real_data / "films" / "big_buck_bunny_full_4fps_160x120.mp4") as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    truth_folder = real_data / "films" / "truth"
    shots = np.loadtxt(truth_folder / "big_buck_bunny.shots.txt", dtype=int)
    scenes = np.loadtxt(truth_folder / "big_buck_bunny.scenes.txt", dtype=int)
    middles = shots.sum(axis=1) // 2
    truth = np.searchsorted(middles, scenes[:, 0]).tolist()
    # The lists count frames at 24 a second; the film at hand has every sixth.
    colors = np.array([color_histogram(frames[middle // 6]) for middle in middles])
    found = group_shots(colors)
    uniform = bench.uniform(len(shots), len(found))
    ones = np.ones(len(shots))
    ours = score_scenes(found, truth, shot_lengths=ones).f_score
    assert ours > score_scenes(uniform, truth, shot_lengths=ones).f_score + 0.05
    assert score_boundaries(found, truth).f1 > score_boundaries(uniform, truth).f1 + 0.1
