"""A data set in figures and pictures: what `label stats` prints and draws."""

from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import LibraryError
from mastershot.core.files import make_folder
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import shot_id
from mastershot.core.names import FilmNames
from mastershot.datasets.clip_films import ClipFilms
from mastershot.datasets.movieclip import is_split_folder, number_of_shot, read_split_folder
from mastershot.datasets.tables.scored import SCORE_TABLES, open_dataset
from mastershot.exports.pages.dataset import Galleries, write_dataset_page
from mastershot.labelling.figures import DatasetFigures, figures_of_scores, figures_of_splits
from mastershot.labelling.statistics import ScoreSummary, summarise
from mastershot.pipeline.labelling.build import CLIP_LIBRARY
from mastershot.store.library import Library

PAGE = "stats.html"


@dataclass(frozen=True)
class DatasetReport:
    """A data set's figures, and the shots that show how sure its labels are.

    Attributes:
        figures: The figures.
        galleries: The surest and the least sure shots of each label.
        notes: Sentences the reader should know.
    """

    figures: DatasetFigures
    galleries: Galleries
    notes: tuple[str, ...] = ()


class ShotPictures:
    """Finds the pictures of a data set's shots in the library that it was made with.

    A shot is found by its names: the film that the clip's means, and the number in
    ``<clip>-Scene-<number>.mp4``.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._movies = library.movies()
        self._names = FilmNames(film.names for film in self._movies)

    def find(self, video: str, file: str) -> bytes | None:
        """Return a shot's picture as JPEG, or None where there is none.

        Raises:
            LibraryError: The library cannot be read.
        """
        places, number = self._names.exact(video), number_of_shot(file)
        if len(places) != 1 or number is None:
            return None
        return self._library.thumb(shot_id(self._movies[places[0]].id, number - 1))


def open_pictures(dataset: Path, library: Path | None) -> ShotPictures | None:
    """Return the pictures of a data set, from a library or from the one in the data set's folder.

    Raises:
        LibraryError: The library that is named is none.
    """
    if library is not None:
        return ShotPictures(Library(library))
    try:
        return ShotPictures(Library(dataset / CLIP_LIBRARY))
    except LibraryError:
        return None


def describe_dataset(
    path: Path, taxonomy: Taxonomy, *, films: ClipFilms | None = None, gallery: int = 4
) -> DatasetReport:
    """Return the figures of scored shots, or of a folder of split files.

    Args:
        path: As for `open_dataset`; or a folder with the released split files, or with those that
            `label select` wrote.
        taxonomy: What the shots of a JSON file were labelled with.
        films: The film of each clip, its year and genres.
        gallery: How many of the surest and of the least sure shots of each label are kept.

    Raises:
        DatasetError: There is no data set, it is damaged, or it has no shot.
    """
    if is_split_folder(path) and not any((path / name).exists() for name in SCORE_TABLES):
        index, splits = read_split_folder(path)
        return DatasetReport(figures_of_splits(index, splits, films), {})
    dataset = open_dataset(path, taxonomy)
    genres = None if films is None else films.genres_of_clip
    summary = ScoreSummary(dataset.taxonomy, genres_of_clip=genres, gallery=gallery)
    summarise(dataset.batches(), summary)
    figures = figures_of_scores(summary, films)
    unknown = 0 if films is None else len(summary.clips - films.film_of_clip.keys())
    note = (
        f"The film of {unknown:,} of {len(summary.clips):,} clips is not in the table of films; "
        "they count for no film and no genre."
    )
    return DatasetReport(figures, summary.galleries(), (note,) if unknown else ())


def write_dataset_report(
    report: DatasetReport, out: Path, *, title: str, pictures: ShotPictures | None
) -> Path:
    """Write the figures as a page to a folder; return the page.

    Raises:
        OutputError: The page cannot be written.
        LibraryError: A picture cannot be read.
    """
    make_folder(out)
    notes = report.notes
    if report.galleries and pictures is None:
        notes += (
            "The galleries are left out: there is no library with pictures beside the data set; "
            "name the one it was made with.",
        )
    write_dataset_page(
        report.figures,
        out / PAGE,
        title=title,
        galleries=None if pictures is None else report.galleries,
        picture=lambda shot: None if pictures is None else pictures.find(shot.video, shot.file),
        notes=notes,
    )
    return out / PAGE
