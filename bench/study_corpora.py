"""The films of the recogniser study: photograph films and drawn films, with the truth of each shot.

A corpus is a folder: ``films/`` with ``learn*.mp4`` and ``test*.mp4``, ``classes.txt``, a label a
line, and ``truth.csv``, a row a shot. Photographs and plans of learning and test films are apart.
"""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from mastershot.core.embeddings import ImageArray
from mastershot.core.files import written_whole
from mastershot.media.write import write_frames
from mastershot.synthetic.films import draw_frames
from mastershot.synthetic.photographs import plan_photograph_film, write_photograph_film
from mastershot.synthetic.places import PLACES
from mastershot.synthetic.plan import Editing, Picture, plan_film

DATA = Path(os.environ.get("MASTERSHOT_DATA", Path(__file__).parents[2] / "shared" / "data"))
PICTURE, DRAWN_PICTURE = Picture(128, 128, Fraction(8)), Picture(96, 96, Fraction(8))
SHOT_S = (1.5, 3.0)
SHOTS_A_FILM = (12, 18)
RUN = (1, 4)
"""Fewest and most shots in a row of one class."""
SHARDS = {"learn": range(6), "test": range(6, 8)}
TWINS = frozenset({"07:1315"})
"""Photographs that are left out because another shard has them too (this one is 02:227)."""
DRAWN_FILMS = {"learn": 320, "test": 80}
DRAWN_SCENES, DRAWN_SHOTS = 3, 4

CLASSES = (
    "aquarium", "ballroom", "bamboo forest", "bathroom", "bedroom", "botanical garden",
    "butchers shop", "clothing store", "corn field", "desert", "gas station", "golf course",
    "harbor", "highway", "iceberg", "kitchen", "lighthouse", "mountain", "phone booth", "runway",
    "skyscraper", "stadium", "stage", "staircase",
)  # fmt: skip
"""The 24 classes that `study_classes.py` chose, before any recogniser was trained."""


@dataclass(frozen=True)
class Shot:
    """A row of ``truth.csv``: a shot of a film, its class, and what it was made from.

    Frames count from 0 and ``end_frame`` is excluded. ``source`` is the row of a photograph as
    ``<shard>:<row>``, or the set-up of a drawn film.
    """

    video: str
    part: str
    first_frame: int
    end_frame: int
    label: str
    source: str


@dataclass(frozen=True)
class Photograph:
    """A photograph that no shot has shown yet, as it is stored."""

    label: str
    source: str
    jpeg: bytes

    def pixels(self) -> ImageArray:
        """Return it as RGB (H, W, 3)."""
        image = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def label_of(folder_class: str) -> str:
    """Return a class as words, without what follows a hyphen: ``desert-sand`` is desert."""
    return folder_class.split("-")[0].replace("_", " ")


def read_photographs(shards: Sequence[int]) -> list[Photograph]:
    """Return all photographs of shards, in file order."""
    found = []
    for shard in shards:
        path = DATA / "frames" / "photographs" / f"photographs-{shard:02}.parquet"
        table = pq.read_table(path, columns=["class", "jpeg"])
        rows = zip(table["class"].to_pylist(), table["jpeg"].to_pylist(), strict=True)
        for row, (name, jpeg) in enumerate(rows):
            found.append(Photograph(label_of(name), f"{shard:02}:{row}", jpeg))
    return found


def deal(photographs: Sequence[Photograph], seed: int) -> list[list[Photograph]]:
    """Return films of photographs, each used once: runs of one class, next to other classes."""
    rng = np.random.default_rng(seed)
    runs: list[list[Photograph]] = []
    for label in sorted({photograph.label for photograph in photographs}):
        own = [photograph for photograph in photographs if photograph.label == label]
        own = [own[place] for place in rng.permutation(len(own))]
        while own:
            length = int(rng.integers(RUN[0], RUN[1] + 1))
            runs.append(own[:length])
            own = own[length:]
    runs = [runs[place] for place in rng.permutation(len(runs))]
    films: list[list[Photograph]] = [[]]
    wanted = int(rng.integers(SHOTS_A_FILM[0], SHOTS_A_FILM[1] + 1))
    while runs:
        if len(films[-1]) >= wanted:
            films.append([])
            wanted = int(rng.integers(SHOTS_A_FILM[0], SHOTS_A_FILM[1] + 1))
        last = films[-1][-1].label if films[-1] else ""
        films[-1] += runs.pop(next((i for i, run in enumerate(runs) if run[0].label != last), 0))
    if len(films[-1]) < SHOTS_A_FILM[0] and len(films) > 1:
        rest = films.pop()
        films[-1] += rest
    return [[one for one in film if one.source not in TWINS] for film in films]


def make_photograph_films(corpus: Path, jobs: int) -> None:
    """Write the photograph films; those that are there stay."""
    tasks = []
    for part, shards in SHARDS.items():
        used = [one for one in read_photographs(shards) if one.label in CLASSES]
        films = deal(used, seed=shards[0])
        sources = [photograph.source for film in films for photograph in film]
        assert len(set(sources)) == len(sources), "a photograph is in two films"
        for number, shown in enumerate(films):
            tasks.append(partial(_photograph_film, corpus, f"{part}{number:03}", part, shown))
    _make(corpus, tasks, CLASSES, jobs)


def _photograph_film(
    corpus: Path, video: str, part: str, shown: Sequence[Photograph]
) -> list[Shot]:
    labels = [photograph.label for photograph in shown]
    seed = [SHARDS[part][0], int(video.removeprefix(part))]
    film = plan_photograph_film(labels, picture=PICTURE, shot_s=SHOT_S, seed=seed)
    path = film_path(corpus, video)
    if not path.exists():
        write_photograph_film(film, [photograph.pixels() for photograph in shown], path)
    spans = zip(film.starts, film.starts[1:], shown, strict=False)
    return [Shot(video, part, start, end, one.label, one.source) for start, end, one in spans]


def make_drawn_films(corpus: Path, jobs: int) -> None:
    """Write the drawn films; those that are there stay."""
    tasks = [
        partial(_drawn_film, corpus, f"{part}{number:03}", part)
        for part, num_films in DRAWN_FILMS.items()
        for number in range(num_films)
    ]
    _make(corpus, tasks, sorted(PLACES), jobs)


def _drawn_film(corpus: Path, video: str, part: str) -> list[Shot]:
    seed = int(video.removeprefix(part)) + (0 if part == "learn" else 10_000)
    plan = plan_film(
        DRAWN_SCENES, DRAWN_SHOTS, picture=DRAWN_PICTURE, editing=Editing(shot_s=SHOT_S), seed=seed
    )
    path = film_path(corpus, video)
    if not path.exists():
        write_frames(path, draw_frames(plan), DRAWN_PICTURE.frame_rate)
    spans = zip(plan.starts, plan.starts[1:], plan.shots, strict=False)
    return [
        Shot(video, part, start, end, shot.setup.place.kind, f"scene {shot.scene}")
        for start, end, shot in spans
    ]


def _make(
    corpus: Path, tasks: Sequence[Callable[[], list[Shot]]], classes: Sequence[str], jobs: int
) -> None:
    (corpus / "films").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs) as pool:
        shots = [shot for film in pool.map(_call, tasks, chunksize=4) for shot in film]
    (corpus / "classes.txt").write_text("\n".join(classes) + "\n", "utf-8")
    with written_whole(corpus / "truth.csv") as file:
        writer = csv.DictWriter(file, list(Shot.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(vars(shot) for shot in shots)


def _call(task: Callable[[], list[Shot]]) -> list[Shot]:
    return task()


def film_path(corpus: Path, video: str) -> Path:
    """Return where a film of a corpus lies."""
    return corpus / "films" / f"{video}.mp4"


def read_truth(corpus: Path) -> Iterator[Shot]:
    """Yield the true shots of a corpus, film by film, in order."""
    with (corpus / "truth.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            start, end = int(row.pop("first_frame")), int(row.pop("end_frame"))
            yield Shot(first_frame=start, end_frame=end, **row)


MAKERS = {"photographs": make_photograph_films, "drawn": make_drawn_films}
