"""Which labels of close-ups the starter is sure of, in films and on photographs with a large face.

    python bench/close_up_labels.py PHOTOGRAPHS TIMELINE... [--label salon]

Prints the kept labels of the shots that are close-ups with a face, to be judged by looking at their
pictures, and of the photographs of shards 06 and 07 with a face of 0.28 or more of the height for
which the label is best, how many are of its class.
"""

import argparse
import csv
import sys
from collections import Counter
from pathlib import Path

import cv2

from mastershot.core.labels import load_taxonomy
from mastershot.core.people import heights
from mastershot.core.timeline import Timeline
from mastershot.datasets.tables.pictures import read_labelled_pictures
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.detectors.people import PeopleDetector
from mastershot.labelling.weak_labels import clip_scene_scores, encode_labels, is_close
from mastershot.media.pictures import read_still

SIDE_PX, LEAST_FACE, AT_ONCE = 640, 0.28, 250


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("timelines", type=Path, nargs="*")
    parser.add_argument("--label", default="salon")
    options = parser.parse_args()
    of_films(options.timelines, options.label)
    for number in (6, 7):
        path = options.photographs / f"photographs-{number:02}.parquet"
        print(f"shard {number}:", of_photographs(path, options.label))


def of_films(timelines: list[Path], label: str) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    for path in timelines:
        timeline = Timeline.load(path)
        for shot in timeline.shots:
            if not shot.scale or not is_close(shot.scale) or not shot.people or not shot.labels:
                continue
            best = shot.labels[0]
            if shot.people.faces and (shot.kept or best.name == label):
                face = f"{shot.people.tallest_face:.2f}"
                kept = "kept" if shot.kept else "unsure"
                out.writerow([timeline.movie.path, shot.id, face, best.name, best.score, kept])


def of_photographs(path: Path, label: str) -> dict[str, int]:
    encoder, taxonomy, people = (
        load_encoder("starter"),
        load_taxonomy("movieclip"),
        PeopleDetector(),
    )
    words = encode_labels(encoder, taxonomy)
    rows = list(read_labelled_pictures(path))
    found: Counter[str] = Counter()
    for first in range(0, len(rows), AT_ONCE):
        part = rows[first : first + AT_ONCE]
        images = [read_still(path, content) for _, content in part]
        for (name, _), image, vector in zip(
            part, images, encoder.encode_images(images), strict=True
        ):
            scores = clip_scene_scores(vector[None], words, encoder.logit_scale)
            if taxonomy.labels[scores.argmax()] != label:
                continue
            large = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
            faces = heights(people.look_at(large).faces)
            if faces.max(initial=0) >= LEAST_FACE:
                sure = next((f"from {least}" for least in (0.6, 0.4) if scores.max() >= least), "")
                is_right = "right" if label in name else "wrong"
                found[f"{is_right} {sure or 'below 0.4'}"] += 1
    return dict(sorted(found.items()))


if __name__ == "__main__":
    main()
