import numpy as np
import pytest
import torch
from tests.factories.distillation import squeezenet_weights

from mastershot.models.fire_net import FireNet, SqueezeNetPlaces

SLOPE = 0.55


def trained_network(*, num_outputs: int = 5) -> FireNet:
    torch.manual_seed(0)
    network = FireNet(num_outputs)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval()


def test_shipped_weights_compute_the_same_without_normalisation() -> None:
    network = trained_network()
    fused = FireNet(5, normed=False)
    fused.load_state_dict(network.shipped_weights())
    images = torch.rand(3, 3, 64, 64) * 255
    with torch.inference_mode():
        torch.testing.assert_close(fused(images), network(images), rtol=1e-3, atol=1e-3)
        assert network(images).std() > 0.1


def test_maps_have_the_strides_they_promise() -> None:
    maps = FireNet(4).maps(torch.zeros(2, 3, 64, 96))
    assert maps.middle.shape == (2, 256, 8, 12)
    assert maps.last.shape == (2, 640, 4, 6)
    assert maps.outputs.shape == (2, 4)


def test_it_starts_from_random_weights_that_the_seed_decides() -> None:
    torch.manual_seed(3)
    one = FireNet(4).state_dict()
    torch.manual_seed(3)
    other = FireNet(4).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, SLOPE * x)


def naive_conv(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return a convolution with "same" zero padding and stride 1, pixel by pixel."""
    _, height, width = x.shape
    out = np.zeros((len(weight), height, width))
    reach = weight.shape[-1] // 2
    for row in range(height):
        for column in range(width):
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    y, z = row + dy, column + dx
                    if 0 <= y < height and 0 <= z < width:
                        out[:, row, column] += weight[:, :, dy + reach, dx + reach] @ x[:, y, z]
    return out + bias[:, None, None]


def test_a_fire_of_a_teacher_is_a_squeeze_and_two_expansions_side_by_side() -> None:
    weights = squeezenet_weights()
    network = SqueezeNetPlaces(weights)
    x = torch.randn(1, 64, 5, 4, generator=torch.Generator().manual_seed(1))
    given = {name: tensor.double().numpy() for name, tensor in weights.items()}

    def conv(name: str, image: np.ndarray) -> np.ndarray:
        return naive_conv(image, given[f"fire2.{name}.weight"], given[f"fire2.{name}.bias"])

    squeezed = leaky(conv("squeeze", x[0].double().numpy()))
    expected = leaky(np.concatenate([conv("expand1", squeezed), conv("expand3", squeezed)]))
    np.testing.assert_allclose(network._fire("fire2", x)[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side_px", [64, 65])
def test_maps_of_a_teacher_have_the_strides_they_promise(side_px: int) -> None:
    maps = SqueezeNetPlaces(squeezenet_weights()).maps(torch.rand(2, 3, side_px, side_px) * 255)
    ceiled = [-(-side_px // stride) for stride in (8, 16)]
    assert maps.middle.shape == (2, 256, ceiled[0], ceiled[0])
    assert maps.last.shape == (2, 512, ceiled[1], ceiled[1])
    assert maps.logits.shape == (2, 7)


def test_a_weight_that_a_teacher_lacks_is_named() -> None:
    weights = squeezenet_weights()
    del weights["fire7.expand3.bias"]
    with pytest.raises(KeyError, match=r"fire7\.expand3\.bias"):
        SqueezeNetPlaces(weights)
