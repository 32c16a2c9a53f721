"""The k-NN probe: do the nearest scenes of other films have the same label?"""
# N labelled scenes, W width of a representation

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.names import FilmNames
from mastershot.datasets.files import read_table
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.movies2scenes.networks import plain_views
from mastershot.training.movies2scenes.shots import films_of

_BATCH = 64
_BLOCK = 1024
_COLUMNS = ("movie", "first_shot", "label")


@dataclass(frozen=True, eq=False)
class LabelledScenes:
    """Scenes whose label is known.

    Attributes:
        rows: Running number of each one's first shot, (N,).
        movies: Index of each one's film, (N,).
        labels: Index of each one's label, (N,).
    """

    rows: IntArray
    movies: IntArray
    labels: IntArray


def read_labels(path: Path, arrays: ShotArrays, window: int) -> LabelledScenes:
    """Return the labelled scenes of a CSV that lie in the films; others are passed over.

    A row may call its film by any of its names in full; see `FilmNames`.

    Raises:
        DatasetError: The file cannot be read or lacks a column, no row of it lies in the films, or
            all that do are of one film.
    """
    names = FilmNames(films_of(arrays).values())
    rows, films, labels = [], [], []
    for line in read_table(path, _COLUMNS, what="labels"):
        found = names.exact(line["movie"])
        try:
            first = int(line["first_shot"])
        except ValueError as error:
            raise DatasetError(f"labels {path} cannot be read ({error})") from error
        if len(found) == 1 and 0 <= first <= arrays.num_shots_of(found[0]) - window:
            rows.append(int(arrays.offsets[found[0]]) + first)
            films.append(found[0])
            labels.append(line["label"])
    if not rows:
        raise DatasetError(f"no scene of {path} lies in the films of {arrays.folder}")
    if len(set(films)) < 2:
        raise DatasetError(
            f"the scenes of {path} are all of one film; neighbours are asked of other films"
        )
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return LabelledScenes(np.array(rows, np.int64), np.array(films, np.int64), numbers)


def knn_accuracy(vectors: Tensor, scenes: LabelledScenes, neighbours: int) -> float:
    """Return the share of scenes whose nearest ones of other films agree on the right label.

    Each neighbour votes with its cosine; of labels with equal votes the first wins.
    """
    unit = normalize(vectors.float(), dim=1).cpu()
    movies, labels = torch.from_numpy(scenes.movies), torch.from_numpy(scenes.labels)
    num_right = 0
    for rows in torch.split(torch.arange(len(unit)), _BLOCK):  # never all cosines at once
        cosines = unit[rows] @ unit.T
        cosines[movies[rows, None] == movies] = -2.0
        best, nearest = cosines.topk(min(neighbours, len(labels) - 1), dim=1)
        votes = torch.zeros(len(rows), int(labels.max()) + 1)
        votes.scatter_add_(1, labels[nearest], (best + 1).clamp_min(0))
        num_right += int((votes.argmax(1) == labels[rows]).sum())
    return num_right / len(unit)


@torch.no_grad()
def encode_rows(network: nn.Module, arrays: ShotArrays, rows: IntArray, window: int) -> Tensor:
    """Return what a network makes of the scenes that begin at these running numbers, (N, W)."""
    device = next(network.parameters()).device
    parts = (rows[at : at + _BATCH] for at in range(0, len(rows), _BATCH))
    views = (plain_views(torch.from_numpy(arrays.scenes(part, window))) for part in parts)
    return torch.cat([network(view.to(device)).cpu() for view in views])
