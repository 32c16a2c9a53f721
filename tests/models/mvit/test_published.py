import pytest
import torch
from tests.factories.mvit import drawn, torchvision_shapes
from torch import Tensor

from mastershot.core.errors import EncoderError
from mastershot.models.mvit.published import published_mvit


def slowfast_name(name: str) -> str:
    """Return what SlowFast calls a weight of torchvision's."""
    for theirs, ours in (
        ("conv_proj", "patch_embed.proj"), ("pos_encoding.class_token", "cls_token"),
        (".attn.project.0", ".attn.proj"), (".project.", ".proj."), (".mlp.0", ".mlp.fc1"),
        (".mlp.3", ".mlp.fc2"), ("head.1", "head.projection"),
    ):  # fmt: skip
        name = name.replace(theirs, ours)
    for part in "qkv":
        name = name.replace(f"pool_{part}.pool", f"pool_{part}")
        name = name.replace(f"pool_{part}.norm_act.0", f"norm_{part}")
    return name


def test_both_publishers_names_give_the_same_network() -> None:
    weights = drawn(torchvision_shapes())
    theirs = {slowfast_name(name): tensor for name, tensor in weights.items()}
    theirs["cls_token"] = theirs["cls_token"][None, None]
    one, other = published_mvit(weights, "a.pth"), published_mvit(theirs, "b.pyth")
    states = one.state_dict(), other.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert torch.equal(one.blocks[3].wider.weight, weights["blocks.3.project.weight"])
    assert torch.equal(one.blocks[15].narrow.bias, weights["blocks.15.mlp.3.bias"])
    pooled = weights["blocks.7.attn.pool_k.pool.weight"]
    assert torch.equal(one.blocks[7].attention.pool_k.convolution.weight, pooled)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"blocks.0.attn.qkv.weight": None}, "missing weights: 1, such as blocks.0.attention.que"),
        ({"blocks.99.x": torch.zeros(1)}, "unexpected weights: 1, such as blocks.99.x"),
        ({"norm.weight": torch.zeros(3)}, r"norm.weight of \(3,\) instead of \(768,\)"),
        ({"conv_proj.weight": None}, "is no checkpoint that MViT can be loaded from"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_one_sentence(
    change: dict[str, Tensor | None], sentence: str
) -> None:
    weights: dict[str, Tensor | None] = dict(drawn(torchvision_shapes())) | change
    held = {name: tensor for name, tensor in weights.items() if tensor is not None}
    with pytest.raises(EncoderError, match=f"^a.pth .*{sentence}"):
        published_mvit(held, "a.pth")
