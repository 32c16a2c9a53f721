"""A scene head on the path that users take, on drawn films, whose scenes are known.

Films are drawn and added to a library with the starter, a head is trained on some of them by the
recipes, and others are analysed with the head and without it. F-score, boundary F1, mIoU and
recall@3s are means over the films with their 95 % bootstrap interval over films.

    python bench/scene_head_drawn.py [--train 12] [--test 6]
"""

import argparse
import tempfile
from dataclasses import astuple, fields
from fractions import Fraction
from pathlib import Path

import numpy as np

import mastershot as ms
import scene_grouping
from mastershot.core.timeline import Timeline
from mastershot.evaluation.scene_boundaries import FilmFigures, boundaries_of, score_film
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.features.scenes import nearest_shots
from mastershot.recipes.load import load_recipe
from mastershot.synthetic.films import write_film
from mastershot.synthetic.plan import FilmPlan, Picture, plan_film

PICTURE = Picture(160, 90, Fraction(12))
STEPS = ("shots", "labels", "scenes")
SETTINGS = ("training.epochs=200", "training.batch_size=64", "training.patience=50")


def drawn_plan(seed: int) -> FilmPlan:
    return plan_film(8, 2 + seed % 5, picture=PICTURE, seed=seed)


def starts_s(plan: FilmPlan) -> list[float]:
    return [float(plan.starts[shot] / plan.picture.frame_rate) for shot in plan.scene_starts]


def figures_of(timeline: Timeline, plan: FilmPlan) -> FilmFigures:
    assert timeline.scenes is not None
    num_shots = len(timeline.shots)
    truth = boundaries_of(nearest_shots(timeline, starts_s(plan)), num_shots)
    found = boundaries_of([scene.first_shot for scene in timeline.scenes], num_shots)
    edges_s = [shot.span.start_s for shot in timeline.shots] + [timeline.shots[-1].span.end_s]
    return score_film(found.astype(np.float32), found, truth, shot_edges_s=edges_s)


def run_recipe(name: str, out: Path, *overrides: str) -> Path:
    recipe = load_recipe(name, overrides)
    return recipe.kind.run(recipe.settings, out, lambda *_: None).path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=int, default=12, help="films; a quarter validates")
    parser.add_argument("--test", type=int, default=6, help="films")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library, loaded = ms.Library(folder / "films.mastershot"), prepare(Plan(steps=STEPS))
        rows = ["film,split,start_s"]
        for seed in range(arguments.train):
            plan, film = drawn_plan(seed), f"film{seed}"
            write_film(plan, folder / f"{film}.mp4")
            library.add(folder / f"{film}.mp4", loaded=loaded)
            split = "val" if seed % 4 == 3 else "train"
            rows += [f"{film},{split},{time:.4f}" for time in starts_s(plan)]
        (folder / "scenes.csv").write_text("\n".join(rows) + "\n")
        table = run_recipe("scenes/features", folder / "table", f"data={folder}")
        head = run_recipe("scenes/boundaries", folder / "run", f"data={table}", *SETTINGS)
        plans = {"group_shots": loaded, "head": prepare(Plan(steps=STEPS, scene_head=head))}
        found: dict[str, list[FilmFigures]] = {method: [] for method in plans}
        for seed in range(1000, 1000 + arguments.test):
            plan, path = drawn_plan(seed), folder / f"film{seed}.mp4"
            write_film(plan, path)
            for method, prepared in plans.items():
                timeline, _ = analyze_movie(path, prepared, folder / "out")
                found[method].append(figures_of(timeline, plan))
    names = [field.name for field in fields(FilmFigures)][1:]
    print("| method | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for method, films in found.items():
        columns = np.array([astuple(film)[1:] for film in films]).T
        print(f"| {method} | " + " | ".join(map(scene_grouping.with_interval, columns)) + " |")


if __name__ == "__main__":
    main()
