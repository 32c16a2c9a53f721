import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.factories.movies2scenes import LOG, write_films

from mastershot.core.errors import DatasetError, EncoderError
from mastershot.core.similarity import table_of
from mastershot.datasets.tables.pair_table import read_pairs
from mastershot.datasets.tables.similarity_table import read_similarity, write_similarity
from mastershot.store.shot_arrays import write_movie
from mastershot.training.movies2scenes.movie_encoder import (
    PairBatches,
    load_movie_encoder,
    split_pairs,
    train_movie_encoder,
)
from mastershot.training.movies2scenes.scene_pairs import write_scene_pairs
from mastershot.training.movies2scenes.settings.encoders import ShotSource
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    MovieTrainingSettings,
    PairingSettings,
    ScenePairsRecipe,
)

TRAINING = MovieTrainingSettings(batch_size=4, max_steps=4, width=8, num_shots=136, held_out=0.3)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_films(tmp_path, films=8)
    return tmp_path


def recipe(data: Path, **changes: object) -> MovieSimilarityRecipe:
    base = MovieSimilarityRecipe(
        ShotSource("features"), "similar.parquet", TRAINING, log=replace(LOG, save_every=1),
        data=str(data),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_movie_encoder_goes_on_to_the_same_end_and_loads(data: Path) -> None:
    class KilledError(Exception):
        pass

    def stop(stage: str, done: int, *_: object) -> None:
        if stage == "movies" and done == 2:
            raise KilledError

    with pytest.raises(KilledError):
        train_movie_encoder(recipe(data), data / "parts", stop)
    parts = load_movie_encoder(train_movie_encoder(recipe(data), data / "parts"))
    whole = load_movie_encoder(train_movie_encoder(recipe(data), data / "whole"))
    assert parts.weights_sha256 == whole.weights_sha256
    shots = np.ones((5, 6), np.float32)
    assert whole.shot_features(shots).shape == (5, 8)
    first, last = (
        json.loads(line) for line in (data / "whole" / "log.jsonl").read_text().splitlines()[::2]
    )
    assert (first["similar_pairs"], first["held_out_pairs"]) == (5, 2)
    assert 0 <= last["held_out_accuracy"] <= 1


def test_it_learns_which_films_are_similar(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "features").mkdir()
    names = [f"f{index:02}" for index in range(24)]
    kinds = np.eye(4, dtype=np.float32)[rng.integers(4, size=24)]
    for name, kind in zip(names, kinds, strict=True):
        noise = rng.normal(size=(136, 4)).astype(np.float32)
        write_movie(tmp_path / "features", name, 2 * kind + noise)
    alike = [
        (one, other, 1.0)
        for i, one in enumerate(names)
        for j, other in enumerate(names)
        if i < j and (kinds[i] == kinds[j]).all()
    ]
    write_similarity(tmp_path / "similar.parquet", table_of(names, alike, {}))
    training = replace(TRAINING, max_steps=300, batch_size=16)
    train_movie_encoder(recipe(tmp_path, training=training), tmp_path / "run")
    saved = json.loads((tmp_path / "run" / "movie_encoder" / "movie_encoder.json").read_text())
    assert saved["held_out_accuracy"] > 0.85


def test_negatives_are_never_similar_and_pairs_are_held_out_once(data: Path) -> None:
    table = read_similarity(data / "similar.parquet")
    places = np.arange(8)
    used, held_out = split_pairs(table, places, TRAINING)
    both = {tuple(pair) for pair in [*used.tolist(), *held_out.tolist()]}
    assert len(both) == 7
    batches = PairBatches(used, table, places, TRAINING)
    similar = {(a, b) for a, b in both} | {(b, a) for a, b in both}
    for step in range(20):
        batch = batches.batch(step)
        for one, other, label in zip(*(column.tolist() for column in batch), strict=True):
            assert ((one, other) in similar) == bool(label)
            assert one != other
        assert int(batch.similar.sum()) == 2
        again = batches.batch(step)
        assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))


def test_too_few_or_too_many_similar_pairs_are_said(data: Path) -> None:
    write_similarity(data / "similar.parquet", table_of(["a", "x"], [("a", "x", 1.0)], {}))
    with pytest.raises(DatasetError, match="of the pairs of similar movies 0 are in the library"):
        train_movie_encoder(recipe(data), data / "few")
    names = list("abcd")
    all_pairs = [(one, other, 1.0) for one in names for other in names if one < other]
    write_similarity(data / "similar.parquet", table_of(names, all_pairs, {}))
    with pytest.raises(DatasetError, match="nearly all pairs of movies are similar"):
        train_movie_encoder(recipe(data), data / "many")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "this version reads mastershot/movie-encoder/1"),
        ({"settings": {"width": 8}}, "cannot be loaded|does not describe"),
        ({"settings": {"width": 1 << 20}}, "does not describe a movie encoder"),
        ({"settings": {"wide": 8}}, "does not describe a movie encoder"),
        ({"weights_sha256": "0"}, "is not the file that its description was written for"),
    ],
)
def test_a_damaged_movie_encoder_is_said(
    data: Path, change: dict[str, object], sentence: str
) -> None:
    made = train_movie_encoder(recipe(data, training=replace(TRAINING, max_steps=1)), data / "run")
    path = made / "movie_encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(EncoderError, match=sentence):
        load_movie_encoder(made)
    with pytest.raises(EncoderError, match=r"holds no movie_encoder\.json"):
        load_movie_encoder(data)


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30])
def test_a_film_with_damaged_features_is_counted_and_spoils_no_other(
    data: Path, number: float
) -> None:
    rows = np.load(data / "features" / "d.npy")
    rows[3, 2] = number
    write_movie(data / "features", "d", rows)
    made = train_movie_encoder(recipe(data), data / "movies")
    first = json.loads((data / "movies" / "log.jsonl").read_text().splitlines()[0])
    assert first["similar_pairs"] + first["held_out_pairs"] == 5
    assert len(first["damaged"]) == 1
    assert "'d'" in first["damaged"][0]
    mining = ScenePairsRecipe(
        ShotSource("features"),
        "similar.parquet",
        str(made),
        PairingSettings(window=3),
        data=str(data),
    )
    assert set(read_pairs(write_scene_pairs(mining, data / "pairs")).movies) == set("abcefgh")
    line = json.loads((data / "pairs" / "log.jsonl").read_text())
    assert (line["movie_pairs"], len(line["damaged"])) == (5, 1)
