from pathlib import Path

import numpy as np
import pytest
import torch
from tests.factories.movies2scenes import write_films

from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes.batches import NeighbourBatches, SceneBatches, ShotBatches


@pytest.fixture
def arrays(tmp_path: Path) -> ShotArrays:
    write_films(tmp_path)
    return ShotArrays(tmp_path / "features")


def test_either_scene_of_a_pair_is_the_query_and_the_other_its_key(arrays: ShotArrays) -> None:
    rows = np.array([0, 1, 2, 3]), np.array([20, 21, 22, 23])
    batches = SceneBatches(arrays, rows, window=3, batch_size=4, seed=1)
    seen = set()
    for step in range(4):
        batch = batches.batch(step)
        for query, key in zip(batch.query_ids.tolist(), batch.key_ids[:, 0].tolist(), strict=True):
            assert abs(query - key) == 20
            seen.add(query)
        assert np.array_equal(batch.queries, arrays.scenes(batch.query_ids.numpy(), 3))
        assert np.array_equal(batch.keys[:, 0], arrays.scenes(batch.key_ids[:, 0].numpy(), 3))
    assert len(seen) > 4


def test_a_stream_that_begins_later_has_the_same_batches(arrays: ShotArrays) -> None:
    rows = np.arange(15), np.arange(15) + 20
    settings = {"window": 3, "batch_size": 4, "seed": 1}
    later = iter(SceneBatches(arrays, rows, first_step=7, **settings))  # type: ignore[arg-type]
    again = SceneBatches(arrays, rows, **settings)  # type: ignore[arg-type]
    for step in range(7, 12):
        assert all(
            torch.equal(one, other)
            for one, other in zip(next(later)[:5], again.batch(step)[:5], strict=True)
        )


def test_the_neighbours_of_a_shot_are_its_positives_within_its_film(arrays: ShotArrays) -> None:
    batches = ShotBatches(arrays, reach=2, query_share=1.0, batch_size=80, seed=0)
    batch = batches.batch(0)
    assert sorted(batch.query_ids.tolist()) == list(range(80))
    for row, ids, valid in zip(
        batch.query_ids.tolist(), batch.key_ids.tolist(), batch.valid.tolist(), strict=True
    ):
        inside = [row % 20 - 2 >= 0, row % 20 + 2 < 20]
        assert valid == inside
        wanted = [row - 2, row + 2]
        assert [i for i, valid in zip(ids, valid, strict=True) if valid] == [
            i for i, valid in zip(wanted, inside, strict=True) if valid
        ]


def test_a_share_of_shots_forms_queries_always_the_same(arrays: ShotArrays) -> None:
    batches = ShotBatches(arrays, reach=2, query_share=0.3, batch_size=24, seed=0)
    assert batches.num_queries == 24
    first, second = (set(batches.batch(step).query_ids.tolist()) for step in (0, 1))
    assert first == second
    assert len(first) == 24


@pytest.mark.parametrize("shots", [1, 2, 3])
def test_a_film_of_few_shots_still_has_a_positive(tmp_path: Path, shots: int) -> None:
    write_movie(tmp_path, "a", np.ones((shots, 4), np.float32))
    batches = ShotBatches(ShotArrays(tmp_path), reach=2, query_share=1.0, batch_size=4, seed=0)
    batch = batches.batch(0)
    assert batch.valid.any(1).all()
    assert ((batch.key_ids >= 0) & (batch.key_ids < shots)).all()


def test_the_candidates_of_a_scene_begin_within_reach_of_it_in_its_film(
    arrays: ShotArrays,
) -> None:
    rows = np.arange(80)[np.arange(80) % 20 < 18]  # scenes of three shots in films of twenty
    settings = {"window": 3, "reach": 4, "batch_size": 9, "seed": 1}
    batches = NeighbourBatches(arrays, rows, **settings)  # type: ignore[arg-type]
    for step in range(8):
        batch = batches.batch(step)
        assert batch.candidates
        for place, row in enumerate(batch.query_ids.tolist()):
            film = row // 20 * 20
            wanted = [s for s in range(row - 4, row + 5) if s != row and film <= s < film + 18]
            assert batch.key_ids[place][batch.valid[place]].tolist() == wanted
        assert np.array_equal(batch.queries, arrays.scenes(batch.query_ids.numpy(), 3))
        for k in range(8):
            assert np.array_equal(batch.keys[:, k], arrays.scenes(batch.key_ids[:, k].numpy(), 3))
    later = next(iter(NeighbourBatches(arrays, rows, first_step=5, **settings)))  # type: ignore[arg-type]
    assert torch.equal(later.key_ids, batches.batch(5).key_ids)


def test_the_only_scene_of_a_film_is_its_own_candidate(tmp_path: Path) -> None:
    write_movie(tmp_path, "a", np.ones((3, 4), np.float32))
    batches = NeighbourBatches(
        ShotArrays(tmp_path), np.array([0]), window=3, reach=2, batch_size=2, seed=0
    )
    batch = batches.batch(0)
    assert batch.key_ids[batch.valid].tolist() == [0] * len(batch.queries)
