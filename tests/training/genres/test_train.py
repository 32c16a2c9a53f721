"""A run of genres: learns what was planted, resumes, and refuses what it cannot be taught."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError, MastershotError, SettingError
from mastershot.datasets.genres.duplicates import Twins, duplicates_across_splits
from mastershot.datasets.genres.table import (
    Expert,
    GenreDataset,
    Trailer,
    read_genre_dataset,
    write_genre_dataset,
)
from mastershot.datasets.tables.tag_scores import read_tag_scores
from mastershot.encoders.genre_model import load_fine_network, load_genre_model
from mastershot.training.genres.inputs import GenreInputs
from mastershot.training.genres.results import run_network
from mastershot.training.genres.settings import (
    FineStageSettings,
    GenreNetworkSettings,
    GenreRecipe,
    GenreTrainingSettings,
)
from mastershot.training.genres.train import train_genres

GENRES = ("Comedy", "Drama", "War")
EXPERTS = (Expert("location", 6), Expert("audio", 4, pieces=2))
NETWORK = GenreNetworkSettings(
    width=16, clusters=2, clips=2, sequences=3, joining="mean", sequence_width=32, bottleneck=8
)
RECIPE = GenreRecipe(
    network=NETWORK,
    training=GenreTrainingSettings(epochs=6, batch_size=16, learning_rate=5e-3),
    fine=FineStageSettings(epochs=2, batch_size=16, projection=8),
)


def planted(folder: Path, count: int = 90) -> GenreDataset:
    """Write trailers of which location says comedy or not, and sound drama or not."""
    rng = np.random.default_rng(0)
    trailers, rows = [], {}
    for index in range(count):
        comedy, drama = bool(index % 2), bool(index % 3 == 0)
        genres = tuple(
            name for name, there in zip(GENRES, (comedy, drama, index % 5 == 0), strict=True)
            if there
        ) or ("War",)  # fmt: skip
        split = ("train", "train", "train", "val", "test")[index % 5 if index < 85 else 0]
        trailer = Trailer(f"t{index}", "", None, split, genres, 1 + index % 8)
        location = rng.normal(size=(trailer.num_clips, 6)).astype(np.float32) * 0.3
        location[:, 0] += 2 * comedy
        audio = rng.normal(size=(trailer.num_clips, 2, 4)).astype(np.float32) * 0.3
        audio[:, :, 1] += 2 * drama
        audio[::3, 1] = np.nan
        if index % 7 == 0:
            audio[:] = np.nan
        trailers.append(trailer)
        rows[trailer.id] = {"location": location, "audio": audio}
    return write_genre_dataset(
        folder / "dataset", trailers, lambda one: rows[one.id], name="planted", genres=GENRES,
        experts=EXPERTS, made_by={}, dtype=np.float32,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    planted(folder)
    return folder


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    train_genres(replace(RECIPE, data=str(data)), out)
    return out


def test_what_was_planted_is_learned(made: Path) -> None:
    saved = json.loads((made / "model" / "genres.json").read_text())
    by_genre = saved["figures"]["test"]["genre_f1"]
    assert by_genre["Comedy"] > 0.8
    assert saved["figures"]["test"]["f1"]["value"] > saved["figures"]["test"]["all_positive_f1"]
    test = read_tag_scores(made / "scores" / "test.npz")
    assert test.classes == GENRES
    assert len(test) == saved["trailers"]["test"]


def test_the_folder_holds_embeddings_and_a_model_that_gives_the_same(
    made: Path, data: Path
) -> None:
    table = read_genre_dataset(data / "dataset")
    with np.load(made / "embeddings.npz", allow_pickle=False) as kept:
        assert kept["trailers"].tolist() == [one.id for one in table.trailers]
        assert kept["coarse"].shape == kept["fine"].shape == (90, 8)
        assert not np.array_equal(kept["coarse"], kept["fine"])
        assert kept["experts"].tolist() == ["location", "audio"]
        assert kept["titles"].shape == kept["files"].shape == (90,)
        opened, coarse, fine = kept["opened"], kept["coarse"], kept["fine"]
    assert (opened[::7, 1] == 0).all()
    assert ((opened >= 0) & (opened <= 1)).all()
    card, network = load_genre_model(made / "model")
    assert card.classes == GENRES
    inputs = GenreInputs(table, EXPERTS, card.clips, card.sequences)
    again = run_network(network, inputs, np.arange(90))
    np.testing.assert_allclose(again.embeddings, coarse, atol=1e-5)
    np.testing.assert_allclose(again.opened, opened, atol=1e-5)
    after = load_fine_network(made / "model", card)
    assert after is not None
    np.testing.assert_allclose(run_network(after, inputs, range(90)).embeddings, fine, atol=1e-5)


def test_the_model_that_is_kept_gives_the_scores_that_its_thresholds_were_chosen_by(
    made: Path, data: Path
) -> None:
    table = read_genre_dataset(data / "dataset")
    card, network = load_genre_model(made / "model")
    inputs = GenreInputs(table, EXPERTS, card.clips, card.sequences)
    for split in ("val", "test"):
        kept = read_tag_scores(made / "scores" / f"{split}.npz")
        again = run_network(network, inputs, table.split(split)).scores
        np.testing.assert_allclose(again, kept.scores, atol=1e-5)


def test_a_run_that_is_stopped_goes_on_to_the_same_model(
    made: Path, data: Path, tmp_path: Path
) -> None:
    class StopError(Exception):
        pass

    for stop_at in (2, 4):
        calls = [0]

        def stop(*_: object, calls=calls, stop_at=stop_at) -> None:
            calls[0] += 1
            if calls[0] > stop_at * 4:
                raise StopError

        with pytest.raises(StopError):
            train_genres(replace(RECIPE, data=str(data)), tmp_path / "run", stop)
    train_genres(replace(RECIPE, data=str(data)), tmp_path / "run")
    weights = [folder / "model" / "genres.safetensors" for folder in (made, tmp_path / "run")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_trailer_padded_by_others_has_the_same_scores(made: Path, data: Path) -> None:
    table = read_genre_dataset(data / "dataset")
    card, network = load_genre_model(made / "model")
    inputs = GenreInputs(table, EXPERTS, card.clips, card.sequences)
    alone = np.concatenate([run_network(network, inputs, [at]).scores for at in range(20)])
    np.testing.assert_allclose(run_network(network, inputs, range(20)).scores, alone, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"experts": ("smell",)}, "expert smell is not in .*; it has location, audio"),
        ({"experts": ("audio", "audio")}, "experts names one twice"),
        ({"network": replace(NETWORK, clips=9)}, "have two sequences of 9 clips"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    data: Path, tmp_path: Path, change: dict, sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        train_genres(replace(RECIPE, data=str(data), **change), tmp_path / "run")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (",val,", ",train,", "split val of .* has no trailer"),
        ("Comedy", "Drama", "genre Comedy has no trailer in split train"),
    ],
)
def test_data_that_cannot_be_learned_from_are_refused(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    planted(tmp_path)
    path = tmp_path / "dataset" / "trailers.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(MastershotError, match=sentence):
        train_genres(replace(RECIPE, data=str(tmp_path)), tmp_path / "run")


def test_a_film_in_two_splits_is_refused(tmp_path: Path) -> None:
    data = planted(tmp_path)
    other = [place for place, one in enumerate(data.trailers) if one.split == "test"][2]
    length = data.trailers[other].num_clips
    first = next(
        place
        for place, one in enumerate(data.trailers)
        if one.split == "train" and one.num_clips == length
    )
    same = {place: {name: data.vectors(name, place) for name in data.experts}
            for place in range(len(data.trailers))}  # fmt: skip
    same[other] = same[first]
    ids = {one.id: place for place, one in enumerate(data.trailers)}
    write_genre_dataset(
        tmp_path / "dataset", data.trailers, lambda one: same[ids[one.id]], name="planted",
        genres=GENRES, experts=EXPERTS, made_by={}, dtype=np.float32,
    )  # fmt: skip
    found = duplicates_across_splits(read_genre_dataset(tmp_path / "dataset"))
    assert [(one.one, one.other) for one in found] == [tuple(sorted((first, other)))]
    with pytest.raises(
        DatasetError, match=r"the same film in two splits.* look the same \(their me"
    ):
        train_genres(replace(RECIPE, data=str(tmp_path)), tmp_path / "run")
    kept = replace(RECIPE, data=str(tmp_path), duplicates="keep")
    train_genres(replace(kept, fine=FineStageSettings(epochs=0)), tmp_path / "kept")


def test_equal_files_in_two_splits_are_found(tmp_path: Path) -> None:
    planted(tmp_path)
    path = tmp_path / "dataset" / "trailers.csv"
    lines = path.read_text().splitlines()
    for at in (1, 5):  # of train and of test
        lines[at] += "same"
    path.write_text("\n".join(lines) + "\n")
    found = duplicates_across_splits(read_genre_dataset(tmp_path / "dataset"))
    assert found == [Twins(0, 4)]


def test_an_expert_that_no_network_can_hold_is_refused_before_training(tmp_path: Path) -> None:
    planted(tmp_path)
    folder = tmp_path / "dataset"
    (folder / "experts" / "location.npy").rename(folder / "experts" / "se.net.npy")
    card = folder / "card.json"
    card.write_text(card.read_text().replace('"location"', '"se.net"'))
    with pytest.raises(SettingError, match=r"expert 'se\.net' of .* has a name that no network"):
        train_genres(replace(RECIPE, data=str(tmp_path)), tmp_path / "run")


def test_an_expert_that_says_nothing_and_numbers_that_are_not_finite(tmp_path: Path) -> None:
    data = planted(tmp_path)
    path = tmp_path / "dataset" / "experts" / "location.npy"
    rows = np.load(path)
    rows[::3], rows[1::7, 2] = np.nan, np.inf  # as if the expert had nothing to say
    np.save(path, rows)
    quick = replace(RECIPE, data=str(tmp_path), training=GenreTrainingSettings(epochs=1),
                    fine=FineStageSettings(epochs=0))  # fmt: skip
    train_genres(quick, tmp_path / "run")
    with np.load(tmp_path / "run" / "embeddings.npz", allow_pickle=False) as kept:
        assert np.isfinite(kept["coarse"]).all()
        assert len(kept["coarse"]) == len(data.trailers)
    np.save(path, np.full_like(rows, np.nan))
    with pytest.raises(DatasetError, match=r"expert location of .* has nothing to say of any"):
        train_genres(quick, tmp_path / "other")
