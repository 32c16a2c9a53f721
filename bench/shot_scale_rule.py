"""How often the rule of shot scale is right on frames of real films that were labelled by hand.

bench/data/shot_scales.csv names a frame a row: the film, a time in it, the shot (a word; frames of
one shot are alike, so intervals are over shots), whether the subject is a person, an animal, a
picture of a person or nobody, and the scale, as MovieShots defines it. It was written by looking at
contact sheets, before the rule was chosen.

    python bench/shot_scale_rule.py FOLDER_OF_FILMS [--every]
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.core.movie import SCALES, likeliest_scale
from mastershot.core.people import Sighting, sighting_of_vector
from mastershot.encoders.detectors.people import FRAME_PX, PeopleDetector
from mastershot.labelling.perception.people import scale_of_frame, scale_of_votes, scale_votes
from mastershot.media.video import open_video

TABLE = Path(__file__).parent / "data" / "shot_scales.csv"
RESAMPLES = 2000
Row = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", action="store_true", help="print every frame that is wrong")
    options = parser.parse_args()
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    detector, seen = PeopleDetector(), []
    for row, image in frames_of(options.folder, rows):
        sighting = sighting_of_vector(detector.encode_images([image])[0])
        seen.append((row, sighting, image.shape[1] / image.shape[0]))
    found = [scale_of_frame(sighting, aspect) for _, sighting, aspect in seen]
    for subject in ("person", "animal", "picture", "none"):
        some = [
            one for one, (row, *_) in zip(found, seen, strict=True) if row["subject"] == subject
        ]
        print(f"{subject}: {len(some)} frames, scales {dict(Counter(map(str, some)))}")
    if options.every:
        print_errors(found, seen)
    people = [
        (row, one) for one, (row, *_) in zip(found, seen, strict=True) if row["subject"] == "person"
    ]
    print_figures("frames", people)
    print_figures("shots", shots_of(seen))
    films = sorted({row["film"].partition("_")[0] for row, _ in people})
    for film in films:
        part = [one for one in people if one[0]["film"].startswith(film)]
        print_figures(f"frames of {film}", part)


def frames_of(folder: Path, rows: Sequence[Row]) -> list[tuple[Row, ImageArray]]:
    """Return the frame of each row, RGB, at the detectors' size."""
    paths = {path.name: path for path in folder.rglob("*.m*")}
    wanted: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        wanted[row["film"]].append(row)
    found = []
    for name, of_film in wanted.items():
        film = open_video(paths[name])
        left = sorted(of_film, key=lambda row: float(row["time_s"]))
        for frame in film.frames():
            at_s = float(frame.pts * film.file.time_base)
            while left and at_s >= float(left[0]["time_s"]) - 1e-3:
                found.append((left.pop(0), frame.rgb(longest_side_px=FRAME_PX)))
        assert not left, f"{name} ends before {left[0]['time_s']} s"
    return found


def shots_of(seen: Sequence[tuple[Row, Sighting, float]]) -> list[tuple[Row, str | None]]:
    """Return a row of each shot of people, with the scale of all its frames together."""
    shots: dict[tuple[str, str], list[tuple[Row, Sighting, float]]] = defaultdict(list)
    for one in seen:
        if one[0]["subject"] == "person":
            shots[one[0]["film"], one[0]["shot"]].append(one)
    found = []
    for frames in shots.values():
        scale = scale_of_votes(scale_votes([sighting for _, sighting, _ in frames], frames[0][2]))
        found.append((frames[0][0], None if scale is None else likeliest_scale(scale)))
    return found


def print_figures(what: str, people: Sequence[tuple[Row, str | None]]) -> None:
    truths = Counter(row["scale"] for row, _ in people)
    majority = truths.most_common(1)[0][0]
    known = [one for one in people if one[1] is not None]
    print(f"\n{what}: {len(people)}, seen {len(known)}; truth {dict(truths)}")
    print(f"  right, unknown counted as wrong {interval(people, lambda row, one: row == one)}")
    if known:
        print(f"  right, of those seen            {interval(known, lambda row, one: row == one)}")
        print(f"  two steps off, of those seen    {interval(known, two_off)}")
    always = interval(people, lambda row, _: row == majority)
    print(f"  always {majority}                       {always}")


def two_off(truth: str, found: str | None) -> bool:
    return found is not None and abs(SCALES.index(truth) - SCALES.index(found)) >= 2


def interval(
    people: Sequence[tuple[Row, str | None]], holds: Callable[[str, str | None], bool]
) -> str:
    """Return a share of frames with its 95 % interval, resampling shots."""
    shots: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for row, one in people:
        shots[row["film"], row["shot"]].append(holds(row["scale"], one))
    hits = np.array([sum(one) for one in shots.values()])
    sizes = np.array([len(one) for one in shots.values()])
    draws = np.random.default_rng(0).integers(0, len(hits), (RESAMPLES, len(hits)))
    low, high = np.quantile(hits[draws].sum(1) / sizes[draws].sum(1), (0.025, 0.975))
    return f"{hits.sum() / sizes.sum():.3f} [{low:.3f}, {high:.3f}] over {len(hits)} shots"


def print_errors(found: Sequence[str | None], seen: Sequence[tuple[Row, Sighting, float]]) -> None:
    for one, (row, sighting, _) in zip(found, seen, strict=True):
        if (one or "") != row["scale"]:
            tallest = [boxes[:1].round(2).tolist() for boxes in (sighting.faces, sighting.persons)]
            print(
                f"  {row['film']} {row['time_s']} {row['subject']} {row['scale']}: {one} {tallest}"
            )


if __name__ == "__main__":
    main()
