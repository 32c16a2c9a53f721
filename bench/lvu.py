"""LVU from the labels of shots: what each kind of clip vectors reaches on its nine tasks.

python bench/lvu.py                                   # the tables of docs/lvu.md
python bench/lvu.py --features co-watch=FILE.npz      # a row more, of any features of clips

The data is `shared/data` beside the repository, or where MASTERSHOT_DATA says: LVU's labels, and
MovieCLIP's labels of shots, joined by the clips' YouTube ids. A row is one vector a clip: an
``.npz`` or a feature table as `mastershot evaluate --features` takes it. Three rows are made here:

- ``shares of labels``: how often a clip's shots carry each of MovieCLIP's 150 labels (train, val
  and test; the shots verified by people are left out, as in `real_library.py`);
- ``mean of label vectors``: the mean over shots of the mean MiniLM vector of a shot's labels;
- ``both``: the two side by side.

Probes, their settings and the splits are those of `mastershot evaluate --task lvu`; nothing was
tuned on these rows. A row takes about two minutes of processor time. The tables are written into
docs/lvu.md, everything else that was found (every seed's figure and every clip's outcome) into
bench/results/lvu.json.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mastershot.datasets.movieclip import HUMAN_VERIFIED, read_release
from mastershot.encoders.text import SentenceEncoder
from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.downstream.figures import MAIN, Measured
from mastershot.evaluation.downstream.results import TaskResult
from mastershot.evaluation.downstream.tasks import TASKS, DownstreamTask, tasks_named
from mastershot.exports.downstream import constant_name, lowered_of
from mastershot.exports.evaluation import markdown_table
from mastershot.pipeline.evaluation.downstream.labels import read_task_labels
from mastershot.pipeline.evaluation.downstream.measure import MeasureSettings, measure_task
from mastershot.pipeline.evaluation.downstream.vectors import ItemVectors, mean_vectors, read_rows
from mastershot.training.probes.fit import fit_probes

REPOSITORY = Path(__file__).parents[1]
DATA = Path(os.environ.get("MASTERSHOT_DATA", REPOSITORY.parent / "shared" / "data"))
PAGE = REPOSITORY / "docs" / "lvu.md"
RESULTS = Path(__file__).parent / "results" / "lvu.json"
BEGIN, END = "<!-- written by bench/lvu.py -->", "<!-- end -->"
DRAWS = 5000


def label_rows(data: Path) -> list[ItemVectors]:
    """Return the three rows that are made of MovieCLIP's labels."""
    release = read_release(data / "movieclip")
    named = [name for name in release.splits if name != HUMAN_VERIFIED]
    shots = sorted(
        (shot for name in named for shot in release.splits[name]), key=lambda shot: shot.video
    )
    texts = SentenceEncoder().encode_texts(list(release.index.labels))
    shares, means = {}, {}
    for clip, group in groupby(shots, key=lambda shot: shot.video):
        classes = [list(shot.classes) for shot in group]
        counts = np.bincount(np.concatenate(classes), minlength=len(texts))
        shares[clip] = (counts / len(classes)).astype(np.float32)
        means[clip] = np.mean([texts[own].mean(0) for own in classes], axis=0, dtype=np.float32)
    both = {clip: np.concatenate([shares[clip], means[clip]]) for clip in shares}
    rows = {"shares of labels": shares, "mean of label vectors": means, "both": both}
    return [ItemVectors(name, found, {"made": "bench/lvu.py"}) for name, found in rows.items()]


def file_row(text: str, wanted: Sequence[str]) -> ItemVectors:
    """Return a row of a file, given as NAME=FILE or FILE."""
    name, _, path = text.rpartition("=")
    found = mean_vectors(read_rows(Path(path)), wanted)
    return ItemVectors(name or found.name, found.vectors, found.made_by)


def joint_interval(parts: Sequence[tuple[Sequence[str], np.ndarray]]) -> tuple[float, float]:
    """Return the 95 % interval of a mean over tasks, each counting the same, by clips drawn again.

    A part is a task: its clips and their values. A clip of several tasks is drawn for all of them.
    """
    rng = np.random.default_rng(0)
    clips, place = np.unique(np.concatenate([names for names, _ in parts]), return_inverse=True)
    task = np.repeat(np.arange(len(parts)), [len(values) for _, values in parts])
    values = np.concatenate([values for _, values in parts])
    drawn = []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(len(clips), size=len(clips)), minlength=len(clips))[place]
        sums, sizes = np.bincount(task, times * values), np.bincount(task, times)
        drawn.append((sums[sizes > 0] / sizes[sizes > 0]).mean())
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def percent(figure: Figure) -> str:
    ends = figure.interval
    return f"{100 * figure.value:.1f} ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def plain(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.interval.low:.3f} to {figure.interval.high:.3f})"


def head(result: TaskResult) -> str:
    return f"{result.task.name.removeprefix('lvu/')} ({result.sizes[result.split]})"


def mean_of_tasks(
    results: Sequence[TaskResult], clips: Mapping[str, Sequence[str]], row: int, first: int | None
) -> str:
    """Return the mean over tasks of a row's accuracy, or of its gain over another's."""

    def values(result: TaskResult, place: int) -> np.ndarray:
        return result.rows[place].measured.items[MAIN]

    parts = [
        (clips[one.task.name], values(one, row) - (0 if first is None else values(one, first)))
        for one in results
    ]
    low, high = (100 * end for end in joint_interval(parts))
    mean, sign = 100 * np.mean([part.mean() for _, part in parts]), "" if first is None else "+"
    return f"{mean:{sign}.1f} ({low:{sign}.1f} to {high:{sign}.1f})"


def tables(results: Sequence[TaskResult], clips: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the tables of docs/lvu.md."""
    asked = [one for one in results if one.task.head == "class"]
    values = [one for one in results if one.task.head == "value"]
    found = [one for one in results if one.task.head == "neighbours"]
    names = [row.name for row in results[0].rows]
    lines = [
        "",
        "Accuracy in per cent, with 95 % intervals over clips; in brackets, test clips.",
        "",
    ]
    gain = f"mean minus {names[0]}"
    rows = []
    for place, name in enumerate(names):
        cells = [percent(one.rows[place].measured.figures[MAIN]) for one in asked]
        gained = mean_of_tasks(asked, clips, place, 0) if place else ""
        rows.append((name, mean_of_tasks(asked, clips, place, None), gained, *cells))
    common = [percent(one.constant) for one in asked]
    mean = f"{100 * np.mean([one.constant.value for one in asked]):.1f}"
    rows.append((constant_name(asked[0]), mean, "", *common))
    lines += markdown_table(("vectors", "mean of seven", gain, *map(head, asked)), rows)
    lines += ["", "Mean squared error, less is better.", ""]
    rows = [
        (name, *(plain(one.rows[place].measured.figures[MAIN]) for one in values))
        for place, name in enumerate(names)
    ]
    rows.append((constant_name(values[0]), *(plain(one.constant) for one in values)))
    lines += markdown_table(("vectors", *map(head, values)), rows)
    lines += ["", "Lowest and highest of the seeds.", ""]
    rows = [
        (name, *(_range(one, one.rows[place].measured) for one in (*asked, *values)))
        for place, name in enumerate(names)
    ]
    lines += markdown_table(("vectors", *map(head, (*asked, *values))), rows)
    lines += ["", "Precision of the nearest training clips in per cent (`--task retrieval`).", ""]
    keys = ("@1", "@5", "@10")
    rows = [
        (name, *(percent(found[0].rows[place].measured.figures[key]) for key in keys))
        for place, name in enumerate(names)
    ]
    rows.append((constant_name(found[0]), percent(found[0].constant), "", ""))
    columns = [f"precision{key} ({found[0].sizes[found[0].split]} queries)" for key in keys]
    lines += markdown_table(("vectors", *columns), rows)
    lines += ["", "Labelled clips that have vectors, of those released.", ""]
    rows = [
        (split, *(f"{one.sizes[split]} of {one.labelled[split]}" for one in (*asked, *values)))
        for split in ("train", "val", "test")
    ]
    lines += markdown_table(
        ("split", *(head(one).split(" ")[0] for one in (*asked, *values))), rows
    )
    return lines


def _range(result: TaskResult, measured: Measured) -> str:
    if result.task.head == "value":
        return f"{measured.by_seed.min():.3f} to {measured.by_seed.max():.3f}"
    return f"{100 * measured.by_seed.min():.1f} to {100 * measured.by_seed.max():.1f}"


def outcome(result: TaskResult, names: Sequence[str]) -> dict[str, object]:
    """Return what is kept of a task: every figure, and what each clip adds."""
    return {
        "task": result.task.name,
        "split": result.split,
        "fingerprint": result.fingerprint,
        "constant": round(result.constant.value, 6),
        "clips": list(names),
        "rows": {
            row.name: {
                "value": round(row.measured.figures[MAIN].value, 6),
                "by_seed": [round(one, 6) for one in row.measured.by_seed.tolist()],
                "validation": [round(one, 6) for one in row.validation],
                "epochs": list(row.epochs),
                "learning_rates": list(row.learning_rates),
                "clips": [round(one, 4) for one in row.measured.items[MAIN].tolist()],
            }
            for row in result.rows
        },
    }


def measured(*work: Any) -> TaskResult:
    """Measure a task, and print what each row reaches."""
    done = measure_task(*work)
    values = {row.name: round(row.measured.figures[MAIN].value, 4) for row in done.rows}
    print(done.task.name, values, round(done.constant.value, 4), flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description="LVU's tasks, from features of clips")
    parser.add_argument("--features", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--common", action="store_true", help="only clips that all rows have")
    parser.add_argument("--jobs", type=int, default=1, help="tasks at a time; same figures")
    parser.add_argument("--dry", action="store_true", help="print, and write nothing")
    options = parser.parse_args()
    began_s = time.perf_counter()
    settings = MeasureSettings(tuple(range(options.seeds)), common=options.common)
    tasks: list[DownstreamTask] = [*tasks_named("lvu"), TASKS["retrieval"]]
    labels = {task.name: read_task_labels(task, DATA) for task in tasks}
    wanted = sorted({n for one in labels.values() for s in one.splits.values() for n in s.names})
    rows = [*label_rows(DATA), *(file_row(text, wanted) for text in options.features)]
    clips = {}
    work = [(task, labels[task.name], rows, fit_probes, settings) for task in tasks]
    with ProcessPoolExecutor(
        options.jobs, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        results = [one.result() for one in [pool.submit(measured, *each) for each in work]]
    for done in results:
        lacking = set(done.without_vectors[done.split])
        names = labels[done.task.name].splits[done.split].names
        clips[done.task.name] = [name for name in names if name not in lacking]
    lines = tables(results, clips)
    used = os.times()
    wall_s = time.perf_counter() - began_s
    cpu_s = used.user + used.system + used.children_user + used.children_system
    cost = f"{options.seeds} seeds (0 to {options.seeds - 1})"
    lowered = [f"{one.task.name}: {text}." for one in results for text in lowered_of(one)]
    lines += ["", *(f"- {text}" for text in lowered)]
    lines += ["", f"{len(rows)} rows, {cost}: {cpu_s:.0f} s of processor time.", ""]
    print("\n".join(lines), f"\n{wall_s:.0f} s")
    if options.dry:
        return
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([before + BEGIN, *lines, END]) + after, "utf-8")
    kept = [outcome(one, clips[one.task.name]) for one in results]
    RESULTS.write_text(json.dumps(kept, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
