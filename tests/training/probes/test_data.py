from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import SettingError
from mastershot.datasets.tables.feature_table import read_features, writing_features
from mastershot.synthetic.labelled_videos import draw_hvu, write_hvu
from mastershot.training.probes.data import SPLITS, is_for_validation, read_inputs
from mastershot.training.probes.settings import ProbeNetworkSettings, ProbeRecipe


def drawn_recipe(folder: Path) -> ProbeRecipe:
    return ProbeRecipe(
        data=str(folder), features="features/movieclip", drawn_videos=80, validation_share=0.2
    )


def write_part(recipe: ProbeRecipe, items: list[str], width: int = 2) -> None:
    with writing_features(recipe.features_path, width=width, made_by={}) as add:
        for place, item in enumerate(items):
            add(item, np.full((2, width), place, np.float32))


def test_labels_are_joined_with_features_and_validation_is_held_out_of_training(
    tmp_path: Path,
) -> None:
    recipe = drawn_recipe(tmp_path)
    splits = read_inputs(recipe)
    table = read_features(recipe.features_path)
    assert tuple(splits) == SPLITS
    assert len(splits["test"].labels) == 16
    assert len(splits["train"].labels) + len(splits["val"].labels) == 64
    assert all(is_for_validation(video, 0.2) for video in splits["val"].labels.videos)
    assert not any(is_for_validation(video, 0.2) for video in splits["train"].labels.videos)
    for part in splits.values():
        assert part.num_missing == 0
        for item, vectors in zip(part.labels.items, part.vectors, strict=True):
            mean = table.rows(table.items.index(item)).mean(axis=0, keepdims=True)
            np.testing.assert_allclose(vectors, mean, atol=1e-6)


def test_an_lstm_gets_all_vectors_in_order(tmp_path: Path) -> None:
    recipe = replace(drawn_recipe(tmp_path), network=ProbeNetworkSettings(kind="lstm"))
    test = read_inputs(recipe)["test"]
    table = read_features(recipe.features_path)
    for item, vectors in zip(test.labels.items[2:4], test.vectors[2:4], strict=True):
        np.testing.assert_array_equal(vectors, table.rows(table.items.index(item)))
    few = replace(recipe, network=ProbeNetworkSettings(kind="lstm", max_steps=2))
    for vectors, first in zip(test.vectors, read_inputs(few)["test"].vectors, strict=True):
        np.testing.assert_array_equal(first, vectors[:2])


def test_vectors_of_no_split_are_not_read(tmp_path: Path) -> None:
    recipe = replace(drawn_recipe(tmp_path), drawn_videos=0)
    drawn = draw_hvu(80)
    write_hvu(tmp_path, drawn)
    write_part(recipe, [*drawn.items, "of no split"])
    path = recipe.features_path / "vectors.npy"
    vectors = np.load(path)
    vectors[-1] = np.nan
    np.save(path, vectors)
    assert len(read_inputs(recipe)["test"].vectors) == 16


def test_the_share_of_videos_for_validation_is_as_wanted() -> None:
    videos = [f"video{place}" for place in range(4000)]
    share = np.mean([is_for_validation(video, 0.05) for video in videos])
    assert share == pytest.approx(0.05, abs=0.01)


def test_videos_without_features_are_left_out_and_counted(tmp_path: Path) -> None:
    recipe = replace(drawn_recipe(tmp_path), drawn_videos=0)
    drawn = draw_hvu(80)
    write_hvu(tmp_path, drawn)
    write_part(recipe, [item for place, item in enumerate(drawn.items) if place not in (5, 10)])
    test = read_inputs(recipe)["test"]
    assert (len(test.labels), test.num_missing) == (14, 2)
    assert not {drawn.items[5], drawn.items[10]} & set(test.labels.items)
    np.testing.assert_array_equal(test.vectors[1], [[13, 13]])  # Video 15; two before it are out.


def test_features_of_other_videos_are_refused(tmp_path: Path) -> None:
    recipe = replace(drawn_recipe(tmp_path), drawn_videos=0)
    write_hvu(tmp_path, draw_hvu(80))
    write_part(recipe, ["something"])
    with pytest.raises(SettingError, match=r"have none of the \d+ videos of split train, such as"):
        read_inputs(recipe)


def test_drawing_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    recipe = drawn_recipe(tmp_path)
    first = read_inputs(recipe)["train"]
    for path in recipe.annotation_files:
        path.unlink()
    again = read_inputs(recipe)["train"]
    assert again.labels.items == first.labels.items
    np.testing.assert_array_equal(again.vectors[0], first.vectors[0])
