import copy

import pytest
import torch
from tests.factories import reference
from torch import Tensor, nn
from torch.nn.functional import normalize

from mastershot.core.errors import SettingError
from mastershot.models.contrastive import (
    KeyQueue,
    alignment,
    follow,
    follower,
    info_nce,
    nearer,
    nt_xent,
    queue_length,
    similarities,
    uniformity,
)


def directions(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(count, 8, generator=generator), dim=1)


def filled_queue(length: int = 6) -> KeyQueue:
    queue = KeyQueue(length, 8)
    queue.put(directions(length, seed=9), torch.arange(100, 100 + length))
    return queue


def test_info_nce_is_the_plain_loops() -> None:
    queue = filled_queue()
    queries, keys = directions(4), directions(4, seed=1)
    ids = torch.tensor([7, 101, 104])  # two of them are in the queue
    loss = info_nce(queries, similarities(queries, keys), queue, queue.penalties(ids))
    negatives = [key for key, id in zip(queue.vectors, queue.ids, strict=True) if id not in ids]
    expected = reference.info_nce(queries.tolist(), keys.tolist(), _lists(negatives), 0.07)
    assert len(negatives) == 4
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_only_the_queries_get_a_gradient() -> None:
    encoder = nn.Linear(8, 8)
    keys_encoder = follower(encoder)
    queue = filled_queue()
    queries, keys = encoder(directions(4)), keys_encoder(directions(4, seed=1))
    penalties = queue.penalties(torch.tensor([0]))
    info_nce(queries, similarities(queries, keys), queue, penalties).backward()
    assert encoder.weight.grad is not None
    assert keys_encoder.weight.grad is None
    assert not keys.requires_grad
    assert not queue.vectors.requires_grad


def test_the_gradient_is_that_of_the_written_out_softmax() -> None:
    queue = filled_queue()
    queries = directions(4).requires_grad_()
    keys = directions(4, seed=1)
    penalties = queue.penalties(torch.tensor([102]))
    info_nce(queries, similarities(queries, keys), queue, penalties, 0.5).backward()
    with torch.no_grad():
        kept = queue.vectors[queue.ids != 102]
        logits = torch.cat([similarities(queries, keys)[:, None], queries @ kept.T], 1) / 0.5
        weights = logits.softmax(1)
        expected = (weights[:, :1] * keys + weights[:, 1:] @ kept - keys) / 0.5 / 4
    torch.testing.assert_close(queries.grad, expected, rtol=1e-5, atol=1e-6)


def test_a_queue_not_yet_full_counts_only_what_it_holds() -> None:
    queue = KeyQueue(50, 8)
    queue.put(directions(3, seed=9), torch.tensor([5, 6, 7]))
    queries, keys = directions(4), directions(4, seed=1)
    loss = info_nce(queries, similarities(queries, keys), queue, queue.penalties(torch.tensor([1])))
    held = _lists(directions(3, seed=9))
    expected = reference.info_nce(queries.tolist(), keys.tolist(), held, 0.07)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_without_a_negative_loss_and_gradient_are_zero() -> None:
    queries = directions(4).requires_grad_()
    for queue in (KeyQueue(6, 8), filled_queue()):
        queries.grad = None
        penalties = queue.penalties(torch.arange(100, 106))
        loss = info_nce(queries, similarities(queries, directions(4, seed=1)), queue, penalties)
        loss.backward()
        assert loss.item() == 0
        assert queries.grad is not None
        assert not queries.grad.any()


def test_a_full_queue_forgets_the_oldest_keys() -> None:
    queue = KeyQueue(5, 8)
    expected: list[tuple[int, list[float]]] = []
    for step in range(7):
        keys, ids = directions(2, seed=step), torch.tensor([2 * step, 2 * step + 1])
        queue.put(keys, ids)
        expected = (expected + list(zip(ids.tolist(), keys.tolist(), strict=True)))[-5:]
    held = zip(queue.ids.tolist(), queue.vectors.tolist(), strict=True)
    assert sorted(held) == sorted(expected)


def test_a_batch_longer_than_the_queue_leaves_its_last_keys() -> None:
    queue = KeyQueue(3, 8)
    queue.put(directions(8), torch.arange(8))
    assert sorted(queue.ids.tolist()) == [5, 6, 7]
    queue.put(directions(1, seed=1), torch.tensor([8]))
    assert sorted(queue.ids.tolist()) == [6, 7, 8]


def test_the_queue_holds_no_positive_of_its_batch() -> None:
    queue = filled_queue(6)
    penalties = queue.penalties(torch.tensor([103, 100, 8]))
    assert (penalties < 0).tolist() == [True, False, False, True, False, False]


def test_a_queue_resumes_from_its_state() -> None:
    queue = KeyQueue(5, 8)
    queue.put(directions(3), torch.arange(3))
    other = KeyQueue(5, 8)
    other.load_state_dict(copy.deepcopy(queue.state_dict()))
    for one in (queue, other):
        one.put(directions(4, seed=2), torch.arange(10, 14))
    assert all(torch.equal(queue.state_dict()[name], x) for name, x in other.state_dict().items())
    assert queue.next_place.item() == 2


def test_keys_put_before_the_gradient_was_taken_are_an_error_not_a_wrong_gradient() -> None:
    queue = filled_queue()
    queries = directions(4).requires_grad_()
    penalties = queue.penalties(torch.tensor([0]))
    loss = info_nce(queries, similarities(queries, directions(4)), queue, penalties)
    queue.put(directions(2), torch.tensor([0, 1]))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_the_followers_weights_are_the_plain_loops() -> None:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    keys = follower(encoder)
    expected = [weights.flatten().tolist() for weights in keys.parameters()]
    for step in range(5):
        with torch.no_grad():
            for weights in encoder.parameters():
                weights.add_(torch.randn(weights.shape) * step)
        follow(keys, encoder, 0.9)
        theirs = [weights.flatten().tolist() for weights in encoder.parameters()]
        expected = [
            [0.9 * k + 0.1 * q for k, q in zip(one, other, strict=True)]
            for one, other in zip(expected, theirs, strict=True)
        ]
    for weights, wanted in zip(keys.parameters(), expected, strict=True):
        torch.testing.assert_close(weights.flatten(), torch.tensor(wanted), rtol=1e-6, atol=1e-6)


def test_the_positive_is_the_nearer_neighbour_that_exists() -> None:
    before, after = torch.tensor([0.1, 0.9, 0.9]), torch.tensor([0.5, 0.2, 0.4])
    exists = torch.tensor([[True, True], [True, True], [False, True]])
    assert nearer(before, after, exists).tolist() == pytest.approx([0.5, 0.9, 0.4])


def test_the_gradient_goes_to_the_nearer_neighbour_alone() -> None:
    before, after = torch.tensor([0.1, 0.9]).requires_grad_(), torch.tensor([0.5, 0.2])
    exists = torch.ones(2, 2, dtype=torch.bool)
    nearer(before, after, exists).sum().backward()
    assert before.grad is not None
    assert before.grad.tolist() == [0, 1]


def test_a_shot_without_neighbours_is_refused() -> None:
    with pytest.raises(SettingError, match="without a neighbour on either side"):
        nearer(torch.zeros(1), torch.zeros(1), torch.tensor([[False, False]]))


def test_nt_xent_is_the_plain_loops() -> None:
    one, other = directions(5), directions(5, seed=1)
    expected = reference.nt_xent(one.tolist(), other.tolist(), 0.1)
    assert nt_xent(one, other).item() == pytest.approx(expected, rel=1e-5)


def test_nt_xent_of_one_item_is_refused() -> None:
    with pytest.raises(SettingError, match="a batch of 1 has no negatives"):
        nt_xent(directions(1), directions(1))


def test_alignment_and_uniformity_are_the_plain_loops() -> None:
    one, other = directions(5), directions(5, seed=1)
    expected = reference.alignment(one.tolist(), other.tolist())
    assert alignment(one, other).item() == pytest.approx(expected, rel=1e-5)
    assert uniformity(one).item() == pytest.approx(reference.uniformity(one.tolist()), rel=1e-5)


def test_vectors_that_coincide_are_aligned_and_not_uniform() -> None:
    same = directions(1).repeat(4, 1)
    assert alignment(same, same).item() == 0
    assert uniformity(same).item() == pytest.approx(0)


def test_uniformity_of_one_vector_is_refused() -> None:
    with pytest.raises(SettingError, match="uniformity of 1 vectors means nothing"):
        uniformity(directions(1))


def test_the_queue_holds_at_most_a_quarter_of_the_key_scenes_and_says_so() -> None:
    assert queue_length(1_000_000).length == 65_536
    assert queue_length(1_000_000).reason == "the queue holds 65,536 keys, as asked"
    short = queue_length(2_050)
    assert short.length == 512
    assert "512 keys, a quarter of 2,050 distinct key scenes, instead of 65,536" in short.reason


@pytest.mark.parametrize(
    ("scenes", "wanted", "sentence"),
    [
        (3, 65_536, "3 distinct key scenes are too few for a queue; 4 or more are needed"),
        (100, 0, "a queue of 0 keys was asked for; it must be 1 or more"),
    ],
)
def test_a_queue_that_cannot_be_is_refused(scenes: int, wanted: int, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        queue_length(scenes, wanted)
    with pytest.raises(SettingError, match="a queue of 0 keys of width 8 holds nothing"):
        KeyQueue(0, 8)


def _lists(vectors: Tensor | list[Tensor]) -> list[list[float]]:
    return [vector.tolist() for vector in vectors]
