"""The MovieCLIP release's files: index, split files and tags, read and written.

Bose et al., "MovieCLIP: Visual Scene Recognition in Movies", WACV 2023; the files are those of
https://github.com/usc-sail/mica-MovieCLIP. Its taxonomy is text, one label a line:
`mastershot.core.labels.load_taxonomy` reads it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mastershot.core.errors import DatasetError
from mastershot.core.files import written_whole
from mastershot.core.labels import LabelScore, Taxonomy, load_taxonomy
from mastershot.datasets.files import object_members, read_text
from mastershot.datasets.tables.records import LabelledShot, ScoredShot

HUMAN_VERIFIED = "human-verified"
INDEX_FILE = "index.json"
"""The index beside split files of our own."""

_TAXONOMY_FILE = "MovieCLIP_taxonomy_split.txt"
_INDEX_FILE = "multi_label_thresh_0_4_0_1_label_map.json"
_SPLIT_FILES = {
    "train": "train_multi_label_thresh_0_4_0_1_150_labels.txt",
    "val": "val_multi_label_thresh_0_4_0_1_150_labels.txt",
    "test": "test_multi_label_thresh_0_4_0_1_150_labels.txt",
    HUMAN_VERIFIED: "test_shots_human_verified_multi_labels_v1_complete.txt",
}
_SPLIT_LINE = re.compile(r"(?P<video>.+)/(?P<file>[^/]+\.\w+)(?P<classes>(?: \d+)+)")
_SEGMENT = re.compile(r"v_(?P<clip>.+)_seg_\d+_\d+")
_SHOT_NUMBER = re.compile(r"-Scene-(\d+)\.\w+$")
_NUMBERS = ("start_frame", "end_frame", "start_time", "end_time")


@dataclass(frozen=True)
class MovieClipRelease:
    """The released taxonomy, index and splits.

    Attributes:
        taxonomy: The 179 labels.
        index: The 150 labels of the training subset, in the order of their indices.
        splits: Shots of ``train``, ``val``, ``test`` and ``human-verified``, in file order.
    """

    taxonomy: Taxonomy
    index: Taxonomy
    splits: Mapping[str, tuple[LabelledShot, ...]]


def read_release(folder: str | Path) -> MovieClipRelease:
    """Return what a folder with the released ``split_files`` holds.

    Raises:
        DatasetError: A file is missing or damaged.
        TaxonomyError: The taxonomy is.
    """
    folder = Path(folder)
    index = read_index(folder / _INDEX_FILE)
    splits = {
        name: read_split(folder / file, num_classes=len(index))
        for name, file in _SPLIT_FILES.items()
    }
    return MovieClipRelease(load_taxonomy(folder / _TAXONOMY_FILE), index, splits)


def read_split_folder(folder: str | Path) -> tuple[Taxonomy, dict[str, tuple[LabelledShot, ...]]]:
    """Return the index and the splits of a folder: the released one, or one that was selected.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    folder = Path(folder)
    if (folder / _INDEX_FILE).exists():
        release = read_release(folder)
        return release.index, dict(release.splits)
    index, order = read_index(folder / INDEX_FILE), [*_SPLIT_FILES]
    paths = {path.stem: path for path in sorted(folder.glob("*.txt"))}
    if not paths:
        raise DatasetError(f"folder {folder} holds no split; it should hold .txt files")
    names = sorted(paths, key=lambda name: order.index(name) if name in order else len(order))
    return index, {name: read_split(paths[name], num_classes=len(index)) for name in names}


def read_split_file(path: str | Path) -> tuple[Taxonomy, tuple[LabelledShot, ...]]:
    """Return one split file's shots, and the index that lies beside it.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    path = Path(path)
    released = path.parent / _INDEX_FILE
    index = read_index(released if released.exists() else path.parent / INDEX_FILE)
    return index, read_split(path, num_classes=len(index))


def is_split_folder(folder: str | Path) -> bool:
    """Return True if a folder holds an index of split files."""
    return any((Path(folder) / name).exists() for name in (INDEX_FILE, _INDEX_FILE))


def clip_of_video(video: str) -> str:
    """Return the clip a video was cut from: ``v_<clip>_seg_100_110`` is a piece of ``<clip>``.

    The human-verified shots are of VidSitu's pieces of clips; without this no overlap is seen.
    """
    piece = _SEGMENT.fullmatch(video)
    return piece["clip"] if piece else video


def shot_file_name(video: str, number: int) -> str:
    """Return the name of a shot's file, such as ``au9pGQ9AuUs-Scene-072.mp4``; counts from 1."""
    return f"{video}-Scene-{number:03}.mp4"


def number_of_shot(file: str) -> int | None:
    """Return a shot's number in its clip, from 1, by its file's name; None if that has none."""
    found = _SHOT_NUMBER.search(file)
    return int(found[1]) if found and int(found[1]) > 0 else None


def read_index(path: str | Path) -> Taxonomy:
    """Return the labels of a JSON index ``{label: place}``, in the order of their places.

    Raises:
        DatasetError: The file is unreadable, or the places are not 0, 1, 2 …, each once.
    """
    path = Path(path)
    try:
        places = json.loads(read_text(path, what="label index"))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"label index {path} is not valid JSON: {error}") from error
    if not isinstance(places, dict) or not places:
        raise DatasetError(f"label index {path} should be a JSON object of label and place")
    numbers = list(places.values())
    if {type(place) for place in numbers} != {int} or sorted(numbers) != [*range(len(numbers))]:
        raise DatasetError(
            f"label index {path} should number its {len(numbers)} labels from 0 to "
            f"{len(numbers) - 1}, each once"
        )
    return Taxonomy(path.stem, tuple(sorted(places, key=places.__getitem__)))


def write_index(path: Path, classes: Taxonomy) -> None:
    """Write an index as released.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    with written_whole(path) as file:
        json.dump({label: place for place, label in enumerate(classes.labels)}, file, indent=4)


def read_split(path: str | Path, *, num_classes: int) -> tuple[LabelledShot, ...]:
    """Return the shots of a split file: ``<video>/<shot file> <place> [<place> …]`` a line.

    Raises:
        DatasetError: The file is unreadable or empty, or a line is wrong or repeats a name.
    """
    shots: dict[tuple[str, str], LabelledShot] = {}
    for number, line in enumerate(read_text(Path(path), what="split file").splitlines(), start=1):
        where = f"split file {path}, line {number}"
        parts = _SPLIT_LINE.fullmatch(line.rstrip())
        if not parts:
            raise DatasetError(
                f"{where}: {line[:80]!r} should be a video, a slash, a shot file and its classes"
            )
        name, classes = (parts["video"], parts["file"]), tuple(map(int, parts["classes"].split()))
        if max(classes) >= num_classes:
            raise DatasetError(f"{where}: class {max(classes)} is not in an index of {num_classes}")
        if name in shots or len(set(classes)) < len(classes):
            raise DatasetError(f"{where}: {line[:80]!r} names a shot or a class a second time")
        shots[name] = LabelledShot(*name, classes)
    if not shots:
        raise DatasetError(f"split file {path} is empty; it should hold one shot a line")
    return tuple(shots.values())


def write_split(path: Path, shots: Iterable[LabelledShot]) -> None:
    """Write shots as a split file.

    Raises:
        DatasetError: A name cannot stand in such a file, such as one with a line break.
        OutputError: The file cannot be written; what was there before stays.
    """
    with written_whole(path) as file:
        for shot in shots:
            line = " ".join([f"{shot.video}/{shot.file}", *map(str, shot.classes)])
            parts = _SPLIT_LINE.fullmatch(line)
            if not parts or parts["file"] != shot.file or len(line.splitlines()) != 1:
                raise DatasetError(
                    f"shot {shot.file!r} of {shot.video!r} cannot stand in a split file; a line "
                    "holds a video, a shot file with an ending, and classes"
                )
            file.write(f"{line}\n")


def read_tags(path: str | Path) -> Iterator[ScoredShot]:
    """Yield the shots of a ``movieCLIP_dataset.json``, clip by clip, in memory of one clip.

    Frames count from 0 and the end is excluded, as in the release: its times are its frame
    numbers over the frame rate. Labels come best first.

    Raises:
        DatasetError: The file is unreadable, not of this layout, or names a clip twice.
    """
    videos: set[str] = set()
    for video, shots in object_members(Path(path), what="tags"):
        if video in videos:
            raise DatasetError(f"tags {path} name clip {video!r} twice; keep one")
        videos.add(video)
        if not isinstance(shots, dict):
            raise DatasetError(f"tags {path}: clip {video!r} should hold an object of shots")
        for file, values in shots.items():
            yield _shot_of_tags(f"tags {path}, {file!r}", (video, file), values)


def write_tags(path: Path, shots: Iterable[ScoredShot]) -> None:
    """Write shots as a ``movieCLIP_dataset.json``, a line a clip, in memory of one clip.

    Raises:
        DatasetError: The shots of a clip do not follow each other, or a shot comes twice.
        OutputError: The file cannot be written; what was there before stays.
    """
    videos: set[str] = set()
    with written_whole(path) as file:
        file.write("{")
        for video, group in groupby(shots, key=lambda shot: shot.video):
            if video in videos:
                raise DatasetError(f"clip {video!r} comes twice; its shots should come in one run")
            tags: dict[str, Any] = {}
            for shot in group:
                if shot.file in tags:
                    raise DatasetError(f"clip {video!r} holds shot {shot.file!r} twice; keep one")
                numbers = float(shot.start_frame), float(shot.end_frame), shot.start_s, shot.end_s
                labels = {label.name: label.score for label in shot.labels}
                tags[shot.file] = dict(zip(_NUMBERS, numbers, strict=True)) | {"labels": labels}
            file.write(",\n" if videos else "\n")
            file.write(f"{json.dumps(video)}: {json.dumps(tags)}")
            videos.add(video)
        file.write("\n}\n")


def _shot_of_tags(where: str, name: tuple[str, str], values: Any) -> ScoredShot:
    labels = values.get("labels") if isinstance(values, dict) else None
    if not isinstance(labels, dict):
        raise DatasetError(f"{where} should hold {', '.join(_NUMBERS)} and labels")
    numbers = [values.get(key) for key in _NUMBERS]
    if not all(_is_number(value) and value >= 0 for value in numbers):
        raise DatasetError(f"{where}: {', '.join(_NUMBERS)} should be numbers, not {numbers}")
    if not all(_is_number(score) and 0 <= score <= 1 for score in labels.values()):
        raise DatasetError(f"{where}: every label should have a score from 0 to 1, not {labels}")
    first, end, start_s, end_s = numbers
    best = sorted(labels.items(), key=lambda item: -item[1])
    scored = tuple(LabelScore(label, float(score)) for label, score in best)
    return ScoredShot(*name, int(first), int(end), float(start_s), float(end_s), scored)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
