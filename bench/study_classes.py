"""Choose the classes of the recogniser study, before anything is trained and without test data.

    python bench/study_classes.py [--classes 24]
    python bench/study_classes.py --sheets DIR

The rule: of the 100 folders of photographs, drop again and again the one whose F1 is lowest when
the starter names every photograph of shard 00 (which only learning films show) by the nearest of
the class names left, until so many are left. `study_corpora.CLASSES` holds what it prints.

With ``--sheets`` it draws the sheets that docs/movieclip.md's hand check was made on: nine test
photographs a class, six classes a sheet, in the order of the classes.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from mastershot.core.labels import Taxonomy
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.weak_labels import encode_labels
from study_corpora import CLASSES, SHARDS, read_photographs

CHECKED, SHEETS = 9, 4


def choose(cosines: np.ndarray, truth: np.ndarray, num_classes: int) -> list[int]:
    """Return the columns that stay.

    Args:
        cosines: Of each photograph and class name, (N, C).
        truth: The column of each photograph's class, (N,).
        num_classes: How many columns stay.
    """
    left = list(range(cosines.shape[1]))
    while len(left) > num_classes:
        rows = np.isin(truth, left)
        own = np.searchsorted(left, truth[rows])
        found = cosines[rows][:, left].argmax(1)
        right = np.bincount(own[found == own], minlength=len(left))
        counts = np.bincount(own, minlength=len(left)) + np.bincount(found, minlength=len(left))
        left.pop(int((2 * right / counts).argmin()))
    return left


def draw_sheets(folder: Path) -> None:
    """Draw test photographs of each class, a row a class, as PNG."""
    photographs, rng = read_photographs(SHARDS["test"]), np.random.default_rng(0)
    rows = []
    for label in CLASSES:
        own = [photograph for photograph in photographs if photograph.label == label]
        chosen = rng.choice(len(own), CHECKED, replace=False)
        rows.append(np.concatenate([own[place].pixels() for place in chosen], axis=1))
    for number, sheet in enumerate(np.split(np.stack(rows), SHEETS)):
        image = sheet.reshape(-1, *sheet.shape[2:])[..., ::-1]
        cv2.imwrite(str(folder / f"sheet{number}.png"), image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classes", type=int, default=len(CLASSES))
    parser.add_argument("--sheets", type=Path)
    options = parser.parse_args()
    if options.sheets:
        draw_sheets(options.sheets)
        return
    photographs = read_photographs([0])
    names = sorted({photograph.label for photograph in photographs})
    encoder = load_encoder("starter")
    words = encode_labels(encoder, Taxonomy("photographs", tuple(names)))
    batches = [photographs[start : start + 64] for start in range(0, len(photographs), 64)]
    vectors = [encoder.encode_images([one.pixels() for one in batch]) for batch in batches]
    truth = np.array([names.index(photograph.label) for photograph in photographs])
    chosen = choose(np.concatenate(vectors) @ words.T, truth, options.classes)
    print(", ".join(names[place] for place in chosen))
    print(f"those of the study: {tuple(names[place] for place in chosen) == CLASSES}")


if __name__ == "__main__":
    main()
