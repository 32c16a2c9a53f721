from collections.abc import Callable
from pathlib import Path

import pytest

from mastershot.core.errors import SettingError
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
    LogSettings,
    NetworkSettings,
    SceneContrastRecipe,
    ShotContrastRecipe,
    ShotSource,
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 1}, "batch_size is 1; it must be at least 2"),
        ({"micro_batch": -1}, "micro_batch is -1"),
        ({"micro_batch": 2, "negatives": "batch"}, "with negatives from the batch"),
        ({"negatives": "all"}, "negatives is 'all'; it must be one of queue, batch"),
        ({"views": "odd"}, "views is 'odd'; it must be one of plain, augmented"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; it must be above 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"noise": -1.0}, "noise is -1"),
        ({"momentum": 1.5}, r"momentum is 1.5; it must be in \[0, 1\]"),
        ({"dropout": 1.0}, "dropout is 1"),
        ({"queue": 0}, "queue is 0"),
        ({"projection": 0}, "projection is 0"),
        ({"max_steps": -1}, "max_steps is -1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_meaningless_training_is_one_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        ContrastiveSettings(**change)  # type: ignore[arg-type]


KEYFRAMES, VECTORS = ShotSource("x", "keyframes"), ShotSource("x")
ON_FEATURES = NetworkSettings("features")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SceneContrastRecipe(VECTORS, "p"), "is features; network vit sees keyframes"),
        (
            lambda: SceneContrastRecipe(KEYFRAMES, "p", ON_FEATURES),
            "is keyframes; network features sees features",
        ),
        (lambda: ShotContrastRecipe(VECTORS), "is features; a shot encoder sees keyframes"),
        (
            lambda: ShotContrastRecipe(KEYFRAMES, ON_FEATURES),
            r"network\.network is features; a shot encoder's must be vit",
        ),
        (lambda: ShotContrastRecipe(KEYFRAMES, query_share=0.0), r"it must be in \(0, 1\]"),
        (lambda: NetworkSettings(padded=True), "padded is of features; scenes of keyframes have"),
        (lambda: NetworkSettings("features", init="x"), "init is of a vit; network is features"),
        (
            lambda: NetworkSettings("features", backbone="mvit_v2_s"),
            "backbone mvit_v2_s sees keyframes; set network to vit",
        ),
        (
            lambda: NetworkSettings(backbone="mvit_v2_s", width=12),
            "width is 12; of mvit_v2_s it must be a multiple of 8",
        ),
        (
            lambda: ShotContrastRecipe(KEYFRAMES, NetworkSettings(backbone="mvit_v2_s")),
            r"network\.backbone is mvit_v2_s; a shot encoder's must be vit",
        ),
        (lambda: NetworkSettings(width=100), "width is 100; it must be a multiple of the 12 heads"),
    ],
)
def test_a_network_that_does_not_fit_is_said(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"path": ""}, "path is ''; it must not be empty"),
        ({"content": "sound"}, "content is 'sound'; it must be one of features, keyframes"),
        ({"pooling": "max"}, "pooling is 'max'; it must be one of mean, middle"),
        ({"names": "title"}, "names is 'title'; it must be one of file, id"),
        ({"frames_per_shot": 0}, r"frames_per_shot is 0; it must be in \[1, 50\]"),
        ({"image_px": 8}, r"image_px is 8; it must be in \[16, 1,024\]"),
    ],
)
def test_a_source_that_cannot_be_is_said(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        ShotSource(**{"path": "x", **change})  # type: ignore[arg-type]


def test_each_input_that_does_not_exist_is_named_where_it_would_be(tmp_path: Path) -> None:
    recipe = SceneContrastRecipe(
        ShotSource("films", "keyframes"), "pairs.parquet", NetworkSettings(init="vit"),
        log=LogSettings(labels=str(tmp_path / "labels.csv")), data=str(tmp_path / "data"),
    )  # fmt: skip
    shots, *others = recipe.missing()
    assert shots.startswith(f"shots {tmp_path / 'data' / 'films'} do not exist; name a library")
    assert others == [
        f"pairs {tmp_path / 'data' / 'pairs.parquet'} does not exist",
        f"log.labels {tmp_path / 'labels.csv'} does not exist",
        f"network.init {tmp_path / 'data' / 'vit'} does not exist",
    ]
    for path in ("data", "data/films", "data/pairs.parquet", "labels.csv"):
        (tmp_path / path).mkdir()
    assert recipe.missing() == others[2:]


def test_the_source_is_the_shots_from_here_with_all_else_as_it_was() -> None:
    shots = ShotSource("films", "keyframes", frames_per_shot=3, names="id")
    source = ShotContrastRecipe(shots, data="/data").source
    assert source == ShotSource("/data/films", "keyframes", frames_per_shot=3, names="id")
