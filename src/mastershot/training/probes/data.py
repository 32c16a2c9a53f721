"""The labels of a data set's videos joined with their features."""
# N videos, C classes, R vectors of a video, D width of a vector

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import SettingError
from mastershot.core.files import make_folder
from mastershot.datasets.hvu import SPLIT_FILES, TAGS_FILE, read_hvu_tags, read_hvu_videos
from mastershot.datasets.moviescope import read_moviescope
from mastershot.datasets.tables.feature_table import FeatureTable, read_features, writing_features
from mastershot.datasets.video_labels import VideoLabels
from mastershot.synthetic.labelled_videos import (
    SETS,
    WIDTH,
    DrawnVideos,
    draw_hvu,
    draw_moviescope,
    write_hvu,
    write_moviescope,
)
from mastershot.training.probes.settings import LabelledVideosRecipe, ProbeRecipe

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class VideoVectors(Sequence[FloatArray]):
    """Vectors of videos, (R, D) each: the first in order, from the file, or the mean alone.

    Attributes:
        table: The features.
        places: Place of each video in the table, shape (N,).
        means: Mean vector of each video, shape (N, D), or None to read the vectors of a video.
        most: How many vectors of a video are read, from the first on; None for all.
    """

    table: FeatureTable
    places: IntArray
    means: FloatArray | None
    most: int | None = None

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, video: int) -> FloatArray: ...

    @overload
    def __getitem__(self, video: slice) -> "VideoVectors": ...

    def __getitem__(self, video: int | slice) -> "FloatArray | VideoVectors":
        if isinstance(video, slice):
            means = None if self.means is None else self.means[video]
            return replace(self, places=self.places[video], means=means)
        if self.means is not None:
            return self.means[video, None]
        return self.table.rows(int(self.places[video]), self.most)


@dataclass(frozen=True, eq=False)
class ProbeSplit:
    """The videos of a split that have features.

    Attributes:
        labels: Their names and classes.
        vectors: Their vectors.
        num_missing: Videos of the split that have none.
    """

    labels: VideoLabels
    vectors: VideoVectors
    num_missing: int


def read_inputs(recipe: ProbeRecipe) -> dict[str, ProbeSplit]:
    """Return each of `SPLITS`: its videos that have features.

    Annotations and features are drawn first where the recipe says so.

    Raises:
        DatasetError: Annotations or features are unreadable or not laid out as they should be.
        SettingError: A split has no video with features and a class.
        OutputError: What is drawn cannot be written.
    """
    if recipe.is_to_be_drawn:
        _draw(recipe)
    labels = read_labels(recipe)
    table = read_features(recipe.features_path)
    splits = {}
    for split, of_split in labels.items():
        places = table.find(of_split.items)
        found = np.flatnonzero(places >= 0)
        if not len(found):
            first = f", such as {of_split.items[0]}" if len(of_split) else ""
            raise SettingError(
                f"features {recipe.features_path} have none of the {len(of_split)} videos of "
                f"split {split}{first}"
            )
        kept = of_split.at(found)
        if not kept.truth.any():
            raise SettingError(f"no video of split {split} that has features has a class")
        means = table.means(places[found]) if recipe.network.kind == "mlp" else None
        vectors = VideoVectors(table, places[found], means, recipe.network.max_steps)
        splits[split] = ProbeSplit(kept, vectors, len(of_split) - len(found))
    return splits


def read_labels(recipe: LabelledVideosRecipe) -> dict[str, VideoLabels]:
    """Return the labelled videos of each of `SPLITS`.

    Raises:
        DatasetError: The annotations are unreadable or not laid out as released.
    """
    if recipe.dataset == "hvu":
        return _hvu_labels(recipe)
    return read_moviescope(recipe.annotations_path)


def draw_labels(recipe: LabelledVideosRecipe) -> DrawnVideos:
    """Return the videos that a recipe draws, in a folder that is made for their annotations."""
    make_folder(recipe.annotations_path)
    draw = draw_hvu if recipe.dataset == "hvu" else draw_moviescope
    return draw(recipe.drawn_videos)


def write_labels(recipe: LabelledVideosRecipe, drawn: DrawnVideos) -> None:
    """Write the annotations of drawn videos; as the last, since they mean that all is there."""
    write = write_hvu if recipe.dataset == "hvu" else write_moviescope
    write(recipe.annotations_path, drawn)


def is_for_validation(video: str, share: float) -> bool:
    """Return whether a video of HVU's training split decides which epoch is best.

    It follows from the video's id alone, so all parts of a video go together.
    """
    digest = hashlib.blake2b(video.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") < share * (1 << 32)


def _hvu_labels(recipe: LabelledVideosRecipe) -> dict[str, VideoLabels]:
    folder = recipe.annotations_path
    tags = read_hvu_tags(folder / TAGS_FILE)
    released = {
        split: read_hvu_videos(folder / name, tags, recipe.category)
        for split, name in SPLIT_FILES.items()
    }
    train, share = released["train"], recipe.validation_share
    held_out = np.array([is_for_validation(video, share) for video in train.videos])
    return {
        "train": train.at(np.flatnonzero(~held_out)),
        "val": train.at(np.flatnonzero(held_out)),
        "test": released["val"],
    }


def _draw(recipe: ProbeRecipe) -> None:
    """Write drawn features, in folders named by `SETS`, and their annotations."""
    drawn = draw_labels(recipe)
    for name in SETS:
        folder = recipe.features_path.parent / name
        if folder.exists():
            continue
        made_by = {"drawn": name, "videos": recipe.drawn_videos}
        with writing_features(folder, width=WIDTH, dtype="float32", made_by=made_by) as add:
            for item, vectors in zip(drawn.items, drawn.vectors[name], strict=True):
                add(item, vectors)
    write_labels(recipe, drawn)
