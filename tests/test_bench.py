"""The scripts that measure the docs' figures fit the package that they measure."""

import importlib.util
import sys
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mastershot.pipeline.evaluation.downstream.vectors import library_rows
from mastershot.synthetic.library import film_truth
from mastershot.synthetic.plan import Picture
from mastershot.synthetic.stage import GRAIN

BENCH = Path(__file__).parents[1] / "bench"
PLACE, SOUND, MOTION = 0, 1, 2
NEEDS_ONNX = ("person_int8", "person_network")
"""Scripts that write networks; the package that they need is no dependency."""


@pytest.mark.parametrize("script", sorted(BENCH.glob("*.py")), ids=lambda path: path.stem)
def test_every_script_imports_what_it_measures(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script.stem in NEEDS_ONNX:
        pytest.importorskip("onnx")
    load(script, monkeypatch)  # A name that has gone is an ImportError.


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The design of drawn trailers."""
    return load(BENCH / "drawn_trailers.py", monkeypatch)


def photograph_classes(drawn: ModuleType) -> list[str]:
    """Forty photographs of each class, one class after the other, and some that are not used."""
    return ["abbey", *(name for names in drawn.PLACES.values() for name in names)] * 40


def test_no_split_of_drawn_trailers_shows_a_photograph_of_another(drawn: ModuleType) -> None:
    classes = photograph_classes(drawn)
    trailers = drawn.plan_trailers(drawn.deal_photographs(classes))
    shown = {split: set[int]() for split in drawn.SPLITS}
    for trailer in trailers:
        shown[trailer.split] |= {clip.photograph for clip in trailer.clips}
        for clip in trailer.clips:
            assert classes[clip.photograph] in drawn.PLACES[clip.place]
    assert all(shown.values())
    for one, other in combinations(shown.values(), 2):
        assert not one & other
    seeds = [clip.seed for trailer in trailers for clip in trailer.clips]
    assert len(set(seeds)) == len(seeds)  # So no two sounds are the same.


def test_no_attribute_of_drawn_trailers_tells_the_genre_alone(drawn: ModuleType) -> None:
    for attributes in [{PLACE}, {SOUND}, {MOTION}, {PLACE, SOUND, MOTION}]:
        assert drawn.best_accuracy(sorted(attributes)) < 1
    assert drawn.best_accuracy([PLACE]) == 1 / 8
    assert drawn.best_accuracy([SOUND]) == 1 / 8
    assert drawn.best_accuracy([MOTION]) == 1 / 4
    # Where they meet in clips does tell it.
    tables = {tuple(sorted(drawn.cells_of(genre).items())) for genre in drawn.GENRES}
    assert len(tables) == len(drawn.GENRES)


def test_a_drawn_trailer_sounds_and_moves_as_planned(drawn: ModuleType) -> None:
    def spread(motion: str) -> float:
        path = drawn.camera_path(drawn.Clip("home", "music", motion, 12, 0, 5))
        assert path.shape == (12, 3)
        assert ((path >= 0) & (path <= 1)).all()
        return float(np.abs(np.diff(path[:, :2], axis=0)).sum())

    assert spread("hand-held") > 2 * spread("drift") > spread("zooms") == 0
    for sound in drawn.SOUNDS:
        made = drawn.draw_sound(drawn.Clip("home", sound, "drift", 12, 0, 5), 16_000)
        assert made.shape == (16_000,)
        assert 0.1 < np.abs(made).max() <= 1


def test_tasks_of_drawn_films_are_evaluated_from_their_pixels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench = load(BENCH / "drawn_tasks.py", monkeypatch)
    settings = bench.DrawnTasks(
        films=(2, 1, 1), scenes=5, shots=2, picture=Picture(64, 48, Fraction(8))
    )
    library = bench.draw(settings, tmp_path)
    kept = bench.add(library, tmp_path)
    found = bench.found_scenes(library, kept)
    assert found.num_drawn == 20
    rows = library_rows(kept.path, "starter", None)
    assert {name for name in rows.readers if "/" in name} == set(found.places)
    for film in library.films:
        shots = kept.timeline(kept.movie(film.id).id).shots
        starts = tuple(shot.span.first_frame for shot in shots)
        assert (*starts, film.plan.num_frames) == film_truth(film)["shot_starts"]
    scenes = bench.drawn_scenes(library, rows, kept)
    assert [*scenes.places.values()] == [
        scene["place"] for film in library.films for scene in film_truth(film)["scenes"]
    ]
    (result,) = bench.evaluate(scenes, settings, names=("retrieval",))
    vectors = np.stack([*scenes.vectors.vectors.values()])
    places = np.array([*scenes.places.values()])
    away = np.linalg.norm(vectors[15:, None] - vectors[None, :10], axis=2)  # test from train
    hits = places[away.argmin(axis=1)] == places[15:]
    figure = result.rows[0].measured.figures["@1"]
    assert figure.value == pytest.approx(hits.mean())
    assert bench.result_lines([result])[0].endswith("10 of train, 5 of val, 5 of test")


def test_inputs_of_scene_boundaries_are_distances_within_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = load(BENCH / "scene_boundary_inputs.py", monkeypatch)
    place_of = [0, 0, 0, 1, 1, 1]  # Each shot a unit vector of its place, longer or shorter.
    lengths = np.arange(1, 7)[:, None]
    features = {
        name: (np.eye(2, width)[place_of] * lengths).astype(np.float32)
        for name, width in bench.WIDTHS.items()
    }
    truth = np.array([False, False, True, False, False])
    episode = bench.Episode(features, truth, np.arange(7.0))
    plain, relative = bench.plain_distances(episode), bench.distances(episode)
    # Shots 1 2 | 3 4: the pairs 12 13 14 23 24 34.
    np.testing.assert_allclose(plain[2], [0, 1, 1, 1, 1, 0] * 2, atol=1e-6)
    np.testing.assert_allclose(plain[0], [0, 0, 0, 0, 0, 0] * 2, atol=1e-6)
    np.testing.assert_allclose(plain[1], [0, 0, 1, 0, 1, 1] * 2, atol=1e-6)
    np.testing.assert_allclose(relative, plain / (9 / 15), rtol=1e-5, atol=1e-6)


def test_keyframes_of_drawn_films_are_spread_over_shots_round_the_middle_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = load(BENCH / "drawn_library.py", monkeypatch)
    settings = bench.DrawnSettings(films=1, probe_films=1, scenes=1, shots_per_scene=4, side_px=32)
    film = bench.plan(settings)[0].films[0]
    one, three = bench.keyframes(film), bench.keyframes(film, 3)
    assert (one.shape, three.shape) == ((4, 1, 32, 32, 3), (4, 3, 32, 32, 3))
    grain = np.abs(three.astype(int) - one).max(axis=(2, 3, 4))
    assert (grain[:, 1] <= GRAIN).all()
    assert (grain[:, [0, 2]] > GRAIN).any()


def test_intervals_of_drawn_variants_pair_the_seeds_that_both_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = load(BENCH / "drawn_scenes.py", monkeypatch)
    right, wrong, films = np.ones(6, int), np.zeros(6, int), np.repeat([0, 1], 3)
    ours = {0: right, 1: right, 2: wrong}
    assert bench.gap(ours, {0: wrong, 1: wrong}, films) == "+100.0 to +100.0"
    assert bench.gap({0: wrong, 1: wrong}, ours, films) == "-100.0 to -100.0"
    assert bench.gap({1: right, 2: right}, {0: wrong}, films) == "+100.0 to +100.0"
    assert bench.gap(ours, {0: wrong}, films) == "+0.0 to +100.0"


def load(script: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Run a script as a module, without its main."""
    monkeypatch.syspath_prepend(BENCH)  # They import each other.
    spec = importlib.util.spec_from_file_location(f"bench_{script.stem}", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module
