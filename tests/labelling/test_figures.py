from dataclasses import replace
from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.datasets.clip_films import ClipFilms, read_clip_films
from mastershot.datasets.movieclip import HUMAN_VERIFIED, is_split_folder, read_split_folder
from mastershot.datasets.tables.records import LabelledShot, ScoredShot, columns_of
from mastershot.labelling.figures import SplitSize, figures_of_scores, figures_of_splits
from mastershot.labelling.statistics import CorpusStatistics, ScoreSummary, summarise

PLACES = Taxonomy("places", ("street", "forest", "kitchen"))
FILMS = ClipFilms({"a": "f", "b": "f", "c": "g"}, {"f": 1999}, {"f": ("War",), "g": ("Drama",)})


def test_the_released_splits_have_the_figures_of_the_paper(real_data: Path) -> None:
    assert is_split_folder(real_data / "movieclip")
    films = read_clip_films(real_data / "condensed_movies")
    figures = figures_of_splits(*read_split_folder(real_data / "movieclip"), films)
    corpus = figures.corpus
    assert (corpus.num_movies, corpus.num_clips, corpus.num_shots) == (3_492, 18_706, 107_420)
    assert [(split.name, split.num_shots, split.num_classes) for split in figures.splits] == [
        ("train", 73_859, 150), ("val", 23_216, 150), ("test", 10_345, 150),
        (HUMAN_VERIFIED, 1_883, 139),
    ]  # fmt: skip
    # Section 4.3 names these of Fig. 5.
    genres = {genre: {label for label, _ in best} for genre, best in figures.genres.items()}
    assert genres["Western"] >= {"shooting range", "desert"}
    assert genres["Sport"] >= {"locker room", "boxing ring"}
    assert genres["Musical"] >= {"ballroom", "stage"}
    assert genres["War"] >= {"cockpit", "battlefield"}


def test_figures_of_splits_count_labels_carried_and_leave_verified_shots_out() -> None:
    splits = {
        "train": (LabelledShot("a", "1.mp4", (2, 0)), LabelledShot("b", "1.mp4", (2,))),
        "test": (LabelledShot("c", "1.mp4", (0,)),),
        HUMAN_VERIFIED: (LabelledShot("v_b_seg_0_10", "1.mp4", (1,)),),
    }
    figures = figures_of_splits(PLACES, splits, FILMS)
    assert figures.corpus == CorpusStatistics(2, (1999, 1999), 3, 3, 1.0, None)
    assert figures.label_counts == (("street", 2), ("kitchen", 2), ("forest", 0))
    assert figures.genres == {"Drama": [("street", 1)], "War": [("kitchen", 2)]}
    assert figures.splits[0] == SplitSize("train", 2, 2, 1, 2, 0.5)
    shared = {overlap.splits: overlap.num_clips for overlap in figures.overlaps}
    assert shared == {
        ("train", "test"): 0, ("train", HUMAN_VERIFIED): 1, ("test", HUMAN_VERIFIED): 0,
    }  # fmt: skip
    alone = figures_of_splits(PLACES, {HUMAN_VERIFIED: splits[HUMAN_VERIFIED]})
    assert (alone.corpus.num_shots, alone.corpus.num_movies) == (1, None)
    assert alone.splits[0].num_films is None


def test_a_clip_of_no_known_film_is_an_error() -> None:
    with pytest.raises(DatasetError, match="the film of clip 'z' is not known"):
        figures_of_splits(PLACES, {"train": (LabelledShot("z", "1.mp4", (0,)),)}, FILMS)


def test_figures_of_scores_with_scales() -> None:
    shots = [
        ScoredShot("a", f"{n}.mp4", 0, 1, 0.0, 2.0, (LabelScore("forest", score),))
        for n, score in enumerate((0.9, 0.4, 0.1))
    ]
    batches = [
        replace(columns_of(shots[:2], PLACES), scales=["LS", "CS"]),
        replace(columns_of(shots[2:], PLACES), scales=["CS"]),
    ]
    summary = summarise(batches, ScoreSummary(PLACES, genres_of_clip=FILMS.genres_of_clip))
    figures = figures_of_scores(summary, FILMS)
    assert figures.corpus == CorpusStatistics(1, (1999, 1999), 1, 3, 3.0, 2.0)
    assert list(figures.scales.items()) == [("CS", (1, 2)), ("LS", (1, 1))]
    assert figures.label_counts[0] == ("forest", 3)
    assert (figures.num_sure, sum(figures.score_counts)) == (2, 3)
    assert figures.genres == {"War": [("forest", 2)]}
    assert figures_of_scores(summary).corpus.num_movies is None
