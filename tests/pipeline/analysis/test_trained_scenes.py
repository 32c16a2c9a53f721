import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from tests.factories.commands import run
from tests.factories.films import encode_film, flat_images

import mastershot as ms
from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import DatasetError, LibraryError, SettingError
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.datasets.tables.scene_table import FEATURES, SCENES, SceneTable, read_scene_table
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.scene_head import (
    CLASSES,
    SceneHeadCard,
    build_scene_head,
    write_scene_head,
)
from mastershot.evaluation.downstream.boundaries import BoundaryAnswers
from mastershot.evaluation.metrics import score_scenes
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.evaluation.inputs import Inputs
from mastershot.pipeline.evaluation.tasks import evaluate_task
from mastershot.pipeline.features.scenes import nearest_shots
from mastershot.recipes.load import load_recipe
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.shots.settings import ShotSettings
from mastershot.synthetic.films import write_film
from mastershot.synthetic.plan import FilmPlan, Picture, plan_film

SCENES_ALONE = ("shots", "scenes")
COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 220, 30)]
SHADES = [(230, 230, 230), (20, 20, 20), (230, 230, 230)]
PICTURE = Picture(160, 90, Fraction(12))


def make_head(folder: Path, *spaces: EmbeddingSpace, threshold: float = 0.0, seed: int = 0) -> Path:
    """Write a head of random weights; at threshold 0 each gap is a boundary."""
    columns = zip(*((s.model, s.weights_hash, s.width) for s in spaces), strict=True)
    card = SceneHeadCard("made", CLASSES, *columns, 8, 0.5, threshold)
    torch.manual_seed(seed)
    write_scene_head(folder, card, build_scene_head(card), figures={})
    return folder


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return encode_film(path, flat_images(COLOURS, each=30))


@pytest.fixture(scope="module")
def starter() -> EmbeddingSpace:
    return load_frame_encoder("starter", precision="float32").space


def scene_starts(timeline: Timeline) -> list[int]:
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    assert timeline.scenes is not None
    return [scene.first_shot for scene in timeline.scenes]


@pytest.mark.parametrize("inner", ["", "head"])
def test_a_head_takes_the_place_of_grouping_and_the_timeline_says_so(
    film: Path, starter: EmbeddingSpace, tmp_path: Path, inner: str
) -> None:
    make_head(tmp_path / "run" / inner, starter, COLOR_SPACE)
    plan = Plan(steps=SCENES_ALONE, scene_head=tmp_path / "run")
    loaded = prepare(plan)
    timeline, _ = analyze_movie(film, loaded, tmp_path / "out")
    assert scene_starts(timeline) == [0, 1, 2, 3]
    made = timeline.made_by.steps["scenes"]
    assert (made["method"], made["head"], made["threshold"]) == ("scene head", "made", 0.0)
    assert made["features"] == [starter.model, COLOR_SPACE.model]
    assert loaded.scene_head is not None
    assert made["weights_hash"] == loaded.scene_head.head.weights_hash
    assert {space.model for space in loaded.encoders} == {starter.model, COLOR_SPACE.model}


def test_another_head_makes_scenes_anew_without_decoding(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(steps=SCENES_ALONE, scene_head=make_head(tmp_path / "cuts", COLOR_SPACE))
    none = make_head(tmp_path / "none", COLOR_SPACE, threshold=1.0)
    first, _ = analyze_movie(film, prepare(plan), tmp_path / "out")
    monkeypatch.setattr("mastershot.pipeline.analyze.decode_film", None)
    again, _ = analyze_movie(film, prepare(plan), tmp_path / "out")
    assert again == first
    other, _ = analyze_movie(film, prepare(replace(plan, scene_head=none)), tmp_path / "out")
    assert (scene_starts(first), scene_starts(other)) == ([0, 1, 2, 3], [0])
    grouped, _ = analyze_movie(film, prepare(replace(plan, scene_head=None)), tmp_path / "out")
    assert grouped.made_by.steps["scenes"]["method"] == "sequential grouping"


@pytest.mark.parametrize("num_shots", [1, 2, 3])
def test_films_of_fewer_than_four_shots_have_scenes(tmp_path: Path, num_shots: int) -> None:
    film = encode_film(tmp_path / "short.mp4", flat_images(SHADES[:num_shots], each=30))
    plan = Plan(
        steps=SCENES_ALONE,
        shots=ShotSettings("content"),
        scene_head=make_head(tmp_path / "head", COLOR_SPACE),
    )
    timeline, _ = analyze_movie(film, prepare(plan), tmp_path)
    assert scene_starts(timeline) == list(range(num_shots))


def test_a_head_of_another_encoders_space_is_refused_in_one_sentence(
    film: Path, starter: EmbeddingSpace, tmp_path: Path
) -> None:
    for name, other in {
        "clip": EmbeddingSpace("openai/clip-vit-base-patch32", "blake2b:0", 512),
        "older": EmbeddingSpace(starter.model, "blake2b:0", starter.width),
    }.items():
        make_head(tmp_path / name, other)
        with pytest.raises(SettingError, match=f"was trained on vectors of {other.model}, and"):
            prepare(Plan(scene_head=tmp_path / name))
    done = run("analyze", film, "--scene-head", tmp_path / "clip", "--out", tmp_path / "out")
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"mastershot: scene head {tmp_path / 'clip'} was trained on vectors of")
    assert "the encoder here, mastershot/starter, has another space" in said
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_head_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"holds no scene head .*`mastershot run scenes/bound"):
        prepare(Plan(scene_head=tmp_path))


def test_a_head_without_the_step_scenes_is_an_error() -> None:
    with pytest.raises(SettingError, match="but the steps are only shots, labels; add scenes"):
        Plan(steps=("shots", "labels"), scene_head="head")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[FilmPlan]]:
    """A library of drawn films, and what was drawn; the last is not in the list of scenes."""
    folder = tmp_path_factory.mktemp("drawn")
    plans = [plan_film(5, 2 + seed % 3, picture=PICTURE, seed=seed) for seed in range(6)]
    library = ms.Library(folder / "films.mastershot")
    loaded = prepare(Plan(steps=SCENES_ALONE, scene_head=make_head(folder / "any", *_spaces())))
    rows = ["film,split,start_s"]
    for seed, plan in enumerate(plans):
        path = folder / f"film{seed}.mp4"
        write_film(plan, path)
        if seed < 5:
            library.add(path, loaded=loaded)
            split = "val" if seed == 4 else "train"
            times = [plan.starts[shot] / 12 for shot in plan.scene_starts]
            rows += [f"film{seed},{split},{time:.3f}" for time in times]
    (folder / "scenes.csv").write_text("\n".join(rows) + "\n")
    return folder, plans


def _spaces() -> Sequence[EmbeddingSpace]:
    return [load_frame_encoder("starter", precision="float32").space, COLOR_SPACE]


def run_recipe(name: str, out: Path, *overrides: str) -> Any:
    recipe = load_recipe(name, overrides)
    assert recipe.kind.problems(recipe.settings) == []
    return recipe.kind.run(recipe.settings, out, lambda *_: None)


def test_from_a_library_and_marked_scenes_to_the_scenes_of_another_film(
    drawn: tuple[Path, list[FilmPlan]], tmp_path: Path
) -> None:
    folder, plans = drawn
    table = run_recipe("scenes/features", tmp_path / "table", f"data={folder}")
    assert table.figures == {"num_films": 5, "num_scenes": 25}
    run_recipe(
        "scenes/boundaries", tmp_path / "run", f"data={table.path}", "training.epochs=60",
        "training.batch_size=16", "training.hidden=64", "training.dropout=0.5",
    )  # fmt: skip
    done = run("analyze", folder / "film5.mp4", "--steps", "shots,scenes", "--scene-head",
               tmp_path / "run", "--out", tmp_path / "out", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    timeline = Timeline.from_json(Path(result["timeline"]).read_text())
    assert timeline.made_by.steps["scenes"]["method"] == "scene head"
    truth = nearest_shots(timeline, [plans[5].starts[shot] / 12 for shot in plans[5].scene_starts])
    found = scene_starts(timeline)
    score = score_scenes(found, truth, shot_lengths=np.ones(len(timeline.shots)))
    assert score.f_score > 0.75, (found, truth)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the intersection over union of two spans of time."""
    inner = min(one[1], other[1]) - max(one[0], other[0])
    return max(inner, 0.0) / (max(one[1], other[1]) - min(one[0], other[0]))


def one_shot_late(
    table: SceneTable, probe: Any, seeds: tuple[int, ...], split: str, on_probe: Any
) -> tuple[BoundaryAnswers, ...]:
    (film,) = (film for film in table.films if film.split == split)
    late = [min(first, len(film.features) - 2) for first in film.first_shots[1:]]
    scores = np.zeros(len(film.features) - 1, np.float32)
    scores[late] = 1
    return (BoundaryAnswers((scores,), 0.5),)


def test_the_table_has_the_times_of_shots_by_which_boundaries_are_evaluated(
    drawn: tuple[Path, list[FilmPlan]], tmp_path: Path
) -> None:
    path = run_recipe("scenes/features", tmp_path / "table", f"data={drawn[0]}").path
    library = ms.Library(drawn[0] / "films.mastershot")
    films = {film.name: film for film in read_scene_table(path / FEATURES, path / SCENES).films}
    assert len(films) == 5
    for name, film in films.items():
        spans = [shot.span for shot in library.timeline(library.movie(name).id).shots]
        edges_s = [spans[0].start_s, *(span.end_s for span in spans)]
        assert film.shot_edges_s == pytest.approx(edges_s)
    inputs = Inputs(features=(path,), split="val", fit_boundaries=one_shot_late, num_seeds=1)
    (result,) = evaluate_task("scene-boundaries", inputs).facts["results"]
    figures = result["measured"][0]["figures"]
    film = films["film4"]
    true_s, last_s = [film.shot_edges_s[first] for first in film.first_shots], film.shot_edges_s[-1]
    late = [min(first + 1, len(film.features) - 1) for first in film.first_shots[1:]]
    found_s = [0.0, *(film.shot_edges_s[first] for first in late)]
    hits = [min(abs(at - other) for other in found_s[1:]) < 3 for at in true_s[1:]]
    assert figures["f1"]["value"] < figures["recall_3s"]["value"] == pytest.approx(np.mean(hits))
    true, found = (list(pairwise([*starts, last_s])) for starts in (true_s, found_s))
    both = [[overlap(one, other) for other in found] for one in true]
    miou = (np.max(both, axis=1).mean() + np.max(both, axis=0).mean()) / 2
    assert figures["miou"]["value"] == pytest.approx(miou)
    rows = (path / SCENES).read_text().replace(" ".join(map(str, film.shot_edges_s)), " ".join(
        str(10 * edge_s) for edge_s in film.shot_edges_s
    ))  # fmt: skip
    (path / SCENES).write_text(rows)
    (slower,) = evaluate_task("scene-boundaries", inputs).facts["results"]
    assert slower["measured"][0]["figures"]["recall_3s"]["value"] < figures["recall_3s"]["value"]


def test_marked_scenes_that_mean_nothing_are_one_sentence(
    drawn: tuple[Path, list[FilmPlan]], tmp_path: Path
) -> None:
    library = drawn[0] / "films.mastershot"
    for rows, error, message in (
        ("film0,dev,0", DatasetError, "line 2: split of film0 is 'dev'; it is one of train, val"),
        ("film0,val,0\nfilm0,test,3", DatasetError, "line 3: split of film0 is 'test'"),
        ("film0,val,soon", DatasetError, "start_s is 'soon', which should be seconds"),
        ("film0,val,inf", DatasetError, "start_s is inf"),
        ("", DatasetError, "list no film"),
        ("gone,val,0", LibraryError, "gone"),
    ):
        (tmp_path / "scenes.csv").write_text(f"film,split,start_s\n{rows}\n")
        overrides = [f"library={library}", f"scenes={tmp_path / 'scenes.csv'}"]
        with pytest.raises(error, match=message):
            run_recipe("scenes/features", tmp_path / "out", *overrides)


def test_films_that_were_added_otherwise_are_refused(film: Path, tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    for name, changes in {
        "colours": {"scene_head": make_head(tmp_path / "colours", COLOR_SPACE)},
        "both": {"scene_head": make_head(tmp_path / "both", *_spaces())},
        "none": {"steps": ("shots",)},
    }.items():
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(film.read_bytes() + name.encode())  # Of one content is one film.
        library.add(path, loaded=prepare(Plan(**{"steps": SCENES_ALONE, **changes})))
    for second, message in (
        ("none", "none was added without the step scenes"),
        (
            "both",
            "the scenes of both rest on vectors of mastershot/starter and hsv-histogram, ",
        ),
    ):
        (tmp_path / "scenes.csv").write_text(f"film,split,start_s\ncolours,val,0\n{second},val,0\n")
        with pytest.raises(SettingError, match=message):
            run_recipe("scenes/features", tmp_path / "out", f"data={tmp_path}")


def test_what_the_recipe_of_features_lacks_is_listed(tmp_path: Path) -> None:
    recipe = load_recipe("scenes/features", [f"data={tmp_path}"])
    library, scenes = recipe.kind.problems(recipe.settings)
    assert library.startswith(f"library {tmp_path}/films.mastershot is no folder")
    assert scenes.startswith(f"scenes {tmp_path}/scenes.csv do not exist")
