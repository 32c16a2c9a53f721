from typing import Any

import pytest
import torch
from torch import Tensor

from mastershot.core.errors import SettingError
from mastershot.models.transformer import Transformer, TransformerSettings, initialise, learned


def test_reading_out_one_token_is_the_same_as_computing_all() -> None:
    torch.manual_seed(0)
    transformer = Transformer(TransformerSettings(width=8, depth=2, heads=2))
    tokens = torch.randn(2, 5, 8)
    x = tokens
    for block in transformer.blocks:
        x = block(x, None, 5)
    torch.testing.assert_close(transformer(tokens), transformer.norm(x)[:, 0])


def small(depth: int = 2, **changes: Any) -> Transformer:
    torch.manual_seed(0)
    transformer = Transformer(TransformerSettings(width=8, depth=depth, heads=2, **changes))
    for weights in transformer.parameters():
        torch.nn.init.normal_(weights, std=0.5)
    return transformer.eval()


def normed(x: Tensor, norm: torch.nn.LayerNorm) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    spread = (centred.square().mean(-1, keepdim=True) + norm.eps).sqrt()
    return centred / spread * norm.weight + norm.bias


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
def test_a_block_is_the_published_equations(activation: str) -> None:
    """Dosovitskiy et al. 2021, equations 2 and 3, one token and head at a time."""
    transformer = small(depth=1, activation=activation)
    (block,) = transformer.blocks
    tokens = torch.randn(5, 8)
    joint = block.queries_keys_values
    queries, keys, values = (normed(tokens, block.attention_norm) @ joint.weight.T + joint.bias
                             ).split(8, dim=1)  # fmt: skip
    heads = []
    for part in (slice(0, 4), slice(4, 8)):
        shares = (keys[:, part] @ queries[0, part] / 2).softmax(0)
        heads.append(shares @ values[:, part])
    x = tokens[0] + block.attended(torch.cat(heads))
    hidden = block.widen(normed(x, block.mlp_norm))
    gate = torch.sigmoid(1.702 * hidden)
    if activation == "gelu":
        gate = (1 + torch.erf(hidden / 2**0.5)) / 2
    expected = normed(x + block.narrow(hidden * gate), transformer.norm)
    torch.testing.assert_close(transformer(tokens[None])[0], expected, rtol=1e-4, atol=1e-5)


def test_masked_tokens_are_as_if_they_were_not_there() -> None:
    transformer, tokens = small(), torch.randn(2, 6, 8)
    mask = torch.tensor([[True, True, False, True, False, False], [True] * 6])
    found = transformer(tokens, mask)
    torch.testing.assert_close(found[:1], transformer(tokens[:1, [0, 1, 3]]))
    torch.testing.assert_close(found[1:], transformer(tokens[1:]))


def test_tokens_after_the_first_are_a_set() -> None:
    transformer, tokens = small(), torch.randn(2, 6, 8)
    torch.testing.assert_close(transformer(tokens), transformer(tokens[:, [0, 4, 2, 5, 1, 3]]))
    assert not torch.allclose(transformer(tokens), transformer(tokens[:, [1, 0, 2, 3, 4, 5]]))


def test_weights_begin_small_and_biases_at_nothing() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(90, 90), torch.nn.Conv2d(3, 90, 8, bias=False))
    initialise(network)
    for part in network:
        assert part.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not network[0].bias.any()
    assert learned(90, 90).std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"heads": 3}, "3 heads cannot share a width of 8 evenly; the number of heads must divide"),
        ({"heads": 0}, "heads is 0; it must be 1 or more"),
        ({"depth": 0}, "depth is 0; it must be 1 or more"),
        ({"mlp_ratio": -1}, "mlp_ratio is -1; it must be 1 or more"),
        ({"activation": "relu"}, "activation 'relu' is unknown; gelu and quick_gelu are known"),
    ],
)
def test_a_shape_that_cannot_be_says_why(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        TransformerSettings(**({"width": 8, "heads": 2} | changes))
