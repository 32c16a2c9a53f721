"""Sub-genres of a run's embeddings: read with the data set they are of, analysed, written."""
# T trailers, D width, E experts, M triplets

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mastershot import __version__
from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError, GenresError
from mastershot.core.files import make_folder
from mastershot.datasets.files import read_table
from mastershot.datasets.genres.embeddings import EMBEDDINGS, RunEmbeddings, read_embeddings
from mastershot.datasets.genres.table import GenreDataset, read_genre_dataset
from mastershot.exports.pages.subgenres import write_subgenres_page
from mastershot.exports.subgenres import (
    subgenre_facts,
    subgenre_lines,
    write_subgenres_csv,
    write_subgenres_json,
)
from mastershot.genres.analysis import Analysis, Questions, analyse_subgenres
from mastershot.genres.clustering import ClusterSettings
from mastershot.genres.maps import Layout, layouts_here
from mastershot.genres.trailers import TrailerSet
from mastershot.genres.words import count_words

WORDS = "words.csv"
PLAIN_WEIGHT = 1.0
"""The weight of a text whose row in `WORDS` states none."""


@dataclass(frozen=True)
class SubGenreRequest:
    """What is asked for.

    Attributes:
        run: Folder that holds ``embeddings.npz``.
        dataset: Folder of the data set of genres that the embeddings are of.
        settings: How trailers are grouped.
        within: Only trailers of this coarse genre, if given.
        layouts: The maps; all that can be drawn here, if not given.
        triplets: A CSV file with columns ``anchor``, ``closer``, ``farther`` of ids, if given.
        out: Where files are written; a folder in the run's, if not given.
    """

    run: Path
    dataset: Path
    settings: ClusterSettings = field(default_factory=ClusterSettings)
    within: str | None = None
    layouts: tuple[Layout, ...] | None = None
    triplets: Path | None = None
    out: Path | None = None

    @property
    def folder(self) -> Path:
        """Where files are written."""
        name = "subgenres" if self.within is None else f"subgenres-{_file_part(self.within)}"
        return self.out or self.run / name


@dataclass(frozen=True, eq=False)
class SubGenreReport:
    """What was found and written.

    Attributes:
        analysis: What was found.
        facts: The same as JSON takes it.
        lines: The same for people.
        notes: Sentences the reader should know.
        page: The page.
    """

    analysis: Analysis
    facts: Mapping[str, Any]
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    page: Path


def report_subgenres(request: SubGenreRequest) -> SubGenreReport:
    """Find sub-genres and write ``subgenres.json``, ``subgenres.csv`` and ``subgenres.html``.

    Neighbours are counted for trailers of the test split alone where there is one, since genres of
    the others have been seen in training.

    Raises:
        DatasetError: A file is missing or damaged, or the embeddings are not of the data set.
        GenresError: Embeddings are not finite or all equal, trailers too few, a genre unknown.
        MiningError: A map needs UMAP, which is not installed.
        OutputError: A file cannot be written.
    """
    data = read_genre_dataset(request.dataset)
    made = read_embeddings(request.run)
    trailers, splits = trailers_of(made, data)
    coarse, fine = made.coarse, made.fine
    if request.within is not None:
        rows = trailers.rows_of(request.within)
        trailers, splits = trailers.within(request.within), [splits[row] for row in rows]
        coarse, fine = coarse[rows], fine[rows]
    tested = np.array([place for place, split in enumerate(splits) if split == "test"], np.int64)
    triplets, notes = None, list(_notes(data, made, trailers, tested))
    if request.triplets is not None:
        triplets, num_left_out = read_triplets(request.triplets, trailers.ids)
        if num_left_out:
            notes.append(f"{num_left_out:,} triplets name a trailer without an embedding here")
    questions = Questions(
        layouts=request.layouts or layouts_here(),
        queries=tested if len(tested) else None,
        triplets=triplets,
    )
    analysis = analyse_subgenres(trailers, coarse, fine, request.settings, questions)
    return _write(request, data, analysis, tuple(notes))


def _write(
    request: SubGenreRequest, data: GenreDataset, analysis: Analysis, notes: tuple[str, ...]
) -> SubGenreReport:
    folder = request.folder
    made_by = {
        "version": __version__,
        "embeddings": str(request.run / EMBEDDINGS),
        "dataset": data.name,
        "within": request.within,
        "notes": list(notes),
    }
    facts = subgenre_facts(analysis, made_by)
    make_folder(folder)
    write_subgenres_json(facts, folder / "subgenres.json")
    write_subgenres_csv(analysis, folder / "subgenres.csv")
    page = folder / "subgenres.html"
    title = f"Sub-genres of {data.name}"
    if request.within is not None:
        title = f"Sub-genres of {request.within}, {data.name}"
    write_subgenres_page(analysis, page, title=title, notes=notes)
    lines = (*subgenre_lines(analysis), f"→ {page}")
    return SubGenreReport(analysis, facts, lines, notes, page)


def trailers_of(made: RunEmbeddings, data: GenreDataset) -> tuple[TrailerSet, list[str]]:
    """Return what a data set knows of the trailers of some embeddings, and the split of each.

    Raises:
        DatasetError: An id is unknown or repeated, experts are of another number, or the words
            cannot be read.
    """
    place_of = {one.id: place for place, one in enumerate(data.trailers)}
    if unknown := [name for name in made.trailers if name not in place_of]:
        raise DatasetError(
            f"{len(unknown):,} of {len(made.trailers):,} trailers of {made.path}, such as "
            f"{unknown[0]!r}, are not in the data set {data.folder}; name the data set that they "
            "were trained on"
        )
    if len(set(made.trailers)) < len(made.trailers):
        twice = next(name for name in made.trailers if made.trailers.count(name) > 1)
        raise DatasetError(f"{made.path} has trailer {twice!r} twice; each should be there once")
    experts = made.experts or tuple(data.experts)
    if len(experts) != made.opened.shape[1]:
        raise DatasetError(
            f"{made.path} has gates of {made.opened.shape[1]} experts, but "
            f"{len(experts)} are named: {', '.join(experts) or 'none'}"
        )
    places = [place_of[name] for name in made.trailers]
    chosen = [data.trailers[place] for place in places]
    texts = read_words(data.folder / WORDS, place_of)
    film_of: dict[str, int] = {}
    films = [film_of.setdefault(one.content_hash or f"id {one.id}", len(film_of)) for one in chosen]
    known = TrailerSet(
        ids=made.trailers,
        titles=tuple(one.title for one in chosen),
        years=tuple(one.year for one in chosen),
        genres=data.genres,
        truth=data.truth[places],
        words=tuple(count_words(texts.get(name, ())) for name in made.trailers),
        experts=experts,
        opened=made.opened,
        films=np.array(films, np.int64),
    )
    return known, [one.split for one in chosen]


def read_words(path: Path, known: Mapping[str, Any]) -> dict[str, list[tuple[str, float]]]:
    """Return texts and weights by trailer; nothing where there is no file.

    The file has columns ``id`` and ``text``, of which a trailer may have several rows: running
    words, such as its synopsis, or keywords and scene labels between ``|``. A column ``weight``
    says how much a text counts; 1 where it is empty.

    Raises:
        DatasetError: The file is damaged, names an unknown trailer, or a weight is no number.
    """
    texts: dict[str, list[tuple[str, float]]] = defaultdict(list)
    if not path.exists():
        return texts
    for row in read_table(path, ("id", "text"), what="words of trailers"):
        if row["id"] not in known:
            raise row.error(f"trailer {row['id']!r} is not in the data set")
        weight = PLAIN_WEIGHT
        if row.get("weight"):
            weight = row.read("weight", _weight, "a number from 0")
        texts[row["id"]].append((row["text"], weight))
    return texts


def read_triplets(path: Path, ids: Sequence[str]) -> tuple[IntArray, int]:
    """Return the places of anchor, closer and farther trailers, (M, 3), and how many were left out.

    Left out are those that name a trailer which is not among the ids.

    Raises:
        DatasetError: The file is damaged, or names one trailer twice in a row.
        GenresError: No triplet is left.
    """
    place_of = {name: place for place, name in enumerate(ids)}
    columns = ("anchor", "closer", "farther")
    found, num_left_out = [], 0
    for row in read_table(path, columns, what="triplets of trailers"):
        names = [row[column] for column in columns]
        if len(set(names)) < len(names):
            raise row.error("a triplet is of three different trailers")
        if all(name in place_of for name in names):
            found.append([place_of[name] for name in names])
        else:
            num_left_out += 1
    if not found:
        raise GenresError(f"no triplet of {path} is of three trailers that have an embedding here")
    return np.array(found, np.int64), num_left_out


def _notes(
    data: GenreDataset, made: RunEmbeddings, trailers: TrailerSet, tested: IntArray
) -> Sequence[str]:
    notes = []
    if missing := len(data.trailers) - len(made.trailers):
        notes.append(f"{missing:,} trailers of the data set have no embedding and are left out.")
    if not any(trailers.words):
        notes.append(
            f"The data set has no words of these trailers ({WORDS}), so sub-genres are named by "
            "their exemplars."
        )
    if not len(tested):
        notes.append(
            "None of these trailers is of a test split, so neighbours are counted for all, also "
            "for those whose genres were seen in training."
        )
    return notes


def _weight(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number


def _file_part(name: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in name).lower()
