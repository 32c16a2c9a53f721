"""HVU's tags: 3,142 names in six categories, 248 of them scenes (Diba et al., ECCV 2020)."""

from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.files import read_table

_WHAT = "HVU tag list"


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
