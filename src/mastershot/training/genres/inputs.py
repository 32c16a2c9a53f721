"""From a data set of genres to batches: sequences of clips, padded and masked."""
# B trailers, S sequences, L clips of a sequence, E experts, G genres

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.genres.duplicates import require_no_duplicates
from mastershot.datasets.genres.table import SPLITS, Expert, GenreDataset, read_genre_dataset
from mastershot.encoders.genre_model import is_expert_name
from mastershot.models.genres.sequences import clips_seen, in_sequences
from mastershot.training.genres.settings import CoarseSettings

_MAX_IN_MEMORY = 1 << 30  # bytes; larger data sets are read anew in each epoch


@dataclass(frozen=True, eq=False)
class GenreInputs:
    """A data set as a recipe sees it.

    Attributes:
        data: The data set.
        experts: The experts in use, in order.
        clips: Clips of a sequence.
        sequences: Most sequences of a trailer.
    """

    data: GenreDataset
    experts: tuple[Expert, ...]
    clips: int
    sequences: int

    def batch(self, trailers: Sequence[int]) -> tuple[dict[str, Tensor], Tensor]:
        """Return the experts' vectors, each (B, S, L, D) or in pieces, and which there are.

        The latter is (B, S, L, E). S is as many sequences as the longest trailer has.
        """
        chosen = [
            clips_seen(
                self.data.trailers[one].num_clips, length=self.clips, sequences=self.sequences
            )
            for one in trailers
        ]
        found = [
            {expert.name: self._vectors(expert.name, one)[clips] for expert in self.experts}
            for one, clips in zip(trailers, chosen, strict=True)
        ]
        return in_sequences(found, {one.name: one.shape for one in self.experts}, self.clips)

    def truth(self, trailers: IntArray) -> Tensor:
        """Return which genres trailers have, float32 (B, G)."""
        return torch.from_numpy(self.data.truth[trailers]).float()

    def statistics(self, expert: Expert, trailers: IntArray) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of each feature over the clips of some trailers."""
        count, total, squares = 0, 0.0, 0.0
        for trailer in trailers.tolist():
            rows = self._vectors(expert.name, trailer).reshape(-1, expert.width).astype(np.float64)
            rows = rows[np.isfinite(rows).all(axis=1)]
            count += len(rows)
            total, squares = total + rows.sum(axis=0), squares + np.square(rows).sum(axis=0)
        if not count:
            raise DatasetError(
                f"expert {expert.name} of {self.data.folder} has nothing to say of any trailer of "
                "split train; leave it out with experts"
            )
        mean = np.asarray(total) / count
        deviation = np.sqrt(np.maximum(np.asarray(squares) / count - mean**2, 0))
        return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()

    def _vectors(self, expert: str, trailer: int) -> FloatArray:
        if not self._is_small:
            return self.data.vectors(expert, trailer)
        kept = self._kept.get((expert, trailer))
        if kept is None:
            kept = self._kept[expert, trailer] = self.data.vectors(expert, trailer)
        return kept

    @cached_property
    def _is_small(self) -> bool:
        numbers = sum(int(np.prod(expert.shape)) for expert in self.experts)
        return 4 * numbers * int(self.data.starts[-1]) <= _MAX_IN_MEMORY

    @cached_property
    def _kept(self) -> dict[tuple[str, int], FloatArray]:
        return {}


def open_inputs(recipe: CoarseSettings) -> GenreInputs:
    """Return a recipe's data set, checked.

    Raises:
        DatasetError: It cannot be read, or trailers of two splits are the same.
        SettingError: An expert is unknown, a split has no trailer, or a genre no trailer of
            split train.
    """
    data = read_genre_dataset(recipe.dataset_path)
    for name in recipe.experts:
        if name not in data.experts:
            raise SettingError(
                f"expert {name} is not in {data.folder}; it has {', '.join(data.experts)}"
            )
    for name in recipe.experts or data.experts:
        if not is_expert_name(name):
            raise SettingError(
                f"expert {name!r} of {data.folder} has a name that no network can hold; rename it "
                "in the card and in experts/, to letters, digits, _ and -"
            )
    sizes = {name: len(data.split(name)) for name in SPLITS}
    for name, size in sizes.items():
        if not size:
            raise SettingError(
                f"split {name} of {data.folder} has no trailer with a clip and a genre; the column "
                f"split of its trailers.csv says which is in which of {', '.join(SPLITS)}"
            )
    counts = data.truth[data.split("train")].sum(axis=0)
    for genre, count in zip(data.genres, counts.tolist(), strict=True):
        if not count:
            raise SettingError(
                f"genre {genre} has no trailer in split train of {data.folder}; nothing can be "
                "learned of it: leave it out of the card and of trailers.csv, or move a trailer"
            )
    if recipe.duplicates == "refuse":
        require_no_duplicates(data)
    names = recipe.experts or tuple(data.experts)
    network = recipe.network
    return GenreInputs(
        data, tuple(data.experts[name] for name in names), network.clips, network.sequences
    )
