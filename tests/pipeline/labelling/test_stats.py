from pathlib import Path

import pytest
from tests.factories.timelines import make_thumbs, make_timeline

import mastershot as ms
from mastershot.core.errors import DatasetError, LibraryError, OutputError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.datasets.clip_films import ClipFilms
from mastershot.datasets.movieclip import shot_file_name, write_index, write_split
from mastershot.datasets.tables.records import LabelledShot, ScoredShot, columns_of
from mastershot.datasets.tables.score_table import write_scores
from mastershot.labelling.transitions import LabelTransitions
from mastershot.pipeline.labelling.stats import (
    ShotPictures,
    describe_dataset,
    open_pictures,
    write_dataset_report,
)

PLACES = Taxonomy("places", ("bar", "kitchen"))
SHOTS = [
    ScoredShot("film", shot_file_name("film", n), 0, 1, 0.0, 2.0, (LabelScore("bar", n / 4),))
    for n in (1, 2, 3)
]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    folder.mkdir()
    write_scores(folder / "scores.parquet", [columns_of(SHOTS, PLACES)], PLACES, {})
    return folder


@pytest.fixture
def library(dataset: Path) -> ms.Library:
    library, timeline = ms.Library(dataset / "clips.mastershot"), make_timeline("clips/film.mp4")
    library.put_timeline(timeline, make_thumbs(timeline))
    return library


def test_a_shot_s_picture_is_found_by_its_names(library: ms.Library) -> None:
    pictures, timeline = ShotPictures(library), make_timeline("clips/film.mp4")
    thumbs = make_thumbs(timeline)
    for number, shot in enumerate(timeline.shots, start=1):
        assert pictures.find("film", shot_file_name("film", number)) == thumbs[shot.id]
    for video, file in (("film", "film-Scene-004.mp4"), ("film", "film-Scene-000.mp4"),
                        ("film", "film.mp4"), ("gone", "gone-Scene-001.mp4")):  # fmt: skip
        assert pictures.find(video, file) is None


def test_the_library_in_the_folder_has_the_pictures(dataset: Path, library: ms.Library) -> None:
    report = describe_dataset(dataset, PLACES)
    page = write_dataset_report(
        report, dataset / "out", title="x", pictures=open_pictures(dataset, None)
    )
    assert page == dataset / "out" / "stats.html"
    assert page.read_text("utf-8").count("data:image/jpeg") == 3
    elsewhere = open_pictures(dataset / "scores.parquet", library.path)
    assert elsewhere is not None
    assert elsewhere.find("film", "film-Scene-001.mp4")


def test_without_a_library_the_page_says_so(dataset: Path) -> None:
    assert open_pictures(dataset, None) is None
    report = describe_dataset(dataset, PLACES)
    page = write_dataset_report(report, dataset, title="x", pictures=None).read_text("utf-8")
    assert "The galleries are left out: there is no library" in page
    with pytest.raises(LibraryError, match="no library at"):
        open_pictures(dataset, dataset / "gone")


def test_clips_of_no_known_film_are_reported(dataset: Path) -> None:
    report = describe_dataset(dataset, PLACES, films=ClipFilms({"other": "f"}))
    assert report.notes == (
        "The film of 1 of 1 clips is not in the table of films; they count for no film and no "
        "genre.",
    )
    assert describe_dataset(dataset, PLACES, films=ClipFilms({"film": "f"})).notes == ()


def test_splits_have_figures_too(tmp_path: Path) -> None:
    write_index(tmp_path / "index.json", PLACES)
    with pytest.raises(DatasetError, match=r"holds no split; it should hold \.txt files"):
        describe_dataset(tmp_path, PLACES)
    write_split(tmp_path / "train.txt", [LabelledShot("v", "v-Scene-001.mp4", (1, 0))])
    write_split(tmp_path / "extra.txt", [LabelledShot("w", "w-Scene-001.mp4", (1,))])
    report = describe_dataset(tmp_path, PLACES)
    assert [split.name for split in report.figures.splits] == ["train", "extra"]
    assert report.figures.label_counts == (("kitchen", 2), ("bar", 1))


def test_transitions_are_of_kept_labels_of_shots_in_a_row(dataset: Path, tmp_path: Path) -> None:
    # Of the three shots in a row the first is unsure: 0.25.
    (row,) = describe_dataset(dataset, PLACES).figures.transitions
    assert row == LabelTransitions("bar", 1.0, 1.0, ())
    write_index(tmp_path / "index.json", PLACES)
    shots = [LabelledShot("v", shot_file_name("v", n), (n % 2,)) for n in (3, 1, 2)]
    write_split(tmp_path / "train.txt", shots)
    report = describe_dataset(tmp_path, PLACES)
    assert report.figures.transitions == (
        LabelTransitions("bar", 1.0, 0.0, (("kitchen", 1.0),)),
        LabelTransitions("kitchen", 1.0, 0.0, (("bar", 1.0),)),
    )
    page = write_dataset_report(report, tmp_path, title="x", pictures=None).read_text("utf-8")
    assert "Which label follows which" in page
    assert page.count('class="dark" style="--share:1.000">100</td>') == 2


def test_splits_within_a_data_set_do_not_hide_it(dataset: Path) -> None:
    write_index(dataset / "index.json", PLACES)
    assert describe_dataset(dataset, PLACES).figures.corpus.num_shots == 3


def test_what_is_no_data_set_and_an_empty_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no data set"):
        describe_dataset(tmp_path, PLACES)
    write_scores(tmp_path / "scores.parquet", [], PLACES, {})
    with pytest.raises(DatasetError, match="there is no shot to count"):
        describe_dataset(tmp_path, PLACES)


def test_a_page_into_a_file_is_an_error(dataset: Path) -> None:
    report = describe_dataset(dataset, PLACES)
    with pytest.raises(OutputError, match=r"folder .* cannot be made"):
        write_dataset_report(report, dataset / "scores.parquet", title="x", pictures=None)
