"""Linear layers in int8: the numbers of a plain loop, and one result a row whatever the batch."""

import numpy as np
import pytest
import torch
from tests.factories.reference import int8_linear
from torch import nn

from mastershot.encoders.precision import computes_in_int8
from mastershot.models.int8_linear import Int8Linear, Int8Patches, QuickGelu, quantise

pytestmark = pytest.mark.skipif(
    not computes_in_int8(torch.device("cpu")), reason="this processor has no VNNI instructions"
)


def layer_of(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(inputs, outputs, bias=bias).requires_grad_(False)


@pytest.mark.parametrize("bias", [True, False])
def test_the_output_is_that_of_a_plain_loop(bias: bool) -> None:
    layer = layer_of(24, 5, bias=bias)
    inputs = torch.randn(2, 3, 24) * torch.tensor([0.01, 1.0, 100.0]).view(1, 3, 1)
    found = Int8Linear(layer)(inputs)
    expected = int8_linear(
        inputs.reshape(6, 24).tolist(),
        layer.weight.tolist(),
        layer.bias.tolist() if bias else [0.0] * 5,
    )
    np.testing.assert_allclose(found.reshape(6, 5), expected, rtol=1e-4, atol=1e-5)


def test_it_is_close_to_the_layer_it_replaces() -> None:
    layer, inputs = layer_of(256, 64), torch.randn(32, 256)
    error = (Int8Linear(layer)(inputs) - layer(inputs)).norm() / layer(inputs).norm()
    assert 1e-4 < error < 0.02


def test_sums_do_not_saturate() -> None:
    layer = layer_of(3072, 16, bias=False)
    layer.weight.fill_(-1.0)
    np.testing.assert_array_equal(Int8Linear(layer)(torch.ones(64, 3072)), -3072.0)


def test_a_row_has_one_result_whatever_batch_it_comes_in() -> None:
    layer, inputs = Int8Linear(layer_of(48, 32)), torch.randn(50, 48)
    inputs[7] *= 1000
    alone = torch.cat([layer(row[None]) for row in inputs])
    np.testing.assert_array_equal(layer(inputs), alone)


def test_a_row_of_zeros_gives_the_bias() -> None:
    layer = layer_of(8, 4)
    np.testing.assert_array_equal(Int8Linear(layer)(torch.zeros(1, 8))[0], layer.bias)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_so_in_its_row_alone(value: float) -> None:
    inputs = torch.ones(3, 8)
    inputs[1, 2] = value
    found = Int8Linear(layer_of(8, 4))(inputs)
    assert found[1].isnan().all()
    assert found[[0, 2]].isfinite().all()


def test_linear_layers_are_replaced_but_not_those_whose_owner_reads_the_weights() -> None:
    network = nn.Sequential(nn.Linear(8, 8), nn.Sequential(nn.Linear(8, 8)))
    network.append(nn.MultiheadAttention(8, 2))
    quantise(network)
    kinds = [type(module).__name__ for module in network.modules()]
    assert kinds.count("Int8Linear") == 2
    rows = torch.randn(3, 8)
    assert network[2](rows, rows, rows)[0].isfinite().all()


def test_patches_are_those_of_the_convolution_they_replace() -> None:
    torch.manual_seed(0)
    layer, images = nn.Conv2d(3, 16, 8, 8).requires_grad_(False), torch.randn(2, 3, 24, 32)
    found, expected = Int8Patches(layer)(images), layer(images)
    assert found.shape == expected.shape == (2, 16, 3, 4)
    assert (found - expected).norm() / expected.norm() < 0.02
    network = nn.Sequential(layer, nn.Conv2d(16, 4, 3))
    quantise(network)
    assert [type(child) for child in network] == [Int8Patches, nn.Conv2d]


def test_the_quick_gelu_is_its_formula() -> None:
    inputs = torch.linspace(-8, 8, 101)
    expected = inputs * torch.sigmoid(1.702 * inputs)
    torch.testing.assert_close(QuickGelu()(inputs.clone()), expected, rtol=1e-5, atol=1e-6)
