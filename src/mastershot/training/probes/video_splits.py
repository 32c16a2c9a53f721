"""Labelled videos as split files with a list of their films, which recipes of tagging train on."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mastershot.core.errors import SettingError
from mastershot.core.files import make_folder, written_whole
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import INDEX_FILE, write_index, write_split
from mastershot.datasets.tables.records import LabelledShot
from mastershot.datasets.video_labels import VideoLabels
from mastershot.media.films import films_by_name
from mastershot.synthetic.labelled_videos import write_films
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.probes.data import draw_labels, read_labels, write_labels
from mastershot.training.probes.settings import VideoSplitsRecipe, missing_video_inputs

FILMS_LIST = "shots.csv"


@dataclass(frozen=True)
class VideoSplits:
    """What was written.

    Attributes:
        folder: The folder of split files, index and list of films.
        written: Videos of each split.
        without_film: Videos of each split that have no film.
        without_class: Videos of each split that have a film and no class.
    """

    folder: Path
    written: Mapping[str, int]
    without_film: Mapping[str, int]
    without_class: Mapping[str, int]


def write_video_splits(
    recipe: VideoSplitsRecipe, out: Path, on_progress: OnProgress = no_progress
) -> VideoSplits:
    """Return the split files of those videos of a data set that have a film and a class.

    Raises:
        SettingError: Annotations or films are missing, two films have one name, a split has no
            video with a film and a class, or the folder is another recipe's.
        DatasetError: The annotations are not laid out as released.
        OutputError: The folder cannot be written.
    """
    missing = missing_video_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(INDEX_FILE, FILMS_LIST)):
        if recipe.is_to_be_drawn:
            drawn = draw_labels(recipe)
            make_folder(recipe.videos_path)
            write_films(recipe.videos_path, drawn)
            write_labels(recipe, drawn)
        films = films_by_name(recipe.videos_path.resolve())
        labels = read_labels(recipe)
        splits = {}
        for done, (split, of_split) in enumerate(labels.items(), 1):
            splits[split] = _shots(of_split, films)
            if not splits[split]:
                raise SettingError(
                    f"videos {recipe.videos_path} have no film of the {len(of_split)} videos of "
                    f"split {split}, such as {of_split.items[0]}.mp4"
                )
            on_progress("finding films", done, len(labels), {})
        _write(out, labels["train"].classes, splits, films)
    found = {name: sum(item in films for item in part.items) for name, part in labels.items()}
    return VideoSplits(
        out,
        {name: len(shots) for name, shots in splits.items()},
        {name: len(labels[name]) - number for name, number in found.items()},
        {name: number - len(splits[name]) for name, number in found.items()},
    )


def _shots(labels: VideoLabels, films: Mapping[str, Path]) -> list[LabelledShot]:
    return [
        LabelledShot(video, films[item].name, tuple(np.flatnonzero(has).tolist()))
        for video, item, has in zip(labels.videos, labels.items, labels.truth, strict=True)
        if item in films and has.any()
    ]


def _write(
    out: Path,
    classes: tuple[str, ...],
    splits: Mapping[str, list[LabelledShot]],
    films: Mapping[str, Path],
) -> None:
    path_of = {path.name: path for path in films.values()}
    with written_whole(out / FILMS_LIST, newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("video", "file", "path", "start_s", "end_s"))
        for shots in splits.values():
            rows.writerows((shot.video, shot.file, path_of[shot.file], "", "") for shot in shots)
    for split, shots in splits.items():
        write_split(out / f"{split}.txt", shots)
    write_index(out / INDEX_FILE, Taxonomy("classes", classes))
