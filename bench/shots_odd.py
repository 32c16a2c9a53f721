"""Shot detectors side by side: on Big Buck Bunny against a list, on odd films against each other.

Ours are all that the product names, PySceneDetect's its own five, each fed by its own reader, all
with defaults and shots of at least 0.6 s (the default of ours and of the ``scenedetect`` command;
its library counts 15 frames, which are 3.75 s at 4 frames a second). Of Big
Buck Bunny there are the whole film at 4 frames a second, against OVSD's list at 24 (± 6 of its
frames, one of the film's), and its first 30 s at 24 (± 2). The list's shots are a detector's, not
people's: agreement with it is no measure of truth. Of the odd films nobody listed the cuts; there
the number each detector finds is printed.

    python bench/shots_odd.py [--data DIR] [--json FILE]
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import get_args

from mastershot.core.errors import MastershotError
from mastershot.core.time import FrameTimes
from mastershot.datasets.boundaries.boundary import Boundary
from mastershot.datasets.boundaries.read import read_boundaries
from mastershot.datasets.boundaries.timelines import between_shots
from mastershot.evaluation.shots import FilmBoundaries, Measure, Score, evaluate_boundaries
from mastershot.media.video import open_video
from mastershot.pipeline.analyze import detect_shots
from mastershot.pipeline.evaluation.shot_truth import frames_in_list
from mastershot.shots.settings import DetectorName

Detect = Callable[[Path], list[Boundary]]
LIST_RATE = Fraction(24)
PEERS = {
    "content": "ContentDetector",
    "adaptive": "AdaptiveDetector",
    "threshold": "ThresholdDetector",
    "hist": "HistogramDetector",
    "hash": "HashDetector",
}
"""PySceneDetect's detectors by what its command calls them."""


@dataclass(frozen=True)
class Row:
    """What one detector gives on one film; the score is None where there is no list."""

    film: str
    detector: str
    found: int | None
    cpu_s: float
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    problem: str = ""


def ours(name: DetectorName) -> Detect:
    def detect(film: Path) -> list[Boundary]:
        shots = detect_shots(film, detector=name)
        return list(between_shots(shot.transition_in for shot in shots[1:]))

    return detect


def peer(name: str) -> Detect:
    def detect(film: Path) -> list[Boundary]:
        import scenedetect
        from scenedetect import detectors

        detector = getattr(detectors, PEERS[name])(min_scene_len="0.6s")
        scenes = scenedetect.detect(str(film), detector)
        return [Boundary("cut", one.frame_num, one.frame_num) for one, _ in scenes[1:]]

    return detect


def all_detectors() -> dict[str, Detect]:
    own = {name: ours(name) for name in get_args(DetectorName)}
    return own | {f"scenedetect {name}": peer(name) for name in PEERS}


def measured(
    film: Path, detectors: dict[str, Detect], score: Callable[[list[Boundary]], Score] | None = None
) -> Iterable[Row]:
    for name, detect in detectors.items():
        before_s = time.process_time()
        try:
            found = detect(film)
        except MastershotError as error:
            yield Row(film.name, name, None, 0.0, problem=str(error))
            continue
        except Exception as error:  # noqa: BLE001  A peer may fail on an odd film in any way.
            yield Row(film.name, name, None, 0.0, problem=f"{type(error).__name__}: {error}")
            continue
        cpu_s = time.process_time() - before_s
        if score is None:
            yield Row(film.name, name, len(found), cpu_s)
            continue
        got = score(found)
        figures = (got.precision.value, got.recall.value, got.f1.value)
        yield Row(film.name, name, len(found), cpu_s, *figures)


def scorer(
    film: Path, truth: Path, *, tolerance: float, shift: int = 0, is_piece: bool = False
) -> Callable[[list[Boundary]], Score]:
    video = open_video(film)
    for _ in video.frames():
        pass
    at = frames_in_list(FrameTimes(video.pts, video.file.time_base), LIST_RATE)
    listed = read_boundaries(truth, film.name).shifted(shift)
    true = listed.piece(0, int(at[-1])) if is_piece else listed

    def score(found: list[Boundary]) -> Score:
        mapped = tuple(Boundary(one.kind, int(at[one.start]), int(at[one.end])) for one in found)
        both = FilmBoundaries(film.name, mapped, true.boundaries, int(at[-1]))
        return evaluate_boundaries([both], Measure(tolerance)).detected

    return score


def show_scores(title: str, rows: list[Row]) -> None:
    print(f"{title}\n")
    print("| detector | found | precision | recall | F1 | CPU s |\n|---|---|---|---|---|---|")
    for row in rows:
        if row.f1 is None:
            print(f"| {row.detector} | {row.problem} | | | | |")
            continue
        print(
            f"| {row.detector} | {row.found} | {row.precision:.3f} | {row.recall:.3f} | "
            f"{row.f1:.3f} | {row.cpu_s:.1f} |"
        )
    print(flush=True)


def show_counts(films: list[Path], detectors: dict[str, Detect]) -> list[Row]:
    print(f"Boundaries found\n\n| film | {' | '.join(detectors)} |\n|---|{'---|' * len(detectors)}")
    every: list[Row] = []
    for film in films:
        rows = list(measured(film, detectors))
        cells = ["–" if row.found is None else str(row.found) for row in rows]
        print(f"| {film.name} | {' | '.join(cells)} |", flush=True)
        every += rows
    print("", *(f"{r.film}, {r.detector}: {r.problem}" for r in every if r.problem), sep="\n")
    return every


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("MASTERSHOT_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    films, detectors = arguments.data / "films", all_detectors()
    truth = films / "truth" / "big_buck_bunny.shots.txt"
    whole, piece = (
        films / f"big_buck_bunny_{name}.mp4" for name in ("full_4fps_160x120", "480p_30s")
    )
    rows = list(measured(whole, detectors, scorer(whole, truth, tolerance=6)))
    show_scores("Big Buck Bunny, whole, 4 frames a second, ± 6 frames of the list's 24", rows)
    first = list(measured(piece, detectors, scorer(piece, truth, tolerance=2, is_piece=True)))
    show_scores("Big Buck Bunny, first 30 s, 24 frames a second, ± 2 frames", first)
    odd = show_counts(sorted((films / "odd").iterdir()), detectors)
    if arguments.json:
        every = [asdict(row) for row in (*rows, *first, *odd)]
        arguments.json.write_text(json.dumps(every, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
