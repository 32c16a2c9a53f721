"""Genres of drawn trailers from pixels and sound, end to end: do experts together beat each alone?

    python bench/genre_pixels.py make DATA OUT     draw trailers, then `mastershot genres build`
    python bench/genre_pixels.py simulate OUT      the same plans, as vectors with noise
    python bench/genre_pixels.py run OUT [--seeds 0 1 2 3 4] [--only NAME …]
    python bench/genre_pixels.py table OUT

`drawn_trailers.py` is the design: what makes a genre, and why no single expert can tell it. All of
it goes through files: MP4 with sound, decoded, cut into shots and given to the experts by the
command. Settings of trailers (`drawn_trailers.SETTINGS`) were committed before a trailer of the
library was drawn, those of networks (here) before one was trained; they were sought on simulated
vectors, which tell attributes apart about as well as the experts do on eight trailers of another
seed.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from drawn_trailers import (
    DRIFT,
    GENRES,
    LIVE_MOTIONS,
    PLACES,
    SETTINGS,
    SOUNDS,
    deal_photographs,
    plan_trailers,
    read_photographs,
    write_trailer,
)
from mastershot.datasets.genres.table import Expert, Trailer, write_genre_dataset
from mastershot.datasets.tables.tag_scores import TagScores, read_tag_scores
from mastershot.evaluation.bootstrap import bootstrap_interval
from mastershot.evaluation.genres import choose_thresholds, f1_scores, genre_figures
from mastershot.evaluation.precision import average_precisions
from mastershot.training.genres.settings import (
    FineStageSettings,
    GenreNetworkSettings,
    GenreRecipe,
    GenreTrainingSettings,
)
from mastershot.training.genres.train import train_genres

EXPERTS = ("location", "image", "audio", "motion")
RUNS = {
    **{name: ((name,), "none") for name in EXPERTS},
    "naive concat": (EXPERTS, "none"),
    "gated": (EXPERTS, "pairs"),
    "gated, mean of others": (EXPERTS, "mean"),
}
NETWORK = GenreNetworkSettings(
    width=64, clusters=4, clips=9, sequences=4, joining="mean", sequence_width=128, bottleneck=64
)
TRAINING = GenreTrainingSettings(epochs=50, batch_size=32, learning_rate=5e-3, patience=15)
FINE = FineStageSettings(epochs=20, batch_size=64, learning_rate=5e-4)
FIGURES = ("precision", "recall", "f1", "auprc_micro", "auprc_macro", "auprc_weighted")
RESAMPLES = 1000


def make(data: Path, out: Path) -> None:
    """Draw the trailers that are not there yet, and have the command make their data set."""
    photographs = read_photographs(data)
    trailers = plan_trailers(deal_photographs([one for one, _ in photographs]))
    folder = out / "trailers"
    folder.mkdir(parents=True, exist_ok=True)
    (out / "settings.json").write_text(json.dumps(asdict(SETTINGS)), "utf-8")
    with (out / "genres.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "split", "genres", "keywords"))
        for one in trailers:
            shown = sorted({photographs[clip.photograph][0] for clip in one.clips})
            table.writerow((one.id, one.split, "|".join(one.genres), "|".join(shown)))
    jpegs = [jpeg for _, jpeg in photographs]
    started_s = time.process_time()
    for one in trailers:
        if not (folder / f"{one.id}.mp4").exists():
            write_trailer(one, jpegs, folder / f"{one.id}.mp4")
    seconds = sum(clip.num_frames for one in trailers for clip in one.clips) / SETTINGS.rate_hz
    took_s, num_silent = time.process_time() - started_s, sum(one.is_silent for one in trailers)
    print(
        f"{len(trailers)} trailers, {seconds:.0f} s, {num_silent} silent; "
        f"drawing took {took_s:.0f} s of CPU",
        flush=True,
    )
    command = ["mastershot", "genres", "build", folder, "--genres", out / "genres.csv",
               "--experts", ",".join(EXPERTS), "--out", out / "dataset", "--quiet"]  # fmt: skip
    subprocess.run([str(one) for one in command], check=True)


def simulate(out: Path) -> None:
    """Write a data set of planned trailers whose vectors are a mean an attribute, and noise."""
    classes = [name for names in PLACES.values() for name in names] * 50
    planned = {one.id: one for one in plan_trailers(deal_photographs(classes))}
    rng = np.random.default_rng(0)
    # Width, and deviation of the noise where means have 1.
    of = {"location": (48, 1.3), "image": (64, 1.3), "audio": (64, 0.7), "motion": (43, 0.7)}
    means = {name: rng.normal(size=(3, width)) for name, (width, _) in of.items()}
    values = {"location": list(PLACES), "image": list(PLACES), "audio": list(SOUNDS),
              "motion": [*LIVE_MOTIONS, DRIFT]}  # fmt: skip

    def vectors_of(trailer: Trailer) -> dict[str, np.ndarray]:
        one = planned[trailer.id]
        found = {}
        for name, (width, noise) in of.items():
            told = [{"audio": clip.sound, "motion": clip.motion}.get(name, clip.place)
                    for clip in one.clips]  # fmt: skip
            rows = means[name][[values[name].index(each) for each in told]]
            found[name] = (rows + noise * rng.normal(size=(len(told), width))).astype(np.float32)
        found["audio"] = np.where(one.is_silent, np.nan, found["audio"])[:, None]
        return found

    trailers = [
        Trailer(one.id, "", None, one.split, one.genres, len(one.clips)) for one in planned.values()
    ]
    experts = [Expert(name, of[name][0], pieces=int(name == "audio")) for name in EXPERTS]
    write_genre_dataset(out / "dataset", trailers, vectors_of, name="simulated", genres=[*GENRES],
                        experts=experts, made_by={"by": "noise about means"})  # fmt: skip


def run(out: Path, seeds: list[int], only: list[str] | None) -> None:
    """Train each row of the table with each seed; what is trained already stays."""
    for seed in seeds:
        for name, (experts, gating) in RUNS.items():
            if only and name not in only:
                continue
            recipe = GenreRecipe(
                data=str(out), experts=experts, network=replace(NETWORK, gating=gating),
                training=replace(TRAINING, seed=seed),
                fine=replace(FINE, seed=seed, epochs=FINE.epochs if name == "gated" else 0),
            )  # fmt: skip
            started_s, cpu_s = time.monotonic(), time.process_time()
            model = train_genres(recipe, folder_of(out, name, seed))
            test = json.loads((model / "genres.json").read_text())["figures"]["test"]
            print(f"{name:22} seed {seed}: F1 {test['f1']['value']:.3f}, AU(PRC) "
                  f"{test['auprc_weighted']['value']:.3f}, {time.monotonic() - started_s:.0f} s, "
                  f"{time.process_time() - cpu_s:.0f} s of CPU", flush=True)  # fmt: skip


def folder_of(out: Path, name: str, seed: int) -> Path:
    """Return the run directory of a row of the table with a seed."""
    return out / "runs" / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"


class Row:
    """What one row of the table scored on validation and test trailers, a seed each."""

    def __init__(self, out: Path, name: str) -> None:
        """Read the finished runs of a row."""
        self.seeds: list[int] = []
        self.test: list[TagScores] = []
        self.thresholds: list[np.ndarray] = []
        for seed in range(100):
            folder = folder_of(out, name, seed)
            if not (folder / "model").is_dir():
                continue
            val, test = (
                read_tag_scores(folder / "scores" / f"{one}.npz") for one in ("val", "test")
            )
            self.seeds.append(seed)
            self.test.append(test)
            self.thresholds.append(choose_thresholds(val.scores, val.truth))

    def of_seeds(self, measure: str, rows: np.ndarray) -> dict[int, float]:
        """Return weighted F1 or AU(PRC) of some test trailers, a value a seed."""
        values = {}
        for seed, scores, thresholds in zip(self.seeds, self.test, self.thresholds, strict=True):
            truth, given = scores.truth[rows], scores.scores[rows]
            weights = truth.sum(axis=0)
            there = weights > 0
            found = (
                f1_scores(truth, given >= thresholds)
                if measure == "f1"
                else average_precisions(given, truth)
            )
            values[seed] = float((found[there] * weights[there]).sum() / weights.sum())
        return values

    def mean(self, measure: str, rows: np.ndarray) -> float:
        """Return the mean over seeds of weighted F1 or AU(PRC) of some test trailers."""
        return float(np.mean(list(self.of_seeds(measure, rows).values())))


def table(out: Path) -> None:
    """Print the table, and the paired differences of gating from the other rows."""
    rows = {name: Row(out, name) for name in RUNS}
    rows = {name: row for name, row in rows.items() if row.seeds}
    print("| experts | P | R | F1 | AU(PRC) micro | macro | weighted |")
    print("|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        figures = [
            genre_figures(test.scores, test.truth, thresholds, test.classes)
            for test, thresholds in zip(row.test, row.thresholds, strict=True)
        ]
        cells = []
        for figure in FIGURES:
            found = [getattr(one, figure) for one in figures]
            low, high = (np.mean([getattr(one.interval, end) for one in found])
                         for end in ("low", "high"))  # fmt: skip
            values = [one.value for one in found]
            cells.append(f"{np.mean(values):.3f} ± {np.std(values):.3f} [{low:.3f}, {high:.3f}]")
        print(f"| {name} ({len(row.seeds)} seeds) | {' | '.join(cells)} |")
    print(f"| every genre for every trailer | | | {figures[0].all_positive_f1:.3f} | | | |")
    if "gated" not in rows:
        return
    num_test = len(rows["gated"].test[0].truth)
    alone = [name for name in EXPERTS if name in rows]
    for measure in ("f1", "auprc_weighted"):
        every = np.arange(num_test)
        best = max(alone, key=lambda name: rows[name].mean(measure, every), default=None)
        for other in ("naive concat", best, "gated, mean of others"):
            if other in rows:
                print(f"gated − {other}, {measure}: {_difference(rows, other, measure)}")


def _difference(rows: dict[str, Row], other: str, measure: str) -> str:
    """Return by how much gating is better, mean over the seeds of both, with an interval.

    The interval is over trailers: each resample has the same trailers for both.
    """

    def by(items: np.ndarray) -> list[float]:
        ours, theirs = (rows[name].of_seeds(measure, items) for name in ("gated", other))
        return [ours[seed] - theirs[seed] for seed in ours if seed in theirs]

    num_test = len(rows["gated"].test[0].truth)
    found = by(np.arange(num_test))
    interval = bootstrap_interval(
        lambda items: float(np.mean(by(items))), num_test, seed=0, num_resamples=RESAMPLES
    )
    wins = sum(one > 0 for one in found)
    return (
        f"{np.mean(found):+.3f} [{interval.low:+.3f}, {interval.high:+.3f}], "
        f"better in {wins} of {len(found)} seeds"
    )


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("make", "simulate", "run", "table"):
        one = commands.add_parser(name)
        if name == "make":
            one.add_argument("data", type=Path)
        one.add_argument("out", type=Path)
        if name == "run":
            one.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
            one.add_argument("--only", nargs="*", choices=RUNS)
    options = parser.parse_args()
    if options.command == "make":
        make(options.data, options.out)
    elif options.command == "simulate":
        simulate(options.out)
    elif options.command == "run":
        run(options.out, options.seeds, options.only)
    else:
        table(options.out)


if __name__ == "__main__":
    sys.exit(main())
