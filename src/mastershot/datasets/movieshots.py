"""MovieShots: shots of trailers and how close the camera is (Rao et al., ECCV 2020).

The five scales are those of the data set's page, movienet.github.io/projects/eccv20shot.html. The
files are handed out on request; their layout is what public code that reads them agrees on:
``v1_split_trailer.json`` is ``{train|val|test: {trailer: {shot: {"scale": {"label", "value"},
"movement": {…}}}}}`` with trailers as IMDb ids and shots as four digits, and the shot is the film
``trailer/<trailer>/shot_<shot>.mp4``. Only ``label`` is read: which ``value`` stands for which
label is not documented. ``v1_full_trailer.json`` lacks the splits, ``v2_*`` the scales.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mastershot.core.errors import DatasetError
from mastershot.core.movie import SCALES
from mastershot.datasets.files import object_members

SPLITS = ("train", "val", "test")
_WHAT = "MovieShots annotations"
_NAME = re.compile(r"[\w-]+")  # It becomes part of a path.


@dataclass(frozen=True, slots=True)
class ScaleShot:
    """A shot whose scale is known.

    Attributes:
        trailer: The trailer it is of, such as ``tt2006051``.
        shot: Its number there, such as ``0009``.
        scale: Place of its scale in `SCALES`.
    """

    trailer: str
    shot: str
    scale: int

    def path(self, clips: Path) -> Path:
        """Return where its film is, under the folder of all trailers."""
        return clips / self.trailer / f"shot_{self.shot}.mp4"


def read_movieshots(path: str | Path) -> dict[str, tuple[ScaleShot, ...]]:
    """Return the shots of each of `SPLITS`, in file order.

    Raises:
        DatasetError: The file is unreadable or of another layout, or lacks a split or a scale.
    """
    shots = {
        split: tuple(_shots(value, f"{_WHAT} {path}, {split}"))
        for split, value in object_members(Path(path), what=_WHAT)
        if split in SPLITS
    }
    for split in SPLITS:
        if not shots.get(split):
            raise DatasetError(
                f"{_WHAT} {path} have no shot under {split!r}; v1_split_trailer.json has some "
                f"under each of {', '.join(SPLITS)}"
            )
    return {split: shots[split] for split in SPLITS}


def count_scales(shots: Iterable[ScaleShot]) -> dict[str, int]:
    """Return how many shots are of each scale, the closest first."""
    counts = Counter(shot.scale for shot in shots)
    return {name: counts[place] for place, name in enumerate(SCALES)}


def shared_trailers(shots: Mapping[str, Iterable[ScaleShot]]) -> tuple[str, ...]:
    """Return the trailers that have shots in more than one split, and so leak between them."""
    splits = Counter(trailer for part in shots.values() for trailer in {s.trailer for s in part})
    return tuple(sorted(trailer for trailer, count in splits.items() if count > 1))


def _shots(trailers: Any, where: str) -> Iterator[ScaleShot]:
    for trailer, shots in _members(trailers, where):
        for shot, marks in _members(shots, f"{where}, trailer {trailer}"):
            scale = marks.get("scale") if isinstance(marks, dict) else None
            label = scale.get("label") if isinstance(scale, dict) else None
            if label not in SCALES:
                raise DatasetError(
                    f"{where}, trailer {trailer}, shot {shot}: the scale's label is {label!r}, "
                    f"none of {', '.join(SCALES)}"
                )
            yield ScaleShot(trailer, shot, SCALES.index(label))


def _members(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield the members of an object whose names can be part of a path."""
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: {type(value).__name__} found, which should be an object")
    for name, member in value.items():
        if not _NAME.fullmatch(name):
            raise DatasetError(f"{where}: name {name!r} should be of letters, digits, - and _")
        yield name, member
