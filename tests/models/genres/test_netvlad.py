"""NetVLAD against a plain loop over the vectors of a set."""

import torch

from mastershot.models.genres.netvlad import NetVLAD


def by_loop(vlad: NetVLAD, vectors: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    clusters = len(vlad.centres)
    residuals = [torch.zeros(vectors.shape[1]) for _ in range(clusters)]
    for vector, there in zip(vectors, present, strict=True):
        if not there:
            continue
        shares = torch.softmax(vlad.assignment(vector), dim=0)
        for cluster in range(clusters):
            residuals[cluster] = residuals[cluster] + shares[cluster] * (
                vector - vlad.centres[cluster]
            )
    joined = torch.cat([one / max(float(one.norm()), 1e-12) for one in residuals])
    return joined / max(float(joined.norm()), 1e-12)


def test_it_equals_a_loop_and_reads_nothing_that_is_missing() -> None:
    torch.manual_seed(0)
    vlad = NetVLAD(6, clusters=3)
    vectors, present = torch.randn(4, 5, 6), torch.rand(4, 5) < 0.6
    present[3] = False
    with torch.no_grad():
        found = vlad(vectors, present)
        for row in range(3):
            expected = by_loop(vlad, vectors[row], present[row])
            torch.testing.assert_close(found[row], expected)
        assert found.shape == (4, vlad.width) == (4, 18)
        assert not found[3].any()
        vectors[~present] = torch.nan
        torch.testing.assert_close(vlad(vectors, present), found)


def test_the_order_of_a_set_does_not_matter() -> None:
    torch.manual_seed(1)
    vlad, vectors = NetVLAD(4, clusters=2), torch.randn(1, 7, 4)
    there, order = torch.ones(1, 7, dtype=torch.bool), torch.randperm(7)
    with torch.no_grad():
        torch.testing.assert_close(vlad(vectors, there), vlad(vectors[:, order], there))
