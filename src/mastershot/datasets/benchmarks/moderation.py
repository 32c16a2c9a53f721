"""Clips labelled for moderation: sex, violence, drug use, or none of them.

The Mature Content Dataset of Movies2Scenes (section 4.4) is not released; this reads clips of one's
own. Either a folder ``<class>/<clip>`` or ``<split>/<class>/<clip>``, or a CSV with the columns
``clip`` and ``label`` and, if wanted, ``split`` and ``film``.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.core.files import reporting_errors
from mastershot.datasets.files import read_table

CLASSES = ("sex", "violence", "drug-use", "none")
SPLITS = ("train", "val", "test")
_SHARES = (0.7, 0.8)
"""Where val and test begin, as shares: 70, 10 and 20 %, those of the paper."""
_WHAT = "moderation labels"


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip, its class, and the film it is of (the clip itself where that is not known)."""

    clip: str
    label: int
    film: str


def read_moderation(path: str | Path) -> dict[str, tuple[LabelledClip, ...]]:
    """Return the clips of each of `SPLITS`.

    A clip of a folder is called by its file's name without the suffix. Where no split is given, a
    film's clips (or a clip) go to train, val or test by a digest of its name, 70, 10 and 20 %.

    Raises:
        DatasetError: It is neither, a class or split is unknown, a clip has several labels, or a
            split has no clip.
    """
    path = Path(path)
    rows = list(_of_folder(path) if path.is_dir() else _of_table(path))
    seen: dict[str, tuple[int, str]] = {}
    splits: dict[str, list[LabelledClip]] = {split: [] for split in SPLITS}
    for clip, split in rows:
        if clip.clip in seen:
            label, other = seen[clip.clip]
            raise DatasetError(
                f"{_WHAT} {path}: clip {clip.clip!r} is {CLASSES[label]} in {other} and "
                f"{CLASSES[clip.label]} in {split}; one label a clip is expected, once"
            )
        seen[clip.clip] = clip.label, split
        splits[split].append(clip)
    for split, clips in splits.items():
        if not clips:
            raise DatasetError(f"{_WHAT} {path}: no clip of {len(rows)} is in {split}")
    return {split: tuple(clips) for split, clips in splits.items()}


def class_of(text: str, where: str) -> int:
    """Return the number of a class; spaces and underscores stand for hyphens.

    Raises:
        DatasetError: It is none, or several.
    """
    plain = text.strip().lower().replace("_", "-").replace(" ", "-")
    if plain not in CLASSES:
        several = any(mark in text for mark in ";|,")
        hint = "one label a clip is expected, " if several else "it should be "
        raise DatasetError(f"{where}: label is {text!r}; {hint}one of {', '.join(CLASSES)}")
    return CLASSES.index(plain)


def _of_table(path: Path) -> Iterator[tuple[LabelledClip, str]]:
    for row in read_table(path, ("clip", "label"), what=_WHAT):
        clip, film = row["clip"], row.get("film") or row["clip"]
        if not clip:
            raise row.error("clip is empty")
        split = row.get("split") or _split_of(film)
        if split not in SPLITS:
            raise row.error(f"split is {split!r}, which should be one of {', '.join(SPLITS)}")
        label = class_of(row["label"], f"{row.source}, line {row.line}")
        yield LabelledClip(clip, label, film), split


def _of_folder(folder: Path) -> Iterator[tuple[LabelledClip, str]]:
    with reporting_errors(DatasetError, f"{_WHAT} {folder} cannot be read"):
        inner = sorted(path for path in folder.iterdir() if path.is_dir())
        has_splits = bool(inner) and all(path.name in SPLITS for path in inner)
        classes = [(path, "") for path in inner]
        if has_splits:
            classes = [
                (path, split.name)
                for split in inner
                for path in sorted(split.iterdir())
                if path.is_dir()
            ]
        for path, split in classes:
            label = class_of(path.name, f"{_WHAT} {folder}")
            for file in sorted(path.iterdir()):
                if file.is_file() and not file.name.startswith("."):
                    yield LabelledClip(file.stem, label, file.stem), split or _split_of(file.stem)


def _split_of(name: str) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=4).digest()
    share = int.from_bytes(digest, "big") / (1 << 32)
    return SPLITS[sum(share >= start for start in _SHARES)]
