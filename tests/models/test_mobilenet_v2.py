import torch
from torch.nn.functional import conv2d, pad

from mastershot.models.mobilenet_v2 import MobileNetV2


def test_a_stride_of_two_pads_only_on_the_right_and_below() -> None:
    network = MobileNetV2(5)
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    stem = network.get_submodule("Conv1")
    weight, bias = stem.weight, stem.bias
    expected = conv2d(pad(image, (0, 1, 0, 1)), weight, bias, stride=2)
    torch.testing.assert_close(stem(image), expected)


def test_it_has_a_block_less_than_its_paper_counts_with_expansion() -> None:
    names = [name for name, _ in MobileNetV2(5).named_children()]
    assert sum(name.endswith("_expand") for name in names) == 16
    assert sum(name.endswith("_depthwise") for name in names) == 17
    assert MobileNetV2(5)(torch.zeros(2, 3, 64, 64)).shape == (2, 5)
