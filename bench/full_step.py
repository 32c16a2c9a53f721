"""One optimiser step of every stage of a paper-size recipe, on decoded frames: seconds and memory.

python bench/full_step.py                         # all recipes of movies2scenes, one by one
python bench/full_step.py movies2scenes/frames-3  # one

Width, depth and frames are the paper's; a step has so many scenes instead of 128, one at a time
(`micro_batch`), which takes the same memory for 128.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mastershot.recipes.load import load_recipe, shipped_recipes

SCENES = 4
RUN = """
import json, resource, sys, time
from pathlib import Path
from mastershot.recipes.load import load_recipe
from mastershot.training.engine.settings import no_progress
began = time.perf_counter()
recipe = load_recipe(sys.argv[1], sys.argv[3:])
marks = []
def progress(stage, done, total, figures):
    marks.append((stage, time.perf_counter()))
result = recipe.kind.run(recipe.settings, Path(sys.argv[2]), progress)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps({"loss": result.figures["loss"], "peak_gb": peak,
                  "step_s": result.figures["seconds"], "all_s": time.perf_counter() - began}))
"""


def small(name: str, data: Path) -> list[str]:
    """Return what makes one step of a recipe of paper size, on the films of a folder."""
    settings = load_recipe(name).settings
    training = [f"batch_size={SCENES}", "max_steps=1", "micro_batch=1"]
    if settings.training.negatives == "batch":
        training.pop()
    options = [f"training.{one}" for one in training] + [f"data={data}"]
    path = "features" if settings.shots.content == "features" else "films"
    options.append(f"shots.path={path}")
    if not name.endswith("shot-encoder"):
        options += ["movie_training.batch_size=4", "movie_training.max_steps=1"]
        if settings.shot_encoder == "train":
            options += [f"shot_training.{one}" for one in training]
        elif settings.shot_encoder:  # CLIP's weights may not be here
            options.append("shot_encoder=starter")
    return options


def step(name: str, data: Path, out: Path) -> dict[str, float]:
    """Return what one step of a recipe cost, in a process of its own; its gigabytes go again."""
    command = [sys.executable, "-W", "ignore", "-c", RUN, name, str(out), *small(name, data)]
    done = subprocess.run(command, capture_output=True, text=True)
    shutil.rmtree(out, ignore_errors=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def write_data(data: Path) -> None:
    """Draw six films of 36 shots as video, with their metadata and features."""
    from fractions import Fraction

    import numpy as np

    from mastershot.store.shot_arrays import write_movie
    from mastershot.synthetic.library import plan_library, write_library
    from mastershot.synthetic.plan import Picture

    library = plan_library(
        6, num_scenes=6, shots_per_scene=6, picture=Picture(128, 128, Fraction(8))
    )
    write_library(library, data)
    (data / "features").mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for film in library.films:
        rows = rng.normal(size=(36, 512)).astype(np.float32)
        write_movie(data / "features", film.id, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [name for name in shipped_recipes() if name.startswith("movies2scenes/")]
    parser.add_argument("recipe", nargs="*", default=known)
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder))
        print(f"| recipe | a step of {SCENES} scenes | peak memory | all stages |")
        print("|---|---|---|---|")
        for name in parser.parse_args().recipe:
            cost = step(name, Path(folder), Path(folder) / "runs" / Path(name).name)
            print(f"| {name} | {cost['step_s']:.1f} s | {cost['peak_gb']:.1f} GB | "
                  f"{cost['all_s']:.0f} s |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
