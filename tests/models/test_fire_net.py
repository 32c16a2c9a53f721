import torch

from mastershot.models.fire_net import FireNet, fused_weights


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


def test_fused_weights_compute_the_same() -> None:
    network = trained_network()
    fused = FireNet(5, normed=False)
    fused.load_state_dict(fused_weights(network))
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
