"""Is the best label of a shot right, before and after a change of the starter?

    python bench/film_check.py sheets FILMS OUT --students BEFORE AFTER
    python bench/film_check.py table OUT READING.csv [READING.csv ...]

``sheets`` analyses every film with both students and draws contact sheets: a shot's picture, its
number, and the best label of each student under 1 and 2, in an order drawn for each shot, so that
nobody who judges them knows which is which. A reading is a CSV with the columns shot, first,
second: y if the label names the place that is seen, n if not, - if no place can be told from the
picture; and setting (int, ext, -), time (day, night, -), as the picture shows them. ``table``
prints the share of right labels for each student, reading by reading, with intervals over shots,
how far readings agree, and what the second student's headings say where the readings agree.
"""

import argparse
import csv
import itertools
import json
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

COLUMNS, ROWS, WIDTH, HEIGHT, TEXT = 4, 4, 400, 225, 62
KINDS = (".mp4", ".mkv", ".webm")
MOMENTS = {"setting": "setting", "time_of_day": "time"}


def analysed(film: Path, out: Path, student: Path) -> tuple[list[dict], Path]:
    """Return the film's shots and its folder of results, as labelled with a student."""
    command = [sys.executable, "-m", "mastershot", "analyze", str(film), "--out", str(out),
               "--encoder", str(student)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    folder = out / film.stem
    return json.loads((folder / "timeline.json").read_text())["shots"], folder


def draw_sheets(films: Sequence[Path], out: Path, students: Sequence[Path]) -> None:
    rng, rows, cells = random.Random(0), [], []
    for film in films:
        (one, folder), (other, _) = (
            analysed(film, out / f"student{number}", student)
            for number, student in enumerate(students)
        )
        for shot, again in zip(one, other, strict=True):
            order = rng.sample([0, 1], 2)
            best = [found["labels"][0] for found in (shot, again)]
            rows.append({
                "shot": len(rows), "film": film.name, "start_s": shot["start_s"],
                "first_is": order[0],
                **{f"label{n}": label["name"] for n, label in enumerate(best)},
                **{f"score{n}": label["score"] for n, label in enumerate(best)},
                **{moment: said(again[moment]) for moment in MOMENTS},
            })  # fmt: skip
            picture = cv2.imread(str(folder / shot["thumb"]))
            cells.append(cell(len(rows) - 1, picture, [best[n]["name"] for n in order]))
    with (out / "shots.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    size = COLUMNS * ROWS
    for number, first in enumerate(range(0, len(cells), size)):
        page = cells[first : first + size]
        page += [np.zeros_like(cells[0])] * (size - len(page))
        lines = [np.hstack(page[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS)]
        cv2.imwrite(str(out / f"sheet{number:02}.png"), np.vstack(lines))
    print(f"{len(rows)} shots of {len(films)} films in {out}")


def said(label: dict) -> str:
    return "unsure" if label["unsure"] else label["name"].lower()


def cell(number: int, picture: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Return a shot's picture over its number and both labels."""
    height, width = picture.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    sized = cv2.resize(picture, (int(width * scale), int(height * scale)))
    made = np.zeros((HEIGHT + TEXT, WIDTH, 3), np.uint8)
    made[: sized.shape[0], : sized.shape[1]] = sized
    for line, text in enumerate((f"{number}   1: {labels[0]}", f"     2: {labels[1]}")):
        place = (6, HEIGHT + 24 + 28 * line)
        cv2.putText(made, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
    return made


def print_table(out: Path, readings: Sequence[Path]) -> None:
    shots = rows_of(out / "shots.csv")
    verdicts = [by_student(shots, path) for path in readings]
    drawn = np.random.default_rng(0).integers(len(shots), size=(1000, len(shots)))
    for name, found in [*zip([path.stem for path in readings], verdicts, strict=True),
                        ("all readings say so", np.minimum.reduce(verdicts))]:  # fmt: skip
        told = found[:, 0] >= 0
        print(f"{name}: {told.sum()} of {len(shots)} shots show a place")
        for student, title in enumerate(("before", "after")):
            shares = [found[rows][told[rows], student].mean() for rows in drawn]
            low, high = np.quantile(shares, [0.025, 0.975])
            print(f"  {title}: right {found[told, student].mean():.1%} ({low:.1%} to {high:.1%})")
        gains = [np.diff(found[rows][told[rows]]).mean() for rows in drawn]
        low, high = np.quantile(gains, [0.025, 0.975])
        print(f"  after - before: {np.diff(found[told]).mean():+.1%} ({low:+.1%} to {high:+.1%})")
    for one, other in itertools.pairwise(verdicts):
        print(f"readings agree on {(one == other).mean():.1%} of verdicts")
    for moment, column in MOMENTS.items():
        print_moments(shots, readings, moment, column)


def print_moments(
    shots: Sequence[dict[str, str]], readings: Sequence[Path], moment: str, column: str
) -> None:
    """Print what is said of the shots of which every reading says the same."""
    read = [{row["shot"]: row[column].strip() for row in rows_of(path)} for path in readings]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for shot in shots:
        seen = {reading[shot["shot"]] for reading in read}
        if len(seen) == 1 and seen != {"-"}:
            found[seen.pop()][shot[moment]] += 1
    for name, counts in sorted(found.items()):
        what = ", ".join(f"{count} {answer}" for answer, count in counts.most_common())
        print(f"{moment}: of {counts.total()} shots read as {name}: {what}")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def by_student(shots: Sequence[dict[str, str]], path: Path) -> np.ndarray:
    """Return 1, 0 or -1 (no place to be seen) for each shot and student, (S, 2)."""
    rows = {row["shot"]: row for row in rows_of(path)}
    value = {"y": 1, "n": 0, "-": -1}
    found = np.full((len(shots), 2), -1)
    for place, shot in enumerate(shots):
        row, first = rows[shot["shot"]], int(shot["first_is"])
        found[place, first] = value[row["first"].strip()]
        found[place, 1 - first] = value[row["second"].strip()]
    found[(found < 0).any(1)] = -1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    sheets = commands.add_parser("sheets")
    sheets.add_argument("films", type=Path)
    sheets.add_argument("out", type=Path)
    sheets.add_argument("--students", type=Path, nargs=2, required=True)
    table = commands.add_parser("table")
    table.add_argument("out", type=Path)
    table.add_argument("readings", type=Path, nargs="+")
    options = parser.parse_args()
    if options.command == "table":
        print_table(options.out, options.readings)
        return
    films = [path for path in options.films.glob("*") if path.suffix in KINDS]
    films += (options.films / "sintel").glob("*.mp4")
    draw_sheets(sorted(films), options.out, options.students)


if __name__ == "__main__":
    main()
