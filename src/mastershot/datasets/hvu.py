"""HVU: parts of web videos with tags (Diba et al., ECCV 2020).

As released (github.com/holistic-video-understanding/HVU-Dataset): 3,142 tags in six categories, 248
of them scenes, in ``HVU_Tags_Categories_V1.0.csv``; and in ``HVU_Train_V1.0.csv`` and
``HVU_Val_V1.0.csv`` one part of a video a line, ``Tags,youtube_id,time_start,time_end``, the tags
separated by ``|``, the times in seconds. Its authors hand out the test videos on request.
"""

from pathlib import Path

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.files import Row, by_key, read_table
from mastershot.datasets.video_labels import VideoLabels

TAGS_FILE = "HVU_Tags_Categories_V1.0.csv"
SPLIT_FILES = {"train": "HVU_Train_V1.0.csv", "val": "HVU_Val_V1.0.csv"}
_WHAT = "HVU tag list"
_VIDEOS = "HVU videos"


def read_hvu_tags(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Return the tags of each category in file order, as released (``musical_theatre``).

    Raises:
        DatasetError: The file is unreadable, not a table of tags, or names no tag.
    """
    tags: dict[str, tuple[str, ...]] = {}
    for row in read_table(Path(path), ("Tag", "Category"), what=_WHAT):
        tag, category = row["Tag"].strip(), row["Category"].strip()
        if not tag or not category:
            raise row.error("a tag or a category is missing")
        tags[category] = (*tags.get(category, ()), tag)
    if not tags:
        raise DatasetError(f"{_WHAT} {path} is empty; it should hold one tag a line")
    return tags


def read_hvu_labels(path: str | Path, category: str = "scene") -> Taxonomy:
    """Return the tags of one category as labels: words, not underscores (``musical theatre``).

    Raises:
        DatasetError: As `read_hvu_tags`, or the category is unknown.
        TaxonomyError: A label is named twice.
    """
    tags = read_hvu_tags(path)
    if category not in tags:
        raise DatasetError(
            f"{_WHAT} {path} has no category {category!r}; it has {', '.join(sorted(tags))}"
        )
    labels = (" ".join(tag.replace("_", " ").split()) for tag in tags[category])
    return Taxonomy(f"hvu-{category}", tuple(labels))


def read_hvu_videos(
    path: str | Path, tags: dict[str, tuple[str, ...]], category: str = "scene"
) -> VideoLabels:
    """Return the parts of videos that have a tag of one category, in file order.

    An item is named as HVU's downloader names its file: ``<youtube_id>_<start>_<end>``, whole
    seconds in six digits.

    Args:
        path: ``HVU_Train_V1.0.csv``, ``HVU_Val_V1.0.csv``, or a file like them.
        tags: The tags of all categories, of `read_hvu_tags`.
        category: A category.

    Raises:
        DatasetError: The file is unreadable or of another layout, the category or a tag is
            unknown, a part of a video is listed twice, or none has a tag of the category.
    """
    if category not in tags:
        raise DatasetError(f"HVU has no category {category!r}; it has {', '.join(sorted(tags))}")
    columns = {tag: place for place, tag in enumerate(tags[category])}
    known = {tag for of_category in tags.values() for tag in of_category}
    rows = read_table(Path(path), ("Tags", "youtube_id", "time_start", "time_end"), what=_VIDEOS)
    items, videos, found = [], [], []
    for item, row in by_key(rows, _item_name).items():
        names = row["Tags"].split("|")
        if unknown := [name for name in names if name not in known]:
            raise row.error(f"tag {unknown[0]!r} is none of the {len(known):,} of the tag list")
        if of_category := [columns[name] for name in names if name in columns]:
            items.append(item)
            videos.append(row["youtube_id"])
            found.append(of_category)
    if not items:
        raise DatasetError(f"{_VIDEOS} {path}: none has a tag of category {category!r}")
    truth = np.zeros((len(items), len(columns)), np.bool_)
    for has, of_category in zip(truth, found, strict=True):
        has[of_category] = True
    return VideoLabels(tuple(items), tuple(videos), truth, tuple(columns))


def _item_name(row: Row) -> str:
    times = [row.read(column, _seconds, "seconds from 0") for column in ("time_start", "time_end")]
    if not row["youtube_id"] or not times[0] < times[1]:
        raise row.error("a video's id is missing, or a part of it ends before it starts")
    return f"{row['youtube_id']}_{int(times[0]):06d}_{int(times[1]):06d}"


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds
