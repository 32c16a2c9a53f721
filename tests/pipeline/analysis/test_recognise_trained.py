"""From split files to labels: an analysis sees shots as the training of its recogniser did."""

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.factories.tagging import film_data

from mastershot.core.movie import Shot
from mastershot.datasets.tables.tag_scores import read_tag_scores
from mastershot.media.sampling import parse_sampling
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.recipes.load import load_recipe
from mastershot.training.engine.settings import no_progress

CLIPS = ("network.size_px=32", "clips.cache=")
VECTORS = ("vectors.encoder=starter", "vectors.cache=", "vectors.rate_hz=4")


def score_of(shot: Shot, label: str) -> float:
    return next(one.score for one in shot.labels or () if one.name == label)


@pytest.mark.parametrize(("name", "changes"), [("i3d", CLIPS), ("lstm-vit", VECTORS)])
def test_a_films_scores_are_those_of_the_run(
    tmp_path: Path, name: str, changes: tuple[str, ...]
) -> None:
    data = film_data(tmp_path)
    settings = [f"data={data}", "shots=shots.csv", "training.epochs=1", *changes]
    recipe = load_recipe(f"debug/movieclip-{name}", settings)
    recipe.kind.run(recipe.settings, tmp_path / "run", no_progress)
    scored = read_tag_scores(tmp_path / "run" / "scores" / "test.npz")
    shots = tmp_path / "one.csv"  # The cuts between shots of one colour are not seen.
    with shots.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("first_frame", "end_frame"), *((first, first + 6) for first in range(0, 24, 6))]
        )
    loaded = prepare(
        Plan(
            steps=("shots", "labels"),
            shot_list=shots,
            sampling=parse_sampling("rate:4"),
            recogniser=tmp_path / "run",
        )
    )
    assert loaded.notes == ()
    timeline, _ = analyze_movie(data / "films" / "test1.mp4", loaded, tmp_path / "out")
    rows = [row for row, video in enumerate(scored.videos) if video == "test1"]
    found = [[score_of(shot, label) for label in scored.classes] for shot in timeline.shots]
    np.testing.assert_allclose(found, scored.scores[rows], atol=1e-5)
    assert loaded.thresholds is not None
