"""How good the starter is on photographs of places that it never learned from.

Prints what the model card says: zero-shot by class name and over MovieCLIP's labels, through the
encoder as it ships; the same with ConSE's settings chosen on one half of the photographs and
measured on the other; and its teacher of places under the best settings of the same grid.

    python bench/starter_figures.py DATA [--halves 100]

DATA holds what the recipe distil/starter names: frames/ and models/.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mastershot.core.labels import load_taxonomy
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.images import prepare_frames
from mastershot.encoders.starter import (
    STARTER_FOLDER,
    load_student,
    read_student,
    student_preparation,
)
from mastershot.encoders.text import SentenceEncoder
from mastershot.labelling.weak_labels import clip_scene_scores, encode_labels
from mastershot.media.pictures import read_still
from mastershot.recipes.load import load_recipe
from mastershot.training.distillation.calibration import LabelledFrames, calibrate, concept_vectors
from mastershot.training.distillation.frames import source_files
from mastershot.training.distillation.held_out import read_labelled, read_right_labels
from mastershot.training.distillation.settings import find_list
from mastershot.training.distillation.teachers import load_teacher
from mastershot.training.engine.augmentations import square
from mastershot.training.engine.settings import under

TEACHER_PX = 224


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--halves", type=int, default=100)
    options = parser.parse_args()
    recipe = load_recipe("distil/starter", [f"data={options.data}"]).settings
    listed = {
        n: label for n, label in read_labelled(find_list(recipe.held_out.labelled)).items() if label
    }
    photographs = replace(recipe.frames[0], path=str(under(recipe.data, recipe.frames[0].path)))
    files = [file for file in source_files(photographs) if file.name in listed]
    labels = [listed[file.name] for file in files]
    pictures = [read_still(file) for file in files]
    print(f"{len(pictures)} photographs, {len(set(labels))} classes")
    taxonomy = load_taxonomy("movieclip")
    right = read_right_labels(find_list(recipe.held_out.right), taxonomy)

    def frames(logits: torch.Tensor) -> LabelledFrames:
        return LabelledFrames(logits, labels, right, taxonomy)

    starter = frames(starter_logits(pictures))
    as_shipped(pictures, starter)
    settings = read_student(STARTER_FOLDER)
    concepts = load_student(STARTER_FOLDER, settings)[1]
    assert concepts is not None
    halves(starter, settings.groups, concepts, options.halves)
    places = load_teacher(recipe.teachers[0], recipe.data)
    squares = np.stack([square(picture, TEACHER_PX) for picture in pictures])
    with torch.inference_mode():
        logits = places.targets(torch.from_numpy(squares).permute(0, 3, 1, 2).float()).logits
    _, found = calibrate(frames(logits), [365], concept_vectors([places.concepts]))
    print(
        f"teacher, best of the grid: zero-shot {found['accuracy']:.1%}, best of 179 right "
        f"{found['taxonomy_accuracy']:.1%}, 0.4 or more {found['kept']:.1%}, right among these "
        f"{found['kept_accuracy']:.1%}"
    )


def starter_logits(pictures: list) -> torch.Tensor:
    settings = read_student(STARTER_FOLDER)
    network, _ = load_student(STARTER_FOLDER, settings)
    with torch.inference_mode():
        return network(prepare_frames(pictures, student_preparation(settings.image_px)))


def as_shipped(pictures: list, frames: LabelledFrames) -> None:
    encoder = load_encoder("starter")
    vectors = encoder.encode_images(pictures)
    names = sorted(set(frames.labels))
    nearest = (vectors @ SentenceEncoder().encode_texts(names).T).argmax(1)
    hits = np.array([names[i] == label for i, label in zip(nearest, frames.labels, strict=True)])
    print(f"starter as shipped, zero-shot: {hits.mean():.1%}")
    for name in names:
        own = np.array([label == name for label in frames.labels])
        named = [names[i] for i in nearest[own]]
        others = sorted({s for s in named if s != name}, key=named.count, reverse=True)[:3]
        print(f"  {name:15} {hits[own].mean():6.1%} of {own.sum()}; else {', '.join(others)}")
    labels = encode_labels(encoder, frames.taxonomy)
    scores = np.stack(
        [clip_scene_scores(vector[None], labels, encoder.logit_scale) for vector in vectors]
    )
    best = [frames.taxonomy.labels[i] for i in scores.argmax(1)]
    right = np.array(
        [b in frames.right[label] for b, label in zip(best, frames.labels, strict=True)]
    )
    exact = np.array([b == label for b, label in zip(best, frames.labels, strict=True)])
    sure = scores.max(1) >= np.float32(0.4)
    print(
        f"best of {len(frames.taxonomy)} labels right {right.mean():.1%} (the very class name "
        f"{exact.mean():.1%}), mean best score {scores.max(1).mean():.3f}; 0.4 or more "
        f"{sure.mean():.1%}, right among these {right[sure].mean():.1%}"
    )


def halves(
    frames: LabelledFrames, groups: tuple[int, ...], concepts: torch.Tensor, times: int
) -> None:
    """Choose settings on one half, measure on the other."""
    rng, accuracies = np.random.default_rng(0), []
    names = sorted(set(frames.labels))
    words = torch.from_numpy(SentenceEncoder().encode_texts(names))
    truth = np.array([names.index(label) for label in frames.labels])
    from mastershot.encoders.starter import conse

    for _ in range(times):
        order = rng.permutation(len(truth))
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        half = replace(
            frames, logits=frames.logits[one], labels=[frames.labels[i] for i in one.tolist()]
        )
        chosen, _ = calibrate(half, groups, concepts)
        vectors = conse(frames.logits[other], concepts, chosen)
        best = (vectors @ words.T).argmax(1).numpy()
        accuracies.append((best == truth[other]).mean())
    print(f"chosen on one half, measured on the other, {times} times: {np.mean(accuracies):.1%}")


if __name__ == "__main__":
    main()
