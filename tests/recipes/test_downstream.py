import json
from pathlib import Path

import numpy as np
import pytest

from mastershot.datasets.tables.feature_table import read_features, writing_features
from mastershot.datasets.tables.tag_scores import read_tag_scores
from mastershot.encoders.probe import TrainedProbe
from mastershot.recipes.load import load_recipe, shipped_recipes
from mastershot.synthetic.labelled_videos import (
    draw_hvu,
    draw_moviescope,
    write_hvu,
    write_moviescope,
)
from mastershot.training.engine.settings import no_progress

PROBES = [
    "table4-m-scene", "table5-bilstm", "table5-lstm", "table5-m-trailer",
    "table6-m-scene-kinetics", "table6-m-trailer-kinetics",
]  # fmt: skip
FUSIONS = {
    "table6-hvu-fusion": ("table4-m-scene", "table6-m-scene-kinetics"),
    "table6-moviescope-fusion": ("table5-m-trailer", "table6-m-trailer-kinetics"),
}


FROM_FRAMES = {"table4-3d-resnet": "hvu-splits", "table5-i3d": "moviescope-splits"}


def test_every_row_that_can_be_trained_has_a_recipe_and_a_debug_version() -> None:
    names = {name for name in shipped_recipes() if "downstream" in name}
    rows = [*PROBES, *FUSIONS, *FROM_FRAMES, *FROM_FRAMES.values()]
    assert names == {f"downstream/{row}" for row in rows} | {
        f"debug/downstream-{row}" for row in rows
    }


@pytest.mark.parametrize("prefix", ["downstream/", "debug/downstream-"])
@pytest.mark.parametrize("row", PROBES)
def test_the_recipes_of_probes_take_two_steps(tmp_path: Path, row: str, prefix: str) -> None:
    features = "kinetics" if "kinetics" in row else "movieclip"
    overrides = [f"data={tmp_path}", f"features=features/{features}", "drawn_videos=60",
                 "validation_share=0.2", "network.hidden=8", "training.epochs=1",
                 "training.batch_size=25"]  # fmt: skip
    recipe = load_recipe(prefix + row, overrides)
    result = recipe.kind.run(recipe.settings, tmp_path / "out", no_progress)
    assert json.loads((result.path / "probe.json").read_text())["steps"] == 2
    assert result.figures["num_classes"]["test"] in range(4, 14)
    assert result.notes == ()


@pytest.mark.parametrize("row", FUSIONS)
def test_runs_of_two_recipes_are_fused_by_a_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for probe in FUSIONS[row]:
        name = f"debug/downstream-{probe}"
        recipe = load_recipe(name, ["drawn_videos=60", "network.hidden=8", "training.epochs=1"])
        out = Path("mastershot-runs") / name.replace("/", "-")
        recipe.kind.run(recipe.settings, out, no_progress)
    recipe = load_recipe(f"debug/downstream-{row}")
    assert recipe.kind.problems(recipe.settings) == []
    result = recipe.kind.run(recipe.settings, tmp_path / "out", no_progress)
    assert set(result.figures["mean_precision"]) == {"val", "test"}
    assert len(read_tag_scores(result.path / "test.npz").made_by["fused"]) == 2
    full = load_recipe(f"downstream/{row}")
    runs = [f"mastershot-runs/downstream-{probe}" for probe in FUSIONS[row]]
    assert list(full.settings.runs) == runs
    assert len(full.kind.problems(full.settings)) == 4


@pytest.mark.parametrize("row", FROM_FRAMES)
def test_recognisers_of_frames_train_on_the_splits_of_another_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, overrides in (
        (f"debug/downstream-{FROM_FRAMES[row]}", ["drawn_videos=60"]),
        (f"debug/downstream-{row}", ["training.epochs=1", "training.batch_size=25",
                                     "network.width=0.05", "network.frames=2"]),
    ):  # fmt: skip
        recipe = load_recipe(name, overrides)
        assert recipe.kind.problems(recipe.settings) == []
        out = Path("mastershot-runs") / name.replace("/", "-")
        result = recipe.kind.run(recipe.settings, out, no_progress)
    assert result.notes == ()
    scores = read_tag_scores(out / "scores" / "test.npz")
    assert len(scores) == len(set(scores.films)) == 12
    full = load_recipe(f"downstream/{row}").settings
    network = {"table4-3d-resnet": "r3d_18", "table5-i3d": "i3d_inception"}[row]
    assert (full.network.name, full.network.width) == (network, 1.0)
    assert str(full.path(full.splits)) == f"mastershot-runs/downstream-{FROM_FRAMES[row]}"


def test_videos_without_features_are_noted(tmp_path: Path) -> None:
    overrides = [f"data={tmp_path}", "drawn_videos=60", "training.epochs=1"]
    recipe = load_recipe("debug/downstream-table5-m-trailer", overrides)
    recipe.kind.run(recipe.settings, tmp_path / "first", no_progress)
    table = read_features(recipe.settings.features_path)
    fewer = tmp_path / "features" / "fewer"
    with writing_features(fewer, width=table.width, made_by={}) as add:
        for place in range(1, 60):
            add(table.items[place], table.rows(place))
    recipe = load_recipe(recipe.name, [*overrides, "features=features/fewer"])
    notes = recipe.kind.run(recipe.settings, tmp_path / "second", no_progress).notes
    assert notes == ("videos of split val without features, which were left out: 1",)


@pytest.mark.slow
@pytest.mark.parametrize("row", PROBES)
def test_a_step_at_full_width(tmp_path: Path, row: str) -> None:
    is_hvu, width, parts = "scene" in row, (4096 if "lstm" in row else 1024), 3
    drawn = (draw_hvu if is_hvu else draw_moviescope)(60)
    (write_hvu if is_hvu else write_moviescope)(tmp_path, drawn)
    random = np.random.default_rng(0)
    with writing_features(tmp_path / "features", width=width, made_by={}) as add:
        for item in drawn.items:
            add(item, random.normal(size=(parts, width)))
    overrides = [f"data={tmp_path}", "features=features", "validation_share=0.2",
                 "training.epochs=1", "training.batch_size=60"]  # fmt: skip
    recipe = load_recipe(f"downstream/{row}", overrides)
    result = recipe.kind.run(recipe.settings, tmp_path / "out", no_progress)
    card = TrainedProbe(result.path).card
    assert (card.width, card.hidden) == (width, 4096 if is_hvu else 512)
    assert json.loads((result.path / "probe.json").read_text())["steps"] == 1
