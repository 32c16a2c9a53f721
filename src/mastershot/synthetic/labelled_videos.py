"""Drawn labels, features and films of videos, laid out as HVU and Moviescope are: stand-ins.

Each class has a direction in feature space. A part of a video shows one or more classes of the
video, so its vector is their directions and noise. Two sets of features are drawn of the same
videos: each sees another half of the classes well and the rest faintly, so that together they know
more.
"""
# C classes, N videos, R vectors of a video, D width of a vector

import csv
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import OutputError
from mastershot.core.files import replacing, reporting_errors, written_whole
from mastershot.media.write import write_frames

WIDTH, PARTS = 32, (2, 6)
CLEAR, FAINT, NOISE = 1.0, 0.25, 0.6
FILM_PX, FILM_FRAMES = 48, 12
SETS = ("movieclip", "kinetics")
HVU_SCENES = ("beach", "forest", "kitchen", "street", "stadium", "stage")
HVU_OTHERS = (("running", "action"), ("tree", "object"))
_HVU_SPLITS = ("HVU_Train_V1.0.csv", "HVU_Val_V1.0.csv")


@dataclass(frozen=True, eq=False)
class DrawnVideos:
    """Videos that have one to three classes each.

    Attributes:
        items: Names that features go by.
        truth: Which classes each has, shape (N, C).
        vectors: Of each of `SETS`, the vectors (R, D) of each video.
    """

    items: tuple[str, ...]
    truth: npt.NDArray[np.bool_]
    vectors: dict[str, list[FloatArray]]


def draw_videos(items: Sequence[str], num_classes: int, seed: int = 0) -> DrawnVideos:
    """Return videos of these names; what is drawn follows from the seed."""
    random = np.random.default_rng([seed, num_classes])
    directions_CD = random.normal(size=(num_classes, WIDTH)).astype(np.float32)
    directions_CD /= np.linalg.norm(directions_CD, axis=1, keepdims=True)
    strengths_SC = np.full((len(SETS), num_classes), FAINT, np.float32)
    for place in range(num_classes):
        strengths_SC[place % len(SETS), place] = CLEAR
    truth = np.zeros((len(items), num_classes), np.bool_)
    vectors: dict[str, list[FloatArray]] = {name: [] for name in SETS}
    for has in truth:
        has[random.choice(num_classes, random.integers(1, 4), replace=False)] = True
        shown_RC = (random.random((random.integers(*PARTS), num_classes)) < 0.8) & has
        for name, strengths_C in zip(SETS, strengths_SC, strict=True):
            noise_RD = random.normal(scale=NOISE, size=(len(shown_RC), WIDTH))
            vectors[name].append((shown_RC * strengths_C @ directions_CD + noise_RD).astype("f4"))
    return DrawnVideos(tuple(items), truth, vectors)


def draw_hvu(num_videos: int, seed: int = 0) -> DrawnVideos:
    """Return videos of `HVU_SCENES`, named as HVU's downloader names files."""
    items = [f"drawn{place:06}_000002_000012" for place in range(num_videos)]
    return draw_videos(items, len(HVU_SCENES), seed)


def write_hvu(folder: Path, drawn: DrawnVideos) -> None:
    """Write annotations as HVU's three files; a fifth of the videos is the validation split.

    Raises:
        OutputError: The folder cannot be written.
    """
    header = ("Tags", "youtube_id", "time_start", "time_end")
    rows: dict[str, list[tuple[str, ...]]] = {name: [header] for name in _HVU_SPLITS}
    for place, (item, has) in enumerate(zip(drawn.items, drawn.truth, strict=True)):
        of_video = [HVU_SCENES[column] for column in np.flatnonzero(has)]
        of_video.append(HVU_OTHERS[place % 2][0])
        row = ("|".join(of_video), item.partition("_")[0], "2.0", "12.0")
        rows[_HVU_SPLITS[place % 5 == 0]].append(row)
    tags = [(name, "scene") for name in HVU_SCENES] + list(HVU_OTHERS)
    rows["HVU_Tags_Categories_V1.0.csv"] = [("Tag", "Category"), *tags]
    for file_name, lines in rows.items():
        with written_whole(folder / file_name, newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)


def draw_moviescope(num_videos: int, seed: int = 0) -> DrawnVideos:
    """Return videos of 13 genres, named as movie ids are."""
    return draw_videos([str(place) for place in range(num_videos)], 13, seed)


def write_moviescope(folder: Path, drawn: DrawnVideos) -> None:
    """Write annotations as Moviescope's three files: seven, one and two tenths of the videos.

    Raises:
        OutputError: The folder cannot be written.
    """
    films: dict[str, list[dict[str, object]]] = {"train": [], "val": [], "test": []}
    for place, (item, has) in enumerate(zip(drawn.items, drawn.truth, strict=True)):
        split = {0: "val", 1: "test", 6: "test"}.get(place % 10, "train")
        digits = "".join(str(int(one)) for one in has)
        films[split].append({"movie_id": int(item), "plot": "drawn", "newGenreLabels": digits})
    for split, of_split in films.items():
        path = folder / f"raw_data_{split}.p"
        with reporting_errors(OutputError, f"{path} cannot be written"), replacing(path) as partial:
            partial.write_bytes(pickle.dumps(of_split, protocol=2))


def write_films(folder: Path, drawn: DrawnVideos, seed: int = 0) -> None:
    """Write a film of each video: half a second in which the stripes of its classes are light.

    Raises:
        OutputError: The folder cannot be written.
    """
    num_classes = drawn.truth.shape[1]
    stripe_of_column = np.arange(FILM_PX) * num_classes // FILM_PX
    for place, (item, has) in enumerate(zip(drawn.items, drawn.truth, strict=True)):
        random = np.random.default_rng([seed, place])
        level_W = np.where(has[stripe_of_column], 180, 40)[None, None, :, None]
        shape = (FILM_FRAMES, FILM_PX, FILM_PX, 3)
        frames = (level_W + random.integers(0, 60, shape)).astype(np.uint8)
        write_frames(folder / f"{item}.mp4", frames, Fraction(24))
