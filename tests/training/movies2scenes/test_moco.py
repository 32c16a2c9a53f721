from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.factories import reference
from torch import Tensor, nn
from torch.nn.functional import normalize

from mastershot.core.errors import SettingError
from mastershot.training.engine import distributed
from mastershot.training.movies2scenes.batches import ContrastBatch
from mastershot.training.movies2scenes.moco import (
    BatchContrast,
    ContrastiveModule,
    MomentumContrast,
    pick_positives,
)
from mastershot.training.movies2scenes.settings.encoders import ContrastiveSettings

SETTINGS = ContrastiveSettings(batch_size=4, projection=5, momentum=0.5, temperature=0.2)


class Scheduler:
    """A schedule that changes nothing."""

    def step(self) -> None:
        """Leave the learning rate as it is."""


SCHEDULER = Scheduler()


class Projection(nn.Module):
    """Scenes (B, n, 6) to unit vectors (B, 5)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 5)

    def forward(self, scenes: Tensor) -> Tensor:
        return normalize(self.layer(scenes.mean(1)), dim=1)


def batch_of(first_id: int = 0, *, seed: int = 0) -> ContrastBatch:
    """Four scenes of three shots, with two positives each; the first one's second is none."""
    generator = torch.Generator().manual_seed(seed)
    valid = torch.ones(4, 2, dtype=torch.bool)
    valid[0, 1] = False
    return ContrastBatch(
        torch.randn(4, 3, 6, generator=generator), torch.randn(4, 2, 3, 6, generator=generator),
        valid, torch.arange(4) + first_id, torch.arange(8).reshape(4, 2) + first_id + 100,
    )  # fmt: skip


def momentum(settings: ContrastiveSettings = SETTINGS, *, queue: int = 16) -> MomentumContrast:
    torch.manual_seed(1)
    return MomentumContrast(Projection(), settings, queue=queue, steps=9, warmup_steps=0)


def gradients_of(module: ContrastiveModule, batch: ContrastBatch, seed: int = 0) -> dict[str, Any]:
    """Accumulate a batch's gradients as the trainer would; return its figures as numbers."""
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[assignment, method-assign]
    figures = module._accumulate_gradients(batch, torch.Generator().manual_seed(seed))
    return {name: figure.item() for name, figure in figures.items()}


def test_more_processes_than_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "world_size", lambda: 8)
    with pytest.raises(SettingError, match="8 processes share a batch_size of 7, and each needs"):
        BatchContrast(nn.Identity(), replace(SETTINGS, batch_size=7), steps=1, warmup_steps=0)


def test_a_step_of_momentum_contrast_is_the_plain_loops() -> None:
    module, before, batch = momentum(), batch_of(seed=9), batch_of(20)
    held = normalize(torch.randn(3, 5), dim=1)
    module.queue.put(held, torch.tensor([50, 20, 121]))  # the last two are in the batch
    with torch.no_grad():
        module.encoder.layer.weight.add_(before.queries[0, :1, :1])
        followed = (module.encoder.layer.weight + module.key_encoder.layer.weight) / 2
    figures = gradients_of(module, batch)
    assert torch.allclose(module.key_encoder.layer.weight, followed)
    with torch.no_grad():
        queries = module.encoder(batch.queries)
        keys = torch.stack([module.key_encoder(batch.keys[:, k]) for k in (0, 1)], 1)
        alike = (queries[:, None] * keys).sum(-1).masked_fill(~batch.valid, -9)
        nearest = keys[torch.arange(4), alike.argmax(1)]
    lists = queries.tolist(), nearest.tolist(), held[:1].tolist()
    assert figures["loss"] == pytest.approx(reference.info_nce(*lists, 0.2), rel=1e-5)
    assert figures["alignment"] == pytest.approx(
        reference.alignment(queries.tolist(), keys[:, 0].tolist()), rel=1e-5
    )
    assert figures["uniformity"] == pytest.approx(reference.uniformity(queries.tolist()), rel=1e-5)
    # Only positives that exist enter the queue, behind what it held.
    assert module.queue.ids[:11].tolist() == [50, 20, 121, 120, 122, 123, 124, 125, 126, 127, -1]
    assert torch.allclose(module.queue.vectors[3:10], keys[batch.valid], atol=1e-6)


@pytest.mark.parametrize("views", ["plain", "augmented"])
@pytest.mark.parametrize("size", [1, 3, 4, 9])
def test_micro_batches_have_the_gradient_figures_and_queue_of_the_whole(
    size: int, views: str
) -> None:
    whole = momentum(replace(SETTINGS, views=views))
    parts = momentum(replace(SETTINGS, views=views, micro_batch=size))
    for step in (0, 1):
        one, other = (gradients_of(module, batch_of(20 * step)) for module in (whole, parts))
        assert other == pytest.approx(one, rel=1e-5)
    gradient = whole.encoder.layer.weight.grad
    assert gradient.abs().max() > 1e-3
    assert torch.allclose(parts.encoder.layer.weight.grad, gradient, atol=1e-6)
    assert torch.equal(parts.queue.ids, whole.queue.ids)
    assert torch.allclose(parts.queue.vectors, whole.queue.vectors, atol=1e-6)


def test_the_age_of_the_queue_is_how_many_steps_ago_its_keys_were_made() -> None:
    module = momentum(queue=21)  # seven keys a step
    ages = [gradients_of(module, batch_of(20 * step))["queue_age"] for step in range(6)]
    assert ages == [0, 1, 1.5, 2, 2, 2]


def test_augmented_views_follow_from_the_generator_and_plain_ones_do_not() -> None:
    def losses(views: str) -> list[float]:
        modules = [BatchContrast(Projection(), replace(SETTINGS, views=views, negatives="batch"),
                                 steps=1, warmup_steps=0) for _ in range(3)]  # fmt: skip
        for module in modules[1:]:
            module.load_state_dict(modules[0].state_dict())
        seeds = zip(modules, (0, 0, 1), strict=True)
        return [gradients_of(module, batch_of(), seed)["loss"] for module, seed in seeds]

    same, again, other = losses("augmented")
    assert same == again != other
    assert len(set(losses("plain"))) == 1


def test_without_a_queue_a_query_is_told_from_the_rest_of_the_batch() -> None:
    settings = replace(SETTINGS, negatives="batch")
    module, batch = BatchContrast(Projection(), settings, steps=1, warmup_steps=0), batch_of()
    figures = gradients_of(module, batch)
    with torch.no_grad():
        both = module.encoder(batch.queries).tolist(), module.encoder(batch.keys[:, 0]).tolist()
    assert figures["loss"] == pytest.approx(reference.nt_xent(*both, 0.2), rel=1e-5)
    assert set(figures) == {"loss", "alignment", "uniformity"}


def test_the_optimiser_moves_the_encoder_and_never_the_one_of_the_keys() -> None:
    module = momentum()
    optimizer: Any = module.configure_optimizers()["optimizer"]
    moved = {id(one) for group in optimizer.param_groups for one in group["params"]}
    assert moved == {id(one) for one in module.encoder.parameters()}
    gradients_of(module, batch_of())
    assert all(one.grad is None for one in module.key_encoder.parameters())


def candidates_of(first_id: int = 0, num: int = 5) -> ContrastBatch:
    """Four scenes of three shots with candidates; the first one's fourth is none."""
    generator = torch.Generator().manual_seed(4)
    valid = torch.ones(4, num, dtype=torch.bool)
    valid[0, 3] = False
    ids = torch.arange(4 * num).reshape(4, num) + first_id + 50
    queries = torch.randn(4, 3, 6, generator=generator)
    keys = torch.randn(4, num, 3, 6, generator=generator)
    keys[0, 3] = queries[0]  # the most alike of all, and not there
    query_ids = torch.arange(4) + first_id
    return ContrastBatch(queries, keys, valid, query_ids, ids, candidates=True)


def plain_choice(encoder: nn.Module, batch: ContrastBatch) -> list[int]:
    """Which candidate is the most alike, one query and one candidate at a time."""
    chosen = []
    for query, keys, valid, ids in zip(*batch[:3], batch.key_ids, strict=True):
        best = (-9.0, -1)
        for key, exists, number in zip(keys, valid.tolist(), ids.tolist(), strict=True):
            cosine = torch.cosine_similarity(encoder(query[None]), encoder(key[None])).item()
            best = max(best, (cosine, number)) if exists else best
        chosen.append(best[1])
    return chosen


@pytest.mark.parametrize("size", [0, 1, 3])
def test_the_positive_of_shotcol_is_the_plain_loops_and_follows_the_weights(size: int) -> None:
    module, batch = momentum(), candidates_of()
    chosen = []
    for seed in (1, 2, 3):
        torch.manual_seed(seed)
        module.encoder.layer.reset_parameters()
        picked = pick_positives(module.encoder, batch, size)
        chosen.append(picked.key_ids[:, 0].tolist())
        assert chosen[-1] == plain_choice(module.encoder, batch)
        each = torch.arange(4), picked.key_ids[:, 0] - batch.key_ids[:, 0]
        assert torch.equal(picked.keys[:, 0], batch.keys[each])
        assert (picked.valid.tolist(), picked.candidates) == ([[True]] * 4, False)
    assert len(set(map(tuple, chosen))) > 1


@pytest.mark.parametrize("negatives", ["queue", "batch"])
def test_a_step_of_shotcol_is_that_of_the_positives_its_own_encoder_picks(negatives: str) -> None:
    """Each step picks by the weights before it; given the same positives, another run is equal."""
    settings = replace(SETTINGS, negatives=negatives, learning_rate=0.5)

    def steps(picks: bool) -> tuple[list[list[int]], Tensor]:
        module: ContrastiveModule = momentum(settings)
        if negatives == "batch":
            module = BatchContrast(module.encoder, settings, steps=9, warmup_steps=0)
        optimizer: Any = torch.optim.SGD(module.encoder.parameters(), lr=30.0)
        chosen = []
        for step in range(6):
            batch = candidates_of(100 * step)  # what the queue holds is never of the batch
            ids = torch.tensor(plain_choice(module.encoder, batch))
            place = ids - batch.key_ids[:, 0]
            chosen.append(place.tolist())
            if not picks:
                keys = batch.keys[torch.arange(4), place][:, None]
                ones = torch.ones(4, 1, dtype=torch.bool)
                batch = ContrastBatch(batch.queries, keys, ones, batch.query_ids, ids[:, None])
            module.manual_backward = lambda loss: loss.backward()  # type: ignore[assignment, method-assign]
            module.optimizers = lambda: optimizer  # type: ignore[assignment, method-assign]
            module.lr_schedulers = lambda: SCHEDULER  # type: ignore[assignment, method-assign]
            module.log_dict = lambda _: None  # type: ignore[assignment, method-assign]
            module.training_step(batch, 0)
        return chosen, module.encoder.layer.weight

    (chosen, weight), (_, given) = steps(True), steps(False)
    assert torch.allclose(weight, given, atol=1e-6)
    assert chosen[0] != chosen[-1]
