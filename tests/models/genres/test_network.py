"""Trailers to genres: padding, missing sequences, random halves."""

import pytest
import torch

from mastershot.models.genres.gating import ClipEncoder
from mastershot.models.genres.network import GenreNetwork, ProjectionHead, half_masks

WIDTHS = {"location": 5, "audio": 3}


def network(joining: str = "sum") -> GenreNetwork:
    torch.manual_seed(0)
    clips = ClipEncoder(WIDTHS, 8)
    return GenreNetwork(clips, 4, clips_a_sequence=3, joining=joining, sequence_width=16,
                        bottleneck=6).eval()  # fmt: skip


def drawn(count: int = 5, sequences: int = 4):
    torch.manual_seed(1)
    vectors = {name: torch.randn(count, sequences, 3, width) for name, width in WIDTHS.items()}
    return vectors, torch.rand(count, sequences, 3, 2) < 0.8


@pytest.mark.parametrize("joining", ["concat", "sum", "mean"])
def test_what_pads_a_short_trailer_is_never_read(joining: str) -> None:
    vectors, present = drawn()
    present[:, 2:] = False
    found = network(joining)(vectors, present)
    assert found.logits.shape == (5, 4)
    assert found.bottleneck.shape == (5, 6)
    for one in vectors.values():
        one[:, 2:] = torch.nan
    again = network(joining)(vectors, present)
    short = {name: one[:, :2] for name, one in vectors.items()}
    shorter = network(joining)(short, present[:, :2])
    for other in (again, shorter):
        torch.testing.assert_close(other.logits, found.logits)
        torch.testing.assert_close(other.opened, found.opened)


def test_a_mean_of_sequences_does_not_depend_on_their_number_or_order() -> None:
    vectors, present = drawn(sequences=2)
    present[:] = True
    twice = {name: torch.cat([one.flip(1), one], dim=1) for name, one in vectors.items()}
    once = network("mean")(vectors, present).logits
    torch.testing.assert_close(network("mean")(twice, present.repeat(1, 2, 1, 1)).logits, once)
    summed = network("sum")
    assert not torch.allclose(summed(vectors, present).logits,
                              summed(twice, present.repeat(1, 2, 1, 1)).logits)  # fmt: skip


def test_an_expert_that_no_clip_has_is_not_open() -> None:
    vectors, present = drawn()
    present[..., 0] = True
    present[0, ..., 1] = False
    opened = network()(vectors, present).opened
    assert opened[0, 1] == 0
    assert ((opened[:, 0] > 0) & (opened < 1).all(dim=1)).all()


def test_halves_share_no_sequence_and_are_equally_long() -> None:
    present = torch.ones(6, 5, 3, 2, dtype=torch.bool)
    for row, length in enumerate((5, 4, 3, 2, 1, 0)):
        present[row, length:] = False
    first, second = half_masks(present, torch.Generator().manual_seed(0))
    there = [half.any(dim=3).any(dim=2) for half in (first, second)]
    assert [half.sum(dim=1).tolist() for half in there] == [[2, 2, 1, 1, 1, 0]] * 2
    assert not (there[0] & there[1])[:4].any()
    assert not (first & ~present).any()
    drawn_first = {tuple(half_masks(present, torch.Generator().manual_seed(seed))[0][0, :, 0, 0]
                         .tolist()) for seed in range(20)}  # fmt: skip
    assert len(drawn_first) > 3


def test_the_projection_head_gives_unit_vectors() -> None:
    vectors = ProjectionHead(6, 4)(torch.randn(3, 6))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
