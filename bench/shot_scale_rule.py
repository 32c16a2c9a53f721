"""How often the rule of shot scale is right on frames of real films that were labelled by hand.

bench/data/shot_scales.csv names a frame a row: the film, a time in it, the shot (a word; frames of
one shot are alike), whether the subject is a person, an animal, a picture of a person or nobody,
and the scale, as MovieShots defines it. It was written by looking at contact sheets, before the
rule was chosen. bench/data/shot_scales_test.csv holds further frames, labelled the same way and
used for no choice. Intervals are over films; each piece of Sintel is one.

    python bench/shot_scale_rule.py FOLDER_OF_FILMS... [--table TABLE.csv] [--every]
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
DRAWN = "sintel", "big_buck", "issue-236"  # how the names of drawn films begin
GROUPS: dict[str, Callable[[Row], bool]] = {
    "all people": lambda row: row["subject"] == "person",
    "real people": lambda row: row["subject"] == "person" and not row["film"].startswith(DRAWN),
    "drawn people": lambda row: row["subject"] == "person" and row["film"].startswith(DRAWN),
    "animals": lambda row: row["subject"] == "animal",
    "people and animals": lambda row: row["subject"] in ("person", "animal"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--every", action="store_true", help="print every frame that is wrong")
    options = parser.parse_args()
    with options.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    detector, seen = PeopleDetector(), []
    for row, image in frames_of(options.folders, rows):
        sighting = sighting_of_vector(detector.encode_images([image])[0])
        seen.append((row, sighting, image.shape[1] / image.shape[0]))
    found = [scale_of_frame(sighting, aspect) for _, sighting, aspect in seen]
    if options.every:
        print_errors(found, seen)
    frames = [(row, one) for one, (row, *_) in zip(found, seen, strict=True)]
    shots = shots_of(seen)
    for what, holds in GROUPS.items():
        print_figures(f"{what}, frames", [one for one in frames if holds(one[0])])
        print_figures(f"{what}, shots", [one for one in shots if holds(one[0])])
    for subject in ("picture", "none"):
        some = Counter(str(one) for row, one in frames if row["subject"] == subject)
        print(f"\n{subject}: {some.total()} frames, scales {dict(some)}")


def frames_of(folders: Sequence[Path], rows: Sequence[Row]) -> list[tuple[Row, ImageArray]]:
    """Return the frame of each row, RGB, at the detectors' size."""
    paths = {path.name: path for folder in folders for path in folder.rglob("*.*")}
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
    """Return a row of each shot of somebody, with the scale of all its frames together."""
    shots: dict[tuple[str, str], list[tuple[Row, Sighting, float]]] = defaultdict(list)
    for one in seen:
        if one[0]["scale"]:
            shots[one[0]["film"], one[0]["shot"]].append(one)
    found = []
    for frames in shots.values():
        scale = scale_of_votes(scale_votes([sighting for _, sighting, _ in frames], frames[0][2]))
        places = sorted(SCALES.index(row["scale"]) for row, *_ in frames)
        row = frames[0][0] | {"scale": SCALES[places[(len(places) - 1) // 2]]}
        found.append((row, None if scale is None else likeliest_scale(scale)))
    return found


def print_figures(what: str, people: Sequence[tuple[Row, str | None]]) -> None:
    if not people:
        return
    truths = Counter(row["scale"] for row, _ in people)
    majority = truths.most_common(1)[0][0]
    known = [one for one in people if one[1] is not None]
    print(f"\n{what}: {len(people)}, seen {len(known)}")
    print(f"  right, unknown counted as wrong {interval(people, lambda row, one: row == one)}")
    print(f"  right, ECS and CS as one        {interval(people, both_close)}")
    if known:
        print(f"  right, of those seen            {interval(known, lambda row, one: row == one)}")
        print(f"  two steps off, of those seen    {interval(known, two_off)}")
    always = interval(people, lambda row, _: row == majority)
    print(f"  always {majority:3}                      {always}")
    cells = Counter((row["scale"], str(one)) for row, one in people)
    columns = (*SCALES, "None")
    print("  truth down, found across" + "".join(f"{one:>6}" for one in columns))
    for truth in SCALES:
        counts = "".join(f"{cells[truth, one]:6}" for one in columns)
        print(f"  {truth:24}{counts}")


def both_close(truth: str, found: str | None) -> bool:
    return truth == found or {truth, found} == {"ECS", "CS"}


def two_off(truth: str, found: str | None) -> bool:
    return found is not None and abs(SCALES.index(truth) - SCALES.index(found)) >= 2


def interval(
    people: Sequence[tuple[Row, str | None]], holds: Callable[[str, str | None], bool]
) -> str:
    """Return a share of frames with its 95 % interval, resampling films."""
    films: dict[str, list[bool]] = defaultdict(list)
    for row, one in people:
        films[row["film"]].append(holds(row["scale"], one))
    hits = np.array([sum(one) for one in films.values()])
    sizes = np.array([len(one) for one in films.values()])
    draws = np.random.default_rng(0).integers(0, len(hits), (RESAMPLES, len(hits)))
    low, high = np.quantile(hits[draws].sum(1) / sizes[draws].sum(1), (0.025, 0.975))
    return f"{hits.sum() / sizes.sum():.3f} [{low:.3f}, {high:.3f}] over {len(hits)} films"


def print_errors(found: Sequence[str | None], seen: Sequence[tuple[Row, Sighting, float]]) -> None:
    for one, (row, sighting, _) in zip(found, seen, strict=True):
        if (one or "") != row["scale"]:
            tallest = [boxes[:1].round(2).tolist() for boxes in (sighting.faces, sighting.persons)]
            print(
                f"  {row['film']} {row['time_s']} {row['subject']} {row['scale']}: {one} {tallest}"
            )


if __name__ == "__main__":
    main()
