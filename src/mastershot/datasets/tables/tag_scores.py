"""Scores of every class for every sample, and its true labels, as one NumPy ``.npz`` file."""
# N samples, C classes

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import replacing, reporting_errors
from mastershot.datasets.files import read_arrays

_NAMES = ("videos", "files", "films", "classes")
FIELDS = ("scores", "truth", *_NAMES, "made_by")


@dataclass(frozen=True, eq=False)
class TagScores:
    """What a recogniser says of each sample, beside the truth.

    Attributes:
        scores: Score of each class, shape (N, C), float32 in [0, 1].
        truth: Which classes a sample has, shape (N, C).
        videos: The video of each sample.
        files: The shot file of each sample; video and file name a sample.
        films: The film of each sample; intervals are over films.
        classes: Names of the classes, in the order of the columns.
        made_by: How the scores were made.
    """

    scores: FloatArray
    truth: npt.NDArray[np.bool_]
    videos: tuple[str, ...]
    files: tuple[str, ...]
    films: tuple[str, ...]
    classes: tuple[str, ...]
    made_by: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def samples(self) -> tuple[tuple[str, str], ...]:
        """Video and file of each sample."""
        return tuple(zip(self.videos, self.files, strict=True))


def write_tag_scores(path: Path, scores: TagScores) -> None:
    """Write scores and truth; what was there before stays until all is written.

    Raises:
        DatasetError: The scores contradict themselves, as `read_tag_scores` would say.
        OutputError: The file cannot be written, or its name does not end in ``.npz``.
    """
    if path.suffix != ".npz":
        raise OutputError(f"scores of classes go to a .npz file, not to {path}")
    _require_sound(scores, path)
    arrays: dict[str, Any] = {name: np.array(getattr(scores, name), np.str_) for name in _NAMES}
    arrays |= {"scores": scores.scores, "truth": scores.truth}
    arrays["made_by"] = np.array(json.dumps(dict(scores.made_by)), np.str_)
    with (
        reporting_errors(OutputError, f"scores {path} cannot be written"),
        replacing(path) as partial,
        partial.open("wb") as file,
    ):
        np.savez_compressed(file, **arrays)


def read_tag_scores(path: str | Path) -> TagScores:
    """Return the scores and the truth of a file.

    Raises:
        DatasetError: The file is unreadable, not such a file, or contradicts itself.
    """
    path = Path(path)
    arrays = read_arrays(path, what="scores", names=FIELDS)
    missing = [name for name in FIELDS if name not in arrays]
    if missing:
        raise DatasetError(f"scores {path} lack {', '.join(missing)}; a file has {_these(FIELDS)}")
    for name, kind in {"scores": np.float32, "truth": np.bool_}.items():
        if arrays[name].dtype != kind:
            raise DatasetError(
                f"scores {path} are damaged: {name} should be {np.dtype(kind)}, not "
                f"{arrays[name].dtype}"
            )
    texts = (*_NAMES, "made_by")
    if wrong := [name for name in texts if arrays[name].dtype.kind != "U"]:
        raise DatasetError(f"scores {path} are damaged: {_these(wrong)} should be text")
    if wrong := [name for name in _NAMES if arrays[name].ndim != 1]:
        raise DatasetError(f"scores {path} are damaged: {_these(wrong)} should be one list")
    try:
        made_by = json.loads(str(arrays["made_by"]))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"scores {path} are damaged: made_by is not JSON: {error}") from error
    if not isinstance(made_by, dict):
        raise DatasetError(f"scores {path} are damaged: made_by should be a JSON object")
    names = {name: tuple(arrays[name].tolist()) for name in _NAMES}
    scores = TagScores(arrays["scores"], arrays["truth"], made_by=made_by, **names)
    _require_sound(scores, path)
    return scores


def _require_sound(scores: TagScores, path: Path) -> None:
    """Raise `DatasetError` where shapes, values or names contradict each other."""
    num_samples, num_classes = len(scores.videos), len(scores.classes)

    def require(holds: bool, text: str) -> None:
        if not holds:
            raise DatasetError(f"scores {path} are damaged: {text}")

    require(num_samples > 0, "they hold no sample")
    require(num_classes > 0, "they name no class")
    for name in ("files", "films"):
        found = len(getattr(scores, name))
        require(found == num_samples, f"{num_samples} videos but {found} {name}")
    for name in ("scores", "truth"):
        shape = getattr(scores, name).shape
        expected = f"({num_samples}, {num_classes})"
        require(shape == (num_samples, num_classes), f"{name} have shape {shape}, not {expected}")
    # A comparison with NaN is false, so this also refuses scores that are no number.
    inside = bool(((scores.scores >= 0) & (scores.scores <= 1)).all())
    require(inside, "a score is outside 0 to 1")
    require(len(set(scores.classes)) == num_classes, "a class is named twice")
    require(len(set(scores.samples)) == num_samples, "a sample is named twice")


def _these(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
