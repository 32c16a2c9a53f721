"""The recogniser study's table: every method on the same test shots, against their true class.

Intervals are over films, and over seeds where a method has several: in each of 1,000 resamples
films are drawn again, the same for all methods, and the seeds' figures are averaged over seeds
drawn again. They are basic bootstrap intervals of 95 %.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mastershot.datasets.tables.tag_scores import TagScores, read_tag_scores
from mastershot.evaluation.bootstrap import resample_counts
from mastershot.evaluation.precision import resample_precisions
from mastershot.evaluation.tagging import aligned_scores
from study_baselines import BASELINES
from study_labels import LABELLER
from study_runs import LABELS

LABELLER_NAME = "weak labeller"
RESAMPLES = 1000


@dataclass(frozen=True)
class Row:
    """A method, learnt from one kind of labels.

    Attributes:
        method: A network, a baseline, or the weak labeller.
        labels: ``weak`` or ``true``; empty for the labeller.
        seeds: Number of runs.
        seconds: Mean length of a run; 0 where it was not measured.
        precision: mAP of each run.
        accuracy: Top-1 accuracy of each run.
        precision_interval: Of the mean over runs.
        accuracy_interval: Likewise.
        precision_gain: mAP minus the labeller's, and its interval.
        accuracy_gain: Likewise of the accuracy.
    """

    method: str
    labels: str
    seeds: int
    seconds: float
    precision: tuple[float, ...]
    accuracy: tuple[float, ...]
    precision_interval: tuple[float, float]
    accuracy_interval: tuple[float, float]
    precision_gain: tuple[float, float, float]
    accuracy_gain: tuple[float, float, float]


@dataclass(frozen=True)
class _Figures:
    """Value of each run, (seeds,), and in each resample of films, (seeds, R)."""

    values: np.ndarray
    resampled: np.ndarray

    def drawn_seeds(self) -> np.ndarray:
        """Return the mean over seeds drawn again, for each resample of films, (R,)."""
        seeds, resamples = self.resampled.shape
        drawn = np.random.default_rng(1).integers(seeds, size=(seeds, resamples))
        return np.take_along_axis(self.resampled, drawn, axis=0).mean(0)


def make_rows(corpus: Path, runs: Path, networks: Sequence[str]) -> list[Row]:
    """Return the rows of all methods that have scores, the labeller first."""
    labeller = read_tag_scores(corpus / LABELLER.format("test"))
    base = _figures([labeller])
    rows = [_row((LABELLER_NAME, ""), base, base, 0.0)]
    folders = [baseline.replace(", ", "-").replace(" ", "-") for baseline in BASELINES]
    for method, folder in zip([*BASELINES, *networks], [*folders, *networks], strict=True):
        for labels in LABELS:
            found = sorted(runs.glob(f"{folder}-{labels}-[0-9]/scores/test.npz"))
            if not found:
                continue
            scored = [aligned_scores(labeller, read_tag_scores(path)) for path in found]
            times = [path.parents[1] / "seconds.json" for path in found]
            seconds = [json.loads(path.read_text("utf-8")) for path in times if path.exists()]
            mean_s = float(np.mean(seconds)) if seconds else 0.0
            rows.append(_row((method, labels), _figures(scored), base, mean_s))
    return rows


def _figures(runs: Sequence[TagScores]) -> tuple[_Figures, _Figures]:
    """Return the mAP and the accuracy of a method's runs."""
    films = np.unique(np.asarray(runs[0].films), return_inverse=True)[1]
    counts = resample_counts(int(films.max()) + 1, num_resamples=RESAMPLES)
    precision, accuracy = [], []
    for run in runs:
        areas = resample_precisions(run.scores, run.truth, films, num_resamples=RESAMPLES)
        precision.append((np.nanmean(areas.average), np.nanmean(areas.resampled, axis=1)))
        right = run.truth[np.arange(len(run)), run.scores.argmax(1)]
        sums = counts @ np.stack([np.bincount(films, right), np.bincount(films)], axis=1)
        accuracy.append((right.mean(), sums[:, 0] / sums[:, 1]))
    pairs = (zip(*figures, strict=True) for figures in (precision, accuracy))
    one, other = (_Figures(*map(np.array, pair)) for pair in pairs)
    return one, other


def _row(
    name: tuple[str, str],
    own: tuple[_Figures, _Figures],
    base: tuple[_Figures, _Figures],
    seconds: float,
) -> Row:
    intervals = [_interval(f.values.mean(), f.drawn_seeds()) for f in own]
    gains = []
    for figures, labeller in zip(own, base, strict=True):
        gain = float(figures.values.mean() - labeller.values[0])
        gains.append((gain, *_interval(gain, figures.drawn_seeds() - labeller.resampled[0])))
    return Row(
        *name, len(own[0].values), round(seconds, 1),
        tuple(own[0].values.tolist()), tuple(own[1].values.tolist()), *intervals, *gains,
    )  # fmt: skip


def _interval(value: float, resampled: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(2 * value - high), float(2 * value - low)


def answer(row: Row) -> str:
    """Return whether a recogniser is at least as good as the labeller, by mAP."""
    _, low, high = row.precision_gain
    return "yes" if low >= 0 else "no" if high < 0 else "not told apart"


def as_markdown(title: str, rows: Sequence[Row], facts: Mapping[str, object]) -> str:
    """Return the table of a corpus."""
    lines = [
        f"## {title}\n",
        "| method | labels | runs | mAP | of runs | top-1 | of runs | mAP − labeller | "
        "top-1 − labeller | ≥ labeller | s a run |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row.method, row.labels, str(row.seeds)]
        for values, (low, high) in (
            (row.precision, row.precision_interval),
            (row.accuracy, row.accuracy_interval),
        ):
            cells += [f"{np.mean(values):.3f} ({low:.3f} to {high:.3f})"]
            cells += [f"{min(values):.3f} to {max(values):.3f}" if len(values) > 1 else ""]
        is_labeller = row.method == LABELLER_NAME
        for gain, low, high in (row.precision_gain, row.accuracy_gain):
            cells.append("" if is_labeller else f"{gain:+.3f} ({low:+.3f} to {high:+.3f})")
        cells += ["" if is_labeller else answer(row), f"{row.seconds:.0f}" if row.seconds else ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", "```json", json.dumps(facts, indent=1), "```", ""])


def write_report(rows_of: Mapping[str, list[Row]], work: Path, results: Path) -> None:
    """Write the tables of all corpora as Markdown and JSON."""
    results.mkdir(exist_ok=True)
    facts = {name: json.loads((work / name / "facts.json").read_text()) for name in rows_of}
    tables = [as_markdown(name, rows, facts[name]) for name, rows in rows_of.items()]
    head = f"# Recognisers on films with known truth\n\n{__doc__}\n"
    (results / "recogniser_study.md").write_text("\n".join([head, *tables]), "utf-8")
    plain = {
        name: {"facts": facts[name], "rows": [asdict(row) for row in rows]}
        for name, rows in rows_of.items()
    }
    (results / "recogniser_study.json").write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
