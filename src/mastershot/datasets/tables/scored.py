"""A data set of scored shots, whatever it is kept in: our folder, a table, or the released JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import read_tags
from mastershot.datasets.tables.records import ScoredShots, columns_of
from mastershot.datasets.tables.score_table import open_scores

TAGS_FILE = "movieCLIP_dataset.json"
"""The released JSON form, under its released name."""
SCORE_TABLES = ("scores.parquet", "scores.lance")

_PIECE_SHOTS = 1 << 14


class ScoredDataset(Protocol):
    """Scored shots that can be read again and again, a piece at a time."""

    @property
    def taxonomy(self) -> Taxonomy:
        """What the shots were scored with."""

    def batches(self) -> Iterator[ScoredShots]:
        """Yield the shots in pieces, those of a clip one after the other."""


@dataclass(frozen=True)
class TagFile:
    """A ``movieCLIP_dataset.json``.

    Attributes:
        path: The file.
        taxonomy: What its shots were labelled with.
    """

    path: Path
    taxonomy: Taxonomy

    def batches(self) -> Iterator[ScoredShots]:
        """Yield the shots in pieces; their scores are the decimals of the file, as doubles.

        Raises:
            DatasetError: The file is unreadable, or has a label that the taxonomy lacks.
        """
        shots = read_tags(self.path)
        while piece := list(islice(shots, _PIECE_SHOTS)):
            yield columns_of(piece, self.taxonomy, dtype=np.float64)


def open_dataset(path: str | Path, taxonomy: Taxonomy) -> ScoredDataset:
    """Return the scored shots at a path.

    Args:
        path: A folder of ``label build``, a table of scores or a folder of such, or a JSON file.
        taxonomy: What the shots of a JSON file were labelled with; a table names its own.

    Raises:
        DatasetError: There is no data set, or it is damaged.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(
            f"there is no data set at {path}; `mastershot label build CLIPS --out {path}` makes one"
        )
    if path.suffix not in {".json", ".parquet", ".lance"}:
        files = [path / name for name in (*SCORE_TABLES, TAGS_FILE)]
        files += [path] if any(path.glob("*.parquet")) else []
        found = next(filter(Path.exists, files), None)
        if found is None:
            raise DatasetError(
                f"{path} is no data set: it is neither a table of scores nor a folder with "
                f"{', '.join(SCORE_TABLES)} or {TAGS_FILE}; `mastershot label build` makes one"
            )
        path = found
    return TagFile(path, taxonomy) if path.suffix == ".json" else open_scores(path)
