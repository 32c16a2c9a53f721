import math
from itertools import product

import pytest
import torch
from tests.factories.mvit import torchvision_shapes

from mastershot.core.errors import SettingError
from mastershot.models.mvit.network import (
    MViT,
    MViTSettings,
    PoolingAttention,
    offset_vectors,
)

TINY = MViTSettings(width=4, depths=(1, 1, 2, 1), num_frames=4, image_px=32)


def test_with_the_head_of_kinetics_it_has_the_published_number_of_weights() -> None:
    with torch.device("meta"):
        network = MViT()
    count = sum(one.numel() for one in network.parameters())
    head = 768 * 400 + 400
    assert count + head == 34_537_744  # torchvision, MViT_V2_S_Weights.KINETICS400_V1
    assert sum(math.prod(shape) for shape in torchvision_shapes().values()) == count + head
    assert len(network.blocks) == 16


def test_a_scene_at_full_width_is_one_vector() -> None:
    torch.manual_seed(0)
    with torch.inference_mode():
        assert MViT()(torch.randint(0, 256, (1, 2, 3, 64, 64), dtype=torch.uint8)).shape == (1, 768)


def test_attention_is_the_plain_loops() -> None:
    """One query and one key at a time, with the offset of each of the three axes looked up."""
    torch.manual_seed(2)
    grid, heads = (2, 4, 4), 2
    attention = PoolingAttention(6, 8, heads, (2, 1), grid)
    for weights in attention.parameters():
        torch.nn.init.normal_(weights, std=0.5)
    tokens = torch.randn(1, 33, 6)
    with torch.no_grad():
        found, coarser = attention(tokens, grid)
        assert coarser == (2, 2, 2)
        parts = (
            attention.queries_keys_values(tokens).view(1, 33, 3, heads, 4).permute(2, 0, 3, 1, 4)
        )
        pools = attention.pool_q, attention.pool_k, attention.pool_v
        queries, keys, values = (pool(x, grid)[0][0] for pool, x in zip(pools, parts, strict=True))
        of_queries, of_keys = (
            [None, *product(range(2), range(side), range(side))] for side in (2, 4)
        )
        mixed = torch.zeros(9, heads, 4)
        for q, a in product(range(9), range(heads)):
            logits = torch.zeros(33)
            for k in range(33):
                logits[k] = queries[a, q] @ keys[a, k] / 2  # of the square root of 4
                at, other = of_queries[q], of_keys[k]
                if at is None or other is None:
                    continue
                # Queries are two keys apart; the tables begin with the most negative offset.
                for axis, (table, step, last) in enumerate(
                    ((attention.offsets_t, 1, 1), (attention.offsets_h, 2, 3),
                     (attention.offsets_w, 2, 3))
                ):  # fmt: skip
                    offset = at[axis] * step - other[axis] + last
                    logits[k] += queries[a, q] @ table[offset]
            mixed[q, a] = logits.softmax(0) @ values[a] + (queries[a, q] if q else 0)
        expected = attention.attended(mixed.flatten(1))
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


def test_offsets_between_finer_queries_and_coarser_keys_are_evenly_spread() -> None:
    table = torch.arange(7.0)[:, None]  # of four places; the fourth row is offset 0
    assert offset_vectors(table, 4, 4)[..., 0].tolist() == [
        [3, 2, 1, 0], [4, 3, 2, 1], [5, 4, 3, 2], [6, 5, 4, 3],
    ]  # fmt: skip
    assert offset_vectors(table, 4, 2)[..., 0].tolist() == [[2, 0], [3, 1], [4, 2], [5, 3]]
    assert offset_vectors(table, 2, 4)[..., 0].tolist() == [[3, 2, 1, 0], [5, 4, 3, 2]]
    assert offset_vectors(table, 1, 1)[..., 0].tolist() == [[3]]
    assert offset_vectors(table, 8, 8).shape == (8, 8, 1)


@pytest.mark.parametrize("num_frames", [1, 3, 9])
@pytest.mark.parametrize("side_px", [32, 48])
def test_any_number_of_frames_of_any_size_is_one_vector_and_every_weight_learns(
    num_frames: int, side_px: int
) -> None:
    torch.manual_seed(0)
    network = MViT(TINY)
    vectors = network(torch.rand(2, num_frames, 3, side_px, side_px) * 255)
    assert vectors.shape == (2, TINY.num_outputs) == (2, 32)
    vectors[:, 0].sum().backward()
    assert all(one.grad is not None for one in network.parameters())


def test_frames_and_their_order_matter() -> None:
    torch.manual_seed(0)
    network = MViT(TINY).eval()
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    frames = torch.rand(1, 4, 3, 32, 32) * 255
    with torch.inference_mode():
        assert not torch.allclose(network(frames), network(frames.flip(1)))


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 0, 3, 32, 32), (1, 2, 3, 32, 16)])
def test_scenes_of_another_shape_are_said(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match=r"cannot be encoded; \(batch, frames, 3, height"):
        MViT(TINY)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"depths": (1, 2, 3)}, "four stages have a block or more each"),
        ({"depths": (1, 0, 3, 1)}, "four stages have a block or more each"),
        ({"image_px": 100}, "image_px is 100; an MViT halves a multiple of 32"),
        ({"width": 0}, "width is 0; it must be 1 or more"),
    ],
)
def test_sizes_that_make_no_network_are_said(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        MViTSettings(**change)  # type: ignore[arg-type]
