"""How good a starter is on photographs of places that it never learned from.

Prints what the model card says, through the encoder as it ships: zero-shot by class name and over
MovieCLIP's labels, on the photographs labelled by eye of the recipe (15 classes) and on those of
shards that nothing learned from (100 classes, whose labels are noisy), there also among 17 indoor
and city classes and among 11 others.

    python bench/starter_figures.py DATA [--student DIR] [--shards 6 7] [--plain]

DATA holds what the recipe distil/starter names: frames/ and models/. ``--student`` names another
student's folder, ``--plain`` gives its concepts the sentence vectors of their names (ConSE as
published) in place of its own.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import normalize

from mastershot.core.labels import load_taxonomy
from mastershot.datasets.tables.pictures import read_labelled_pictures
from mastershot.encoders.checkpoint import read_metadata
from mastershot.encoders.images import prepare_frames
from mastershot.encoders.starter import (
    STARTER_FOLDER,
    STUDENT_FORMAT,
    STUDENT_SETTINGS,
    conse,
    load_student,
    read_student,
    student_preparation,
)
from mastershot.encoders.text import SentenceEncoder
from mastershot.labelling.weak_labels import clip_scene_scores
from mastershot.media.pictures import read_still
from mastershot.recipes.load import load_recipe
from mastershot.training.distillation.calibration import name_vectors
from mastershot.training.distillation.frames import source_files
from mastershot.training.distillation.held_out import read_labelled, read_right_labels
from mastershot.training.distillation.labels import label_words
from mastershot.training.distillation.settings import find_list
from mastershot.training.engine.settings import under

INDOOR_AND_CITY = (
    "airport terminal", "bar", "bathroom", "bedroom", "bookstore", "bus interior", "classroom",
    "conference room", "corridor", "kitchen", "living room", "lobby", "office", "restaurant",
    "staircase", "subway station platform", "supermarket",
)  # fmt: skip
OTHERS = (
    "bridge", "cemetery", "construction site", "desert sand", "gas station", "golf course",
    "harbor", "parking lot", "playground", "river", "swamp",
)  # fmt: skip
AT_ONCE = 256


class Student:
    """A student of concepts: frames to unit vectors, words to unit vectors."""

    def __init__(self, folder: Path, *, plain: bool) -> None:
        self.settings = settings = read_student(folder)
        self.preparation = student_preparation(settings.image_px, settings.detail_px)
        self._network, concepts = load_student(folder, self.settings)
        if plain:
            names = read_metadata(folder / STUDENT_SETTINGS, STUDENT_FORMAT)["concepts"]
            concepts = torch.cat(name_vectors(names))
        assert concepts is not None
        self._concepts = concepts
        self.words = SentenceEncoder().encode_texts

    def vectors(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        parts = []
        with torch.inference_mode():
            for first in range(0, len(pictures), AT_ONCE):
                images = prepare_frames(pictures[first : first + AT_ONCE], self.preparation)
                logits = self._network(images)
                parts.append(normalize(conse(logits, self._concepts, self.settings), dim=1))
        return torch.cat(parts).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--student", type=Path, default=STARTER_FOLDER)
    parser.add_argument("--shards", type=int, nargs="+", default=[6, 7])
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    student = Student(options.student, plain=options.plain)
    recipe = load_recipe("distil/starter", [f"data={options.data}"]).settings
    print("photographs labelled by eye")
    report(student, recipe, *labelled_by_eye(recipe), by_class=True)
    print(f"photographs of shards {options.shards}")
    pictures, labels = of_shards(options.data / "frames" / "photographs", options.shards)
    vectors = report(student, recipe, pictures, labels)
    for title, names in (("17 indoor and city", INDOOR_AND_CITY), ("11 other", OTHERS)):
        own = np.isin(labels, names)
        chosen = [label for label, one in zip(labels, own, strict=True) if one]
        print(f"{title} classes, {own.sum()} photographs:", end=" ")
        by_name(student, vectors[own], chosen, by_class=True)


def labelled_by_eye(recipe) -> tuple[list[np.ndarray], list[str]]:
    listed = read_labelled(find_list(recipe.held_out.labelled))
    (source,) = (one for one in recipe.frames if one.path == "frames/scene15_train")
    folder = replace(source, path=str(under(recipe.data, source.path)))
    files = [file for file in source_files(folder) if listed.get(file.name)]
    return [read_still(file) for file in files], [listed[file.name] for file in files]


def of_shards(folder: Path, shards: Sequence[int]) -> tuple[list[np.ndarray], list[str]]:
    pictures, labels = [], []
    for shard in shards:
        path = folder / f"photographs-{shard:02}.parquet"
        for label, content in read_labelled_pictures(path):
            pictures.append(read_still(path, content))
            labels.append(label_words(label))
    return pictures, labels


def report(
    student: Student, recipe, pictures: list, labels: list[str], *, by_class: bool = False
) -> np.ndarray:
    """Print how well these pictures are named by class and over MovieCLIP's labels."""
    vectors = student.vectors(pictures)
    print(f"{len(pictures)} photographs, {len(set(labels))} classes:", end=" ")
    by_name(student, vectors, labels, by_class=by_class)
    taxonomy = load_taxonomy("movieclip")
    right = read_right_labels(find_list(recipe.held_out.right), taxonomy)
    words = student.words(list(taxonomy.labels))
    scale = student.settings.logit_scale
    scores = np.stack([clip_scene_scores(vector[None], words, scale) for vector in vectors])
    best = [taxonomy.labels[place] for place in scores.argmax(1)]
    hits = np.array([one in right[label] for one, label in zip(best, labels, strict=True)])
    exact = np.array([one == label for one, label in zip(best, labels, strict=True)])
    sure = scores.max(1) >= np.float32(0.4)
    print(
        f"best of {len(taxonomy)} labels right {hits.mean():.1%} (the very class name "
        f"{exact.mean():.1%}), mean best score {scores.max(1).mean():.3f}; 0.4 or more "
        f"{sure.mean():.1%}, right among these {hits[sure].mean():.1%}"
    )
    return vectors


def by_name(
    student: Student, vectors: np.ndarray, labels: list[str], *, by_class: bool = False
) -> None:
    """Print the share whose nearest class name is right, with an interval over photographs."""
    names = sorted(set(labels))
    nearest = (vectors @ student.words(names).T).argmax(1)
    hits = np.array([names[place] == label for place, label in zip(nearest, labels, strict=True)])
    drawn = np.random.default_rng(0).integers(len(hits), size=(1000, len(hits)))
    low, high = np.quantile(hits[drawn].mean(1), [0.025, 0.975])
    print(f"zero-shot by name {hits.mean():.1%} ({low:.1%} to {high:.1%})")
    for name in names if by_class else ():
        own = np.array([label == name for label in labels])
        named = [names[place] for place in nearest[own]]
        others = sorted({one for one in named if one != name}, key=named.count, reverse=True)[:3]
        print(f"  {name:24} {hits[own].mean():6.1%} of {own.sum()}; else {', '.join(others)}")


if __name__ == "__main__":
    main()
