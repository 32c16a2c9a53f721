import numpy as np
import pytest
import torch

from mastershot.training.engine.samplers import batch_places, shuffled, step_seed


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 4097])
def test_a_shuffle_takes_every_place_somewhere_once(size: int) -> None:
    landed = shuffled(np.arange(size), size, 5)
    assert sorted(landed.tolist()) == list(range(size))
    assert np.array_equal(landed[::-1], shuffled(np.arange(size)[::-1], size, 5))


def test_a_shuffle_leaves_no_order_behind() -> None:
    landed = shuffled(np.arange(10_000), 10_000, 1)
    other = shuffled(np.arange(10_000), 10_000, 2)
    for order in (landed, other):
        assert abs(np.corrcoef(np.arange(10_000), order)[0, 1]) < 0.05
        assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.05
    assert (landed == other).sum() < 10


def test_each_epoch_holds_every_item_once_in_an_order_of_its_own() -> None:
    batches = [batch_places(s, batch_size=4, num_items=10, seed=3) for s in range(5)]
    items = np.concatenate([items for items, _ in batches])
    epochs = np.concatenate([epochs for _, epochs in batches])
    assert epochs.tolist() == [0] * 10 + [1] * 10
    assert sorted(items[:10]) == sorted(items[10:]) == list(range(10))
    assert items[:10].tolist() != items[10:].tolist()
    again, _ = batch_places(3, batch_size=4, num_items=10, seed=3)
    assert again.tolist() == items[12:16].tolist()


def test_places_far_out_cost_no_list() -> None:
    places = shuffled(np.array([0, 33_000_000 - 1]), 33_000_000, 0)
    assert ((places >= 0) & (places < 33_000_000)).all()


def test_every_seed_draws_other_numbers_in_a_step() -> None:
    drawn = {
        float(torch.rand((), generator=torch.Generator().manual_seed(step_seed(seed, step))))
        for seed in range(30)
        for step in (0, 1, 1000)
    }
    assert len(drawn) == 90
    assert step_seed(0, 1234) == 1234
