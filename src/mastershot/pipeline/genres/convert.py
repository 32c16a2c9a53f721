"""Released data sets of genres, and vectors computed elsewhere, in our format."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from mastershot import __version__
from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.files import make_folder
from mastershot.datasets.genres.listing import ListedTrailer, write_listing, write_words
from mastershot.datasets.genres.mmx import LISTING, read_mmx
from mastershot.datasets.genres.table import GenreDataset, Trailer, write_genre_dataset
from mastershot.datasets.genres.trailers12k import read_trailers12k
from mastershot.datasets.genres.vectors import find_vectors
from mastershot.datasets.moviescope import read_moviescope
from mastershot.encoders.experts.kept import read_tensor
from mastershot.pipeline.genres.build import WORDS
from mastershot.pipeline.genres.card import write_card_text
from mastershot.pipeline.genres.words import words_about


@dataclass(frozen=True)
class Converted:
    """What came of a released data set.

    Attributes:
        dataset: In our format; None where there are no vectors.
        listing: A list of its trailers, which `genres build` reads; None where there are vectors.
        num_trailers: Its trailers.
        num_without: Those of which there is no vector.
    """

    dataset: GenreDataset | None
    listing: Path | None
    num_trailers: int
    num_without: int


def _moviescope(source: Path, fold: int) -> Sequence[ListedTrailer]:
    return [
        ListedTrailer(
            item,
            "",
            tuple(name for name, has in zip(labels.classes, row, strict=True) if has),
            split=split,
        )
        for split, labels in read_moviescope(source).items()
        for item, row in zip(labels.items, labels.truth, strict=True)
    ]


KINDS: Mapping[str, Callable[[Path, int], Sequence[ListedTrailer]]] = {
    "mmx": lambda source, fold: read_mmx(source),
    "trailers12k": lambda source, fold: read_trailers12k(source, fold=fold),
    "moviescope": _moviescope,
}


def convert_genres(
    kind: str,
    source: Path,
    out: Path,
    *,
    vectors: Path | None = None,
    fold: int = 0,
    name: str | None = None,
    licence: str = "",
) -> Converted:
    """Return a released data set in our format, or, without vectors, the list of its trailers.

    Args:
        kind: Which of `KINDS`.
        source: Its folder, or file.
        out: The new data set's folder.
        vectors: The folder with ``experts/<expert>/<id>.npy``; None looks beside the list.
        fold: Which of its splits is taken, where it has several.
        name: What the new data set is called; None takes its folder's name.
        licence: What the user says of its licence.

    Raises:
        SettingError: The kind is unknown.
        DatasetError: A file of it, or the folder of vectors, is missing, damaged, or contradicts
            another.
        OutputError: The folder cannot be written.
    """
    if kind not in KINDS:
        close = get_close_matches(kind, KINDS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(KINDS)}"
        raise SettingError(f"kind {kind!r} of data set is unknown; {hint}")
    listed = KINDS[kind](source, fold)
    if vectors is not None and not vectors.is_dir():
        raise DatasetError(f"{vectors} is no folder of vectors; it is to hold experts/NAME/ID.npy")
    place = vectors or (source if source.is_dir() else source.parent)
    found = find_vectors(place, [one.id for one in listed], read_tensor)
    make_folder(out)
    if found is None:
        write_listing(out / LISTING, listed)
        return Converted(None, out / LISTING, len(listed), len(listed))
    trailers = [
        Trailer(one.id, one.title, one.year, one.split, one.genres, found.num_clips.get(one.id, 0))
        for one in listed
    ]
    made = {"version": __version__, "from": kind, "licence": licence or "not stated"}
    if kind == "trailers12k":
        made["fold"] = str(fold)
    dataset = write_genre_dataset(
        out,
        trailers,
        lambda one: found.vectors(one.id),
        name=name or out.resolve().name,
        genres=sorted({genre for one in listed for genre in one.genres}),
        experts=found.experts,
        made_by=made,
        dtype=np.float32,
    )
    write_words(out / WORDS, {one.id: words_about(one, None, ()) for one in listed})
    write_card_text(dataset)
    without = sum(not one.num_clips for one in trailers)
    return Converted(dataset, None, len(listed), without)
