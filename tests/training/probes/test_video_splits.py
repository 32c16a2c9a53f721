from dataclasses import replace
from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.movieclip import read_split_folder
from mastershot.recipes.load import load_recipe
from mastershot.synthetic.labelled_videos import HVU_SCENES
from mastershot.training.engine.settings import no_progress
from mastershot.training.probes.data import read_labels
from mastershot.training.probes.settings import VideoSplitsRecipe
from mastershot.training.probes.video_splits import write_video_splits
from mastershot.training.tagging.settings import TaggingRecipe
from mastershot.training.tagging.shots import read_tagging_data


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> VideoSplitsRecipe:
    return VideoSplitsRecipe(
        data=str(tmp_path_factory.mktemp("data")), drawn_videos=60, validation_share=0.2
    )


def test_split_files_say_what_the_annotations_say(
    recipe: VideoSplitsRecipe, tmp_path: Path
) -> None:
    made = write_video_splits(recipe, tmp_path / "out")
    index, splits = read_split_folder(made.folder)
    assert index.labels == HVU_SCENES
    labels = read_labels(recipe)
    for split, shots in splits.items():
        expected = [
            (item, [place for place, one in enumerate(has) if one])
            for item, has in zip(labels[split].items, labels[split].truth, strict=True)
        ]
        assert [(Path(shot.file).stem, list(shot.classes)) for shot in shots] == expected
        assert [shot.video for shot in shots] == list(labels[split].videos)
    assert made.written == {split: len(part) for split, part in labels.items()}


def test_training_finds_the_films_and_takes_them_whole(
    recipe: VideoSplitsRecipe, tmp_path: Path
) -> None:
    made = write_video_splits(recipe, tmp_path / "out")
    tagging = TaggingRecipe(data=str(made.folder), splits=".", shots="shots.csv")
    shots = read_tagging_data(tagging, needs_films=True).splits["train"]
    for shot in shots:
        assert shot.place is not None
        assert (shot.place.start_s, shot.place.end_s) == (None, None)
        assert shot.place.path == (recipe.videos_path / shot.file).resolve()


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        ("1,1", "a shot from 1.0 s to 1.0 s means nothing"),
        ("-1,", "a shot from -1.0 s to None s means nothing"),
        (",inf", "end_s is 'inf', which should be seconds, or nothing"),
        ("x,", "start_s is 'x', which should be seconds, or nothing"),
    ],
)
def test_times_that_mean_nothing_are_refused(
    recipe: VideoSplitsRecipe, tmp_path: Path, times: str, sentence: str
) -> None:
    made = write_video_splits(recipe, tmp_path / "out")
    path = made.folder / "shots.csv"
    header, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([header, first.removesuffix(",") + times, *rest]))
    tagging = TaggingRecipe(data=str(made.folder), splits=".", shots="shots.csv")
    with pytest.raises(DatasetError, match=sentence):
        read_tagging_data(tagging, needs_films=True)


def test_videos_without_a_film_are_left_out_and_noted(
    recipe: VideoSplitsRecipe, tmp_path: Path
) -> None:
    write_video_splits(recipe, tmp_path / "all")
    labels = read_labels(recipe)
    folder = tmp_path / "videos" / "nested"
    folder.mkdir(parents=True)
    for part in labels.values():
        for item in part.items[1:]:
            (folder / f"{item}.webm").write_bytes(b"")
    fewer = replace(recipe, videos=str(tmp_path / "videos"))
    made = write_video_splits(fewer, tmp_path / "fewer")
    assert made.without_film == {"train": 1, "val": 1, "test": 1}
    assert made.written["test"] == len(labels["test"]) - 1
    overrides = [f"data={recipe.data}", f"videos={tmp_path}/videos", "validation_share=0.2"]
    shipped = load_recipe("downstream/hvu-splits", overrides)
    notes = shipped.kind.run(shipped.settings, tmp_path / "noted", no_progress).notes
    assert notes[0] == "videos of split train without a film, which were left out: 1"
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(SettingError, match=r"have no film of the \d+ videos of split train"):
        write_video_splits(fewer, tmp_path / "none")


def test_subtitles_beside_films_are_no_films_and_films_of_one_name_are_refused(
    recipe: VideoSplitsRecipe, tmp_path: Path
) -> None:
    write_video_splits(recipe, tmp_path / "all")
    videos = tmp_path / "videos"
    videos.mkdir()
    for part in read_labels(recipe).values():
        for item in part.items:
            (videos / f"{item}.mp4").touch()
            (videos / f"{item}.srt").touch()
    beside = replace(recipe, videos=str(videos))
    shots = read_split_folder(write_video_splits(beside, tmp_path / "out").folder)[1]["train"]
    assert {Path(shot.file).suffix for shot in shots} == {".mp4"}
    (videos / "more").mkdir()
    (videos / "more" / Path(shots[0].file).with_suffix(".mkv")).touch()
    with pytest.raises(SettingError, match="films are known by their names"):
        write_video_splits(beside, tmp_path / "twice")


def test_missing_inputs_are_named(tmp_path: Path) -> None:
    missing = VideoSplitsRecipe(data=str(tmp_path), dataset="moviescope")
    with pytest.raises(SettingError, match=r"raw_data_train.p do not exist"):
        write_video_splits(missing, tmp_path / "out")
    problems = load_recipe("downstream/hvu-splits", [f"data={tmp_path}"])
    assert problems.kind.problems(problems.settings)[-1].startswith(
        f"videos {tmp_path}/videos are no folder"
    )
