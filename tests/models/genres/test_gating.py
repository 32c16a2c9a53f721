"""Collaborative gating against a plain loop, and what a missing expert may not do."""

import pytest
import torch

from mastershot.models.genres.gating import ClipEncoder, CollaborativeGating

WIDTHS = {"location": 5, "motion": 7, "audio": 3}


def by_loop(
    gating: CollaborativeGating, experts: torch.Tensor, present: torch.Tensor
) -> torch.Tensor:
    """Return one clip's gates, expert by expert, with g written out on whole pairs."""
    first, second = gating.norms
    joined = torch.cat([gating.own.weight, gating.other.weight], dim=1)

    def g(pair: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(first((joined @ pair + gating.own.bias)[None]))
        return gating.out(torch.relu(second(gating.hidden(hidden))))[0]

    gates = torch.zeros_like(experts)
    there = [place for place in range(len(experts)) if present[place]]
    for place in there:
        others = [experts[other] for other in there if other != place]
        if gating.gating == "mean":
            others = [torch.stack(others).mean(dim=0)] if others else []
        said = [g(torch.cat([experts[place], other])) for other in others]
        total = sum(said, torch.zeros(experts.shape[1]))
        if gating.pooling == "mean" and said:
            total = total / len(said)
        gates[place] = torch.sigmoid(total)
    return gates


def drawn(seed: int, count: int = 6, experts: int = 4, width: int = 8):
    torch.manual_seed(seed)
    present = torch.rand(count, experts) < 0.6
    present[0], present[1] = True, False
    present[2] = torch.arange(experts) == 1  # alone
    return torch.randn(count, experts, width) * present[..., None], present


@pytest.mark.parametrize("kind", ["pairs", "mean"])
@pytest.mark.parametrize("pooling", ["mean", "sum"])
def test_gates_equal_those_of_a_loop(kind: str, pooling: str) -> None:
    experts, present = drawn(0)
    gating = CollaborativeGating(8, gating=kind, pooling=pooling)
    gating(*drawn(5, count=50))  # Batch normalisation learns its statistics.
    gating.eval()
    with torch.no_grad():
        weighed, gates = gating(experts, present)
        for row in range(len(experts)):
            expected = by_loop(gating, experts[row], present[row])
            torch.testing.assert_close(gates[row], expected)
    torch.testing.assert_close(weighed, experts * gates)


@pytest.mark.parametrize("kind", ["pairs", "mean"])
def test_permuting_experts_permutes_gates_and_nothing_else(kind: str) -> None:
    experts, present = drawn(1)
    gating, order = CollaborativeGating(8, gating=kind).train(), torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        weighed, gates = gating(experts, present)
        other, other_gates = gating(experts[:, order], present[:, order])
    torch.testing.assert_close(other, weighed[:, order])
    torch.testing.assert_close(other_gates, gates[:, order])


@pytest.mark.parametrize("kind", ["pairs", "mean", "none"])
@pytest.mark.parametrize("training", [True, False])
def test_a_missing_expert_changes_no_output_and_gets_no_gradient(kind: str, training: bool) -> None:
    torch.manual_seed(2)
    clips = ClipEncoder(WIDTHS, 8, in_pieces={"audio": 2}, gating=kind).train(training)
    present = torch.rand(20, 3) < 0.6
    made = []
    for _ in range(3):
        torch.manual_seed(3)
        vectors = {name: torch.randn(20, width) for name, width in WIDTHS.items()}
        vectors["audio"] = torch.randn(20, 4, 3)
        for place, name in enumerate(WIDTHS):
            missing = ~present[:, place]
            noise = torch.empty_like(vectors[name][missing]).uniform_(-1e6, 1e6)
            vectors[name][missing] = torch.nan if len(made) == 2 else noise * (1 + len(made))
            vectors[name].requires_grad_()
        found, opened = clips(vectors, present)
        found.square().sum().backward()
        for place, name in enumerate(WIDTHS):
            assert not vectors[name].grad[~present[:, place]].any()
        made.append((found.detach(), opened.detach()))
    for found, opened in made[1:]:
        assert torch.equal(found, made[0][0])
        assert torch.equal(opened, made[0][1])
    assert not made[0][0].view(20, 3, 8)[~present].any()


@pytest.mark.parametrize("kind", ["pairs", "mean"])
def test_batch_normalisation_learns_of_experts_that_are_there_alone(kind: str) -> None:
    experts, present = drawn(6, count=40)
    gating = CollaborativeGating(8, gating=kind).train()
    with torch.no_grad():
        gating(experts, present)
        rows = []
        for one, there in zip(experts, present, strict=True):
            places = there.nonzero()[:, 0].tolist()
            for place in places:
                others = [one[other] for other in places if other != place]
                if kind == "mean" and others:
                    others = [torch.stack(others).mean(dim=0)]
                rows += [gating.own(one[place]) + gating.other(other) for other in others]
    norm = gating.norms[0]
    torch.testing.assert_close(norm.running_mean, norm.momentum * torch.stack(rows).mean(dim=0))


def test_gates_learn_which_expert_to_trust() -> None:
    """One expert says that the other one is noise: only gating can leave it out."""
    torch.manual_seed(4)
    signal, trusted = torch.randn(400, 4), (torch.rand(400) < 0.5).float()
    noisy = torch.where(trusted[:, None] > 0, signal, torch.randn(400, 4) * 2)
    flag = trusted[:, None].expand(-1, 4) * 2 - 1
    gating = CollaborativeGating(4)
    experts = torch.stack([noisy, flag], dim=1)
    present = torch.ones(400, 2, dtype=torch.bool)
    optimizer = torch.optim.Adam(gating.parameters(), lr=0.02)
    target = signal * trusted[:, None]
    for _ in range(200):
        optimizer.zero_grad()
        (gating(experts, present)[0][:, 0] - target).square().mean().backward()
        optimizer.step()
    gates = gating(experts, present)[1][:, 0].mean(dim=1)
    assert gates[trusted > 0].mean() > 0.8
    assert gates[trusted == 0].mean() < 0.2
