"""A data set of MovieCLIP's size on simulated scores: written, selected and summarised.

python bench/dataset_scale.py [--shots N] [--labels 5|179]

Each step is a process of its own; printed are its seconds and its peak memory. Scores are those
of 179 labels under a random softmax, sharpened until about a tenth of the shots has a best score
of 0.4 or more, as the release has (118,771 of 1,116,190). A table holds the best five labels of a
shot, as the release does, or all, as `mastershot label build` writes them.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mastershot.core.labels import load_taxonomy
from mastershot.datasets.movieclip import read_tags, shot_file_name, write_split, write_tags
from mastershot.datasets.tables.records import NUM_BEST, ScoredShots, best_columns, shots_of
from mastershot.datasets.tables.score_table import open_scores, write_scores
from mastershot.labelling.draws import draw_shots, label_strata
from mastershot.labelling.selection import select_subset
from mastershot.labelling.splits import split_by_film
from mastershot.labelling.statistics import ScoreSummary, summarise

SHOTS = 1_124_638
SHOTS_PER_CLIP = 35
CLIPS_PER_FILM = 9
SHARPNESS = 2.1
GENRES = ("Drama", "Comedy", "Action", "Western", "War", "Musical", "Sport")
TAXONOMY = load_taxonomy("movieclip")


def film_of(clip: str) -> str:
    return f"film{int(clip[4:]) // CLIPS_PER_FILM}"


def simulated_clips(num_shots: int, num_labels: int) -> Iterator[ScoredShots]:
    """Yield the shots of one clip at a time, as a labelling run would."""
    random = np.random.default_rng(0)
    for clip, first in enumerate(range(0, num_shots, SHOTS_PER_CLIP)):
        count = min(SHOTS_PER_CLIP, num_shots - first)
        logits = random.standard_normal((count, len(TAXONOMY)), np.float32) * SHARPNESS
        weights = np.exp(logits)
        labels, scores = best_columns(weights / weights.sum(axis=1, keepdims=True), num_labels)
        bounds = np.arange(count + 1) * 85
        frames = np.stack([bounds[:-1], bounds[1:]], axis=1)
        video = f"clip{clip}"
        files = [shot_file_name(video, number) for number in range(1, count + 1)]
        yield ScoredShots([video] * count, files, frames, frames / 24, labels, scores)


def write(folder: Path, num_shots: int, suffix: str) -> str:
    num_labels = int((folder / "labels").read_text())
    path = folder / f"scores{suffix}"
    write_scores(path, simulated_clips(num_shots, num_labels), TAXONOMY, {"encoder": "simulated"})
    files = path.rglob("*") if path.is_dir() else [path]
    return f"{sum(file.stat().st_size for file in files if file.is_file()) / 1e6:.0f} MB"


def write_parquet(folder: Path, num_shots: int) -> str:
    return write(folder, num_shots, ".parquet")


def write_lance(folder: Path, num_shots: int) -> str:
    return write(folder, num_shots, ".lance")


def select(folder: Path, _: int) -> str:
    table, classes = open_scores(folder / "scores.parquet"), load_taxonomy("movieclip-150")
    subset = select_subset(table.batches(), table.taxonomy, classes)
    films = {shot.video: film_of(shot.video) for shot in subset.shots}
    for name, shots in split_by_film(subset.shots, films).items():
        write_split(folder / f"{name}.txt", shots)
    return f"{len(subset.shots)} shots, {subset.multi_label_share:.1%} with several labels"


def summary(folder: Path, _: int, suffix: str = ".parquet") -> str:
    table = open_scores(folder / f"scores{suffix}")
    clips = range(table.num_shots // SHOTS_PER_CLIP + 1)
    genres = {f"clip{clip}": (GENRES[clip % 7], GENRES[clip % 3]) for clip in clips}
    counts = ScoreSummary(table.taxonomy, genres_of_clip=genres, gallery=12)
    corpus = summarise(table.batches(), counts).corpus()
    return f"{corpus.num_clips} clips, {corpus.num_shots} shots, {counts.num_sure} from 0.4 on"


def summary_of_lance(folder: Path, _: int) -> str:
    return summary(folder, _, ".lance")


def draw(folder: Path, _: int) -> str:
    table = open_scores(folder / "scores.parquet")
    names: list[str] = []
    strata: list[str] = []
    for shots in table.batches():
        names += shots.files
        strata += label_strata(shots, table.taxonomy)
    return f"{len(draw_shots(names, strata, 2393))} shots of {len(set(strata))} kinds"


def release_json(folder: Path, _: int) -> str:
    table, path = open_scores(folder / "scores.parquet"), folder / "movieCLIP_dataset.json"
    best = (part.best(NUM_BEST) for part in table.batches())
    write_tags(path, (shot for part in best for shot in shots_of(part, table.taxonomy)))
    return f"{path.stat().st_size / 1e6:.0f} MB"


def read_json(folder: Path, _: int) -> str:
    return f"{sum(1 for _ in read_tags(folder / 'movieCLIP_dataset.json'))} shots"


STEPS = {
    "write Parquet": write_parquet,
    "write Lance": write_lance,
    "select and split": select,
    "summarise Parquet": summary,
    "summarise Lance": summary_of_lance,
    "draw 2,393 shots": draw,
    "write released JSON": release_json,
    "read released JSON": read_json,
}


def run_step(name: str, folder: Path, num_shots: int) -> None:
    started_s = time.perf_counter()
    found = STEPS[name](folder, num_shots)
    seconds = time.perf_counter() - started_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"found": found, "seconds": seconds, "peak_mb": peak_mb}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, default=SHOTS)
    parser.add_argument("--labels", type=int, default=5)
    parser.add_argument("--step", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run_step(options.step[0], Path(options.step[1]), options.shots)
        return
    print(f"{options.shots} shots, the best {options.labels} of {len(TAXONOMY)} labels")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "labels").write_text(str(options.labels))
        for name in STEPS:
            command = [sys.executable, __file__, "--shots", str(options.shots), "--step"]
            done = subprocess.run([*command, name, folder], check=True, stdout=subprocess.PIPE)
            result = json.loads(done.stdout.splitlines()[-1])
            measured = f"{result['seconds']:.1f} s, peak {result['peak_mb']} MB"
            print(f"{name}: {measured}; {result['found']}", flush=True)


if __name__ == "__main__":
    main()
