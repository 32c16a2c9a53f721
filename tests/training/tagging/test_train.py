import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.factories.tagging import CLASSES, film_data, tagging_recipe, vector_data

from mastershot.core.errors import DatasetError, MastershotError, SettingError
from mastershot.datasets.tables.tag_scores import read_tag_scores
from mastershot.encoders.recogniser import TrainedRecogniser
from mastershot.media.clips import ClipReader
from mastershot.training.engine.metrics_log import read_log
from mastershot.training.tagging.clips import ClipSize, FilmClips
from mastershot.training.tagging.settings import ClipSettings, TaggingRecipe
from mastershot.training.tagging.shots import read_tagging_data
from mastershot.training.tagging.train import train_recogniser

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.factories.tagging import tagging_recipe
from mastershot.training.tagging.train import train_recogniser

def on_progress(stage, done, total, figures):
    if stage == "training" and done == 6:
        os.kill(os.getpid(), signal.SIGKILL)

recipe = tagging_recipe(Path(sys.argv[1]), network=sys.argv[3], accumulate=2, save_every=4)
train_recogniser(recipe, Path(sys.argv[2]), on_progress)
"""


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vector_data(tmp_path_factory.mktemp("vectors"))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_data(tmp_path_factory.mktemp("films"))


def same(one: Path, other: Path) -> bool:
    first, second = (load_file(path / "recogniser.safetensors") for path in (one, other))
    return all(torch.equal(first[name], second[name]) for name in {**first, **second})


def test_a_recogniser_learns_what_its_vectors_show(vectors: Path, tmp_path: Path) -> None:
    made = train_recogniser(tagging_recipe(vectors, epochs=12), tmp_path / "run")
    card = json.loads((made / "recogniser.json").read_text())
    assert card["classes"] == list(CLASSES)
    assert (card["network"], card["input_width"], card["rate_hz"]) == ("lstm", 8, 4.0)
    assert card["mean_precision"]["test"] > 0.9
    assert card["shots"] == {"train": 32, "val": 12, "test": 12}
    scores = read_tag_scores(tmp_path / "run/scores/test.npz")
    assert len(scores) == 12
    assert scores.classes == CLASSES
    assert set(card["thresholds"]) == set(CLASSES)
    with (tmp_path / "run/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(epoch + 1) for epoch in range(len(rows))]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_the_weights_kept_are_those_of_the_best_epoch(vectors: Path, tmp_path: Path) -> None:
    made = train_recogniser(tagging_recipe(vectors, epochs=5), tmp_path / "run")
    best = max(entry["val_map"] for entry in read_log(tmp_path / "run"))
    card = json.loads((made / "recogniser.json").read_text())
    assert card["mean_precision"]["val"] == pytest.approx(best, abs=1e-5)


def test_training_ends_after_epochs_without_a_better_one(vectors: Path, tmp_path: Path) -> None:
    recipe = tagging_recipe(vectors, epochs=50, patience=2, learning_rate=1e-12)
    train_recogniser(recipe, tmp_path / "run")
    assert len(read_log(tmp_path / "run")) == 3


def test_the_folder_recognises_shots_as_training_did(vectors: Path, tmp_path: Path) -> None:
    made = train_recogniser(tagging_recipe(vectors), tmp_path / "run")
    scores = read_tag_scores(tmp_path / "run/scores/test.npz")
    data = read_tagging_data(tagging_recipe(vectors), needs_films=False)
    from mastershot.training.tagging.vectors import read_vectors

    read = read_vectors(vectors / "vectors", data.splits["test"], 20).read(range(12))
    trained = TrainedRecogniser(made)
    found = trained.scores(trained.features(list(read.sequences)))
    np.testing.assert_allclose(found, scores.scores, atol=1e-5)


@pytest.mark.parametrize("network", ["lstm", "video_swin_b"])
def test_a_killed_run_resumes_to_the_same_weights(
    network: str, vectors: Path, films: Path, tmp_path: Path
) -> None:
    data = vectors if network == "lstm" else films
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(data), str(tmp_path / "killed"), network],
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed/recogniser").exists()
    recipe = tagging_recipe(data, network=network, accumulate=2, save_every=4)
    resumed = train_recogniser(recipe, tmp_path / "killed")
    assert same(resumed, train_recogniser(recipe, tmp_path / "undisturbed"))


def test_a_finished_run_is_left_alone(vectors: Path, tmp_path: Path) -> None:
    recipe = tagging_recipe(vectors, epochs=1)
    made = train_recogniser(recipe, tmp_path / "run")
    before = (made / "recogniser.json").stat().st_mtime_ns
    assert train_recogniser(recipe, tmp_path / "run") == made
    assert (made / "recogniser.json").stat().st_mtime_ns == before


def test_accumulated_gradients_are_those_of_the_whole_batch(vectors: Path, tmp_path: Path) -> None:
    whole, parts = (
        train_recogniser(
            tagging_recipe(vectors, epochs=1, accumulate=accumulate, optimizer="sgd"),
            tmp_path / str(accumulate),
        )
        for accumulate in (1, 4)
    )
    first, second = (load_file(path / "recogniser.safetensors") for path in (whole, parts))
    for name, weights in first.items():
        torch.testing.assert_close(second[name], weights, atol=1e-6, rtol=1e-5)


def test_clips_are_decoded_on_the_fly_as_they_are_kept(films: Path, tmp_path: Path) -> None:
    fly = tagging_recipe(films, network="i3d_r50", epochs=1)
    kept = replace(fly, clips=ClipSettings(cache=str(tmp_path / "cache")))
    made = [
        train_recogniser(recipe, tmp_path / name)
        for name, recipe in {"fly": fly, "kept": kept}.items()
    ]
    assert same(made[0], made[1])


@pytest.mark.slow
def test_workers_read_what_one_process_reads(films: Path, tmp_path: Path) -> None:
    one = tagging_recipe(films, network="i3d_r50", epochs=1)
    several = replace(one, clips=ClipSettings(workers=2))
    assert same(
        train_recogniser(one, tmp_path / "one"), train_recogniser(several, tmp_path / "several")
    )


def test_kept_clips_serve_other_runs_without_decoding(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tagging_recipe(films, network="i3d_r50", epochs=1)
    recipe = replace(recipe, clips=ClipSettings(cache=str(tmp_path / "cache")))
    train_recogniser(recipe, tmp_path / "one")
    monkeypatch.setattr(ClipReader, "read", None)
    train_recogniser(replace(recipe, name="other"), tmp_path / "other")


def test_a_kept_clip_of_another_size_is_decoded_anew(films: Path, tmp_path: Path) -> None:
    shots = read_tagging_data(tagging_recipe(films, network="i3d_r50"), needs_films=True).splits
    source = FilmClips(shots["val"], ClipSize(4, 32), tmp_path)
    first = source.read([0]).clips
    (kept,) = tmp_path.rglob("*.npy")
    np.save(kept, np.zeros((2, 32, 32, 3), np.uint8))
    np.testing.assert_array_equal(source.read([0]).clips, first)


def test_a_damaged_kept_clip_is_decoded_anew(films: Path, tmp_path: Path) -> None:
    recipe = tagging_recipe(films, network="i3d_r50", epochs=1)
    recipe = replace(recipe, clips=ClipSettings(cache=str(tmp_path / "cache")))
    first = train_recogniser(recipe, tmp_path / "first")
    for number, kept in enumerate(sorted((tmp_path / "cache").rglob("*.npy"))):
        kept.write_bytes(kept.read_bytes()[: 100 * number])
    assert same(first, train_recogniser(recipe, tmp_path / "second"))


@pytest.mark.parametrize("cache", ["", "cache"])
def test_one_bad_shot_leaves_the_rest_of_its_film(films: Path, tmp_path: Path, cache: str) -> None:
    data = copytree(films, tmp_path / "data")
    text = (data / "shots.csv").read_text().splitlines()
    cells = text[1].split(",")
    cells[-2:] = ["900.0", "901.0"]
    (data / "shots.csv").write_text("\n".join([text[0], ",".join(cells), *text[2:]]) + "\n")
    recipe = tagging_recipe(data, network="i3d_r50", epochs=1)
    train_recogniser(replace(recipe, clips=ClipSettings(cache=cache)), tmp_path / "run")
    with (tmp_path / "run/unread.csv").open() as file:
        assert [row["shot"] for row in csv.DictReader(file)] == ["train0/train0-Scene-001.mp4"]


def test_a_validation_split_that_cannot_be_read_ends_training(films: Path, tmp_path: Path) -> None:
    data = copytree(films, tmp_path / "data")
    for film in (data / "films").glob("val*"):
        film.unlink()
    recipe = tagging_recipe(data, network="i3d_r50", epochs=1)
    with pytest.raises(DatasetError, match=r"no shot of split 'val' can be read, the first beca"):
        train_recogniser(recipe, tmp_path / "run")


def test_a_scored_split_that_cannot_be_read_is_left_out(films: Path, tmp_path: Path) -> None:
    data = copytree(films, tmp_path / "data")
    for film in (data / "films").glob("test*"):
        film.unlink()
    made = train_recogniser(tagging_recipe(data, network="i3d_r50", epochs=1), tmp_path / "run")
    card = json.loads((made / "recogniser.json").read_text())
    assert list(card["mean_precision"]) == ["val"]
    assert card["unread"] == 12
    assert not (tmp_path / "run/scores/test.npz").exists()


def test_a_run_whose_splits_changed_does_not_resume(vectors: Path, tmp_path: Path) -> None:
    data = copytree(vectors, tmp_path / "data")
    made = train_recogniser(tagging_recipe(data, epochs=1), tmp_path / "run")
    rmtree(made)
    index = data / "splits/index.json"
    index.write_text(index.read_text().replace("blue", "cyan"))
    with pytest.raises(SettingError, match="the split files are not those that this run began"):
        train_recogniser(tagging_recipe(data, epochs=1), tmp_path / "run")
    index.write_text(index.read_text().replace("}", ', "black": 3}'))
    with pytest.raises(SettingError, match="the split files are not those that this run began"):
        train_recogniser(tagging_recipe(data, epochs=1), tmp_path / "run")


def test_passes_of_one_shot_are_too_small_for_batch_normalisation(
    films: Path, tmp_path: Path
) -> None:
    recipe = tagging_recipe(films, network="resnet18", epochs=1, batch_size=2, accumulate=2)
    recipe = replace(recipe, network=replace(recipe.network, frames=1))
    with pytest.raises(SettingError, match="batch_size over accumulate must be 2 or more"):
        train_recogniser(recipe, tmp_path / "run")


def test_clips_learn_colours(films: Path, tmp_path: Path) -> None:
    recipe = tagging_recipe(films, network="i3d_r50", epochs=8)
    made = train_recogniser(recipe, tmp_path / "run")
    card = json.loads((made / "recogniser.json").read_text())
    assert card["mean_precision"]["test"] > 0.9


def test_mixed_precision_trains(films: Path, tmp_path: Path) -> None:
    recipe = tagging_recipe(films, network="timesformer_b", epochs=1, precision="bf16-mixed")
    train_recogniser(recipe, tmp_path / "run")
    assert read_log(tmp_path / "run")[0]["loss"] < 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes them rightly")
def test_mixed_precision_is_refused_where_gradients_would_be_wrong(
    films: Path, tmp_path: Path
) -> None:
    recipe = tagging_recipe(films, network="i3d_r50", precision="bf16-mixed")
    with pytest.raises(SettingError, match="3-D convolutions, whose gradients torch computes "):
        train_recogniser(recipe, tmp_path / "run")


def test_recomputed_activations_give_the_same_weights(films: Path, tmp_path: Path) -> None:
    plain = tagging_recipe(films, network="timesformer_b", epochs=1)
    again = replace(plain, network=replace(plain.network, recompute=True))
    assert same(
        train_recogniser(plain, tmp_path / "plain"), train_recogniser(again, tmp_path / "again")
    )


def test_networks_without_blocks_have_nothing_to_recompute(vectors: Path, tmp_path: Path) -> None:
    recipe = tagging_recipe(vectors)
    recipe = replace(recipe, network=replace(recipe.network, recompute=True))
    with pytest.raises(SettingError, match="lstm has no blocks to recompute"):
        train_recogniser(recipe, tmp_path / "run")


def test_a_run_starts_from_weights_trained_before(vectors: Path, tmp_path: Path) -> None:
    first = train_recogniser(tagging_recipe(vectors, epochs=8), tmp_path / "first")
    recipe = tagging_recipe(vectors, epochs=1, learning_rate=1e-9)
    start = replace(recipe.network, start=str(first / "recogniser.safetensors"))
    train_recogniser(replace(recipe, network=start), tmp_path / "second")
    log = read_log(tmp_path / "second")
    assert log[0]["val_map"] == max(entry["val_map"] for entry in read_log(tmp_path / "first"))


def test_event_files_are_written_where_asked_for(vectors: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train_recogniser(tagging_recipe(vectors, tensorboard=True), tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run/tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("val_map")] == [4, 8, 12]
    assert "loss" in events.Tags()["scalars"]


@pytest.mark.slow
@pytest.mark.parametrize("network", ["lstm", "timesformer_b"])
def test_two_processes_take_the_steps_of_one(
    network: str, vectors: Path, films: Path, tmp_path: Path
) -> None:
    data = vectors if network == "lstm" else films
    recipe = tagging_recipe(data, network=network, optimizer="sgd")
    recipe = replace(recipe, clips=ClipSettings(workers=1))
    one = train_recogniser(recipe, tmp_path / "one")
    size = recipe.network
    overrides = [
        f"data={data}", f"shots={recipe.shots}", f"vectors.table={recipe.vectors.table}",
        f"network.name={network}", f"network.width={size.width}", f"network.depth={size.depth}",
        f"network.frames={size.frames}", f"network.size_px={size.size_px}", "clips.workers=1",
        "training.optimizer=sgd", "training.epochs=3", "training.batch_size=8",
        "training.learning_rate=0.01",
    ]  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         "-m", "mastershot", "run", "movieclip/lstm-vit", *overrides, "--out", tmp_path / "two"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1",
             "CUDA_VISIBLE_DEVICES": ""},
        timeout=300, check=True,
    )  # fmt: skip
    first, second = (
        load_file(path / "recogniser.safetensors") for path in (one, tmp_path / "two/recogniser")
    )
    for name, weights in first.items():
        torch.testing.assert_close(second[name], weights, atol=1e-5, rtol=1e-4)


def test_a_loss_that_is_no_number_ends_training(vectors: Path, tmp_path: Path) -> None:
    recipe = tagging_recipe(vectors, learning_rate=1e30, optimizer="sgd")
    with pytest.raises(MastershotError, match=r"the loss of step \d is nan"):
        train_recogniser(recipe, tmp_path / "run")


def test_a_film_that_vanished_is_passed_over_and_listed(films: Path, tmp_path: Path) -> None:
    data = copytree(films, tmp_path / "data")
    (data / "films/train0.mp4").unlink()
    (data / "films/test1.mp4").write_bytes(b"no film")
    recipe = tagging_recipe(data, network="i3d_r50", epochs=1, max_failed=0.2)
    made = train_recogniser(recipe, tmp_path / "run")
    with (tmp_path / "run/unread.csv").open() as file:
        unread = {row["shot"]: row["reason"] for row in csv.DictReader(file)}
    assert len(unread) == 8
    assert "train0.mp4" in unread["train0/train0-Scene-001.mp4"]
    assert json.loads((made / "recogniser.json").read_text())["unread"] == 8
    assert len(read_tag_scores(tmp_path / "run/scores/test.npz")) == 8


@pytest.mark.parametrize("cache", ["", "cache"])
def test_too_many_unreadable_shots_end_training(films: Path, tmp_path: Path, cache: str) -> None:
    data = copytree(films, tmp_path / "data")
    (data / "films/train0.mp4").unlink()
    recipe = tagging_recipe(data, network="i3d_r50", epochs=1)
    recipe = replace(recipe, clips=ClipSettings(cache=cache))
    with pytest.raises(DatasetError, match=r"of 32 training shots could not be read, more than"):
        train_recogniser(recipe, tmp_path / "run")
    assert not (tmp_path / "run/recogniser").exists()


def test_films_are_found_through_the_data_set_that_splits_were_selected_from(
    films: Path, tmp_path: Path
) -> None:
    data = copytree(films, tmp_path / "data")
    recipe = replace(tagging_recipe(data, network="i3d_r50"), shots="")
    with pytest.raises(SettingError, match="does not say what its shots were selected from"):
        read_tagging_data(recipe, needs_films=True)


def test_a_data_set_that_is_gone_is_named(films: Path, tmp_path: Path) -> None:
    data = copytree(films, tmp_path / "data")
    (data / "splits/selection.json").write_text('{"dataset": "/gone/places"}')
    recipe = replace(tagging_recipe(data, network="i3d_r50"), shots="")
    with pytest.raises(SettingError, match="the data set /gone/places, which the shots of"):
        read_tagging_data(recipe, needs_films=True)


def test_subtitles_beside_films_are_no_films(films: Path, tmp_path: Path) -> None:
    from mastershot.training.tagging.shots import _film_paths

    folder = copytree(films / "films", tmp_path / "films")
    (folder / "train0.srt").write_text("1")
    assert _film_paths(tmp_path, folder)["train0"].name == "train0.mp4"
    copytree(folder, folder / "again")
    with pytest.raises(SettingError, match="have the name"):
        _film_paths(tmp_path, folder)


def test_a_shot_listed_twice_is_refused(films: Path, tmp_path: Path) -> None:
    data = copytree(films, tmp_path / "data")
    lines = (data / "shots.csv").read_text().splitlines()
    (data / "shots.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
    with pytest.raises(DatasetError, match=r"stands in line 2 too; keep one row"):
        read_tagging_data(tagging_recipe(data, network="i3d_r50"), needs_films=True)


def test_shots_may_be_files_of_their_own(films: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    copytree(films / "splits", data / "splits")
    for line in (data / "splits/train.txt").read_text().splitlines():
        path = data / "shots" / line.partition(" ")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((films / "films/train0.mp4").read_bytes())
    recipe = replace(
        tagging_recipe(data, network="i3d_r50"), shots="", films="shots", validation="train",
        scored=("train",),
    )  # fmt: skip
    shots = read_tagging_data(recipe, needs_films=True).splits["train"]
    place = shots[0].place
    assert place is not None
    assert place.start_s is None
    assert FilmClips(shots, ClipSize(4, 32)).read([0]).clips.shape == (1, 4, 32, 32, 3)


def recipe_with(data: Path, **changes: object) -> TaggingRecipe:
    return replace(tagging_recipe(data), **changes)  # type: ignore[arg-type]


def test_missing_inputs_are_named(vectors: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"splits .*gone are no folder; `mastershot label"):
        train_recogniser(recipe_with(vectors, splits="gone"), tmp_path / "a")
    with pytest.raises(SettingError, match="has no split 'dev'; it has train, val, test"):
        train_recogniser(recipe_with(vectors, validation="dev"), tmp_path / "b")
    with pytest.raises(SettingError, match=r"shots .*gone\.csv does not exist"):
        train_recogniser(recipe_with(vectors, shots="gone.csv"), tmp_path / "c")


def test_labels_outside_the_index_are_refused(vectors: Path, tmp_path: Path) -> None:
    data = copytree(vectors, tmp_path / "data")
    with (data / "splits/train.txt").open("a") as file:
        file.write("clip/clip-Scene-001.mp4 3\n")
    with pytest.raises(DatasetError, match="line 33: class 3 is not in an index of 3"):
        train_recogniser(tagging_recipe(data), tmp_path / "run")
