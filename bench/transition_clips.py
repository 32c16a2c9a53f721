"""Clips for films with known transitions: photographs under a moving camera, and real film.

``clip_source`` gives the half that shot detectors are taught and tuned on, or the half that figures
are taken from; no photograph and no clip is in both. Clips of real film are runs of frames without
a cut (`bench/data/clean_runs.csv`: found by TransNet V2 at a low threshold, then looked at; black
and title cards are left out).
"""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from mastershot.media.video import open_video
from mastershot.synthetic.transitions import photograph_clip

RUNS = Path(__file__).parent / "data" / "clean_runs.csv"
REAL_SHARE, POSTER_SHARE = 0.3, 0.1
LEAST_REAL = 60  # frames; a clip that is asked to be longer goes back and forth.
Clip = Callable[[int, np.random.Generator], np.ndarray]


def is_taught(film: str) -> bool:
    """Return whether a film's clips are in the half that detectors are taught on."""
    return not film.startswith("nasa") and not (film.startswith("sintel") and _piece(film) % 2 == 0)


def _piece(film: str) -> int:
    return int(film.split("_")[1])


def clip_source(data: Path, *, taught: bool, size: tuple[int, int]) -> Clip:
    """Return what draws clips, RGB (T, H, W, 3) of a height and width, from one half."""
    shards = sorted((data / "frames" / "photographs").glob("*.parquet"))
    shards = shards[:6] if taught else shards[6:]
    photographs = [
        jpeg
        for shard in shards
        for jpeg in pq.read_table(shard, columns=["jpeg"])["jpeg"].to_pylist()
    ]
    posters = sorted((data / "frames" / "posters128").iterdir())[not taught :: 2]
    runs = _real_runs(data / "films", taught=taught, size=size)

    def clip(num_frames: int, rng: np.random.Generator) -> np.ndarray:
        fitting = [run for run in runs if len(run) >= min(num_frames, LEAST_REAL)]
        if fitting and rng.random() < REAL_SHARE:
            return _part(fitting[int(rng.integers(len(fitting)))], num_frames, rng)
        if rng.random() < POSTER_SHARE:
            picture = Image.open(posters[int(rng.integers(len(posters)))])
        else:
            picture = Image.open(io.BytesIO(photographs[int(rng.integers(len(photographs)))]))
        return photograph_clip(np.asarray(picture.convert("RGB")), num_frames, size, rng)

    return clip


def _part(run: np.ndarray, num_frames: int, rng: np.random.Generator) -> np.ndarray:
    if len(run) < num_frames:
        run = np.concatenate([run, run[::-1]] * (num_frames // (2 * len(run)) + 1))
    start = int(rng.integers(0, len(run) - num_frames + 1))
    part = run[start : start + num_frames]
    if rng.random() < 0.5:
        part = part[:, :, ::-1]
    if rng.random() < 0.3:
        part = part[::-1]
    return np.ascontiguousarray(part)


def _real_runs(films: Path, *, taught: bool, size: tuple[int, int]) -> list[np.ndarray]:
    with RUNS.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if is_taught(row["film"]) == taught]
    runs = []
    for name in dict.fromkeys(row["film"] for row in rows):
        path = next(films.rglob(name))
        frames = np.stack([
            cv2.resize(frame.rgb(longest_side_px=640), size[::-1], interpolation=cv2.INTER_AREA)
            for frame in open_video(path).frames()
        ])  # fmt: skip
        runs += [
            frames[int(row["first_frame"]) : int(row["end_frame"])]
            for row in rows
            if row["film"] == name
        ]
    return runs
