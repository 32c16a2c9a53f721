"""Weak and true labels of the recogniser study's films, by the product's own path.

The films of a corpus are labelled by `label build` with the starter over the corpus's classes, and
`label select --index all` chooses the training subset (METHODS A5): training and validation films
in one selection, test films apart. ``splits/weak`` gets the weak labels of the shots that were
chosen, ``splits/true`` the true labels of the same shots; ``test.txt`` of both is the truth of
every test shot. ``shots.csv`` says where each shot lies.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from mastershot.core.files import written_whole
from mastershot.core.labels import load_taxonomy
from mastershot.datasets.movieclip import INDEX_FILE, write_index, write_split
from mastershot.datasets.tables.records import LabelledShot, ScoredShots
from mastershot.datasets.tables.scored import open_dataset
from mastershot.datasets.tables.tag_scores import TagScores, write_tag_scores
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.labelling.build import build_from_clips
from mastershot.pipeline.labelling.select import (
    Selection,
    SelectionSettings,
    select_training_set,
    write_selection,
)
from mastershot.pipeline.library import Library
from study_corpora import Shot, film_path, read_truth

PARTS = {"learn": {"train": 0.85, "val": 0.15}, "test": {"test": 1.0}}
"""The two data sets of a corpus, and the share of films of their splits."""
LABELLER = "labeller-{}.npz"
"""The weak labeller's own scores of the shots of a part."""


@dataclass(frozen=True)
class FoundShot:
    """A shot as it was detected, and the true class that fills most of it.

    Attributes:
        name: Its video and file.
        span: First frame and one past the last.
        times_s: Start and end in seconds.
        truth: Its true class.
        scores: The labeller's score of each class, (C,), in the order of the classes.
        purity: Share of its frames that are of its true class.
    """

    name: tuple[str, str]
    span: tuple[int, int]
    times_s: tuple[float, float]
    truth: str
    scores: np.ndarray
    purity: float


def label_corpus(corpus: Path) -> None:
    """Label a corpus, choose its training subset and write its splits; resumes where it was."""
    truth = list(read_truth(corpus))
    taxonomy = load_taxonomy(corpus / "classes.txt")
    plan = Plan(steps=("shots", "labels"), encoder="starter", taxonomy=corpus / "classes.txt")
    loaded = prepare(plan)
    assert loaded.labeller is not None
    library = Library(corpus / "clips.mastershot")
    selections, found = {}, {}
    for part, ratios in PARTS.items():
        dataset = corpus / "datasets" / part
        films = sorted({shot.video for shot in truth if shot.part == part})
        built = build_from_clips(
            [film_path(corpus, film) for film in films], loaded, library, dataset
        )
        assert not built.failures, built.failures
        settings = SelectionSettings(index="all", ratios=ratios)
        selections[part] = select_training_set(open_dataset(dataset, taxonomy), settings)
        write_selection(selections[part], settings, dataset / "selected")
        batches = open_dataset(dataset, taxonomy).batches()
        found[part] = [shot for batch in batches for shot in match(batch, truth, taxonomy.labels)]
    write_splits(corpus, selections["learn"], found, taxonomy.labels)
    for part, shots in found.items():
        scores = labeller_scores(shots, taxonomy.labels, loaded.labeller.made())
        write_tag_scores(corpus / LABELLER.format(part), scores)
    facts = corpus_facts(truth, selections, found, taxonomy.labels)
    facts["labeller"] = loaded.labeller.made()
    with written_whole(corpus / "facts.json") as file:
        json.dump(facts, file, indent=1)
    (corpus / "README.txt").write_text(_README, "utf-8")


def match(batch: ScoredShots, truth: Iterable[Shot], labels: tuple[str, ...]) -> list[FoundShot]:
    """Return the detected shots of a batch with the true class that most of their frames have."""
    shots_of = {name: list(shots) for name, shots in groupby(truth, key=lambda shot: shot.video)}
    found = []
    for row, (video, file) in enumerate(zip(batch.videos, batch.files, strict=True)):
        start, end = batch.frames[row].tolist()
        frames: dict[str, int] = {}
        for shot in shots_of[video]:
            shared = min(end, shot.end_frame) - max(start, shot.first_frame)
            if shared > 0:
                frames[shot.label] = frames.get(shot.label, 0) + shared
        best = max(frames, key=frames.__getitem__)
        scores = np.zeros(len(labels), np.float32)
        known = batch.labels[row] >= 0
        scores[batch.labels[row][known]] = batch.scores[row][known]
        times = tuple(batch.times_s[row].tolist())
        purity = frames[best] / (end - start)
        found.append(FoundShot((video, file), (start, end), times, best, scores, purity))
    return found


def write_splits(
    corpus: Path,
    selection: Selection,
    found: Mapping[str, list[FoundShot]],
    labels: tuple[str, ...],
) -> None:
    """Write ``splits/weak``, ``splits/true`` and ``shots.csv``."""
    place_of = {label: place for place, label in enumerate(labels)}
    assert selection.subset.classes.labels == labels, selection.subset.classes
    true_of = {shot.name: place_of[shot.truth] for part in found.values() for shot in part}
    tested = [LabelledShot(*shot.name, (true_of[shot.name],)) for shot in found["test"]]
    for kind in ("weak", "true"):
        folder = corpus / "splits" / kind
        folder.mkdir(parents=True, exist_ok=True)
        write_index(folder / INDEX_FILE, selection.subset.classes)
        for name, weak in selection.splits.items():
            true = [LabelledShot(s.video, s.file, (true_of[s.video, s.file],)) for s in weak]
            write_split(folder / f"{name}.txt", weak if kind == "weak" else true)
        write_split(folder / "test.txt", tested)
    with written_whole(corpus / "shots.csv") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["video", "file", "path", "first_frame", "end_frame", "start_s", "end_s"])
        for shot in (shot for part in found.values() for shot in part):
            path = film_path(Path(), shot.name[0])
            writer.writerow([*shot.name, path, *shot.span, *shot.times_s])


def labeller_scores(
    found: list[FoundShot], labels: tuple[str, ...], made_by: Mapping[str, object]
) -> TagScores:
    """Return the weak labeller's own scores of shots beside their truth, films in order."""
    videos, files = zip(*(shot.name for shot in found), strict=True)
    return TagScores(
        scores=np.stack([shot.scores for shot in found]).clip(0, 1),
        truth=np.array([[shot.truth == label for label in labels] for shot in found]),
        videos=videos,
        files=files,
        films=videos,
        classes=labels,
        made_by=made_by,
    )


def corpus_facts(
    truth: list[Shot],
    selections: Mapping[str, Selection],
    found: Mapping[str, list[FoundShot]],
    labels: tuple[str, ...],
) -> dict[str, object]:
    """Return how many shots there are, how many A5 keeps and how many of its labels are right."""
    facts: dict[str, object] = {}
    for part, selection in selections.items():
        shots = {shot.name: shot for shot in found[part]}
        subset = selection.subset
        chosen = [(shots[one.video, one.file], one.classes) for one in subset.shots]
        top1 = [labels[int(shot.scores.argmax())] == shot.truth for shot in shots.values()]
        facts[part] = {
            "films": len({shot.video for shot in truth if shot.part == part}),
            "true_shots": sum(shot.part == part for shot in truth),
            "detected_shots": len(shots),
            "shots_of_two_classes": sum(shot.purity < 1 for shot in shots.values()),
            "top1_right": float(np.mean(top1)),
            "selected": len(chosen),
            "unsure": subset.num_unsure,
            "labels_a_shot": float(np.mean([len(classes) for _, classes in chosen])),
            "top1_right_of_selected": float(
                np.mean([labels[int(shot.scores.argmax())] == shot.truth for shot, _ in chosen])
            ),
            "truth_among_labels": float(
                np.mean([labels.index(shot.truth) in classes for shot, classes in chosen])
            ),
            "splits": {name: len(part) for name, part in selection.splits.items()},
        }
    return facts


_README = """A corpus of the recogniser study (bench/recogniser_study.py).

films/          learn*.mp4 (training and validation) and test*.mp4
classes.txt     the taxonomy, a label a line, in the order of the index
truth.csv       the shots as they were made: video, part, frames, class, source
clips.mastershot, datasets/   what `label build` and `label select --index all` made
shots.csv       where each detected shot lies; path is relative to this folder, frames and
                seconds are half-open
splits/weak     index.json; train.txt, val.txt: the weak labels that METHODS A5 keeps;
                test.txt: the TRUE class of every test shot
splits/true     the true class of the same shots; test.txt is the same file
labeller-*.npz  the weak labeller's own scores of all shots of a part, film by film in order,
                laid out as a run's scores/test.npz
facts.json      how many shots, how many were kept, how many weak labels are right
"""
