"""One optimiser step of every paper-size recipe of movieclip, on decoded frames: seconds, memory.

python bench/tagging_step.py                  # all, one by one
python bench/tagging_step.py movieclip/i3d    # one

Network, clip and the 150 classes are the paper's; a batch is one shot. The LSTMs read the vectors
of a ResNet-18 and a ViT-B/16 of random weights, made here: published ones may not be at hand.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

from mastershot.recipes.load import load_recipe, shipped_recipes
from mastershot.training.tagging.settings import TaggingRecipe

RECIPES = [
    name
    for name in shipped_recipes()
    if name.startswith("movieclip/") and isinstance(load_recipe(name).settings, TaggingRecipe)
]
NUM_CLASSES = 150
# Networks of frames that stand in for the recipes' encoders.
STAND_INS = {"lstm-places": "resnet18", "lstm-vit": "vit_b16"}
RUN = """
import json, resource, sys, time
from pathlib import Path
from mastershot.recipes.load import load_recipe
from mastershot.training.tagging import train
recipe = load_recipe(sys.argv[1], sys.argv[3:])
marks, losses, fit = [], [], train.fit
def timed(*args, **options):
    marks.append(time.perf_counter())
    fit(*args, **options)
train.fit = timed
def progress(stage, done, total, figures):
    if stage == "training":
        marks.append(time.perf_counter())
        losses.append(figures["loss"])
recipe.kind.run(recipe.settings, Path(sys.argv[2]), progress)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps({"losses": losses, "peak_gb": peak, "step_s": marks[1] - marks[0]}))
"""


def step(name: str, data: Path, out: Path) -> dict[str, float]:
    """Return what the first step of a recipe cost, in a process of its own."""
    options = [f"data={data}", "splits=splits", "shots=shots.csv", "scored=[]"]
    options += ["training.batch_size=1", "training.epochs=1", "training.accumulate=1"]
    if load_recipe(name).settings.network.name == "lstm":
        options.append(f"vectors.encoder={STAND_INS[Path(name).name]}")
    command = [sys.executable, "-W", "ignore", "-c", RUN, name, str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    shutil.rmtree(out, ignore_errors=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def write_data(data: Path) -> None:
    """Draw a film of three shots, two to train on and one to validate, and the stand-ins."""
    from mastershot.encoders.recogniser import RecogniserCard, build_network, write_recogniser
    from mastershot.synthetic.films import write_film
    from mastershot.synthetic.plan import Picture, plan_film

    plan = plan_film(1, 3, picture=Picture(426, 240, Fraction(24)))
    write_film(plan, data / "film.mp4")
    (data / "splits").mkdir()
    index = {f"class {number}": number for number in range(NUM_CLASSES)}
    (data / "splits/index.json").write_text(json.dumps(index))
    (data / "splits/train.txt").write_text("film/1.mp4 3\nfilm/2.mp4 5 149\n")
    (data / "splits/val.txt").write_text("film/3.mp4 3\n")
    with (data / "shots.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("video", "file", "path", "start_s", "end_s"))
        for shot in range(3):
            start, end = (plan.starts[shot + i] / plan.picture.frame_rate for i in (0, 1))
            rows.writerow(("film", f"{shot + 1}.mp4", "film.mp4", float(start), float(end)))
    for name in STAND_INS.values():
        card = RecogniserCard(name, name, ("any",), 1.0, 1.0, frames=1, size_px=224)
        write_recogniser(data / name, card, build_network(card), figures={})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", nargs="*", default=RECIPES)
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder))
        print("| recipe | a step of one shot | peak memory |")
        print("|---|---|---|")
        for name in parser.parse_args().recipe:
            cost = step(name, Path(folder), Path(folder) / "runs" / Path(name).name)
            print(f"| {name} | {cost['step_s']:.1f} s | {cost['peak_gb']:.1f} GB |", flush=True)


if __name__ == "__main__":
    main()
