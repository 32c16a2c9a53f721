from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import SettingError
from mastershot.training.movies2scenes.settings.encoders import NetworkSettings, ShotSource
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    MovieTrainingSettings,
    PairingSettings,
    PipelineRecipe,
    ScenePairsRecipe,
    ShotFeaturesRecipe,
    SimilaritySettings,
)

KEYFRAMES, VECTORS = ShotSource("x", "keyframes"), ShotSource("x")
RANDOM = SimilaritySettings("random")
SAME, NEAREST = PairingSettings(positives="same"), PairingSettings(positives="nearest")
ON_FEATURES = NetworkSettings("features")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 3}, "batch_size is 3; it must be at least 2, a multiple of 2"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; it must be above 0"),
        ({"held_out": 0.0}, "held_out is 0"),
        ({"max_steps": -1}, "max_steps is -1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_meaningless_training_of_movies_is_one_sentence(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        MovieTrainingSettings(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"measure": "plot"}, "measure is 'plot'; it must be one of cowatch, genre"),
        ({}, "cowatch needs viewing_log or movielens"),
        ({"measure": "genre"}, "genre needs movies or movielens"),
        ({"measure": "synopsis"}, "synopsis needs movies"),
        ({"num_similar": 0, "viewing_log": "x"}, "num_similar is 0"),
        ({"max_movies": -1, "viewing_log": "x"}, "max_movies is -1"),
        ({"genre_weight": -1.0, "viewing_log": "x"}, "genre_weight is -1"),
        (
            {"measure": "combined", "cowatch_weight": 0.0, "genre_weight": 0.0,
             "synopsis_weight": 0.0},
            "combined needs a weight above 0",
        ),
    ],
)  # fmt: skip
def test_a_similarity_that_cannot_be_is_said(asked: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        SimilaritySettings(**asked)  # type: ignore[arg-type]


def test_a_measure_counts_alone_and_combined_ones_by_their_weights_above_0() -> None:
    combined = SimilaritySettings(
        "combined", viewing_log="v", movies="m", cowatch_weight=0.5, genre_weight=0.0
    )
    assert combined.weights == {"cowatch": 0.5, "synopsis": 1.0}
    assert SimilaritySettings("genre", movies="m", genre_weight=7.0).weights == {"genre": 1.0}
    assert RANDOM.weights == {}
    no_log = SimilaritySettings("combined", movies="m", cowatch_weight=0.0)
    assert no_log.weights == {"genre": 1.0, "synopsis": 1.0}
    with pytest.raises(SettingError, match="synopsis needs movies"):
        SimilaritySettings("combined", movielens="ml")  # which has no synopses


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MovieSimilarityRecipe(KEYFRAMES, "s"), "a movie encoder sees features"),
        (lambda: ScenePairsRecipe(KEYFRAMES, "s"), "pairing scenes sees features"),
        (lambda: ScenePairsRecipe(VECTORS), "similarity is empty; scenes of similar movies need"),
        (lambda: ShotFeaturesRecipe(VECTORS, "clip"), "a shot encoder sees keyframes"),
        (lambda: PipelineRecipe(KEYFRAMES, RANDOM), "shot_encoder is ''; keyframes need one"),
        (lambda: PipelineRecipe(KEYFRAMES, RANDOM, "clip", pairs=SAME), "shot_encoder is 'clip';"),
        (
            lambda: PipelineRecipe(KEYFRAMES, RANDOM, "train", pairs=NEAREST),
            "shot_encoder is 'train'; .* nor do scenes whose positives are same or nearest",
        ),
        (lambda: PipelineRecipe(VECTORS, RANDOM, "clip"), "shot_encoder is 'clip'; .* take none"),
        (lambda: PipelineRecipe(VECTORS, RANDOM), "is features; network vit sees keyframes"),
        (lambda: PairingSettings(stride=0), "stride is 0; it must be at least 1"),
        (lambda: PairingSettings(reach=0), "reach is 0; it must be at least 1"),
        (lambda: PairingSettings(keep=0.0), r"keep is 0\.0; it must be in \(0, 1\]"),
    ],
)
def test_a_stage_that_lacks_what_it_needs_is_said(
    make: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("shots", "settings"),
    [
        (KEYFRAMES, {"pairs": SAME}),
        (KEYFRAMES, {"pairs": NEAREST}),
        (KEYFRAMES, {"shot_encoder": "clip", "network": ON_FEATURES}),
        (VECTORS, {"network": ON_FEATURES}),
        (VECTORS, {"network": ON_FEATURES, "pairs": SAME}),
    ],
)
def test_a_chain_names_the_inputs_that_do_not_exist(
    shots: ShotSource, settings: dict[str, Any], tmp_path: Path
) -> None:
    similarity = SimilaritySettings("genre", movies="m.csv", lvu="lvu")
    (tmp_path / "x").mkdir()
    (tmp_path / "lvu").mkdir()
    recipe = PipelineRecipe(shots, similarity, data=str(tmp_path), **settings)
    assert recipe.missing() == [f"similarity.movies {tmp_path / 'm.csv'} does not exist"]
