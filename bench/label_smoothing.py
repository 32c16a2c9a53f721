"""Whether smoothing restores more labels than it breaks, on held-out films of MovieCLIP.

The released labels are taken as true (they are CLIP's; people confirm 48 % of the best ones). Of a
share of the shots every label is replaced by one that is confused with it: one of its 10 nearest
labels by MiniLM, the nearer the likelier, p ~ exp(cosine / 0.1). Which shots those are is drawn
for each shot alone, or for runs of 4 consecutive numbers, which then share their confusions, as
shots of one camera set-up do. Scores are then drawn as a shot of the release has them, wrong or
right: the best label has 0.4 or more, the others over 0.1, and all the rest is spread evenly.
Shots that the release leaves out have no scores.

    python bench/label_smoothing.py tune SPLIT_FILES CONDENSED_MOVIES
    python bench/label_smoothing.py test SPLIT_FILES CONDENSED_MOVIES

`tune` fits transitions on four fifths of the train films and compares settings on the others;
`test` fits on all train films and tests on those of val and test.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.datasets.condensed_movies import read_condensed_movies
from mastershot.datasets.movieclip import number_of_shot, read_release
from mastershot.datasets.tables.records import LabelledShot
from mastershot.encoders.text import SentenceEncoder
from mastershot.evaluation.bootstrap import BoolArray, figure_of_sums
from mastershot.labelling.smoothing import SmoothingSettings, TransitionModel, smooth
from mastershot.labelling.transitions import RealArray, TransitionCounts, count_transitions
from mastershot.labelling.weak_labels import MOVIECLIP_RULE

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
NUM_NEIGHBOURS, WARMTH, RUN = 10, 0.1, 4
CLIPS_AT_ONCE = 64
TUNED_CLIPS = 800
GRID = (0.95, 0.98), (100.0, 300.0, 1000.0, 1e5), (2.5,), (0.0025, 0.005, 0.01)


@dataclass(frozen=True)
class Clip:
    """The labelled shots of a clip.

    Attributes:
        film: Its film.
        rows: Places of its shots among all from its first to its last labelled one.
        classes: Their labels, best first.
    """

    film: str
    rows: tuple[int, ...]
    classes: tuple[tuple[int, ...], ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("tune", "test"))
    parser.add_argument("split_files", type=Path)
    parser.add_argument("condensed_movies", type=Path)
    options = parser.parse_args()
    release = read_release(options.split_files)
    labels, splits = release.index.labels, release.splits
    films = read_condensed_movies(options.condensed_movies).film_of_clip
    confusions = confused_with(labels)
    if options.what == "tune":
        fitted = [shot for shot in splits["train"] if not is_tuning(films[shot.video])]
        tuned = [shot for shot in splits["train"] if is_tuning(films[shot.video])]
        tune(count_transitions(fitted, labels), clips_of(tuned, films), confusions)
    else:
        held_out = [*splits["val"], *splits["test"]]
        report(count_transitions(splits["train"], labels), clips_of(held_out, films), confusions)


def is_tuning(film: str) -> bool:
    return crc32(film.encode()) % 5 == 0


def clips_of(shots: Iterable[LabelledShot], films: Mapping[str, str]) -> list[Clip]:
    by_clip: dict[str, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    for shot in shots:
        by_clip[shot.video].append((number_of_shot(shot.file) or 0, shot.classes))
    clips = []
    for video, numbered in by_clip.items():
        numbers, classes = zip(*sorted(numbered), strict=True)
        rows = tuple(number - numbers[0] for number in numbers)
        clips.append(Clip(films[video], rows, classes))
    return sorted(clips, key=lambda clip: clip.rows[-1])


def confused_with(labels: Sequence[str]) -> RealArray:
    """Return how likely each label is taken for each other one, shape (L, L)."""
    vectors = SentenceEncoder().encode_texts(list(labels))
    cosines = (vectors @ vectors.T).astype(np.float64)
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.sort(cosines, axis=1)[:, -NUM_NEIGHBOURS, None]
    weights = np.where(cosines >= nearest, np.exp(cosines / WARMTH), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def corrupted(
    clip: Clip, share: float, run: int, confusions: RealArray, random: np.random.Generator
) -> list[tuple[int, ...]]:
    """Return the labels of a clip's shots, some replaced; those of a run by the same confusions."""
    found: list[tuple[int, ...]] = []
    replaced: dict[int, dict[int, int] | None] = {}
    for row, classes in zip(clip.rows, clip.classes, strict=True):
        block = row // run
        if block not in replaced:
            replaced[block] = {} if random.random() < share else None
        wrong = replaced[block]
        if wrong is not None:
            for one in classes:
                if one not in wrong:
                    wrong[one] = int(random.choice(len(confusions), p=confusions[one]))
            classes = tuple(dict.fromkeys(wrong[one] for one in classes))
        found.append(classes)
    return found


def scores_of(
    classes: Sequence[int], num_labels: int, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return scores, shape (L,), of which the rule of the release keeps exactly these labels."""
    others = len(classes) - 1
    best = random.uniform(0.4, 0.85 - 0.1 * others)
    share = (1 - best) / (others + 1)
    scores = np.full(num_labels, share / (num_labels - others - 1))
    scores[classes[0]], scores[list(classes[1:])] = best, min(share, best - 1e-3)
    return scores


@dataclass(frozen=True, eq=False)
class Batch:
    """Scores drawn for some clips, and what is true of their N labelled shots.

    Attributes:
        scores: Shape (B clips, S shots, L); rows of zeros for shots without labels.
        at: Clip and row of each labelled shot.
        true: Whether it has each label, shape (N, L).
        given: The same of its labels as corrupted.
        films: Its film.
    """

    scores: RealArray
    at: tuple[IntArray, IntArray]
    true: BoolArray
    given: BoolArray
    films: list[str]


def drawn(
    clips: Sequence[Clip], confusions: RealArray, *, share: float, run: int, seed: int = 0
) -> Iterator[Batch]:
    """Yield corrupted clips."""
    random, num_labels = np.random.default_rng(seed), len(confusions)
    for first in range(0, len(clips), CLIPS_AT_ONCE):
        part = clips[first : first + CLIPS_AT_ONCE]
        scores = np.zeros((len(part), max(clip.rows[-1] for clip in part) + 1, num_labels))
        at = [(place, row) for place, clip in enumerate(part) for row in clip.rows]
        true, given = (np.zeros((len(at), num_labels), np.bool_) for _ in range(2))
        right = [classes for clip in part for classes in clip.classes]
        found = [
            labels for clip in part for labels in corrupted(clip, share, run, confusions, random)
        ]
        for number, (place, row) in enumerate(at):
            true[number, list(right[number])] = given[number, list(found[number])] = True
            scores[place, row] = scores_of(found[number], num_labels, random)
        films = [clip.film for clip in part for _ in clip.rows]
        clips_at, rows_at = np.array(at).T
        yield Batch(scores, (clips_at, rows_at), true, given, films)


def by_model(scores: RealArray, model: TransitionModel) -> RealArray:
    return smooth(scores, model.transitions(model.counts.labels), model.settings)


def by_mean(scores: RealArray) -> RealArray:
    """Return the mean of a shot and the shots beside it, 1 : 2 : 1, of those that have scores."""
    sums = 2 * scores
    sums[:, 1:] += scores[:, :-1]
    sums[:, :-1] += scores[:, 1:]
    totals = sums.sum(axis=-1, keepdims=True)
    return np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)


def outcomes(batch: Batch, smoother: Callable[[RealArray], RealArray]) -> RealArray:
    """Return counts of each shot, shape (N, 9).

    They are 1 or 0 for: best label wrong before; then restored; broken; then numbers of labels:
    true; given, and right of them; kept after smoothing, and right of them; and 1.
    """
    smoothed = smoother(batch.scores)
    before, after = batch.scores[batch.at], smoothed[batch.at]
    every = np.arange(len(after))
    right, now = (batch.true[every, scores.argmax(axis=1)] for scores in (before, after))
    kept = after > MOVIECLIP_RULE.above
    kept[every, after.argmax(axis=1)] = True
    kept &= after.max(axis=1, keepdims=True) >= MOVIECLIP_RULE.min_best
    sets = batch.true, batch.given, batch.given & batch.true, kept, kept & batch.true
    columns = [~right, ~right & now, right & ~now, *(one.sum(axis=1) for one in sets)]
    return np.stack([*columns, np.ones(len(after))], axis=1).astype(np.float64)


def f1(sums: RealArray, *, after: bool) -> float:
    """Return the F1 of kept labels over all shots, from sums of `outcomes`."""
    kept, right = sums[[6, 7]] if after else sums[[4, 5]]
    return float(2 * right / (sums[3] + kept))


def tune(counts: TransitionCounts, clips: list[Clip], confusions: RealArray) -> None:
    """Print settings by the F1 of kept labels, the mean over shares and both ways to corrupt."""
    random = np.random.default_rng(0)
    clips = [clips[place] for place in sorted(random.permutation(len(clips))[:TUNED_CLIPS])]
    drawings = [
        list(drawn(clips, confusions, share=share, run=run))
        for run, share in product((1, RUN), SHARES[1:])
    ]
    found = []
    for values in product(*GRID):
        settings, figures = SmoothingSettings(*values), []
        smoother = partial(by_model, model=TransitionModel(counts, settings))
        for batches in drawings:
            sums = sum(outcomes(batch, smoother).sum(axis=0) for batch in batches)
            gain = f1(sums, after=True) - f1(sums, after=False)
            figures.append((gain, (sums[1] - sums[2]) / sums[8]))
        gain, net = np.mean(figures, axis=0)
        found.append((gain, settings))
        gains = " ".join(f"{one:+.3f}" for one, _ in figures)
        print(f"F1 {gain:+.4f}, net {net:+.4f}; {gains} {settings}", flush=True)
    print("best:", max(found, key=lambda one: one[0]))


def report(counts: TransitionCounts, clips: list[Clip], confusions: RealArray) -> None:
    """Print the figures of the packaged settings by share of corruption."""
    print(f"{len(clips):,} clips of {len({clip.film for clip in clips}):,} films")
    without = TransitionCounts(counts.labels, np.zeros_like(counts.counts))
    settings = SmoothingSettings()
    print(settings)
    for name, smoother in {
        "transitions of places": partial(by_model, model=TransitionModel(counts, settings)),
        "any place after any, alike": partial(by_model, model=TransitionModel(without, settings)),
        "mean of three shots": by_mean,
    }.items():
        print(f"\n{name}")
        for run, share in product((1, RUN), SHARES):
            rows, films = [], []
            for batch in drawn(clips, confusions, share=share, run=run, seed=1):
                rows.append(outcomes(batch, smoother))
                films += batch.films
            print(
                f"run {run}, {share:.0%}: " + ", ".join(_figures(np.concatenate(rows), films)),
                flush=True,
            )


def _figures(rows: RealArray, films: list[str]) -> Iterator[str]:
    """Yield shares in per cent of all shots by their best label, then the F1 of kept labels."""
    metrics = {
        "wrong": lambda sums: 100 * sums[0] / sums[8],
        "restored": lambda sums: 100 * sums[1] / sums[8],
        "broken": lambda sums: 100 * sums[2] / sums[8],
        "restored - broken": lambda sums: 100 * (sums[1] - sums[2]) / sums[8],
        "F1 before": lambda sums: 100 * f1(sums, after=False),
        "F1 after": lambda sums: 100 * f1(sums, after=True),
        "gain": lambda sums: 100 * (f1(sums, after=True) - f1(sums, after=False)),
    }
    for name, metric in metrics.items():
        figure = figure_of_sums(rows, films, metric)
        interval = figure.interval
        yield f"{name} {figure.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


if __name__ == "__main__":
    main()
