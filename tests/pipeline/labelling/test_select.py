import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.factories import reference

from mastershot.core.errors import DatasetError, OutputError, SettingError, TaxonomyError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.datasets.clip_films import ClipFilms
from mastershot.datasets.movieclip import (
    HUMAN_VERIFIED,
    read_index,
    read_split_folder,
    shot_file_name,
    write_index,
    write_tags,
)
from mastershot.datasets.tables.records import LabelledShot, ScoredShots, best_columns, shots_of
from mastershot.datasets.tables.score_table import ScoreTable, open_scores, write_scores
from mastershot.datasets.tables.scored import open_dataset
from mastershot.labelling.selection import MOVIECLIP_FOLDS
from mastershot.pipeline.labelling.select import (
    SelectionSettings,
    parse_ratios,
    read_classes,
    select_training_set,
    selection_facts,
    write_selection,
)

MOVIECLIP = load_taxonomy("movieclip")
NUM_CLIPS, SHOTS_PER_CLIP = 60, 10
FILMS = ClipFilms({f"v{clip}": f"film{clip // 3}" for clip in range(NUM_CLIPS)})


def scored(seed: int = 0) -> ScoredShots:
    """Simulated scores of all labels; some lie at the thresholds, in float32."""
    random = np.random.default_rng(seed)
    count = NUM_CLIPS * SHOTS_PER_CLIP
    weights = np.exp(3 * random.standard_normal((count, len(MOVIECLIP)), np.float32))
    scores = weights / weights.sum(axis=1, keepdims=True)
    scores[::7, random.integers(0, len(MOVIECLIP))] = np.float32(0.4)
    scores[::5, random.integers(0, len(MOVIECLIP))] = np.float32(0.1)
    labels, best = best_columns(scores, len(MOVIECLIP))
    videos = [f"v{row // SHOTS_PER_CLIP}" for row in range(count)]
    files = [shot_file_name(video, row % SHOTS_PER_CLIP + 1) for row, video in enumerate(videos)]
    times = np.zeros((count, 2))
    return ScoredShots(videos, files, np.zeros((count, 2), np.int64), times, labels, best)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> ScoreTable:
    path = tmp_path_factory.mktemp("scores") / "scores.parquet"
    write_scores(path, [scored()], MOVIECLIP, {})
    return open_scores(path)


def test_what_is_selected_is_what_a_plain_loop_selects(table: ScoreTable, tmp_path: Path) -> None:
    shots, classes = scored(), load_taxonomy("movieclip-150")
    due = {}
    for row, (video, file) in enumerate(zip(shots.videos, shots.files, strict=True)):
        places = reference.select_classes(
            list(shots.scores[row, :5]),
            [MOVIECLIP.labels[label] for label in shots.labels[row, :5]],
            classes.labels,
            min_best=np.float32(0.4),
            above=np.float32(0.1),
            folds=MOVIECLIP_FOLDS,
        )
        if places:
            due[video, file] = tuple(places)
    assert len(due) > 100
    settings = SelectionSettings()
    selection = select_training_set(table, settings, films=FILMS)
    write_selection(selection, settings, tmp_path)
    index, splits = read_split_folder(tmp_path)
    assert index.labels == classes.labels
    assert list(splits) == ["train", "val", "test"]
    found = {(s.video, s.file): s.classes for part in splits.values() for s in part}
    assert found == due
    assert splits == dict(selection.splits)
    films = [{FILMS.film_of_clip[s.video] for s in part} for part in splits.values()]
    assert [len(part) for part in films] == [14, 4, 2]
    assert len(set().union(*films)) == 20


def test_the_released_form_selects_the_same(table: ScoreTable, tmp_path: Path) -> None:
    tags = tmp_path / "movieCLIP_dataset.json"
    write_tags(tags, (s for batch in table.batches() for s in shots_of(batch.best(), MOVIECLIP)))
    one = select_training_set(table, films=FILMS)
    other = select_training_set(open_dataset(tags, MOVIECLIP), films=FILMS)
    assert one == other


def test_without_films_each_clip_is_one_of_its_own(table: ScoreTable) -> None:
    splits = select_training_set(table).splits
    clips = [{shot.video for shot in shots} for shots in splits.values()]
    assert sum(map(len, clips)) == len(set().union(*clips))


def test_clips_that_people_verified_are_left_out_and_overlaps_reported(table: ScoreTable) -> None:
    verified = (
        LabelledShot("v_v0_seg_0_10", "v_v0_seg_0_10-Scene-001.mp4", (1,)),
        LabelledShot("v1", "v1-Scene-002.mp4", (1,)),
    )
    selection = select_training_set(table, films=FILMS, verified=verified)
    taken = {shot.video for shots in selection.splits.values() for shot in shots}
    assert not taken & {"v0", "v1"}
    assert selection.subset.num_held_out > 0
    both = [o for o in selection.overlaps if HUMAN_VERIFIED in o.splits]
    assert [overlap.num_clips for overlap in both] == [0, 0, 0]
    # Both verified clips are of one film, whose third clip is in one of the splits.
    assert sum(overlap.num_films for overlap in both) == 1
    assert all(overlap.films_of[1] == 1 for overlap in both)


def test_all_labels_with_so_many_shots(table: ScoreTable) -> None:
    every = select_training_set(table, SelectionSettings(index="all"))
    assert len(every.subset.classes) == 177
    common = select_training_set(table, SelectionSettings(index="min-shots:5"))
    counts = every.subset.class_counts
    assert len(common.subset.classes) == (counts >= 5).sum()
    assert common.subset.class_counts.min() >= 5
    with pytest.raises(DatasetError, match="no label has 9999 shots"):
        select_training_set(table, SelectionSettings(index="min-shots:9999"))


def test_other_thresholds_select_other_shots(table: ScoreTable) -> None:
    sizes = [
        len(select_training_set(table, SelectionSettings(min_best=low)).subset.shots)
        for low in (0.0, 0.4, 0.8)
    ]
    assert sizes[0] > sizes[1] > sizes[2]
    strict = select_training_set(table, SelectionSettings(above=1.0)).subset
    assert strict.multi_label_share == 0


def test_a_selection_says_how_it_was_made(table: ScoreTable, tmp_path: Path) -> None:
    settings = SelectionSettings(seed=3)
    selection = select_training_set(table, settings, films=FILMS)
    write_selection(selection, settings, tmp_path / "new" / "folder")
    value = json.loads((tmp_path / "new" / "folder" / "selection.json").read_text())
    assert value == json.loads(json.dumps(selection_facts(selection, settings)))
    assert value["settings"]["seed"] == 3
    assert value["settings"]["ratios"] == {"train": 0.7, "val": 0.2, "test": 0.1}
    left_out = value["num_unsure"] + value["num_outside"] + value["num_held_out"]
    assert value["num_selected"] + left_out == value["num_shots"] == 600


def test_a_second_selection_leaves_no_split_of_the_first(table: ScoreTable, tmp_path: Path) -> None:
    for ratios in ({"train": 0.5, "dev": 0.5}, {"train": 0.4, "test": 0.6}):
        settings = SelectionSettings(ratios=ratios)
        write_selection(select_training_set(table, settings, films=FILMS), settings, tmp_path)
    assert set(read_split_folder(tmp_path)[1]) == {"train", "test"}
    (tmp_path / "selection.json").write_text('{"splits": ["../elsewhere"]}')
    write_selection(select_training_set(table, settings, films=FILMS), settings, tmp_path)
    (tmp_path / "selection.json").write_text("[]")
    with pytest.raises(OutputError, match=r"selection\.json is not what an earlier selection"):
        write_selection(select_training_set(table, settings, films=FILMS), settings, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_best": 1.1}, "the top-1 threshold is 1.1; scores go from 0 to 1"),
        ({"above": -0.1}, "the other threshold is -0.1"),
        ({"min_best": math.nan}, "the top-1 threshold is nan"),
        ({"ratios": {"train": 0.7, "val": 0.2}}, "split ratios should be above 0 with sum 1"),
    ],
)
def test_settings_that_mean_nothing_are_an_error(settings: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        SelectionSettings(**settings)  # type: ignore[arg-type]


def test_splits_are_shares_with_or_without_names() -> None:
    assert parse_ratios("0.7,0.2,0.1") == {"train": 0.7, "val": 0.2, "test": 0.1}
    assert parse_ratios("0.5, 0.5") == {"train": 0.5, "val": 0.5}
    assert parse_ratios("a=0.25,b=0.75") == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize("text", ["", "a", "0.5,x", "1,1", "0.25,0.25,0.25,0.25", "a=0.5,a=0.5",
                                  "../a=1", "nan,0.5", "-1,2", "0.9,0.2"])  # fmt: skip
def test_splits_that_are_no_shares_are_an_error(text: str) -> None:
    with pytest.raises(SettingError, match=r"mean nothing; write shares|above 0 with sum 1"):
        parse_ratios(text)


def test_an_index_is_a_name_a_list_or_the_released_form(tmp_path: Path) -> None:
    labels = Taxonomy("mine", ("kitchen", "bar"))
    write_index(tmp_path / "index.json", labels)
    (tmp_path / "list.json").write_text('["kitchen", "bar"]')
    (tmp_path / "list.txt").write_text("kitchen\nbar\n")
    for name in ("index.json", "list.json", "list.txt"):
        classes, min_shots = read_classes(str(tmp_path / name), MOVIECLIP)
        assert (classes.labels, min_shots) == (labels.labels, 0)
    assert read_index(tmp_path / "index.json").labels == labels.labels


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("empty.txt", "# nothing\n", TaxonomyError, "holds no label"),
        ("empty.json", "{}", DatasetError, "should be a JSON object of label and place"),
        ("gone.json", None, DatasetError, "gone.json cannot be read"),
        ("other.txt", "moon base\n", DatasetError, "class 'moon base' is not in taxonomy"),
        ("folded.txt", "phone booth\n", DatasetError, "is folded into 'booth'"),
    ],
)
def test_an_index_without_use_is_an_error(
    table: ScoreTable, tmp_path: Path, name: str, text: str | None,
    error: type[Exception], message: str,
) -> None:  # fmt: skip
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message):
        select_training_set(table, SelectionSettings(index=str(tmp_path / name)))


@pytest.mark.parametrize("index", ["min-shots:", "min-shots:0", "min-shots:-1", "min-shots:x"])
def test_a_least_number_of_shots_is_a_number(table: ScoreTable, index: str) -> None:
    with pytest.raises(SettingError, match=r"write min-shots:N with N of 1 or more"):
        select_training_set(table, SelectionSettings(index=index))


def test_where_nothing_is_selected_the_sentence_says_why(table: ScoreTable) -> None:
    with pytest.raises(DatasetError, match=r"none of 600 shots is chosen: 600 have no score of 1"):
        select_training_set(table, SelectionSettings(min_best=1.0))


def test_too_few_films_to_split_are_an_error(table: ScoreTable) -> None:
    one_film = ClipFilms(dict.fromkeys(FILMS.film_of_clip, "film"))
    with pytest.raises(DatasetError, match="split 'val' gets no film"):
        select_training_set(table, films=one_film)


def test_a_clip_of_no_known_film_is_an_error(table: ScoreTable) -> None:
    with pytest.raises(DatasetError, match=r"the film of clip '.*' is not known"):
        select_training_set(table, films=ClipFilms({"v0": "film0"}))


def test_a_folder_that_cannot_be_made_is_an_error(table: ScoreTable, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    selection = select_training_set(table)
    with pytest.raises(OutputError, match=r"folder .* cannot be made"):
        write_selection(selection, SelectionSettings(), tmp_path / "file" / "out")
